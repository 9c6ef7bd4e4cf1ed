"""A join as the workflow carries it and as the table keeps it: its keys outlive every deployment."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.model.join import NO_ASSOCIATION, Join, JoinProgress
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Trigger, TriggerKind
from support.builders import GATEWAY, START, allocation, association, ip, join

FULL = join(
    "a",
    association_id=association("a"),
    private_ip="10.0.0.10",
    zone="use1-az1",
    outcome=AddressOutcome.JOIN_FAILED,
    detail="EC2 failed to associate it",
    problems=(Problem(guard="hold", subject=GATEWAY, text="It is held.", fix="Lift it."),),
    listed=True,
    asked_by="arn:me",
    asked_reason="contract begins",
    asked_trigger=Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-10-02T16:59:00Z"),
    adopted=True,
    seen_before=(association("0"), NO_ASSOCIATION),
    patience_seconds=4500,
    asked_at=START + timedelta(seconds=1),
    pending=True,
    requested_at=START + timedelta(seconds=2),
    answered_at=START + timedelta(seconds=3),
    refusal="OperationInProgress: wait",
    refusals=2,
    denied=True,
    turn_at=START + timedelta(seconds=3),
    hindered_at=START + timedelta(seconds=4),
    seen_at=START + timedelta(seconds=5),
    in_service_at=START + timedelta(seconds=6),
    last_seen_at=START + timedelta(seconds=7),
    absent_at=START + timedelta(seconds=8),
    failed_at=START + timedelta(seconds=9),
    removal_at=START + timedelta(seconds=10),
    removal_refusal="OperationInProgress: wait again",
    removal_refusals=1,
)
FULL_DOCUMENT: dict[str, Any] = {
    "AllocationId": allocation("a"),
    "AssociationId": association("a"),
    "PublicIp": ip("a"),
    "PrivateIp": "10.0.0.10",
    "Zone": "use1-az1",
    "Outcome": "join_failed",
    "Detail": "EC2 failed to associate it",
    "Problems": [{"Guard": "hold", "Subject": GATEWAY, "Text": "It is held.", "Fix": "Lift it."}],
    "StillListed": True,
    "SinceAt": "2026-10-02T17:00:00Z",
    "AskedBy": "arn:me",
    "AskedReason": "contract begins",
    "AskedTrigger": {"Kind": "schedule", "Name": "monthly", "At": "2026-10-02T16:59:00Z"},
    "Adopted": True,
    "SeenBefore": [association("0"), ""],
    "PatienceSeconds": 4500,
    "AskedAt": "2026-10-02T17:00:01Z",
    "Pending": True,
    "RequestedAt": "2026-10-02T17:00:02Z",
    "AnsweredAt": "2026-10-02T17:00:03Z",
    "Refusal": "OperationInProgress: wait",
    "Refusals": 2,
    "Denied": True,
    "TurnAt": "2026-10-02T17:00:03Z",
    "HinderedAt": "2026-10-02T17:00:04Z",
    "SeenAt": "2026-10-02T17:00:05Z",
    "InServiceAt": "2026-10-02T17:00:06Z",
    "LastSeenAt": "2026-10-02T17:00:07Z",
    "AbsentAt": "2026-10-02T17:00:08Z",
    "FailedAt": "2026-10-02T17:00:09Z",
    "RemovalAt": "2026-10-02T17:00:10Z",
    "RemovalRefusal": "OperationInProgress: wait again",
    "RemovalRefusals": 1,
}
REQUIRED = {"AllocationId": allocation("a"), "SinceAt": "2026-10-02T17:00:00Z"}
UNKNOWN = join("a", public_ip=None)
"""A join of which nothing is known but that it is wanted."""

instants = st.none() | st.integers(0, 10**6).map(lambda seconds: START + timedelta(seconds=seconds))
texts = st.none() | st.text(min_size=1)
joins = st.builds(
    Join,
    allocation_id=st.text(min_size=1),
    association_id=texts,
    public_ip=texts,
    private_ip=texts,
    zone=texts,
    outcome=st.none() | st.sampled_from(AddressOutcome),
    detail=texts,
    problems=st.lists(st.builds(Problem, text=st.text(), guard=texts, subject=texts, fix=texts)).map(tuple),
    listed=st.booleans(),
    progress=st.builds(
        JoinProgress,
        since_at=instants.map(lambda at: at or START),
        asked_by=texts,
        asked_reason=texts,
        asked_trigger=st.none()
        | st.builds(Trigger, kind=st.sampled_from(TriggerKind), name=st.text(), at=st.text()),
        adopted=st.booleans(),
        seen_before=st.lists(st.text()).map(tuple),
        patience_seconds=st.none() | st.integers(0, 4500),
        asked_at=instants,
        pending=st.booleans(),
        requested_at=instants,
        answered_at=instants,
        refusal=texts,
        refusals=st.integers(0, 4000),
        denied=st.booleans(),
        turn_at=instants,
        hindered_at=instants,
        seen_at=instants,
        in_service_at=instants,
        last_seen_at=instants,
        absent_at=instants,
        failed_at=instants,
        removal_at=instants,
        removal_refusal=texts,
        removal_refusals=st.integers(0, 4000),
    ),
)


def in_dynamodb(value: Any) -> Any:
    """Return the value as boto3 reads it from the table."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(joins)
def test_join_survives_the_way_through_the_workflow(known: Join) -> None:
    assert Join.from_json(json.loads(json.dumps(known.to_json()))) == known


def test_join_has_no_field_that_is_not_tried_here() -> None:
    for part in (FULL, FULL.progress):
        assert all(getattr(part, field.name) for field in fields(part))


def test_join_is_written_with_the_keys_that_running_executions_and_stored_items_have() -> None:
    assert FULL.to_json() == FULL_DOCUMENT


def test_join_is_written_without_what_is_not_known() -> None:
    assert UNKNOWN.to_json() == REQUIRED


@pytest.mark.parametrize(
    "document", [FULL_DOCUMENT, {key: in_dynamodb(v) for key, v in FULL_DOCUMENT.items()}]
)
def test_join_is_read_from_the_workflow_and_from_the_table(document: dict[str, Any]) -> None:
    assert Join.from_json(document) == FULL


def test_join_that_is_wanted_and_no_more_knows_nothing_else() -> None:
    assert Join.from_json(REQUIRED) == UNKNOWN


@pytest.mark.parametrize("key", REQUIRED)
@pytest.mark.parametrize("absent", [{}, None, ""])
def test_join_without_identity_or_beginning_is_refused(key: str, absent: object) -> None:
    document = {name: value for name, value in REQUIRED.items() if name != key}
    with pytest.raises(ValueError, match=key):
        Join.from_json(document if absent == {} else document | {key: absent})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("AllocationId", 7),
        ("AssociationId", ["x"]),
        ("PublicIp", True),
        ("PrivateIp", {}),
        ("Zone", 1),
        ("Outcome", "vanished"),
        ("Detail", 7),
        ("Problems", [7]),
        ("StillListed", "yes"),
        ("SinceAt", "yesterday"),
        ("AskedBy", 7),
        ("AskedReason", 7),
        ("AskedTrigger", "schedule"),
        ("Adopted", 1),
        ("SeenBefore", "text"),
        ("SeenBefore", [7]),
        ("SeenBefore", {}),
        ("PatienceSeconds", "600"),
        ("PatienceSeconds", True),
        ("PatienceSeconds", -1),
        ("PatienceSeconds", Decimal("NaN")),
        ("AskedAt", 7),
        ("Pending", "no"),
        ("RequestedAt", Decimal(7)),
        ("AnsweredAt", "2026-10-02T17:00:00"),
        ("Refusal", 7),
        ("Refusals", "two"),
        ("Denied", "no"),
        ("TurnAt", 3),
        ("HinderedAt", False),
        ("SeenAt", ""),
        ("InServiceAt", []),
        ("LastSeenAt", "x"),
        ("AbsentAt", 7),
        ("FailedAt", "2026-13-01T00:00:00Z"),
        ("RemovalAt", {}),
        ("RemovalRefusal", 7),
        ("RemovalRefusals", 4001),
    ],
)
def test_join_with_a_malformed_value_is_refused_with_its_key(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{key} "):
        Join.from_json(FULL_DOCUMENT | {key: value})


def test_noted_changes_the_progress_alone() -> None:
    noted = FULL.noted(refusals=3)
    assert (noted.progress.refusals, noted.noted(refusals=2)) == (3, FULL)


def test_ended_has_its_outcome_its_own_detail_and_is_no_longer_listed() -> None:
    ended = FULL.ended(AddressOutcome.JOINED)
    assert (ended.outcome, ended.detail, ended.listed) == (AddressOutcome.JOINED, None, False)
    assert ended.progress == FULL.progress


def test_ended_says_if_it_is_still_listed() -> None:
    assert join("a").ended(AddressOutcome.JOIN_OVERDUE, listed=True).listed


@pytest.mark.parametrize(
    ("known", "accepted", "to_ask"),
    [
        ({}, False, True),
        ({"asked_at": START, "pending": True}, False, False),
        ({"asked_at": START, "refusal": "OperationInProgress: wait"}, False, True),
        ({"asked_at": START, "requested_at": START}, True, False),
        ({"adopted": True, "seen_at": START}, True, False),
        ({"outcome": AddressOutcome.NOT_ASKED}, False, False),
    ],
    ids=["begun", "no answer yet", "refused", "accepted", "another's", "ended"],
)
def test_join_is_to_be_asked_for_until_ec2_may_have_accepted_it(
    known: dict[str, Any], *, accepted: bool, to_ask: bool
) -> None:
    assert (join("a", **known).accepted, join("a", **known).to_ask) == (accepted, to_ask)


@pytest.mark.parametrize(
    ("known", "needs_a_look"),
    [
        ({}, True),
        ({"outcome": AddressOutcome.JOINED}, False),
        ({"outcome": AddressOutcome.JOINED, "absent_at": START}, True),
        ({"outcome": AddressOutcome.TAKEN_AWAY, "absent_at": START}, False),
    ],
    ids=["begun", "joined", "joined and then missed", "taken away"],
)
def test_join_is_open_until_it_has_ended_and_again_when_a_look_misses_it(
    known: dict[str, Any], *, needs_a_look: bool
) -> None:
    assert join("a", **known).open is needs_a_look


@pytest.mark.parametrize(
    ("known", "gone"),
    [
        ({"absent_at": START}, False),
        ({"absent_at": START, "outcome": AddressOutcome.TAKEN_AWAY}, True),
        ({"absent_at": START, "outcome": AddressOutcome.JOIN_FAILED, "listed": True}, False),
        ({"outcome": AddressOutcome.JOINED}, False),
    ],
    ids=["missed once", "taken away", "failed and listed", "joined"],
)
def test_join_is_gone_when_looks_have_found_it_absent_at_its_end(
    known: dict[str, Any], *, gone: bool
) -> None:
    assert join("a", **known).gone is gone


ACCEPTED: dict[str, Any] = {"asked_by": "arn:me", "asked_at": START, "requested_at": START}
PENDING: dict[str, Any] = {"asked_by": "arn:me", "asked_at": START, "pending": True}


@pytest.mark.parametrize(
    ("known", "unfinished"),
    [
        (ACCEPTED, True),
        (PENDING, True),
        (ACCEPTED | {"outcome": AddressOutcome.JOIN_OVERDUE}, True),
        (ACCEPTED | {"outcome": AddressOutcome.JOINED}, False),
        (ACCEPTED | {"outcome": AddressOutcome.JOIN_FAILED}, False),
        ({}, False),
        ({"outcome": AddressOutcome.BLOCKED}, False),
    ],
    ids=["accepted", "no answer yet", "overdue", "joined", "failed", "not asked", "blocked"],
)
def test_join_is_unfinished_while_a_later_look_may_show_it_in_service(
    known: dict[str, Any], *, unfinished: bool
) -> None:
    assert join("a", **known).unfinished is unfinished


@pytest.mark.parametrize(
    ("known", "ours"),
    [
        (ACCEPTED, True),
        (PENDING, True),
        ({"asked_by": "arn:me", "asked_at": START}, False),
        ({"requested_at": START}, False),
        (ACCEPTED | {"seen_before": (association("a"),)}, False),
        (ACCEPTED | {"seen_before": (association("0"),)}, True),
    ],
    ids=["accepted", "no answer yet", "refused", "another's", "was there before", "another was there"],
)
def test_association_came_of_a_request_that_ec2_may_have_accepted_and_was_not_there_before(
    known: dict[str, Any], *, ours: bool
) -> None:
    assert join("a", **known).asked_for(association("a")) is ours


@pytest.mark.parametrize(
    ("outcome", "recorded"),
    [
        (AddressOutcome.ALREADY_JOINED, AddressOutcome.JOINED),
        (AddressOutcome.JOIN_FAILED, AddressOutcome.JOIN_FAILED),
    ],
)
def test_join_that_a_later_execution_found_in_service_is_recorded_as_joined(
    outcome: AddressOutcome, recorded: AddressOutcome
) -> None:
    assert join("a", outcome=outcome).as_recorded().outcome is recorded
