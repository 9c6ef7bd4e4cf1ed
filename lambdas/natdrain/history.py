"""The table: one lock for each gateway, the drains it has running, and what has left when.

A gateway's lock item has an owner while an execution holds it. The workflow takes it, the
functions only check it, write under it and free it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from natdrain import aws
from natdrain.drains import AddressOutcome, Drain
from natdrain.errors import TransientFailure
from natdrain.names import GatewayRecord as R

__all__ = ["close", "recall", "remember"]

CONDITION_FAILED = "ConditionalCheckFailedException"
_UNFINISHED = {None, AddressOutcome.OVERDUE}
_to_dynamodb = TypeSerializer().serialize
_from_dynamodb = TypeDeserializer().deserialize


def recall(table: str, gateway_id: str, association_ids: Collection[str]) -> dict[str, Drain]:
    """What is remembered of the gateway's running drains and of these associations."""
    keys = [R.LOCK, *(_record(association_id) for association_id in sorted(association_ids))]
    with aws.transient_failures():
        answer = aws.dynamodb().batch_get_item(
            RequestItems={table: {"Keys": [_key(gateway_id, key) for key in keys], "ConsistentRead": True}}
        )
    if answer.get("UnprocessedKeys"):
        raise TransientFailure(f"DynamoDB returned only a part of what {table} remembers of {gateway_id}.")
    remembered: dict[str, Drain] = {}
    for item in (_plain(item) for item in answer["Responses"][table]):
        found = item.get(R.DRAINS, {}).values() if item[R.SORT] == R.LOCK else [item]
        remembered |= {drain.association_id: drain for drain in map(Drain.from_json, found)}
    return remembered


def remember(table: str, gateway_id: str, owner: str, drains: Sequence[Drain]) -> bool:
    """Write what is asked of EC2 into the lock item, on condition that the lock is still `owner`'s.

    Returns:
        Whether it is; if not, nothing was written.
    """
    names = {f"#a{i}": drain.association_id for i, drain in enumerate(drains)}
    values = {f":d{i}": _to_dynamodb(drain.to_json()) for i, drain in enumerate(drains)}
    return _update_own_lock(
        table,
        gateway_id,
        owner,
        expression="SET " + ", ".join(f"#drains.#a{i} = :d{i}" for i in range(len(drains))),
        names={"#drains": R.DRAINS, **names},
        values=values,
    )


def close(table: str, gateway_id: str, owner: str, drains: Sequence[Drain], reason: str | None) -> bool:
    """Record the addresses that have their outcome, then free the lock if it is `owner`'s.

    Returns:
        Whether the lock was ours to free.
    """
    finished = [drain for drain in drains if drain.outcome not in _UNFINISHED]
    for drain in finished:
        if drain.outcome is not AddressOutcome.ALREADY_DRAINED:
            _append(table, gateway_id, drain, {"Execution": owner, **({"Reason": reason} if reason else {})})
    gone = {f"#a{i}": drain.association_id for i, drain in enumerate(finished)}
    return _update_own_lock(
        table,
        gateway_id,
        owner,
        expression="REMOVE #owner, #since, #reason" + "".join(f", #drains.{name}" for name in gone),
        names={"#since": R.SINCE, "#reason": R.REASON, **gone, **({"#drains": R.DRAINS} if gone else {})},
        values={},
    )


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
) -> bool:
    """Update the lock item on condition that `owner` holds it; False when it does not."""
    try:
        with aws.transient_failures():
            aws.dynamodb().update_item(
                TableName=table,
                Key=_key(gateway_id, R.LOCK),
                UpdateExpression=expression,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": R.OWNER, **names},
                ExpressionAttributeValues={":owner": {"S": owner}, **values},
            )
    except ClientError as error:
        if aws.code_of(error) == CONDITION_FAILED:
            return False
        raise
    return True


def _key(gateway_id: str, record: str) -> dict[str, Any]:
    return {R.GATEWAY: {"S": gateway_id}, R.SORT: {"S": record}}


def _record(association_id: str) -> str:
    return f"association#{association_id}"


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _from_dynamodb(value) for key, value in item.items()}
