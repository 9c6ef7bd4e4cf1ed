"""The drains in the table: the running ones in the lock's item, the finished ones by every name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from natdrain.contract import GatewayRecord as R
from natdrain.history.entries import Seen
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.join import Join
from natdrain.model.outcome import AddressOutcome
from natdrain.store.drains import Drains
from natdrain.store.table import Table
from support.builders import GATEWAY, START, allocation, association, drain, ip, join

LEFT = drain("a", outcome=AddressOutcome.DRAINED, gone_by=START)
RECORDS = {f"association#{association('a')}", f"address#{allocation('a')}", f"address#{ip('a')}"}
OWNER = "arn:me"


def write(table: Table, record: str, **item: Any) -> None:
    table.put({R.GATEWAY: GATEWAY, R.SORT: record, **item})


def recorded(table: Table, *drains: Drain, reason: str | None = None) -> dict[str, Any]:
    """Record drains; return the items that are then there, by record."""
    Drains(table).record(GATEWAY, drains, OWNER, reason)
    return {record: item for (_, record), item in table.get((GATEWAY, record) for record in RECORDS).items()}


def test_drain_that_has_left_is_recorded_under_each_of_its_names(table: Table) -> None:
    items = recorded(table, LEFT, reason="contract ends")
    assert items.keys() == RECORDS
    assert {(item[R.EXECUTION], item[R.REASON]) for item in items.values()} == {(OWNER, "contract ends")}


def test_drain_without_a_public_ip_is_recorded_under_the_names_that_it_has(table: Table) -> None:
    unnamed = replace(LEFT, public_ip=None)
    Drains(table).record(GATEWAY, [unnamed], OWNER, None)
    names = [association("a"), allocation("a"), "None"]
    found = table.get((GATEWAY, f"{kind}#{name}") for kind in ("association", "address") for name in names)
    assert {record for _, record in found} == RECORDS - {f"address#{ip('a')}"}


def test_drain_that_did_not_leave_is_recorded_under_its_association_alone(table: Table) -> None:
    items = recorded(table, drain("a", outcome=AddressOutcome.FAILED))
    assert items.keys() == {f"association#{association('a')}"}
    assert R.REASON not in items.popitem()[1]


@pytest.mark.parametrize(
    "before",
    [
        drain("a", outcome=AddressOutcome.ALREADY_DRAINED, gone_by=START),
        drain("a", outcome=AddressOutcome.ALREADY_RELEASED, gone_by=START),
        drain("a", outcome=AddressOutcome.PUT_BACK, gone_by=START, left_before=True),
    ],
    ids=lambda before: before.outcome.value,
)
def test_drain_that_an_earlier_execution_recorded_is_not_recorded_again(table: Table, before: Drain) -> None:
    assert recorded(table, before) == {}


@pytest.mark.parametrize(
    "now",
    [
        drain("a", outcome=AddressOutcome.PUT_BACK, gone_by=START),
        drain("a", outcome=AddressOutcome.RELEASED, gone_by=START, left_before=True),
    ],
    ids=lambda now: now.outcome.value,
)
def test_drain_that_ends_otherwise_in_this_execution_is_recorded(table: Table, now: Drain) -> None:
    assert recorded(table, now).keys() == RECORDS


@pytest.mark.parametrize("name", [allocation("a"), ip("a")])
def test_drain_is_recalled_by_its_names(table: Table, name: str) -> None:
    recorded(table, LEFT)
    assert Drains(table).recall(GATEWAY, names=[name]).drains == {association("a"): LEFT}


def test_running_drain_is_recalled_before_what_was_recorded_of_its_association(table: Table) -> None:
    recorded(table, LEFT)
    running = drain("a", requested_at=START)
    write(table, R.LOCK, Drains={association("a"): running.to_json()})
    assert Drains(table).recall(GATEWAY, [association("a")]).drains == {association("a"): running}


def test_gateway_of_which_nothing_is_recorded_has_no_memory(table: Table) -> None:
    memory = Drains(table).recall(GATEWAY, [association("a")], [ip("a")])
    assert (memory.drains, memory.seen) == ({}, Seen())


@pytest.mark.parametrize(
    ("record", "item"),
    [
        (R.LOCK, {"Drains": "text"}),
        (R.LOCK, {"Drains": {association("a"): "text"}}),
        (R.LOCK, {"Drains": {association("a"): {"AssociationId": 7}}}),
        (R.LOCK, {"Joins": "text"}),
        (R.LOCK, {"Joins": {allocation("a"): "text"}}),
        (R.LOCK, {"Joins": {allocation("a"): {"AllocationId": allocation("a")}}}),
        (R.SEEN, {"Version": "one", "LookedAt": "2026-10-02T17:00:00Z", "Addresses": {}}),
        (R.SEEN, {"Version": 1, "Addresses": {}}),
    ],
)
def test_item_that_somebody_has_changed_is_a_refusal_that_names_it(
    table: Table, record: str, item: dict[str, Any]
) -> None:
    write(table, record, **item)
    with pytest.raises(RequestRefused, match=rf"Record={{S={record}}}"):
        Drains(table).recall(GATEWAY)


# Joins

JOINED = join("a", association_id=association("a"), outcome=AddressOutcome.JOINED, asked_by=OWNER)
OF_JOIN = f"join#{allocation('a')}"


def recorded_joins(table: Table, *joins: Join, reason: str | None = None) -> dict[str, Any]:
    """Record joins; return the items that are then there, by record."""
    Drains(table).record(GATEWAY, joins, OWNER, reason)
    records = [OF_JOIN, *RECORDS]
    return {record: item for (_, record), item in table.get((GATEWAY, one) for one in records).items()}


def test_join_that_has_ended_is_recorded_under_its_allocation(table: Table) -> None:
    [(record, item)] = recorded_joins(table, JOINED, reason="more ports").items()
    assert (record, item[R.EXECUTION], item[R.REASON]) == (OF_JOIN, OWNER, "more ports")
    assert Join.from_json(item) == JOINED


@pytest.mark.parametrize(
    "outcome", [AddressOutcome.NOT_ASKED, AddressOutcome.BLOCKED, AddressOutcome.ALREADY_JOINED]
)
def test_join_for_which_natdrain_never_asked_is_not_recorded(table: Table, outcome: AddressOutcome) -> None:
    assert recorded_joins(table, join("a", outcome=outcome)) == {}


def test_join_that_a_later_execution_found_in_service_is_recorded_as_joined(table: Table) -> None:
    items = recorded_joins(table, replace(JOINED, outcome=AddressOutcome.ALREADY_JOINED))
    assert items[OF_JOIN]["Outcome"] == AddressOutcome.JOINED


def test_join_is_recalled_by_its_allocation(table: Table) -> None:
    recorded_joins(table, JOINED)
    memory = Drains(table).recall(GATEWAY, joining=[allocation("a"), allocation("b")])
    assert (memory.joined, memory.joins, memory.drains) == ({allocation("a"): JOINED}, {}, {})


def test_join_is_recalled_only_when_it_is_asked_for(table: Table) -> None:
    recorded_joins(table, JOINED)
    assert Drains(table).recall(GATEWAY, names=[allocation("a")]).joined == {}


def test_join_that_was_begun_is_recalled_whatever_is_asked_for(table: Table) -> None:
    begun = join("a", asked_by=OWNER, asked_at=START, pending=True)
    write(table, R.LOCK, Drains={}, Joins={allocation("a"): begun.to_json()})
    assert Drains(table).recall(GATEWAY).joins == {allocation("a"): begun}


def test_lock_of_an_earlier_version_has_no_joins(table: Table) -> None:
    write(table, R.LOCK, Drains={association("a"): drain("a", requested_at=START).to_json()})
    memory = Drains(table).recall(GATEWAY)
    assert (memory.joins, memory.drains.keys()) == ({}, {association("a")})


def test_associations_that_have_left_are_those_of_drains_and_joins_that_looks_found_gone(
    table: Table,
) -> None:
    gone = join("b", association_id=association("b"), outcome=AddressOutcome.TAKEN_AWAY, absent_at=START)
    still = join("c", association_id=association("c"), outcome=AddressOutcome.JOINED)
    running = drain("d", requested_at=START)
    Drains(table).record(GATEWAY, [LEFT, *(one.noted(asked_by=OWNER) for one in (gone, still))], OWNER, None)
    write(table, R.LOCK, Drains={association("d"): running.to_json()})
    memory = Drains(table).recall(GATEWAY, (), map(allocation, "abcd"), map(allocation, "abcd"))
    assert memory.departed == {association("a"), association("b")}


@pytest.mark.parametrize("item", [{"AllocationId": 7}, {"SinceAt": "now"}, {}], ids=str)
def test_record_of_a_join_that_somebody_has_changed_is_a_refusal_that_names_it(
    table: Table, item: dict[str, Any]
) -> None:
    write(table, OF_JOIN, **item)
    with pytest.raises(RequestRefused, match=rf"Record={{S={OF_JOIN}}}"):
        Drains(table).recall(GATEWAY, joining=[allocation("a")])
