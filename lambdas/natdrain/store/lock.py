"""The lock of each gateway, the drains it has running, and which associations have left it.

A gateway's lock item has an owner while an execution holds it. The workflow takes it, the
functions only check it, write under it and free it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from natdrain.aws import clients as aws
from natdrain.contract import GatewayRecord as R
from natdrain.contract import item_key
from natdrain.history.entries import Seen
from natdrain.intake.request import MAX_REASON_CHARACTERS
from natdrain.model.drain import LEFT_EARLIER, AddressOutcome, Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.look import Hold
from natdrain.store import table as tables

__all__ = ["Memory", "close", "free", "holds", "intend", "recall", "remember"]

INVALID_PATH = "ValidationException"
_UNFINISHED = {None, AddressOutcome.OVERDUE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the table remembers of a gateway: drains by association id, and what the last look saw."""

    drains: Mapping[str, Drain]
    seen: Seen


def recall(
    table: str, gateway_id: str, association_ids: Collection[str] = (), names: Collection[str] = ()
) -> Memory:
    """What is remembered of the gateway's running drains, of these associations, and of these names.

    Names are allocation ids and public IPs: of them that is the association under which they were last seen
    to leave this gateway.

    Raises:
        RequestRefused: somebody has changed an item, so that nobody can tell what it means.
    """
    records = [*map(_association, sorted(association_ids)), *map(_address, sorted(names))]
    found = tables.get(table, [(gateway_id, record) for record in (R.LOCK, R.SEEN, *records)])
    lock, seen = (found.pop((gateway_id, record), {}) for record in (R.LOCK, R.SEEN))
    running = _read_all(table, gateway_id, R.LOCK, lock.get(R.DRAINS, {}))
    kept = [_read(table, gateway_id, record, item) for (_, record), item in found.items()]
    try:
        last = Seen.from_item(seen)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _unreadable(table, gateway_id, R.SEEN, str(error)) from error
    # A running drain is newer than whatever was recorded of the same association before.
    return Memory(drains={drain.association_id: drain for drain in [*kept, *running.values()]}, seen=last)


def holds(table: str, gateway_id: str) -> tuple[Hold, ...]:
    """The holds on this gateway, and on all: whatever the item says, it holds."""
    found = tables.get(table, [(held, R.HOLD) for held in (gateway_id, R.ALL)])
    return tuple(
        Hold(held=held, why=_why(item.get(R.HOLD_WHY)), table=table)
        for (held, _), item in sorted(found.items())
    )


def _why(told: object) -> str:
    # Bounded, so that no text of a person's pushes the command that lifts the hold out of a message.
    text = " ".join(told.split()) if isinstance(told, str) else ""
    return text[:MAX_REASON_CHARACTERS] or "nobody says why"


def _read_all(table: str, gateway_id: str, record: str, documents: object) -> dict[str, Drain]:
    if not isinstance(documents, Mapping):
        raise _unreadable(table, gateway_id, record, f"{R.DRAINS} is no map")
    return {key: _read(table, gateway_id, record, document) for key, document in documents.items()}


def _read(table: str, gateway_id: str, record: str, document: object) -> Drain:
    try:
        if isinstance(document, Mapping):
            return Drain.from_json(document)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise _unreadable(table, gateway_id, record, str(error)) from error
    raise _unreadable(table, gateway_id, record, "a drain in it is no map")


def _unreadable(table: str, gateway_id: str, record: str, why: str) -> RequestRefused:
    return RequestRefused(
        f"The item {record} of {gateway_id} is not as natdrain writes it ({why}): another version or a "
        f"person has changed it. Look at it: aws dynamodb get-item --table-name {table} "
        f"--key {item_key(gateway_id, record)}. If nothing drains on that gateway, it may be deleted."
    )


def intend(table: str, gateway_id: str, owner: str, drains: Sequence[Drain]) -> dict[str, Drain] | None:
    """Write what is about to be asked of EC2 into the lock item, if the lock is still `owner`'s.

    What is written there already is kept: it may be what EC2 accepted from an earlier attempt.

    Returns:
        What the item now holds of its running drains, by association id; None if the lock is not ours.

    Raises:
        RequestRefused: somebody has changed the item, so that nobody can tell what it means.
    """
    try:
        lock = _write(table, gateway_id, owner, drains, "if_not_exists(#drains.#a{i}, :d{i})")
    except ClientError as error:
        if aws.code_of(error) != INVALID_PATH:
            raise
        raise _unreadable(table, gateway_id, R.LOCK, aws.text_of(error)) from error
    return None if lock is None else _read_all(table, gateway_id, R.LOCK, lock[R.DRAINS])


def remember(table: str, gateway_id: str, owner: str, drains: Sequence[Drain]) -> bool:
    """Write what is known of drains, so that whoever takes the lock over knows it too.

    Returns:
        Whether the lock is still `owner`'s; if not, it is the new owner's to find out by looking.
    """
    return _write(table, gateway_id, owner, drains, ":d{i}") is not None


def _write(
    table: str, gateway_id: str, owner: str, drains: Sequence[Drain], value: str
) -> dict[str, Any] | None:
    sets = [f"#drains.#a{i} = {value.format(i=i)}" for i in range(len(drains))]
    return _update_own_lock(
        table,
        gateway_id,
        owner,
        expression="SET " + ", ".join(sets),
        names={"#drains": R.DRAINS, **{f"#a{i}": d.association_id for i, d in enumerate(drains)}},
        values={f":d{i}": tables.to_dynamodb(d.to_json()) for i, d in enumerate(drains)},
    )


def close(table: str, gateway_id: str, owner: str, drains: Sequence[Drain], reason: str | None) -> None:
    """Record which addresses have left, then free the lock if it is `owner`'s."""
    finished = [drain for drain in drains if drain.outcome not in _UNFINISHED]
    more = {R.EXECUTION: owner, **({R.REASON: reason} if reason else {})}
    for drain in finished:
        put_back_before = drain.left_before and drain.outcome is AddressOutcome.PUT_BACK
        if drain.outcome in LEFT_EARLIER or put_back_before:
            continue
        _put(table, gateway_id, _association(drain.association_id), drain, more)
        for name in (drain.allocation_id, drain.public_ip):
            if name and drain.gone_by:
                _put(table, gateway_id, _address(name), drain, more)
    try:
        _free(table, gateway_id, owner, [drain.association_id for drain in finished])
    except ClientError as error:
        if aws.code_of(error) != INVALID_PATH:
            raise
        # Somebody has taken the map of drains away: nothing is left to remove from it.
        free(table, gateway_id, owner)


def free(table: str, gateway_id: str, owner: str) -> None:
    """Free the lock if it is `owner`'s; what it remembers of running drains stays, for whoever comes next."""
    _free(table, gateway_id, owner, [])


def _free(table: str, gateway_id: str, owner: str, finished: Sequence[str]) -> None:
    gone = {f"#a{i}": association_id for i, association_id in enumerate(finished)}
    _update_own_lock(
        table,
        gateway_id,
        owner,
        expression="REMOVE #owner, #since, #reason" + "".join(f", #drains.{name}" for name in gone),
        names={"#since": R.SINCE, "#reason": R.REASON, **gone, **({"#drains": R.DRAINS} if gone else {})},
        values={},
    )


def _put(table: str, gateway_id: str, record: str, drain: Drain, more: Mapping[str, str]) -> None:
    tables.put(table, {R.GATEWAY: gateway_id, R.SORT: record, **drain.to_json(), **more})


def _update_own_lock(
    table: str,
    gateway_id: str,
    owner: str,
    *,
    expression: str,
    names: Mapping[str, str],
    values: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Update the lock item on condition that `owner` holds it; returns it, or None when that is not so."""
    try:
        with aws.transient_failures():
            answer = aws.dynamodb().update_item(
                TableName=table,
                Key=tables.key(gateway_id, R.LOCK),
                UpdateExpression=expression,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": R.OWNER, **names},
                ExpressionAttributeValues={":owner": {"S": owner}, **values},
                ReturnValues="ALL_NEW",
            )
    except ClientError as error:
        if aws.code_of(error) == tables.CONDITION_FAILED:
            return None
        raise
    return tables.plain(answer["Attributes"])


def _association(association_id: str) -> str:
    return f"association#{association_id}"


def _address(name: str) -> str:
    return f"address#{name}"
