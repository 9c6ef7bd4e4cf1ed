"""Conditional writes to the table, against moto's DynamoDB."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from natdrain.aws import clients, clock, errors
from natdrain.model.errors import TransientFailure
from natdrain.store.table import Table, expires_after
from support.builders import GATEWAY, START

KEY = (GATEWAY, "lock")
NAMED = {"NatGatewayId": GATEWAY, "Record": "lock"}
ME = "arn:aws:states:us-east-1:123456789012:execution:Drain:me"
NEW = Attr("Record").not_exists()
MINE = Attr("Owner").eq(ME)


def stored(table: Table) -> dict[str, Any]:
    return {key: value for key, value in table.get([KEY]).get(KEY, {}).items() if key not in NAMED}


def test_put_on_a_condition_that_fails_answers_with_what_is_there(table: Table) -> None:
    assert table.put({**NAMED, "Owner": "alice"}, NEW).done
    again = table.put({**NAMED, "Owner": ME}, NEW)
    assert (again.done, again.item) == (False, {**NAMED, "Owner": "alice"})
    assert stored(table) == {"Owner": "alice"}


def test_put_without_a_condition_replaces_what_is_there(table: Table) -> None:
    table.put({**NAMED, "Owner": "alice"})
    assert table.put({**NAMED, "Since": "now"}).done
    assert stored(table) == {"Since": "now"}


@pytest.mark.parametrize(("keep", "expected"), [(False, "new"), (True, "old")])
def test_set_replaces_what_is_there_unless_it_is_to_be_kept(
    table: Table, *, keep: bool, expected: str
) -> None:
    table.put({**NAMED, "Owner": ME, "Drains": {"a": "old"}})
    written = table.set(KEY, MINE, {("Drains", "a"): "new", ("Drains", "b"): "new"}, keep=keep)
    assert written.done
    assert written.item["Drains"] == stored(table)["Drains"] == {"a": expected, "b": "new"}


def test_remove_takes_these_paths_and_no_others(table: Table) -> None:
    table.put({**NAMED, "Owner": ME, "Drains": {"a": "old", "b": "old"}})
    assert table.remove(KEY, MINE, [("Owner",), ("Since",), ("Drains", "a")]).done
    assert stored(table) == {"Drains": {"b": "old"}}


def test_nothing_is_written_when_the_condition_of_a_change_fails(table: Table) -> None:
    item = {"Owner": "alice", "Drains": {"a": "old"}}
    table.put({**NAMED, **item})
    assert not table.set(KEY, MINE, {("Drains", "a"): "new"}, keep=False).done
    assert not table.remove(KEY, MINE, [("Owner",)]).done
    assert not table.delete(KEY, MINE).done
    assert stored(table) == item


def test_delete_on_a_condition_that_holds_deletes(table: Table) -> None:
    table.put({**NAMED, "Owner": ME})
    assert table.delete(KEY, MINE).done
    assert stored(table) == {}


def test_transaction_writes_everything_or_nothing(table: Table) -> None:
    entries = [{**NAMED, "Record": f"history#{number}"} for number in range(2)]
    assert table.put_all({**NAMED, "Version": 1}, NEW, entries[:1])
    assert not table.put_all({**NAMED, "Version": 2}, NEW, entries[1:])
    assert not table.put_all({**NAMED, "Version": 2}, Attr("Version").eq(1), entries)
    assert stored(table) == {"Version": 1}
    assert table.get([(GATEWAY, "history#1")]) == {}


def test_transaction_that_another_one_cancels_is_worth_a_retry(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "dynamodb", lambda: client)
    with Stubber(client) as stub:
        stub.add_client_error(
            "transact_write_items",
            errors.TRANSACTION_CANCELLED,
            modeled_fields={"CancellationReasons": [{"Code": "TransactionConflict"}]},
        )
        with pytest.raises(TransientFailure, match=errors.TRANSACTION_CANCELLED):
            Table("Storage").put_all(NAMED, NEW, [])


@pytest.mark.parametrize("code", ["ExpiredTokenException", "TransactionConflictException"])
def test_write_that_is_doubted_or_in_conflict_is_worth_a_retry(
    client: Any, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(clients, "dynamodb", lambda: client)
    with Stubber(client) as stub:
        stub.add_client_error("put_item", code)
        with pytest.raises(TransientFailure, match=code):
            Table("Storage").put(NAMED, NEW)


def test_read_that_dynamodb_answers_in_part_is_worth_a_retry(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "dynamodb", lambda: client)
    with Stubber(client) as stub:
        keys = [{"NatGatewayId": {"S": GATEWAY}, "Record": {"S": "lock"}}]
        rest = {"Storage": {"Keys": keys, "ConsistentRead": True}}
        answer: Any = {"Responses": {"Storage": []}, "UnprocessedKeys": rest}
        stub.add_response("batch_get_item", answer, {"RequestItems": rest})
        with pytest.raises(TransientFailure, match="Storage"):
            Table("Storage").get([KEY])


def test_read_that_is_doubted_is_worth_a_retry(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "dynamodb", lambda: client)
    with Stubber(client) as stub:
        stub.add_client_error("batch_get_item", "UnrecognizedClientException")
        with pytest.raises(TransientFailure, match="UnrecognizedClientException"):
            Table("Storage").get([KEY])


def test_error_that_is_no_failed_condition_is_passed_on(table: Table) -> None:
    table.put({**NAMED, "Owner": ME})
    with pytest.raises(ClientError) as raised:
        table.set(KEY, MINE, {("Drains", "a"): "new"}, keep=False)
    assert errors.code_of(raised.value) == errors.INVALID_PATH


def test_item_expires_so_long_after_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: START)
    assert expires_after(timedelta(days=7)) == int(START.timestamp()) + 7 * 86_400
