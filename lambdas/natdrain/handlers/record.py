"""*Record*: conclude in place of an execution that was stopped, timed out, or failed uncaught.

It records the end, frees the lock if it is that execution's, and returns the event to publish.

Input: `{Execution, Status, Cause}`, as Step Functions reports it.
Output: `{Event}`, which is empty if there is nothing to publish, or if it was published before.
Errors: `TransientFailure`.
"""

from dataclasses import replace
from typing import Any

from natdrain.change.after.release import strategy_of
from natdrain.change.conclude import conclude
from natdrain.change.failure import Failure
from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.join import Join
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
from natdrain.store.drains import Drains, Memory
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
    document = result(end, request, execution=execution, region=settings.region)
    published, recorded = record_end(settings, execution, request, end, document, status=status)
    if not recorded:
        return Executions(table).find(execution)
    emit(measure_end(end, request))
    return replace(known, event=published)


def _conclude(
    table: Table, execution: str, request: Request | None, status: ExecutionStatus, cause: str
) -> Conclusion:
    why = Problem(text=": ".join(filter(None, [details.ENDED_BY[status], cause])))
    memory = _recall(table, request) if request else None
    drains = [one for one in memory.drains.values() if one.progress.asked_by == execution] if memory else []
    joins = _joins_of(memory, execution, request) if memory and request else []
    addresses: list[Drain | Join] = [*drains, *joins]
    asking = [address.key for address in addresses if not address.outcome]
    if request:
        asking += strategy_of(request.after_drain).not_released(drains)
    failure = Failure(error=status.value, problems=(why,))
    end = conclude(request, drains, joins, failure=failure, asking=asking, status=status)
    # Without a request it was stopped before it could record one, or began before there were records.
    return end if request else replace(end, changed=Changed.UNKNOWN)


def _recall(table: Table, request: Request) -> Memory:
    associations, names = set(request.association_ids), {*request.allocation_ids, *request.public_ips}
    joining = request.names if request.joins else ()
    return Drains(table).recall(str(request.gateway_id), associations, names, joining)


def _joins_of(memory: Memory, execution: str, request: Request) -> list[Join]:
    """Return the joins that this execution asked of EC2, or was about to, as the table remembers them."""
    known = {**memory.joined, **memory.joins}
    ours = {key: join for key, join in known.items() if join.progress.asked_by == execution}
    return [ours[name] for name in request.names if name in ours] if request.joins else []
