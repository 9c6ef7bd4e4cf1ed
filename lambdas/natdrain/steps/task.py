"""The task of a workflow: what all functions share, and how a decision crosses the workflow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from natdrain.change.leave.decide import Decision, Disassociate, Finished, Refuse, Release, Wait
from natdrain.contract import SERVICE
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
            return {"Failure": {}} | function(event)
        except (RequestRefused, GatewayBusy) as refusal:
            failure = {"Error": type(refusal).__name__, "Cause": str(refusal)}
            return {
                "Failure": failure,
                "Request": {},
                "Quiet": {},
                "Step": event.get("Step", {}),
                "Start": {},
            }

    return handler


def drains_of(event: Event) -> tuple[Drain, ...]:
    """What the step before has left known of each address."""
    return tuple(Drain.from_json(drain) for drain in event["Step"].get("Drains") or ())


def answer(event: Event, decision: Decision) -> dict[str, Any]:
    """A decision as the workflow's next step: `Do`, and what it needs; and what is to be told of a start.

    Warnings go along from step to step.
    """
    warnings = [*dict.fromkeys((*event["Step"].get("Warnings", ()), *decision.warnings))]
    step: dict[str, Any] = {"AssociationIds": [], "AllocationIds": [], "Warnings": bounded(warnings)}
    match decision:
        case Refuse(problems):
            step |= {"Do": "refuse", "Drains": [], "Problems": bounded(problems)}
            return {"Step": step, "Start": {}}
        case Disassociate(drains, association_ids):
            step |= {"Do": "disassociate", "AssociationIds": list(association_ids)}
        case Release(drains, allocation_ids):
            step |= {"Do": "release", "AllocationIds": list(allocation_ids)}
        case Wait(drains, until):
            step |= {"Do": "wait", "WaitUntil": timestamp(until)}
        case Finished(drains):
            step |= {"Do": "finish"}
    return {"Step": step | {"Drains": [drain.to_json() for drain in drains]}, "Start": _start(event, drains)}


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
