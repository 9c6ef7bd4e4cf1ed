"""The task of a workflow: what all functions share, and how a decision crosses the workflow."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from natdrain.change import step as steps
from natdrain.change.step import Step
from natdrain.contract import SERVICE
from natdrain.model.drain import Drain
from natdrain.model.errors import GatewayBusy, RequestRefused
from natdrain.model.join import Join
from natdrain.model.request import Request
from natdrain.report.event import started
from natdrain.report.measures import measure_retry
from natdrain.steps.emit import emit

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
            emit([measure_retry(name)])
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
            problems = [problem.to_json() for problem in refusal.problems]
            failure: dict[str, Any] = {"Error": type(refusal).__name__, "Problems": problems}
            request: dict[str, Any] = {}
            if isinstance(refusal, RequestRefused):
                request = refusal.request.to_json() if refusal.request else {}
                failure |= {"Trigger": refusal.trigger.to_json()} if refusal.trigger else {}
            step = event.get("Step", {})
            return {"Failure": failure, "Request": request, "Quiet": {}, "Step": step, "Start": {}}

    return handler


def deciding(function: Callable[[Event, Request, Step], Step]) -> Handler:
    """Let a function return the step that follows the one before."""

    @refusing
    @functools.wraps(function)
    def handler(event: Event) -> dict[str, Any]:
        request, before = Request.from_json(event["Request"]), steps.from_json(event["Step"])
        return _answer(event, request, before, function(event, request, before))

    return handler


def _answer(event: Event, request: Request, before: Step, step: Step) -> dict[str, Any]:
    """Return the step and, if addresses begin to change, their event; warnings are carried over."""
    step = replace(step, warnings=(*before.warnings, *step.warnings))
    begun_before = {address.key for address in _addresses(before) if _begun(address)}
    new = [a for a in _addresses(step) if _begun(a) and not a.outcome and a.key not in begun_before]
    start = {}
    if new and not request.dry_run:
        start = started(execution=event["Execution"], request=request, addresses=new)
    return {"Step": steps.to_json(step), "Start": start}


def _addresses(step: Step) -> list[Drain | Join]:
    return [*step.drains, *step.joins]


def _begun(address: Drain | Join) -> bool:
    return address.accepted if isinstance(address, Join) else address.leaving
