"""Executions, triggers, holds and the history in the table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from natdrain.aws import clients, clock
from natdrain.contract import GatewayRecord as R
from natdrain.history.entries import Entry, Seen
from natdrain.model.errors import TransientFailure
from natdrain.model.gateway import Address, Gateway
from natdrain.model.join import Join
from natdrain.model.request import MAX_REASON_CHARACTERS, Request, Trigger, TriggerKind
from natdrain.store.drains import Drains
from natdrain.store.executions import Executions
from natdrain.store.history import History
from natdrain.store.holds import Holds
from natdrain.store.table import Table
from natdrain.store.triggers import Triggers
from support.builders import GATEWAY, START, address, allocation, association, gateway, join, look

ME, OTHER = "arn:me", "arn:other"
ALARM = Trigger(kind=TriggerKind.ALARM, name="blocked", at="2026-10-02T16:59:00Z")
REQUEST = Request(gateway_id=GATEWAY, public_ips=("203.0.113.7",), reason="contract ends", trigger=ALARM)
EVENT = {"Status": "FAILED"}
ENTRY: Entry = {R.SORT: "history#now", "Event": "ended"}


def scanned() -> list[dict[str, Any]]:
    return list(clients.dynamodb().scan(TableName="Storage")["Items"])


def entries() -> list[str]:
    """Return the records of the history."""
    return [item[R.SORT]["S"] for item in scanned() if item[R.SORT]["S"].startswith(R.HISTORY)]


# Executions


def test_execution_that_has_begun_is_found_with_its_request(table: Table) -> None:
    Executions(table).begin(ME, REQUEST)
    found = Executions(table).find(ME)
    assert (found.request, found.ended, found.event, found.published) == (REQUEST, False, {}, False)


def test_execution_that_nobody_recorded_is_found_without_a_request(table: Table) -> None:
    found = Executions(table).find(ME)
    assert (found.request, found.ended, found.event, found.published) == (None, False, {}, False)


def test_end_is_recorded_once_with_its_entry(table: Table) -> None:
    executions = Executions(table)
    executions.begin(ME, REQUEST)
    assert executions.end(ME, REQUEST, EVENT, ENTRY)
    assert not executions.end(ME, REQUEST, {"Status": "SUCCEEDED"}, ENTRY)
    found = executions.find(ME)
    assert (found.request, found.ended, found.event) == (REQUEST, True, EVENT)
    assert entries() == ["history#now"]


def test_execution_of_an_earlier_version_is_found_with_the_drain_that_it_was(table: Table) -> None:
    former = {"NatGatewayId": GATEWAY, "AllocationIds": [allocation("a")], "MaxDrainDurationSeconds": 9}
    table.put({R.GATEWAY: R.EXECUTIONS, R.SORT: ME, R.REQUEST: json.dumps(former)})
    drain = Request(gateway_id=GATEWAY, allocation_ids=(allocation("a"),), limit_seconds=9)
    assert Executions(table).find(ME).request == drain


def test_end_stays_recorded_when_its_execution_begins_late(table: Table) -> None:
    Executions(table).end(ME, REQUEST, EVENT, None)
    Executions(table).begin(ME, REQUEST)
    assert Executions(table).find(ME).ended


@pytest.mark.parametrize("request_", [None, replace(REQUEST, gateway_id=None)], ids=["none", "no gateway"])
def test_end_without_a_gateway_has_no_entry(table: Table, request_: Request | None) -> None:
    assert Executions(table).end(ME, request_, EVENT, ENTRY)
    assert entries() == []


@pytest.mark.parametrize(("record", "days"), [(R.EXECUTIONS, 90), (R.TRIGGERS, 7)])
def test_record_expires_after_its_days(
    table: Table, monkeypatch: pytest.MonkeyPatch, record: str, days: int
) -> None:
    monkeypatch.setattr(clock, "now", lambda: START)
    Executions(table).begin(ME, REQUEST)
    Triggers(table).claim(REQUEST, ME)
    [expires_at] = [item[R.EXPIRES_AT]["N"] for item in scanned() if item[R.GATEWAY]["S"] == record]
    assert int(expires_at) == int((START + timedelta(days=days)).timestamp())


# Triggers


def test_trigger_is_claimed_by_its_first_execution(table: Table) -> None:
    triggers = Triggers(table)
    assert [triggers.claim(REQUEST, one) for one in (ME, OTHER, ME)] == [ME, ME, ME]


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, trigger=replace(ALARM, at="2026-10-02T17:59:00Z")),
        replace(REQUEST, public_ips=("203.0.113.8",)),
    ],
    ids=["later", "another address"],
)
def test_trigger_of_another_time_or_address_is_another_one(table: Table, other: Request) -> None:
    assert [Triggers(table).claim(REQUEST, ME), Triggers(table).claim(other, OTHER)] == [ME, OTHER]


@pytest.mark.parametrize(("who", "next_one"), [(ME, OTHER), (OTHER, ME)])
def test_trigger_is_unclaimed_by_the_execution_that_claimed_it_alone(
    table: Table, who: str, next_one: str
) -> None:
    Triggers(table).claim(REQUEST, ME)
    Triggers(table).unclaim(REQUEST, who)
    assert Triggers(table).claim(REQUEST, OTHER) == next_one


# Holds


@pytest.mark.parametrize("held", [GATEWAY, R.ALL])
def test_hold_is_found_on_its_gateway_and_on_all(table: Table, held: str) -> None:
    table.put({R.GATEWAY: held, R.SORT: R.HOLD, R.HOLD_WHY: "alice,\n incident 4711"})
    [hold] = Holds(table).on(GATEWAY)
    assert (hold.held, hold.why, hold.table) == (held, "alice, incident 4711", table.name)


def test_hold_on_another_gateway_holds_nothing_here(table: Table) -> None:
    table.put({R.GATEWAY: "nat-other", R.SORT: R.HOLD, R.HOLD_WHY: "alice"})
    assert Holds(table).on(GATEWAY) == ()


@pytest.mark.parametrize(
    ("written", "characters"),
    [("x" * MAX_REASON_CHARACTERS, MAX_REASON_CHARACTERS), ("x" * 900, MAX_REASON_CHARACTERS)],
)
def test_reason_of_a_hold_is_bounded(table: Table, written: str, characters: int) -> None:
    table.put({R.GATEWAY: GATEWAY, R.SORT: R.HOLD, R.HOLD_WHY: written})
    assert len(Holds(table).on(GATEWAY)[0].why) == characters


@pytest.mark.parametrize("written", [{}, {R.HOLD_WHY: " "}, {R.HOLD_WHY: 7}])
def test_hold_without_a_reason_holds_all_the_same(table: Table, written: dict[str, Any]) -> None:
    table.put({R.GATEWAY: GATEWAY, R.SORT: R.HOLD, **written})
    assert Holds(table).on(GATEWAY)[0].why


# The history


def note(table: Table, shown: Gateway | None, *joins: Join, at: float = 0, first: bool = True) -> Seen:
    """Note one look, as an execution does, and return what is remembered of it."""
    before, begun = Drains(table).recall(GATEWAY).seen, {join.allocation_id: join for join in joins}
    History(table).note(GATEWAY, before, look(shown, at), {}, begun, execution=ME, first=first)
    return Drains(table).recall(GATEWAY).seen


def test_look_that_shows_a_change_is_noted(table: Table) -> None:
    note(table, gateway())
    seen = note(table, gateway(address("a")), at=60, first=False)
    assert (seen.version, len(entries())) == (2, 2)


def test_look_that_shows_that_an_address_has_joined_notes_who_asked(table: Table) -> None:
    note(table, gateway())
    begun = join("a", asked_by=OTHER, asked_reason="more ports", asked_at=START, requested_at=START)
    note(table, gateway(address("a")), begun, at=60, first=False)
    [item] = [item for item in scanned() if item.get("AssociationId") == {"S": association("a")}]
    assert {key: item[key]["S"] for key in ("Event", "By", "Reason", "Execution")} == {
        "Event": "serving",
        "By": OTHER,
        "Reason": "more ports",
        "Execution": ME,
    }


def test_look_that_shows_no_change_is_noted_if_it_is_the_first_of_its_execution(table: Table) -> None:
    note(table, gateway())
    assert note(table, gateway(), at=60, first=False).looked_at == START
    assert note(table, gateway(), at=60).looked_at == START + timedelta(seconds=60)


def test_look_at_a_gateway_that_never_served_is_not_noted(table: Table) -> None:
    assert note(table, gateway(primary=False)) == Seen()


def test_look_that_shows_that_the_last_address_has_left_is_noted(table: Table) -> None:
    note(table, gateway())
    assert note(table, gateway(primary=False), at=60).version == 2


def test_look_that_does_not_show_the_addresses_is_not_noted(table: Table) -> None:
    note(table, gateway())
    assert note(table, gateway(state="pending"), at=60).version == 1


def test_look_that_another_one_overtakes_is_worth_a_retry(table: Table) -> None:
    before = note(table, gateway())
    note(table, gateway(), at=60)
    with pytest.raises(TransientFailure):
        History(table).note(GATEWAY, before, look(gateway(), 61), {}, {}, execution=ME, first=True)


def test_look_that_does_not_show_the_addresses_is_overtaken_by_nobody(table: Table) -> None:
    before = note(table, gateway())
    note(table, gateway(), at=60)
    History(table).note(GATEWAY, before, look(gateway(state="pending"), 61), {}, {}, execution=ME, first=True)


def test_look_with_more_changes_than_a_transaction_holds_is_noted_in_parts(table: Table) -> None:
    shown = gateway(*(numbered(number) for number in range(100)), primary=False)
    note(table, shown)
    assert len(entries()) == 99, "and the item of the look: DynamoDB takes 100 in one transaction"
    note(table, shown, at=10)
    assert len(entries()) == 100


def numbered(number: int) -> Address:
    return address("a", association_id=f"eipassoc-{number:017x}", public_ip=f"198.51.100.{number}")
