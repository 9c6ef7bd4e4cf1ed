"""The table: how items are read and written, and what AWS may answer to that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from natdrain.aws import clients as aws
from natdrain.contract import GatewayRecord as R
from natdrain.model.errors import TransientFailure

__all__ = ["CONDITION_FAILED", "MAX_PUTS", "Unless", "get", "key", "plain", "put", "put_all", "to_dynamodb"]

CONDITION_FAILED = "ConditionalCheckFailedException"
MAX_PUTS = 100
"""What one transaction may hold (DynamoDB API reference, TransactWriteItems)."""
_CANCELLED = "TransactionCanceledException"
_CONDITION_FAILED_IN_TRANSACTION = "ConditionalCheckFailed"
_from_dynamodb = TypeDeserializer().deserialize
to_dynamodb = TypeSerializer().serialize

Item = Mapping[str, Any]


def key(partition: str, record: str) -> dict[str, Any]:
    """The key of an item, as DynamoDB wants it."""
    return {R.GATEWAY: {"S": partition}, R.SORT: {"S": record}}


def plain(item: Item) -> dict[str, Any]:
    """An item from DynamoDB in Python's own types."""
    return {name: _from_dynamodb(value) for name, value in item.items()}


def get(table: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The items with these keys, 100 at most, as far as they are there: what was written before, for sure."""
    with aws.transient_failures():
        answer = aws.dynamodb().batch_get_item(
            RequestItems={table: {"Keys": [key(*each) for each in keys], "ConsistentRead": True}}
        )
    if answer.get("UnprocessedKeys"):
        raise TransientFailure(f"DynamoDB returned only a part of what was asked of {table}.")
    return {(item[R.GATEWAY], item[R.SORT]): item for item in map(plain, answer["Responses"][table])}


@dataclass(frozen=True, slots=True)
class Unless:
    """A condition: the item has no such attribute, or has it with this `value`, if one is given."""

    attribute: str
    value: int | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """As DynamoDB wants it; the name is never in the text, since many words are reserved."""
        parameters: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(#it)",
            "ExpressionAttributeNames": {"#it": self.attribute},
        }
        if self.value is not None:
            parameters["ConditionExpression"] += " OR #it = :it"
            parameters["ExpressionAttributeValues"] = {":it": to_dynamodb(self.value)}
        return parameters


def put(table: str, item: Item, condition: Unless | None = None) -> bool:
    """Write an item over whatever is there, if the condition holds; tells whether it did."""
    try:
        with aws.transient_failures():
            aws.dynamodb().put_item(**_put(table, item, condition))
    except ClientError as error:
        if aws.code_of(error) == CONDITION_FAILED:
            return False
        raise
    return True


def put_all(table: str, first: Item, condition: Unless, rest: Sequence[Item]) -> bool:
    """Write `first` if its condition holds, and with it the rest, which must not be there yet; or nothing.

    Returns:
        Whether it was written; if not, a condition did not hold.
    """
    puts = [_put(table, first, condition), *(_put(table, item, Unless(R.SORT)) for item in rest)]
    try:
        with aws.transient_failures():
            aws.dynamodb().transact_write_items(TransactItems=[{"Put": one} for one in puts])
    except ClientError as error:
        if aws.code_of(error) != _CANCELLED:
            raise
        cancelled: Any = error.response  # the stub does not know what this error adds
        codes = {reason.get("Code") for reason in cancelled.get("CancellationReasons", ())}
        if _CONDITION_FAILED_IN_TRANSACTION in codes:
            return False
        # Another transaction at the same moment, or throttled (DynamoDB API reference, TransactWriteItems).
        raise TransientFailure(aws.text_of(error)) from error
    return True


def _put(table: str, item: Item, condition: Unless | None) -> Any:
    return {"TableName": table, "Item": _item(item), **(condition.parameters if condition else {})}


def _item(item: Item) -> dict[str, Any]:
    return {name: to_dynamodb(value) for name, value in item.items()}
