"""The changes of each gateway's addresses: drains that run, those that have ended, and joins.

The running ones are in the lock's item, since only the lock's owner writes them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from natdrain.contract import GatewayRecord as R
from natdrain.contract import item_key
from natdrain.history.entries import Seen
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.join import Join
from natdrain.model.outcome import LEFT_EARLIER, AddressOutcome
from natdrain.report import refusals
from natdrain.store.table import Table

BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Raised for an item that natdrain cannot have written."""


_JOIN = "join#"
_Address = TypeVar("_Address", Drain, Join)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The record of a gateway: its drains by association id, and the addresses that the last look saw.

    `joins` has, by allocation id, those whose end no look has shown, and `joined` those that have ended.
    """

    drains: Mapping[str, Drain]
    joins: Mapping[str, Join]
    joined: Mapping[str, Join]
    seen: Seen

    @property
    def departed(self) -> set[str]:
        """The associations that have been seen to leave, or that were being taken off because they failed."""
        left = {drain.association_id for drain in self.drains.values() if drain.progress.gone_by}
        gone = [join for join in self.joined.values() if join.gone]
        gone += [join for join in self.joins.values() if join.progress.failed_at]
        return left | {join.association_id for join in gone if join.association_id}


@dataclass(frozen=True, slots=True)
class Drains:
    """The drains in the table."""

    table: Table

    def recall(
        self,
        gateway_id: str,
        association_ids: Collection[str] = (),
        names: Collection[str] = (),
        joining: Collection[str] = (),
    ) -> Memory:
        """Return what is remembered of the gateway's running drains, of these associations and these names.

        Names are allocation ids and public IPs; what is remembered of a name is the association under which
        it was last seen to leave this gateway.

        Raises:
            RequestRefused: somebody has changed an item, so that its meaning is unknown.
        """
        records = [*map(_association, sorted(association_ids)), *map(_address, sorted(names))]
        records += [f"{_JOIN}{name}" for name in sorted(joining)]
        found = self.table.get((gateway_id, record) for record in (R.LOCK, R.SEEN, *records))
        lock, seen = (found.pop((gateway_id, record), {}) for record in (R.LOCK, R.SEEN))
        joined = {key: found.pop(key) for key in [*found] if key[1].startswith(_JOIN)}
        read = partial(_read, self.table, gateway_id)
        running = read_all(self.table, gateway_id, R.DRAINS, lock.get(R.DRAINS, {}), Drain)
        joins = read_all(self.table, gateway_id, R.JOINS, lock.get(R.JOINS, {}), Join)
        kept = [read(record, item, Drain) for (_, record), item in found.items()]
        ended = [read(record, item, Join) for (_, record), item in joined.items()]
        try:
            last = Seen.from_item(seen)
        except BROKEN as error:
            raise unreadable(self.table, gateway_id, R.SEEN, str(error)) from error
        # A running drain is newer than what was recorded of the same association before.
        return Memory(
            drains={drain.association_id: drain for drain in [*kept, *running.values()]},
            joins=joins,
            joined={join.allocation_id: join for join in ended},
            seen=last,
        )

    def record(
        self, gateway_id: str, finished: Iterable[Drain | Join], owner: str, reason: str | None
    ) -> None:
        """Record the finished addresses of an execution, under each name by which they are recalled."""
        more = {R.EXECUTION: owner, **({R.REASON: reason} if reason else {})}
        for address in finished:
            for record in _records(address):
                known = address.as_recorded() if isinstance(address, Join) else address
                self.table.put({R.GATEWAY: gateway_id, R.SORT: record, **known.to_json(), **more})


def read_all(
    table: Table, gateway_id: str, name: str, documents: object, kind: type[_Address]
) -> dict[str, _Address]:
    """Return the drains or joins in the lock's item, by their keys; `name` is the attribute that has them.

    Raises:
        RequestRefused: somebody has changed the item, so that its meaning is unknown.
    """
    if not isinstance(documents, Mapping):
        raise unreadable(table, gateway_id, R.LOCK, refusals.NO_MAP.with_(name=name))
    return {key: _read(table, gateway_id, R.LOCK, document, kind) for key, document in documents.items()}


def unreadable(table: Table, gateway_id: str, record: str, why: str) -> RequestRefused:
    """Return the refusal because of an item that natdrain cannot have written."""
    facts = {"record": record, "gateway": gateway_id, "why": why, "table": table.name}
    key = item_key(gateway_id, record)
    return RequestRefused(refusals.UNREADABLE_ITEM.about(gateway_id, key=key, **facts))


def _read(table: Table, gateway_id: str, record: str, document: object, kind: type[_Address]) -> _Address:
    if not isinstance(document, Mapping):
        in_it = refusals.AN_ADDRESS_IN_IT
        raise unreadable(table, gateway_id, record, refusals.NO_MAP.with_(name=in_it))
    try:
        return kind.from_json(document)
    except BROKEN as error:
        raise unreadable(table, gateway_id, record, str(error)) from error


def _records(drain: Drain | Join) -> list[str]:
    """Return the records to write of an address: none of one that an earlier execution has recorded."""
    if isinstance(drain, Join):
        return [f"{_JOIN}{drain.allocation_id}"] if drain.progress.asked_by else []
    put_back_before = drain.progress.left_before and drain.outcome is AddressOutcome.PUT_BACK
    if drain.outcome in LEFT_EARLIER or put_back_before:
        return []
    names = (drain.allocation_id, drain.public_ip) if drain.progress.gone_by else ()
    return [_association(drain.association_id), *(_address(name) for name in names if name)]


def _association(association_id: str) -> str:
    return f"association#{association_id}"


def _address(name: str) -> str:
    return f"address#{name}"
