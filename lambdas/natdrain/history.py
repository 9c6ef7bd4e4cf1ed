"""The table: one lock for each gateway, the drains it has running, and what has left when.

A gateway's lock item has an owner while an execution holds it. The workflow takes it, the
functions only check it, write under it and free it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from natdrain import aws
from natdrain.drains import LEFT_EARLIER, AddressOutcome, Drain
from natdrain.errors import RequestRefused, TransientFailure
from natdrain.looks import Hold
from natdrain.names import GatewayRecord as R
from natdrain.requests import MAX_REASON_CHARACTERS, Request

__all__ = ["claim", "close", "holds", "intend", "recall", "remember", "unclaim"]

CONDITION_FAILED = "ConditionalCheckFailedException"
INVALID_PATH = "ValidationException"
CLAIM_SECONDS = 7 * 86_400
"""More than the 24 hours for which EventBridge and its Scheduler try to deliver (EventBridge user guide)."""
_UNFINISHED = {None, AddressOutcome.OVERDUE}
_to_dynamodb = TypeSerializer().serialize
_from_dynamodb = TypeDeserializer().deserialize


def claim(table: str, request: Request, execution: str) -> str:
    """Write down which execution handles what a trigger asks, unless another one does already.

    Returns:
        The execution that handles it.
    """
    item = {
        **_claim(request),
        R.REQUEST: _to_dynamodb(request.to_json()),
        R.EXECUTION: {"S": execution},
        R.EXPIRES_AT: {"N": str(int(time.time()) + CLAIM_SECONDS)},
    }
    try:
        with aws.transient_failures():
            aws.dynamodb().put_item(
                TableName=table,
                Item=item,
                # A second attempt of the same execution finds what its first one wrote.
                ConditionExpression="attribute_not_exists(#execution) OR #execution = :me",
                ExpressionAttributeNames={"#execution": R.EXECUTION},
                ExpressionAttributeValues={":me": {"S": execution}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if aws.code_of(error) == CONDITION_FAILED:
            failed: Any = error.response  # the stub does not know what this condition adds
            return str(_plain(failed["Item"])[R.EXECUTION])
        raise
    return execution


def unclaim(table: str, request: Request, execution: str) -> None:
    """Let what the trigger asks be handled by whoever comes next, if `execution` is the one that did."""
    try:
        with aws.transient_failures():
            aws.dynamodb().delete_item(
                TableName=table,
                Key=_claim(request),
                ConditionExpression="#execution = :me",
                ExpressionAttributeNames={"#execution": R.EXECUTION},
                ExpressionAttributeValues={":me": {"S": execution}},
            )
    except ClientError as error:
        if aws.code_of(error) != CONDITION_FAILED:
            raise


def recall(
    table: str, gateway_id: str, association_ids: Collection[str], names: Collection[str]
) -> dict[str, Drain]:
    """What is remembered of the gateway's running drains, of these associations, and of these names.

    Names are allocation ids and public IPs: of them that is the association under which they were last seen
    to leave this gateway.

    Raises:
        RequestRefused: somebody has changed an item, so that nobody can tell what it means.
    """
    records = [*map(_association, sorted(association_ids)), *map(_address, sorted(names))]
    items = _get(table, [(gateway_id, R.LOCK), *((gateway_id, record) for record in records)])
    lock = items.pop((gateway_id, R.LOCK), {})
    running = _read_all(table, gateway_id, R.LOCK, lock.get(R.DRAINS, {}))
    kept = [_read(table, gateway_id, record, item) for (_, record), item in items.items()]
    # A running drain is newer than whatever was recorded of the same association before.
    return {drain.association_id: drain for drain in [*kept, *running.values()]}


def holds(table: str, gateway_id: str) -> tuple[Hold, ...]:
    """The holds on this gateway, and on all: whatever the item says, it holds."""
    items = _get(table, [(held, R.HOLD) for held in (gateway_id, R.ALL)])
    return tuple(
        Hold(held=held, why=_why(item.get(R.HOLD_WHY)), table=table)
        for (held, _), item in sorted(items.items())
    )


def _why(told: object) -> str:
    # Bounded, so that no text of a person's pushes the command that lifts the hold out of a message.
    text = " ".join(told.split()) if isinstance(told, str) else ""
    return text[:MAX_REASON_CHARACTERS] or "nobody says why"


def _get(table: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The items with these keys, as far as they are there."""
    with aws.transient_failures():
        answer = aws.dynamodb().batch_get_item(
            RequestItems={table: {"Keys": [_key(*key) for key in keys], "ConsistentRead": True}}
        )
    if answer.get("UnprocessedKeys"):
        raise TransientFailure(f"DynamoDB returned only a part of what was asked of {table}.")
    return {(item[R.GATEWAY], item[R.SORT]): item for item in map(_plain, answer["Responses"][table])}


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
    key = json.dumps({R.GATEWAY: {"S": gateway_id}, R.SORT: {"S": record}})
    return RequestRefused(
        f"The item {record} of {gateway_id} is not as natdrain writes it ({why}): another version or a "
        f"person has changed it. Look at it: aws dynamodb get-item --table-name {table} --key '{key}'. "
        f"If nothing drains on that gateway, it may be deleted."
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
        values={f":d{i}": _to_dynamodb(d.to_json()) for i, d in enumerate(drains)},
    )


def close(table: str, gateway_id: str, owner: str, drains: Sequence[Drain], reason: str | None) -> bool:
    """Record the addresses that have their outcome, then free the lock if it is `owner`'s.

    Returns:
        Whether the lock was ours to free.
    """
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
    gone = {f"#a{i}": drain.association_id for i, drain in enumerate(finished)}
    try:
        return _free(table, gateway_id, owner, gone)
    except ClientError as error:
        if aws.code_of(error) != INVALID_PATH:
            raise
        # Somebody has taken the map of drains away: nothing is left to remove from it.
        return _free(table, gateway_id, owner, {})


def _free(table: str, gateway_id: str, owner: str, gone: Mapping[str, str]) -> bool:
    lock = _update_own_lock(
        table,
        gateway_id,
        owner,
        expression="REMOVE #owner, #since, #reason" + "".join(f", #drains.{name}" for name in gone),
        names={"#since": R.SINCE, "#reason": R.REASON, **gone, **({"#drains": R.DRAINS} if gone else {})},
        values={},
    )
    return lock is not None


def _put(table: str, gateway_id: str, record: str, drain: Drain, more: Mapping[str, str]) -> None:
    item = {R.GATEWAY: gateway_id, R.SORT: record, **drain.to_json(), **more}
    with aws.transient_failures():
        aws.dynamodb().put_item(TableName=table, Item={k: _to_dynamodb(v) for k, v in item.items()})


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
                Key=_key(gateway_id, R.LOCK),
                UpdateExpression=expression,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": R.OWNER, **names},
                ExpressionAttributeValues={":owner": {"S": owner}, **values},
                ReturnValues="ALL_NEW",
            )
    except ClientError as error:
        if aws.code_of(error) == CONDITION_FAILED:
            return None
        raise
    return _plain(answer["Attributes"])


def _key(gateway_id: str, record: str) -> dict[str, Any]:
    return {R.GATEWAY: {"S": gateway_id}, R.SORT: {"S": record}}


def _association(association_id: str) -> str:
    return f"association#{association_id}"


def _address(name: str) -> str:
    return f"address#{name}"


def _claim(request: Request) -> dict[str, Any]:
    # Without the gateway, since an address may be on another one when its trigger is delivered again; and as
    # a digest, since a key has at most 1,024 bytes (DynamoDB developer guide, quotas).
    asked = [request.trigger and request.trigger.to_json(), request.names]
    return _key(R.TRIGGERS, hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest())


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _from_dynamodb(value) for key, value in item.items()}
