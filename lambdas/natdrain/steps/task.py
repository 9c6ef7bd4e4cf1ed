"""The task of a workflow: what all functions share, and how a decision crosses the workflow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from natdrain.change.leave.decide import Decision, Disassociate, Finished, Refuse, Release, Wait
from natdrain.contract import SERVICE, Answer, Do, Step
from natdrain.intake.request import Request
from natdrain.model.drain import Drain, timestamp
from natdrain.model.errors import GatewayBusy, RequestRefused, bounded
from natdrain.report.event import started
from natdrain.report.measures import of_retry
from natdrain.steps.emit import emit

__all__ = ["Event", "answer", "drains_of", "logger", "refusing", "task"]

logger = Logger(service=SERVICE)

Event = Mapping[str, Any]
Handler = Callable[[Event], dict[str, Any]]


def task(function: Handler) -> Callable[[Event, LambdaContext], dict[str, Any]]:
    """Make a Lambda handler whose every log line carries the execution and the gateway."""
    name = function.__module__.rpartition(".")[2]

    @logger.inject_lambda_context(clear_state=True)
    @functools.wraps(function)
    def handler(event: Event, context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        named = event.get("Request") or event.get("Input")
        gateway = named.get("NatGatewayId") if isinstance(named, Mapping) else None
        logger.append_keys(execution=event["Execution"], gateway=gateway)
        if event["RetryCount"]:
            emit([of_retry(name)])
        result = function(event)
        logger.info("answered", answer=result)
        return result

    return handler


def refusing(function: Handler) -> Handler:
    """Let a refusal be an answer, in `Failure`: as an error it would count among the function's failures."""

    @functools.wraps(function)
    def handler(event: Event) -> dict[str, Any]:
        try:
            return {Answer.FAILURE: {}} | function(event)
        except (RequestRefused, GatewayBusy) as refusal:
            return {
                Answer.FAILURE: {Answer.ERROR: type(refusal).__name__, Answer.CAUSE: str(refusal)},
                Answer.REQUEST: {},
                Answer.QUIET: {},
                Answer.STEP: event.get(Answer.STEP, {}),
                Answer.START: {},
            }

    return handler


def drains_of(event: Event) -> tuple[Drain, ...]:
    """What the step before has left known of each address."""
    return tuple(Drain.from_json(drain) for drain in event[Answer.STEP].get(Step.DRAINS) or ())


def answer(event: Event, decision: Decision) -> dict[str, Any]:
    """A decision as the workflow's next step: `Do`, and what it needs; and what is to be told of a start.

    Warnings go along from step to step.
    """
    warnings = [*dict.fromkeys((*event[Answer.STEP].get(Step.WARNINGS, ()), *decision.warnings))]
    step: dict[str, Any] = {
        Step.ASSOCIATION_IDS: [],
        Step.ALLOCATION_IDS: [],
        Step.WARNINGS: bounded(warnings),
    }
    match decision:
        case Refuse(problems):
            step |= {Step.DO: Do.REFUSE, Step.DRAINS: [], Step.PROBLEMS: bounded(problems)}
            return {Answer.STEP: step, Answer.START: {}}
        case Disassociate(drains, association_ids):
            step |= {Step.DO: Do.DISASSOCIATE, Step.ASSOCIATION_IDS: list(association_ids)}
        case Release(drains, allocation_ids):
            step |= {Step.DO: Do.RELEASE, Step.ALLOCATION_IDS: list(allocation_ids)}
        case Wait(drains, until):
            step |= {Step.DO: Do.WAIT, Step.WAIT_UNTIL: timestamp(until)}
        case Finished(drains):
            step |= {Step.DO: Do.FINISH}
    step |= {Step.DRAINS: [drain.to_json() for drain in drains]}
    return {Answer.STEP: step, Answer.START: _start(event, drains)}


def _start(event: Event, drains: Sequence[Drain]) -> dict[str, Any]:
    """What is told of the drains that have begun since the step before, by us or by somebody else."""
    request = Request.parse(event["Request"])
    leaving_before = {drain.association_id for drain in drains_of(event) if drain.leaving}
    new = [d for d in drains if d.leaving and not d.outcome and d.association_id not in leaving_before]
    return (
        started(execution=event["Execution"], request=request, drains=new)
        if new and not request.dry_run
        else {}
    )
