"""*Close*: the one exit of every path of the Change workflow.

It records how the execution ended, frees the lock if it is ours, and returns the event to publish.

Input: `{Execution, Request, Quiet, Failure, Step}`, each if the path got so far.
Output: `{Result}` of a success, or `{Error, Cause}` of a failure; with `Event`, which may be empty.
Errors: `TransientFailure`.
"""

import json
from typing import Any

from natdrain.change import step as steps
from natdrain.change.conclude import conclude
from natdrain.change.failure import Failure
from natdrain.change.step import Refuse
from natdrain.contract import StepField as F
from natdrain.model.conclusion import Conclusion, Quiet
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.join import Join
from natdrain.model.outcome import AddressOutcome, ExecutionStatus
from natdrain.model.request import Request
from natdrain.report.measures import measure_end
from natdrain.report.result import result
from natdrain.steps.emit import emit
from natdrain.steps.ending import record_end, unclaim
from natdrain.steps.settings import EndSettings
from natdrain.steps.task import Event, task
from natdrain.store.drains import Drains
from natdrain.store.lock import GatewayLock

_UNFINISHED = {None, AddressOutcome.OVERDUE}


@task
def handler(event: Event) -> dict[str, Any]:
    """Conclude, free the lock, record."""
    settings, execution = EndSettings.from_env(), event["Execution"]
    table = settings.table
    request = Request.from_json(event["Request"]) if event.get("Request") else None
    end = _conclude(event, request)
    # Neither a dry run nor an input that asked for nothing has taken the lock.
    if request and not request.dry_run and not event.get("Quiet"):
        known: list[Drain | Join] = [*end.drains, *end.joins]
        unfinished = [join for join in end.joins if join.unfinished]
        finished = [one for one in known if one not in unfinished and one.outcome not in _UNFINISHED]
        Drains(table).record(str(request.gateway_id), finished, execution, request.reason)
        lock = GatewayLock(table, str(request.gateway_id), execution)
        lock.keep(unfinished)
        lock.free(finished)
    document = result(end, request, execution=execution, region=settings.region)
    status = ExecutionStatus.FAILED if end.error else ExecutionStatus.SUCCEEDED
    published, _ = record_end(settings, execution, request, end, document, status=status)
    # Also if an earlier attempt has recorded it: it may have died before it could emit them.
    emit(measure_end(end, request))
    unclaim(table, execution, request, published)
    if end.error:
        return {"Error": end.error, "Cause": json.dumps(document, ensure_ascii=False), "Event": published}
    return {"Result": document, "Event": published}


def _conclude(event: Event, request: Request | None) -> Conclusion:
    gateway_id = request.gateway_id if request else None
    if event.get("Quiet"):
        return Conclusion.quietly(gateway_id, Quiet.from_json(event["Quiet"]))
    step = steps.from_json(event["Step"])
    failure = Failure.from_json(event["Failure"], gateway_id) if event.get("Failure") else None
    if isinstance(step, Refuse):
        failure = Failure(error=RequestRefused.__name__, problems=step.problems)
    # What EC2 was about to be asked for.
    asking = [*event["Step"].get(F.ASSOCIATION_IDS, ()), *event["Step"].get(F.ALLOCATION_IDS, ())]
    return conclude(request, step.drains, step.joins, failure=failure, asking=asking, warnings=step.warnings)
