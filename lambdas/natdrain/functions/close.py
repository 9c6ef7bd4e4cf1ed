"""*Close*: the one exit of every path.

It records what has left, frees the lock if it is ours, and says how the execution ended.

Input: `{Execution, Request, Quiet, Failure, Step}`, each as far as the path got.
Output: `{Result}` of a success, or `{Error, Cause}` of a failure.
Errors: `TransientFailure`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from natdrain import history
from natdrain.drains import AddressOutcome, Drain
from natdrain.errors import RequestRefused
from natdrain.functions.task import drains_of, setting, task
from natdrain.names import SERVICE, TABLE_ENV
from natdrain.outcomes import Failure, Outcome, Quiet, conclude, quiet
from natdrain.requests import AfterDrain, Request

__all__ = ["handler"]

metrics = Metrics(namespace=SERVICE, service=SERVICE)


@metrics.log_metrics
@task
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Record, free the lock, conclude."""
    request = Request.parse(event["Request"]) if event.get("Request") else None
    drains = list(drains_of(event))
    if event.get("Quiet"):
        outcome = quiet(request.gateway_id if request else None, Quiet.from_json(event["Quiet"]))
    else:
        outcome = _conclude(event, request, drains)
    _measure(outcome, drains)
    if outcome.error:
        return {"Error": outcome.error, "Cause": outcome.to_cause()}
    return {"Result": outcome.to_result()}


def _conclude(event: Mapping[str, Any], request: Request | None, drains: list[Drain]) -> Outcome:
    step = event["Step"]
    failure = Failure.from_catch(event["Failure"]) if event.get("Failure") else None
    if problems := step.get("Problems"):
        failure = Failure(error=RequestRefused.__name__, message="\n".join(problems))
    outcome = conclude(
        gateway_id=request.gateway_id if request else None,
        drains=drains,
        limit_seconds=request.limit_seconds if request else None,
        dry_run=bool(request and request.dry_run),
        releases=bool(request and request.after_drain is AfterDrain.RELEASE),
        failure=failure,
        asking=[*step.get("AssociationIds", ()), *step.get("AllocationIds", ())],
        told=step.get("Warnings", ()),
        absent=_absent(request, drains) if request and request.scheduled else None,
        region=os.environ["AWS_REGION"],
    )
    if request and not request.dry_run:
        table, gateway_id, me = setting(TABLE_ENV), str(request.gateway_id), event["Execution"]
        history.close(table, gateway_id, me, drains, request.reason)
        # Last, so that whoever is asked again finds the lock free.
        if request.trigger and outcome.error and outcome.changed == "none":
            history.unclaim(table, request, me)
    return outcome


def _absent(request: Request, drains: list[Drain]) -> list[str]:
    seen = {name for d in drains for name in (d.association_id, d.allocation_id, d.public_ip)}
    return [name for name in request.names if name not in seen]


def _measure(outcome: Outcome, drains: list[Drain]) -> None:
    metrics.add_dimension(name="Outcome", value=outcome.name)
    metrics.add_metric(name="Executions", unit=MetricUnit.Count, value=1)
    for drain in drains:
        # Only of what this execution saw leave: not of what it found gone.
        if (
            drain.outcome in {AddressOutcome.DRAINED, AddressOutcome.RELEASED, AddressOutcome.RELEASE_FAILED}
            and not drain.left_before
            and drain.last_seen_at
            and drain.requested_at
            and drain.gone_by
        ):
            seconds = (drain.gone_by - drain.requested_at).total_seconds()
            metrics.add_metric(name="DrainDuration", unit=MetricUnit.Seconds, value=seconds)
