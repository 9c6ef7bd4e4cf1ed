"""The claims of triggers: each trigger is delivered at least once, and handled by one execution."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from boto3.dynamodb.conditions import Attr

from natdrain.contract import GatewayRecord as R
from natdrain.model.request import Request
from natdrain.store.table import Key, Table, expires_after

_KEPT = timedelta(days=7)
"""More than the 24 hours for which EventBridge and its Scheduler try to deliver (EventBridge user guide)."""


@dataclass(frozen=True, slots=True)
class Triggers:
    """The triggers in the table, each with the execution that handles it."""

    table: Table

    def claim(self, request: Request, execution: str) -> str:
        """Let `execution` handle the request's trigger, unless another one does; return the one that does."""
        partition, record = _key(request)
        item = {R.GATEWAY: partition, R.SORT: record, R.EXPIRES_AT: expires_after(_KEPT)}
        item |= {R.REQUEST: request.to_json(), R.EXECUTION: execution}
        # A second attempt of the same execution finds what its first one wrote.
        free = Attr(R.EXECUTION).not_exists() | Attr(R.EXECUTION).eq(execution)
        written = self.table.put(item, free)
        return execution if written.done else str(written.item[R.EXECUTION])

    def unclaim(self, request: Request, execution: str) -> None:
        """Let another execution handle the request's trigger, if `execution` is the one that did."""
        self.table.delete(_key(request), Attr(R.EXECUTION).eq(execution))


def _key(request: Request) -> Key:
    # Without the gateway, since an address may be on another one when its trigger is delivered again; and as
    # a digest, since a key has at most 1,024 bytes (DynamoDB developer guide, quotas).
    asked = [request.trigger and request.trigger.to_json(), request.names]
    return R.TRIGGERS, hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
