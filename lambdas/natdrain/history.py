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
from natdrain.drains import AddressOutcome, Drain
from natdrain.errors import TransientFailure
from natdrain.names import GatewayRecord as R
from natdrain.requests import Request

__all__ = ["claim", "close", "intend", "recall", "remember", "unclaim"]

CONDITION_FAILED = "ConditionalCheckFailedException"
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


def recall(table: str, gateway_id: str, association_ids: Collection[str]) -> dict[str, Drain]:
    """What is remembered of the gateway's running drains and of these associations."""
    keys = [R.LOCK, *(_record(association_id) for association_id in sorted(association_ids))]
    with aws.transient_failures():
        answer = aws.dynamodb().batch_get_item(
            RequestItems={table: {"Keys": [_key(gateway_id, key) for key in keys], "ConsistentRead": True}}
        )
    if answer.get("UnprocessedKeys"):
        raise TransientFailure(f"DynamoDB returned only a part of what {table} remembers of {gateway_id}.")
    items = {item[R.SORT]: item for item in map(_plain, answer["Responses"][table])}
    running = items.pop(R.LOCK, {}).get(R.DRAINS, {})
    # A running drain is newer than whatever was recorded of the same association before.
    return {d.association_id: d for d in map(Drain.from_json, [*items.values(), *running.values()])}


def intend(table: str, gateway_id: str, owner: str, drains: Sequence[Drain]) -> dict[str, Drain] | None:
    """Write what is about to be asked of EC2 into the lock item, if the lock is still `owner`'s.

    What is written there already is kept: it may be what EC2 accepted from an earlier attempt.

    Returns:
        What the item now holds of its running drains, by association id; None if the lock is not ours.
    """
    return _write(table, gateway_id, owner, drains, "if_not_exists(#drains.#a{i}, :d{i})")


def remember(table: str, gateway_id: str, owner: str, drains: Sequence[Drain]) -> None:
    """Write what EC2 has accepted, so that whoever takes the lock over knows when it began and its limit.

    If the lock was taken over meanwhile, it is the new owner's to find out by looking.
    """
    _write(table, gateway_id, owner, drains, ":d{i}")


def _write(
    table: str, gateway_id: str, owner: str, drains: Sequence[Drain], value: str
) -> dict[str, Drain] | None:
    sets = [f"#drains.#a{i} = {value.format(i=i)}" for i in range(len(drains))]
    lock = _update_own_lock(
        table,
        gateway_id,
        owner,
        expression="SET " + ", ".join(sets),
        names={"#drains": R.DRAINS, **{f"#a{i}": d.association_id for i, d in enumerate(drains)}},
        values={f":d{i}": _to_dynamodb(d.to_json()) for i, d in enumerate(drains)},
    )
    return None if lock is None else {key: Drain.from_json(d) for key, d in lock[R.DRAINS].items()}


def close(table: str, gateway_id: str, owner: str, drains: Sequence[Drain], reason: str | None) -> bool:
    """Record the addresses that have their outcome, then free the lock if it is `owner`'s.

    Returns:
        Whether the lock was ours to free.
    """
    finished = [drain for drain in drains if drain.outcome not in _UNFINISHED]
    for drain in finished:
        if drain.outcome is not AddressOutcome.ALREADY_DRAINED:
            _append(table, gateway_id, drain, {R.EXECUTION: owner, **({"Reason": reason} if reason else {})})
    gone = {f"#a{i}": drain.association_id for i, drain in enumerate(finished)}
    lock = _update_own_lock(
        table,
        gateway_id,
        owner,
        expression="REMOVE #owner, #since, #reason" + "".join(f", #drains.{name}" for name in gone),
        names={"#since": R.SINCE, "#reason": R.REASON, **gone, **({"#drains": R.DRAINS} if gone else {})},
        values={},
    )
    return lock is not None


def _append(table: str, gateway_id: str, drain: Drain, more: Mapping[str, str]) -> None:
    item = {R.GATEWAY: gateway_id, R.SORT: _record(drain.association_id), **drain.to_json(), **more}
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


def _record(association_id: str) -> str:
    return f"association#{association_id}"


def _claim(request: Request) -> dict[str, Any]:
    # Without the gateway, since an address may be on another one when its trigger is delivered again; and as
    # a digest, since a key has at most 1,024 bytes (DynamoDB developer guide, quotas).
    asked = [request.trigger and request.trigger.to_json(), request.names]
    return _key(R.TRIGGERS, hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest())


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _from_dynamodb(value) for key, value in item.items()}
