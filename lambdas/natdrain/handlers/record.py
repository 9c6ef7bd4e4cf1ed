"""*Record*: conclude in place of an execution that was stopped, timed out, or failed uncaught.

It records the end, frees the lock if it is that execution's, and returns the event to publish.

Input: `{Execution, Status, Cause}`, as Step Functions reports it.
Output: `{Event}`, which is empty if there is nothing to publish, or if it was published before.
Errors: `TransientFailure`.
"""

from dataclasses import replace
from typing import Any

from natdrain.change.after.release import strategy_of
from natdrain.change.conclude import Failure, conclude
from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.outcome import Changed, ExecutionStatus
from natdrain.model.problem import Problem
from natdrain.model.request import Request
from natdrain.report import details
from natdrain.report.measures import measure_end
from natdrain.report.result import result
from natdrain.steps.emit import emit
from natdrain.steps.ending import record_end, unclaim
from natdrain.steps.settings import EndSettings
from natdrain.steps.task import Event, task
from natdrain.store.drains import Drains
from natdrain.store.executions import Execution, Executions
from natdrain.store.lock import GatewayLock
from natdrain.store.table import Table


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
    status = ExecutionStatus(event["Status"])
    end = _conclude(table, execution, request, status, event["Cause"])
    if request:
        GatewayLock(table, str(request.gateway_id), execution).free()
    document = result(end, region=settings.region)
    published, recorded = record_end(settings, execution, request, end, document, status=status)
    if not recorded:
        return Executions(table).find(execution)
    emit(measure_end(end, request))
    return replace(known, event=published)


def _conclude(
    table: Table, execution: str, request: Request | None, status: ExecutionStatus, cause: str
) -> Conclusion:
    why = Problem(text=": ".join(filter(None, [details.ENDED_BY[status], cause])))
    drains = _asked_by(table, execution, request) if request else []
    asking = [drain.association_id for drain in drains if not drain.outcome]
    if request:
        asking += strategy_of(request.after_drain).not_released(drains)
    failure = Failure(error=status.value, problems=(why,))
    end = conclude(request, drains, failure=failure, asking=asking, status=status)
    # Without a request it was stopped before it could record one, or began before there were records.
    return end if request else replace(end, changed=Changed.UNKNOWN)


def _asked_by(table: Table, execution: str, request: Request) -> list[Drain]:
    """Return what this execution asked of EC2, or was about to, as the table remembers it."""
    associations, names = set(request.association_ids), {*request.allocation_ids, *request.public_ips}
    memory = Drains(table).recall(str(request.gateway_id), associations, names)
    return [drain for drain in memory.drains.values() if drain.progress.asked_by == execution]
