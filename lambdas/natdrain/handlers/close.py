"""*Close*: the one exit of every path of the Drain workflow.

It records how the execution ended, frees the lock if it is ours, and returns the event to publish.

Input: `{Execution, Request, Quiet, Failure, Step}`, each as far as the path got.
Output: `{Result}` of a success, or `{Error, Cause}` of a failure; with `Event`, which may be empty.
Errors: `TransientFailure`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from natdrain.change.conclude import Failure, Outcome, Quiet, conclude, quiet
from natdrain.contract import Busy
from natdrain.intake.request import Request
from natdrain.model.drain import AddressOutcome, Drain
from natdrain.model.errors import RequestRefused
from natdrain.report import measures
from natdrain.report.lock import locked
from natdrain.steps.emit import emit
from natdrain.steps.ending import FAILED, SUCCEEDED, record_end, releases, unclaim
from natdrain.steps.settings import EndSettings
from natdrain.steps.task import Event, drains_of, task
from natdrain.store.drains import Drains
from natdrain.store.lock import GatewayLock
from natdrain.store.table import Table

__all__ = ["handler"]

_UNFINISHED = {None, AddressOutcome.OVERDUE}


@task
def handler(event: Event) -> dict[str, Any]:
    """Conclude, free the lock, record."""
    settings, execution = EndSettings.from_env(), event["Execution"]
    request = Request.parse(event["Request"]) if event.get("Request") else None
    drains = drains_of(event)
    if event.get("Quiet"):
        outcome = quiet(request.gateway_id if request else None, Quiet.from_json(event["Quiet"]))
    else:
        outcome = _conclude(event, request, drains, settings.region)
        if request and not request.dry_run:
            _free(settings.table, execution, request, drains)
    status = FAILED if outcome.error else SUCCEEDED
    to_publish, _ = record_end(settings.table, execution, request, outcome, status)
    # Also if an earlier attempt has recorded it: it may have died before it could emit them.
    emit(measures.of_end(outcome, request, drains))
    unclaim(settings.table, execution, request, to_publish)
    if outcome.error:
        return {"Error": outcome.error, "Cause": outcome.to_cause(), "Event": to_publish}
    return {"Result": outcome.to_result(), "Event": to_publish}


def _conclude(event: Event, request: Request | None, drains: Sequence[Drain], region: str) -> Outcome:
    step = event["Step"]
    failure = _failure(event["Failure"], request) if event.get("Failure") else None
    if problems := step.get("Problems"):
        failure = Failure(error=RequestRefused.__name__, message="\n".join(problems))
    return conclude(
        gateway_id=request.gateway_id if request else None,
        drains=drains,
        limit_seconds=request.limit_seconds if request else None,
        dry_run=bool(request and request.dry_run),
        releases=releases(request),
        failure=failure,
        asking=[*step.get("AssociationIds", ()), *step.get("AllocationIds", ())],
        told=step.get("Warnings", ()),
        absent=_absent(request, drains) if request and request.scheduled else None,
        region=region,
    )


def _failure(failed: Mapping[str, Any], request: Request | None) -> Failure:
    if request and (facts := failed.get(Busy.LOCK)):
        return Failure(error=failed["Error"], message=locked(str(request.gateway_id), facts))
    return Failure.from_catch(failed)


def _absent(request: Request, drains: Sequence[Drain]) -> list[str]:
    seen = {name for d in drains for name in (d.association_id, d.allocation_id, d.public_ip)}
    return [name for name in request.names if name not in seen]


def _free(table: Table, execution: str, request: Request, drains: Sequence[Drain]) -> None:
    """Record which drains have finished, then free the lock."""
    gateway_id = str(request.gateway_id)
    finished = [drain for drain in drains if drain.outcome not in _UNFINISHED]
    Drains(table).record(gateway_id, finished, execution, request.reason)
    GatewayLock(table, gateway_id, execution).free(finished)
