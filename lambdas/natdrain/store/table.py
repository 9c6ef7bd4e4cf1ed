"""The table: how items are read and written, each write on one condition."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase, ConditionExpressionBuilder
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from natdrain.aws import clients, clock, errors
from natdrain.contract import GatewayRecord as R
from natdrain.model.errors import TransientFailure
from natdrain.report import refusals

MAX_PUTS = 100
"""The most items of one transaction (DynamoDB API reference, TransactWriteItems)."""
_from_dynamodb = TypeDeserializer().deserialize
_to_dynamodb = TypeSerializer().serialize

Item = Mapping[str, Any]
Key = tuple[str, str]
"""The partition and the record of an item."""
Path = tuple[str, ...]
"""The name of an attribute, and of what is in it."""


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write: whether its condition held.

    `item` is the item after an update, or the item that is there if the condition of a put failed.
    """

    done: bool
    item: Item


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table: items by partition and record."""

    name: str

    def get(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Return the items that exist, read consistently; `keys` are 100 at most."""
        wanted: Any = {"Keys": [_key(key) for key in keys], "ConsistentRead": True}
        with errors.transient_failures(repeatable=True):
            answer = clients.dynamodb().batch_get_item(RequestItems={self.name: wanted})
        if answer.get("UnprocessedKeys"):
            raise TransientFailure(refusals.READ_IN_PART.about(None, table=self.name))
        return {(item[R.GATEWAY], item[R.SORT]): item for item in map(_plain, answer["Responses"][self.name])}

    def put(self, item: Item, condition: ConditionBase | None = None) -> Written:
        """Write an item over what is there, if the condition holds."""
        parameters = self._put(item, condition)
        if condition:
            parameters["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return _write(clients.dynamodb().put_item, parameters)

    def put_all(self, first: Item, condition: ConditionBase, rest: Sequence[Item]) -> bool:
        """Write `first` if its condition holds, and the rest, which must be new; or return False."""
        new = Attr(R.SORT).not_exists()
        puts = [self._put(first, condition), *(self._put(item, new) for item in rest)]
        transaction = {"TransactItems": [{"Put": one} for one in puts]}
        return _write(clients.dynamodb().transact_write_items, transaction).done

    def set(self, key: Key, condition: ConditionBase, new: Mapping[Path, Any], *, keep: bool) -> Written:
        """Set what is at these paths, if the condition holds; with `keep`, existing values stay."""
        names: dict[str, str] = {}
        values = {f":u{number}": _to_dynamodb(value) for number, value in enumerate(new.values())}
        form = "{0} = if_not_exists({0}, {1})" if keep else "{0} = {1}"
        clauses = [form.format(_placed(path, names), value) for path, value in zip(new, values, strict=True)]
        return self._update(key, condition, f"SET {', '.join(clauses)}", names, values)

    def remove(self, key: Key, condition: ConditionBase, paths: Iterable[Path]) -> Written:
        """Remove what is at these paths, if the condition holds."""
        names: dict[str, str] = {}
        clauses = [_placed(path, names) for path in paths]
        return self._update(key, condition, f"REMOVE {', '.join(clauses)}", names, {})

    def delete(self, key: Key, condition: ConditionBase) -> Written:
        """Delete an item, if the condition holds."""
        parameters = {"TableName": self.name, "Key": _key(key), **_on(condition)}
        return _write(clients.dynamodb().delete_item, parameters)

    def _update(
        self, key: Key, condition: ConditionBase, expression: str, names: dict[str, str], values: Item
    ) -> Written:
        parameters = _on(condition)
        parameters["ExpressionAttributeNames"] |= {placeholder: part for part, placeholder in names.items()}
        if values:
            parameters.setdefault("ExpressionAttributeValues", {}).update(values)
        parameters |= {"TableName": self.name, "Key": _key(key), "UpdateExpression": expression}
        return _write(clients.dynamodb().update_item, parameters | {"ReturnValues": "ALL_NEW"})

    def _put(self, item: Item, condition: ConditionBase | None) -> dict[str, Any]:
        return {"TableName": self.name, "Item": _serialised(item), **(_on(condition) if condition else {})}


def expires_after(kept: timedelta) -> int:
    """Return the value of `EXPIRES_AT` of an item that is to be kept for so long."""
    return int((clock.now() + kept).timestamp())


def _on(condition: ConditionBase) -> dict[str, Any]:
    """Return the condition as DynamoDB wants it; no name is in its text, since many words are reserved."""
    built = ConditionExpressionBuilder().build_expression(condition)
    parameters: dict[str, Any] = {
        "ConditionExpression": built.condition_expression,
        "ExpressionAttributeNames": built.attribute_name_placeholders,
    }
    if values := built.attribute_value_placeholders:
        parameters["ExpressionAttributeValues"] = _serialised(values)
    return parameters


def _placed(path: Path, names: dict[str, str]) -> str:
    """Return the path in placeholders, and add those to `names`, by what they stand for."""
    return ".".join(names.setdefault(part, f"#u{len(names)}") for part in path)


def _write(call: Callable[..., Any], parameters: Mapping[str, Any]) -> Written:
    try:
        with errors.transient_failures(repeatable=True):
            answer = call(**parameters)
    except ClientError as error:
        response: Any = error.response  # the stubs do not know what these errors add
        reasons = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
        code = errors.code_of(error)
        if code == errors.CONDITION_FAILED or errors.CONDITION_FAILED_IN_TRANSACTION in reasons:
            return Written(done=False, item=_plain(response.get("Item", {})))
        if code == errors.TRANSACTION_CANCELLED:
            # Another transaction at the same moment, or throttling (DynamoDB API reference, the same).
            raise TransientFailure(errors.text_of(error)) from error
        raise
    return Written(done=True, item=_plain(answer.get("Attributes", {})))


def _key(key: Key) -> dict[str, Any]:
    return _serialised({R.GATEWAY: key[0], R.SORT: key[1]})


def _serialised(item: Item) -> dict[str, Any]:
    return {name: _to_dynamodb(value) for name, value in item.items()}


def _plain(item: Item) -> dict[str, Any]:
    return {name: _from_dynamodb(value) for name, value in item.items()}
