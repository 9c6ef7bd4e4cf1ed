"""The entries that one look after the other adds to the history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from natdrain.history.entries import Entry, Seen, changes, ended
from natdrain.model.drain import Drain
from natdrain.model.gateway import Gateway
from natdrain.model.join import NO_ASSOCIATION, Join
from natdrain.model.request import Trigger, TriggerKind
from support.builders import START, address, allocation, association, drain, gateway, ip, join, look

ME, EARLIER = "arn:me", "arn:earlier"
MONTHLY = Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-10-02T17:00:00Z")
NONE: Any = None
"""A gateway that EC2 does not know."""


def looked(
    seen: Seen, shown: Gateway | None, *known: Drain | Join, at: float = 0, most: int = 99
) -> tuple[Seen, list[Entry]]:
    drains = {one.association_id: one for one in known if isinstance(one, Drain)}
    joins = {one.allocation_id: one for one in known if isinstance(one, Join)}
    return changes(seen, look(shown, at), drains, joins, execution=ME, most=most)


def first(*names: str) -> Seen:
    seen, _ = looked(Seen(), gateway(*map(address, names)))
    return seen


def shown_by(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(entry["Event"], entry["PublicIp"]) for entry in entries]


def test_first_look_records_what_is_there_and_not_since_when() -> None:
    seen, entries = looked(Seen(), gateway(address("a")))
    assert shown_by(entries) == [("serving", ip("1")), ("serving", ip("a"))]
    assert entries[1] == {
        "Record": f"history#2026-10-02T17:00:00Z#serving#{association('a')}",
        "At": "2026-10-02T17:00:00Z",
        "Event": "serving",
        "AssociationId": association("a"),
        "AllocationId": allocation("a"),
        "PublicIp": ip("a"),
        "PrivateIp": "10.0.0.10",
        "Execution": ME,
    }
    assert (seen.version, seen.looked_at) == (1, START)


def test_look_that_sees_the_same_records_nothing() -> None:
    seen, entries = looked(first("a"), gateway(address("a")), at=60)
    assert entries == []
    assert seen.looked_at == START + timedelta(seconds=60)


def test_address_that_somebody_adds_is_recorded_as_a_change_from_outside() -> None:
    _, [entry] = looked(first("a"), gateway(address("a"), address("b")), at=60)
    assert (entry["Event"], entry["PublicIp"], entry["By"]) == ("serving", ip("b"), "outside")
    assert (entry["After"], entry["At"]) == ("2026-10-02T17:00:00Z", "2026-10-02T17:01:00Z")


def test_address_that_this_execution_associated_is_recorded_with_who_asked_and_why() -> None:
    asked = join("b", asked_by=ME, asked_reason="more ports", asked_at=START, requested_at=START)
    _, [entry] = looked(first("a"), gateway(address("a"), address("b")), asked, at=60)
    assert entry == {
        "Record": f"history#2026-10-02T17:01:00Z#serving#{association('b')}",
        "At": "2026-10-02T17:01:00Z",
        "Event": "serving",
        "AssociationId": association("b"),
        "AllocationId": allocation("b"),
        "PublicIp": ip("b"),
        "PrivateIp": "10.0.0.11",
        "Execution": ME,
        "After": "2026-10-02T17:00:00Z",
        "By": ME,
        "RequestedAt": "2026-10-02T17:00:00Z",
        "Reason": "more ports",
    }


def test_address_that_another_execution_associated_is_recorded_as_that_ones() -> None:
    why: dict[str, Any] = {"asked_reason": "more ports", "asked_trigger": MONTHLY}
    asked = join("b", asked_by=EARLIER, asked_at=START, requested_at=START, **why)
    # This execution drains `a`, and its look sees the new address first.
    _, [entry] = looked(first("a"), gateway(address("a"), address("b")), drain("a"), asked, at=60)
    assert (entry["By"], entry["Execution"]) == (EARLIER, ME)
    assert (entry["Reason"], entry["Trigger"]) == ("more ports", MONTHLY.to_json())


def test_address_of_a_request_whose_answer_got_lost_is_recorded_as_that_ones() -> None:
    asked = join("b", asked_by=EARLIER, asked_at=START, pending=True)
    _, [entry] = looked(first(), gateway(address("b")), asked, at=60)
    assert entry["By"] == EARLIER
    assert "RequestedAt" not in entry, "that EC2 accepted it is only inferred"


def test_address_that_came_at_the_first_look_of_all_is_recorded_with_who_asked() -> None:
    asked = join("b", asked_by=ME, asked_at=START, requested_at=START)
    _, [entry] = looked(Seen(), gateway(address("b"), primary=False), asked, at=60)
    assert (entry["By"], "After" in entry) == (ME, False)


@pytest.mark.parametrize(
    "known",
    [
        {"asked_by": ME, "requested_at": START, "seen_before": (association("b"),)},
        {"asked_by": ME, "asked_at": START, "refusal": "InvalidParameter: no"},
        {"adopted": True, "seen_at": START},
        {},
    ],
    ids=["was there before", "EC2 refused", "somebody else's", "not asked"],
)
def test_address_that_came_of_no_request_of_ours_is_recorded_as_a_change_from_outside(
    known: dict[str, Any],
) -> None:
    _, [entry] = looked(first(), gateway(address("b")), join("b", **known), at=60)
    assert entry["By"] == "outside"
    assert entry.keys().isdisjoint({"RequestedAt", "Reason", "Trigger"})


def test_address_is_not_credited_to_the_join_of_another_one() -> None:
    asked = join("c", asked_by=ME, asked_at=START, requested_at=START)
    _, [entry] = looked(first(), gateway(address("b")), asked, at=60)
    assert entry["By"] == "outside"


@pytest.mark.parametrize(("minutes", "by"), [(120, EARLIER), (121, "outside")])
def test_address_that_was_absent_long_after_the_request_is_recorded_as_a_change_from_outside(
    minutes: int, by: str
) -> None:
    asked = join("b", asked_by=EARLIER, asked_at=START, requested_at=START)
    seen, _ = looked(first(), gateway(), asked, at=minutes * 60)
    _, [entry] = looked(seen, gateway(address("b")), asked, at=minutes * 60 + 3600)
    assert entry["By"] == by


def test_association_that_was_there_before_is_told_from_the_one_that_was_asked_for() -> None:
    again = address("b", association_id=association("f"))
    asked = join("b", asked_by=ME, requested_at=START, seen_before=(association("b"), NO_ASSOCIATION))
    _, entries = looked(first(), gateway(address("b"), again), asked, at=60)
    assert {entry["AssociationId"]: entry["By"] for entry in entries} == {
        association("b"): "outside",
        association("f"): ME,
    }


@pytest.mark.parametrize("status", ["associating", "assigning", "failed"])
def test_address_that_has_not_joined_yet_does_not_serve(status: str) -> None:
    asked = join("b", asked_by=ME, asked_at=START, requested_at=START)
    assert looked(first(), gateway(address("b", status)), asked, at=60)[1] == []


def test_address_that_leaves_again_is_recorded_without_why_it_had_joined() -> None:
    asked = join("a", asked_by=ME, asked_reason="more ports", requested_at=START)
    _, [entry] = looked(first("a"), gateway(), asked, at=60)
    assert (entry["Event"], entry["By"], "Reason" in entry) == ("left", "outside", False)


def test_address_that_somebody_takes_off_is_recorded_as_a_change_from_outside() -> None:
    seen, [entry] = looked(first("a"), gateway(), at=60)
    assert (entry["Event"], entry["PublicIp"], entry["By"]) == ("left", ip("a"), "outside")
    assert (entry["LastSeenAt"], entry["At"]) == ("2026-10-02T17:00:00Z", "2026-10-02T17:01:00Z")
    assert "Reason" not in entry
    assert seen.looked_at == START + timedelta(seconds=60)
    assert looked(seen, gateway(), at=90)[1] == []


def test_address_that_this_execution_drained_is_recorded_with_who_asked_and_why() -> None:
    asked = drain(
        "a",
        asked_by=ME,
        asked_reason="contract ends",
        requested_at=START,
        limit_seconds=60,
        last_seen_at=START + timedelta(seconds=40),
        gone_by=START + timedelta(seconds=50),
    )
    _, [entry] = looked(first("a"), gateway(), asked, at=50)
    assert {key: entry[key] for key in ("By", "Reason", "LimitReached", "MaxDrainDurationSeconds")} == {
        "By": ME,
        "Reason": "contract ends",
        "LimitReached": False,
        "MaxDrainDurationSeconds": 60,
    }
    assert (entry["RequestedAt"], entry["LastSeenAt"]) == ("2026-10-02T17:00:00Z", "2026-10-02T17:00:40Z")


def test_address_that_a_stopped_execution_drained_is_recorded_as_that_ones() -> None:
    why: dict[str, Any] = {"asked_reason": "contract ends", "asked_trigger": MONTHLY}
    asked = drain("a", asked_by=EARLIER, requested_at=START, **why)
    _, [entry] = looked(first("a"), gateway(), asked, at=50)
    assert (entry["By"], entry["Execution"]) == (EARLIER, ME)
    assert (entry["Reason"], entry["Trigger"]) == ("contract ends", MONTHLY.to_json())


def test_drain_of_which_an_earlier_version_stored_no_reason_is_recorded_without_one() -> None:
    _, [entry] = looked(first("a"), gateway(), drain("a", asked_by=EARLIER, requested_at=START), at=50)
    assert entry.keys().isdisjoint({"Reason", "Trigger"})


def test_drain_that_somebody_else_began_is_recorded_as_a_change_from_outside() -> None:
    _, [entry] = looked(first("a"), gateway(), drain("a", adopted=True, draining_seen_at=START), at=50)
    assert entry["By"] == "outside"


@pytest.mark.parametrize("state", ["pending", "failed", "deleting"])
def test_absence_from_a_gateway_that_is_not_available_records_nothing(state: str) -> None:
    seen = first("a")
    assert looked(seen, gateway(state=state), at=60) == (seen, [])


@pytest.mark.parametrize("gone", [gateway(state="deleted"), NONE], ids=["deleted", "unknown to EC2"])
def test_all_addresses_have_left_a_gateway_that_is_gone(gone: Gateway | None) -> None:
    _, entries = looked(first("a"), gone, at=60)
    assert shown_by(entries) == [("left", ip("1")), ("left", ip("a"))]


@pytest.mark.parametrize("status", ["associating", "failed", "assigning", "unassigning"])
def test_address_that_carries_no_traffic_does_not_serve(status: str) -> None:
    assert shown_by(looked(Seen(), gateway(address("a", status)))[1]) == [("serving", ip("1"))]


def test_address_that_fails_on_its_gateway_is_out_of_service_and_has_not_left() -> None:
    failed = gateway(address("a", "failed"))
    asked = drain("a", asked_by=ME, requested_at=START, last_seen_at=START + timedelta(seconds=60))
    seen, [entry] = looked(first("a"), failed, asked, at=60)
    assert (entry["Event"], entry["PublicIp"], entry["By"]) == ("out_of_service", ip("a"), ME)
    assert entry["LastSeenAt"] == "2026-10-02T17:00:00Z", "at 60 s it was seen, and not in service"
    assert looked(seen, failed, at=90)[1] == []


def test_address_that_leaves_after_it_has_failed_was_out_of_service_already() -> None:
    seen, _ = looked(first("a"), gateway(address("a", "failed")), at=60)
    assert looked(seen, gateway(), at=90)[1] == []


def test_address_that_failed_and_that_we_drain_again_does_not_serve_again() -> None:
    seen, _ = looked(first("a"), gateway(address("a", "failed")), at=60)
    asked = drain("a", asked_by=EARLIER, requested_at=START)
    seen, entries = looked(seen, gateway(address("a", "disassociating")), asked, at=90)
    assert entries == []
    assert looked(seen, gateway(), asked, at=120)[1] == []


@pytest.mark.parametrize(
    ("status", "known"),
    [
        ("succeeded", {"asked_by": ME}),
        ("disassociating", {"adopted": True}),
        ("disassociating", {"asked_by": ME, "gone_by": START}),
    ],
    ids=["is in service", "drained by somebody else", "a stale look found it gone"],
)
def test_address_that_was_not_there_serves_unless_it_drains_because_we_asked(
    status: str, known: dict[str, Any]
) -> None:
    _, entries = looked(first(), gateway(address("a", status)), drain("a", **known), at=60)
    assert shown_by(entries) == [("serving", ip("a"))]


def test_address_that_we_drain_serves_at_the_first_look_of_all() -> None:
    shown = gateway(address("a", "disassociating"), primary=False)
    assert shown_by(looked(Seen(), shown, drain("a", asked_by=ME))[1]) == [("serving", ip("a"))]


def test_address_that_drains_still_serves() -> None:
    assert looked(first("a"), gateway(address("a", "disassociating")), at=60)[1] == []


def test_look_that_missed_an_address_is_shown_to_have_been_stale() -> None:
    seen, [left] = looked(first("a"), gateway(), at=60)
    _, [again] = looked(seen, gateway(address("a")), at=90)
    assert (left["Event"], again["Event"], again["AssociationId"]) == ("left", "serving", association("a"))


def test_changes_that_one_transaction_does_not_hold_are_left_for_the_next_look() -> None:
    shown = gateway(address("a"), address("b"))
    seen, some = looked(Seen(), shown, most=2)
    seen, rest = looked(seen, shown, at=10, most=2)
    assert shown_by(some + rest) == [("serving", ip(name)) for name in "1ab"]
    assert "After" not in rest[0], "the first look saw it too"
    seen, left = looked(seen, gateway(primary=False), at=20, most=2)
    _, last = looked(seen, gateway(primary=False), at=30, most=2)
    assert shown_by(left + last) == [("left", ip(name)) for name in "1ab"]
    assert last[0]["LastSeenAt"] == "2026-10-02T17:00:10Z", "the look at 20 s did not see it"


@pytest.mark.parametrize(
    ("most", "recorded"),
    [
        (1, ["serving"]),
        (2, ["serving"] * 2),
        (3, ["serving"] * 2 + ["left"]),
        (4, ["serving"] * 2 + ["left"] * 2),
    ],
)
def test_look_records_as_many_changes_as_it_may_and_those_that_arrive_first(
    most: int, recorded: list[str]
) -> None:
    shown = gateway(address("c"), address("d"))
    _, entries = looked(first("a", "b"), shown, at=60, most=most)
    assert [entry["Event"] for entry in entries] == recorded


def test_address_without_an_association_is_no_egress_address() -> None:
    assert shown_by(looked(Seen(), gateway(address("a", association_id=None)))[1]) == [("serving", ip("1"))]


def test_what_was_seen_comes_back_from_the_table() -> None:
    for seen in (first("a"), looked(Seen(), gateway(address("a")), most=1)[0]):
        assert Seen.from_item(seen.to_item()) == seen
    assert Seen.from_item({}) == Seen()


def test_end_of_an_execution_is_recorded_without_what_is_not_known() -> None:
    detail = {
        "Execution": f"arn:aws:states:us-east-1:123456789012:execution:Drain:{ME}",
        "Status": "FAILED",
        "Outcome": "refused",
        "Changed": "none",
        "Error": "RequestRefused",
        "Summary": "no",
        "PutBack": None,
        "Addresses": [],
    }
    entry = ended(at=START, execution="arn:x:name", request=None, event=detail)
    assert (entry["Record"], entry["Event"]) == ("history#2026-10-02T17:00:00Z#ended#name", "ended")
    assert (entry["Outcome"], entry["Error"]) == ("refused", "RequestRefused")
    assert "PutBack" not in entry
