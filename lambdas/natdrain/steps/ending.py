"""The end of an execution, as *Close* and *Record* record it."""

from collections.abc import Mapping
from typing import Any

from natdrain.aws import clock
from natdrain.history.entries import ended
from natdrain.model.conclusion import Conclusion
from natdrain.model.outcome import Changed, ExecutionStatus
from natdrain.model.request import Request
from natdrain.report import event as events
from natdrain.steps.settings import EndSettings
from natdrain.store.executions import Executions
from natdrain.store.table import Table
from natdrain.store.triggers import Triggers


def record_end(
    settings: EndSettings,
    execution: str,
    request: Request | None,
    end: Conclusion,
    result: Mapping[str, Any],
    *,
    status: ExecutionStatus,
) -> tuple[dict[str, Any], bool]:
    """Record the end of an execution; return the event to publish, and False if it was recorded before."""
    event: dict[str, Any] = {}
    entry = None
    if events.is_published(request, end):
        event = events.ended(execution, request, end, result, status, region=settings.region)
        entry = ended(at=clock.now(), execution=execution, request=request, event=event)
    return event, Executions(settings.table).end(execution, request, event, entry)


def unclaim(table: Table, execution: str, request: Request | None, event: Mapping[str, Any]) -> None:
    """Let the trigger be handled again if nothing was changed.

    Call it last, so that the next execution finds the lock free.
    """
    untouched = event and event["Changed"] == Changed.NONE and event["Status"] != ExecutionStatus.SUCCEEDED
    if request and request.trigger and untouched:
        Triggers(table).unclaim(request, execution)
