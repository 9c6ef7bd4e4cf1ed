"""The history: what was seen to change, and how executions ended; nothing of it is ever changed.

Beside it stands one record for each execution, so that each is told of once, however it ended.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from natdrain.aws import ec2
from natdrain.contract import GatewayRecord as R
from natdrain.history.entries import Entry, Seen, changes
from natdrain.intake.request import Request
from natdrain.model.drain import Drain, timestamp
from natdrain.model.errors import TransientFailure
from natdrain.model.look import Look
from natdrain.store import table as tables

__all__ = ["Execution", "begin", "end", "find", "note"]

_KEPT = timedelta(days=90)
"""For so long the name of an execution is taken (Step Functions API reference, StartExecution)."""
_NOT_ENDED = tables.Unless(R.ENDED_AT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What is recorded of an execution: its request; once it has ended, what is told, and whether it was."""

    request: Request | None
    ended: bool
    news: Mapping[str, Any]
    told: bool


def note(
    table: str,
    gateway_id: str,
    seen: Seen,
    look: Look,
    drains: Mapping[str, Drain],
    *,
    request: Request,
    execution: str,
    first: bool,
) -> None:
    """Record what a look shows that the one before did not.

    The first look of an execution is recorded in any case: it bounds when something else has changed.

    Raises:
        TransientFailure: another look was recorded meanwhile: look again.
    """
    now, entries = changes(seen, look, drains, request=request, execution=execution, most=tables.MAX_PUTS - 1)
    if now is seen or not (entries or first) or not (seen.version or now.addresses):
        return
    named = {R.GATEWAY: gateway_id}
    recorded = tables.put_all(
        table,
        {**named, R.SORT: R.SEEN, **now.to_item()},
        tables.Unless(R.VERSION, seen.version),
        [{**named, **entry} for entry in entries],
    )
    if not recorded:
        raise TransientFailure(f"{gateway_id}: another look was recorded meanwhile.")


def begin(table: str, execution: str, request: Request) -> None:
    """Record what an execution was asked, before it changes anything."""
    tables.put(table, _record(execution, request), _NOT_ENDED)


def find(table: str, execution: str) -> Execution:
    """What is recorded of an execution."""
    item = tables.get(table, [(R.EXECUTIONS, execution)]).get((R.EXECUTIONS, execution), {})
    request = json.loads(item.get(R.REQUEST, "null"))
    return Execution(
        request=Request.parse(request) if request else None,
        ended=R.ENDED_AT in item,
        news=json.loads(item.get(R.TOLD, "{}")),
        told=R.TOLD_AT in item,
    )


def end(
    table: str,
    execution: str,
    request: Request | None,
    told: Mapping[str, Any],
    entry: Entry | None,
) -> bool:
    """Record how an execution ended, in its record and the history; tells whether nobody had before."""
    record = {
        **_record(execution, request),
        R.ENDED_AT: timestamp(ec2.now()),
        R.TOLD: json.dumps(told, ensure_ascii=False),
    }
    gateway_id = request and request.gateway_id
    entries = [{R.GATEWAY: gateway_id, **entry}] if entry and gateway_id else []
    return tables.put_all(table, record, _NOT_ENDED, entries)


def _record(execution: str, request: Request | None) -> dict[str, Any]:
    return {
        R.GATEWAY: R.EXECUTIONS,
        R.SORT: execution,
        R.REQUEST: json.dumps(request.to_json() if request else None),
        R.EXPIRES_AT: int((ec2.now() + _KEPT).timestamp()),
    }
