"""The record of each execution, so that its end is published once, however it ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from boto3.dynamodb.conditions import Attr

from natdrain.aws import clock
from natdrain.contract import GatewayRecord as R
from natdrain.history.entries import Entry
from natdrain.model.instants import timestamp
from natdrain.model.request import Request
from natdrain.store.history import items
from natdrain.store.table import Table, expires_after

_KEPT = timedelta(days=90)
"""For so long the name of an execution is taken (Step Functions API reference, StartExecution)."""
_NOT_ENDED = Attr(R.ENDED_AT).not_exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """The record of an execution: its request; once it has ended, its event and whether that is published."""

    request: Request | None
    ended: bool
    event: Mapping[str, Any]
    published: bool


@dataclass(frozen=True, slots=True)
class Executions:
    """The executions in the table."""

    table: Table

    def begin(self, execution: str, request: Request) -> None:
        """Record the request of an execution, before it changes anything; a recorded end stays."""
        self.table.put(_record(execution, request), _NOT_ENDED)

    def find(self, execution: str) -> Execution:
        """Return what is recorded of an execution."""
        key = (R.EXECUTIONS, execution)
        item = self.table.get([key]).get(key, {})
        request = json.loads(item.get(R.REQUEST, "null"))
        return Execution(
            request=Request.from_json(request) if request else None,
            ended=R.ENDED_AT in item,
            event=json.loads(item.get(R.TOLD, "{}")),
            published=R.TOLD_AT in item,
        )

    def end(
        self, execution: str, request: Request | None, event: Mapping[str, Any], entry: Entry | None
    ) -> bool:
        """Record an end, here and in the history; return False if it was recorded before."""
        record = {
            **_record(execution, request),
            R.ENDED_AT: timestamp(clock.now()),
            R.TOLD: json.dumps(event, ensure_ascii=False),
        }
        gateway_id = request and request.gateway_id
        entries = items(gateway_id, [entry]) if entry and gateway_id else []
        return self.table.put_all(record, _NOT_ENDED, entries)


def _record(execution: str, request: Request | None) -> dict[str, Any]:
    asked = json.dumps(request.to_json() if request else None)
    key = {R.GATEWAY: R.EXECUTIONS, R.SORT: execution}
    return key | {R.REQUEST: asked, R.EXPIRES_AT: expires_after(_KEPT)}
