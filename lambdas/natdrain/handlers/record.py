"""*Record*: conclude in place of an execution that was stopped, timed out, or failed uncaught.

It records the end, frees the lock if it is that execution's, and returns the event to publish.

Input: `{Execution, Status, Cause}`, as Step Functions reports it.
Output: `{Event}`, which is empty if there is nothing to publish, or if it was published before.
Errors: `TransientFailure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from natdrain.change.after.release import RELEASABLE
from natdrain.change.conclude import Failure, Outcome, conclude
from natdrain.intake.request import Request
from natdrain.model.drain import Drain
from natdrain.report import measures
from natdrain.steps.emit import emit
from natdrain.steps.ending import FAILED, record_end, releases, unclaim
from natdrain.steps.settings import EndSettings
from natdrain.steps.task import Event, task
from natdrain.store.drains import Drains
from natdrain.store.executions import Execution, Executions
from natdrain.store.lock import GatewayLock
from natdrain.store.table import Table

__all__ = ["handler"]

_WHY = {
    "ABORTED": "somebody stopped the execution",
    "TIMED_OUT": "the execution took longer than it may",
    FAILED: "the execution failed, and could not record why",
}


@task
def handler(event: Event) -> dict[str, Any]:
    """Conclude, free the lock and record, if the execution has not done so itself."""
    settings, execution = EndSettings.from_env(), event["Execution"]
    known = Executions(settings.table).find(execution)
    if not known.ended:
        known = _record(settings, event, known)
    unclaim(settings.table, execution, known.request, known.event)
    return {"Event": {} if known.published else known.event}


def _record(settings: EndSettings, event: Event, known: Execution) -> Execution:
    """Record the end; return what is then recorded: by us, or by the execution at the same moment."""
    table, execution, request = settings.table, event["Execution"], known.request
    if request and request.dry_run:
        Executions(table).end(execution, request, {}, None)
        return known
    drains = _asked_by(table, execution, request) if request else []
    outcome = _conclude(event, request, drains, settings.region)
    if request:
        GatewayLock(table, str(request.gateway_id), execution).free()
    to_publish, recorded = record_end(table, execution, request, outcome, event["Status"])
    if not recorded:
        return Executions(table).find(execution)
    emit(measures.of_end(outcome, request, drains))
    return replace(known, event=to_publish)


def _conclude(event: Event, request: Request | None, drains: Sequence[Drain], region: str) -> Outcome:
    status = event["Status"]
    outcome = conclude(
        gateway_id=request.gateway_id if request else None,
        drains=drains,
        releases=releases(request),
        failure=Failure(error=status, message=": ".join(filter(None, [_WHY[status], event["Cause"]]))),
        asking=_perhaps_asked(drains, request) if request else (),
        status=status,
        region=region,
    )
    # Without a request it was stopped before it could record one, or began before there were records.
    return outcome if request else replace(outcome, changed="unknown")


def _asked_by(table: Table, execution: str, request: Request) -> list[Drain]:
    """Return what this execution asked of EC2, or was about to, as the table remembers it."""
    associations, names = set(request.association_ids), {*request.allocation_ids, *request.public_ips}
    memory = Drains(table).recall(str(request.gateway_id), associations, names)
    return [drain for drain in memory.drains.values() if drain.asked_by == execution]


def _perhaps_asked(drains: Sequence[Drain], request: Request) -> list[str]:
    """Return what EC2 may have been asked, and of which its answer is not known."""
    asked = [drain.association_id for drain in drains if not drain.outcome]
    if releases(request):
        asked += [d.allocation_id for d in drains if d.outcome in RELEASABLE and d.allocation_id]
    return asked
