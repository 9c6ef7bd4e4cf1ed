"""The drains of each gateway: those that run, and those whose addresses have left.

The running ones are in the lock's item, since only the lock's owner writes them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from natdrain.contract import GatewayRecord as R
from natdrain.contract import item_key
from natdrain.history.entries import Seen
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.outcome import LEFT_EARLIER, AddressOutcome
from natdrain.report import refusals
from natdrain.store.table import Table

BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Raised for an item that natdrain cannot have written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The record of a gateway: its drains by association id, and the addresses that the last look saw."""

    drains: Mapping[str, Drain]
    seen: Seen


@dataclass(frozen=True, slots=True)
class Drains:
    """The drains in the table."""

    table: Table

    def recall(
        self, gateway_id: str, association_ids: Collection[str] = (), names: Collection[str] = ()
    ) -> Memory:
        """Return what is remembered of the gateway's running drains, of these associations and these names.

        Names are allocation ids and public IPs; what is remembered of a name is the association under which
        it was last seen to leave this gateway.

        Raises:
            RequestRefused: somebody has changed an item, so that its meaning is unknown.
        """
        records = [*map(_association, sorted(association_ids)), *map(_address, sorted(names))]
        found = self.table.get((gateway_id, record) for record in (R.LOCK, R.SEEN, *records))
        lock, seen = (found.pop((gateway_id, record), {}) for record in (R.LOCK, R.SEEN))
        running = read_drains(self.table, gateway_id, R.LOCK, lock.get(R.DRAINS, {}))
        kept = [_read(self.table, gateway_id, record, item) for (_, record), item in found.items()]
        try:
            last = Seen.from_item(seen)
        except BROKEN as error:
            raise unreadable(self.table, gateway_id, R.SEEN, str(error)) from error
        # A running drain is newer than what was recorded of the same association before.
        return Memory(drains={drain.association_id: drain for drain in [*kept, *running.values()]}, seen=last)

    def record(self, gateway_id: str, finished: Iterable[Drain], owner: str, reason: str | None) -> None:
        """Record the finished drains of an execution, under each name by which they are recalled."""
        more = {R.EXECUTION: owner, **({R.REASON: reason} if reason else {})}
        for drain in finished:
            for record in _records(drain):
                self.table.put({R.GATEWAY: gateway_id, R.SORT: record, **drain.to_json(), **more})


def read_drains(table: Table, gateway_id: str, record: str, documents: object) -> dict[str, Drain]:
    """Return the drains in an item of running ones, by association id.

    Raises:
        RequestRefused: somebody has changed the item, so that its meaning is unknown.
    """
    if not isinstance(documents, Mapping):
        raise unreadable(table, gateway_id, record, refusals.NO_MAP.with_(name=R.DRAINS))
    return {key: _read(table, gateway_id, record, document) for key, document in documents.items()}


def unreadable(table: Table, gateway_id: str, record: str, why: str) -> RequestRefused:
    """Return the refusal because of an item that natdrain cannot have written."""
    facts = {"record": record, "gateway": gateway_id, "why": why, "table": table.name}
    key = item_key(gateway_id, record)
    return RequestRefused(refusals.UNREADABLE_ITEM.about(gateway_id, key=key, **facts))


def _read(table: Table, gateway_id: str, record: str, document: object) -> Drain:
    if not isinstance(document, Mapping):
        raise unreadable(table, gateway_id, record, refusals.NO_MAP.with_(name=refusals.A_DRAIN_IN_IT))
    try:
        return Drain.from_json(document)
    except BROKEN as error:
        raise unreadable(table, gateway_id, record, str(error)) from error


def _records(drain: Drain) -> list[str]:
    """Return the records to write of a drain: none of one that an earlier execution has recorded."""
    put_back_before = drain.progress.left_before and drain.outcome is AddressOutcome.PUT_BACK
    if drain.outcome in LEFT_EARLIER or put_back_before:
        return []
    names = (drain.allocation_id, drain.public_ip) if drain.progress.gone_by else ()
    return [_association(drain.association_id), *(_address(name) for name in names if name)]


def _association(association_id: str) -> str:
    return f"association#{association_id}"


def _address(name: str) -> str:
    return f"address#{name}"
