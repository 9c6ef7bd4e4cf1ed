"""The end of an execution, as *Close* and *Record* record it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natdrain.aws import clock
from natdrain.change.conclude import Outcome
from natdrain.history.entries import ended
from natdrain.intake.request import AfterDrain, Request
from natdrain.report import event as events
from natdrain.store.executions import Executions
from natdrain.store.table import Table
from natdrain.store.triggers import Triggers

__all__ = ["FAILED", "SUCCEEDED", "record_end", "releases", "unclaim"]

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"


def releases(request: Request | None) -> bool:
    """Return whether the request asks to release what has left."""
    return bool(request and request.after_drain is AfterDrain.RELEASE)


def record_end(
    table: Table, execution: str, request: Request | None, outcome: Outcome, status: str
) -> tuple[dict[str, Any], bool]:
    """Record the end of an execution; return the event to publish, and False if it was recorded before."""
    event: dict[str, Any] = {}
    entry = None
    if events.is_told(request, outcome):
        event = events.ended(execution=execution, request=request, outcome=outcome, status=status)
        entry = ended(at=clock.now(), execution=execution, request=request, told=event)
    return event, Executions(table).end(execution, request, event, entry)


def unclaim(table: Table, execution: str, request: Request | None, event: Mapping[str, Any]) -> None:
    """Let the trigger be handled again if nothing was changed.

    Call it last, so that the next execution finds the lock free.
    """
    if request and request.trigger and event and event["Changed"] == "none" and event["Status"] != SUCCEEDED:
        Triggers(table).unclaim(request, execution)
