"""What all functions share: their logger, their settings, and how a decision crosses the workflow."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from natdrain.decide import Decision, Disassociate, Finished, Refuse, Release, Wait
from natdrain.drains import Drain, timestamp
from natdrain.errors import NatdrainError, bounded
from natdrain.names import SERVICE

__all__ = ["Event", "answer", "drains_of", "logger", "setting", "task"]

logger = Logger(service=SERVICE)

Event = Mapping[str, Any]


def setting(name: str) -> str:
    """What the stack put into an environment variable.

    Raises:
        NatdrainError: naming the variable that is missing.
    """
    if not (value := os.environ.get(name)):
        raise NatdrainError(f"The environment variable {name} is missing: the stack sets it.")
    return value


def task(function: Callable[[Event], dict[str, Any]]) -> Callable[[Event, LambdaContext], dict[str, Any]]:
    """Make a Lambda handler whose every log line carries the execution and the gateway."""

    @logger.inject_lambda_context(clear_state=True)
    @functools.wraps(function)
    def handler(event: Event, context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        named = event.get("Request") or event.get("Input")
        gateway = named.get("NatGatewayId") if isinstance(named, Mapping) else None
        logger.append_keys(execution=event["Execution"], gateway=gateway)
        result = function(event)
        logger.info("answered", answer=result)
        return result

    return handler


def drains_of(event: Event) -> tuple[Drain, ...]:
    """What the step before has left known of each address."""
    return tuple(Drain.from_json(drain) for drain in event["Step"].get("Drains") or ())


def answer(event: Event, decision: Decision) -> dict[str, Any]:
    """A decision as the workflow's next step: `Do`, and what it needs.

    Warnings go along from step to step.
    """
    warnings = [*dict.fromkeys((*event["Step"].get("Warnings", ()), *decision.warnings))]
    step: dict[str, Any] = {"AssociationIds": [], "AllocationIds": [], "Warnings": bounded(warnings)}
    match decision:
        case Refuse(problems):
            return step | {"Do": "refuse", "Drains": [], "Problems": bounded(problems)}
        case Disassociate(drains, association_ids):
            step |= {"Do": "disassociate", "AssociationIds": list(association_ids)}
        case Release(drains, allocation_ids):
            step |= {"Do": "release", "AllocationIds": list(allocation_ids)}
        case Wait(drains, until):
            step |= {"Do": "wait", "WaitUntil": timestamp(until)}
        case Finished(drains):
            step |= {"Do": "finish"}
    return step | {"Drains": [drain.to_json() for drain in drains]}
