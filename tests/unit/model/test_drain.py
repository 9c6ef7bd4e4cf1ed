"""A drain as the workflow carries it and as the table keeps it: its keys outlive every deployment."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.model.drain import Drain, Progress, ReleaseProgress
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Trigger, TriggerKind
from support.builders import GATEWAY, START, allocation, association, drain, ip

FULL = drain(
    "a",
    private_ip="10.0.0.10",
    zone="use1-az1",
    outcome=AddressOutcome.RELEASE_FAILED,
    detail="its allocation is kept: no",
    problems=(Problem(guard="hold", subject=GATEWAY, text="It is held.", fix="Lift it."),),
    asked_by="arn:me",
    asked_reason="contract ends",
    asked_trigger=Trigger(kind=TriggerKind.ALARM, name="blocked", at="2026-10-02T16:59:00Z"),
    adopted=True,
    left_before=True,
    requested_at=START + timedelta(seconds=1),
    answered_at=START + timedelta(seconds=2),
    limit_seconds=350,
    connections=1200,
    addresses=3,
    refusal="OperationInProgress: wait",
    refusals=2,
    denied=True,
    draining_seen_at=START + timedelta(seconds=2),
    last_seen_at=START + timedelta(seconds=3),
    gone_by=START + timedelta(seconds=4),
    absent_at=START + timedelta(seconds=5),
    confirmed_at=START + timedelta(seconds=6),
    missing_at=START + timedelta(seconds=7),
    release_refusal="InvalidAddress.Locked: no",
    release_final=True,
)
FULL_DOCUMENT: dict[str, Any] = {
    "AssociationId": association("a"),
    "AllocationId": allocation("a"),
    "PublicIp": ip("a"),
    "PrivateIp": "10.0.0.10",
    "Zone": "use1-az1",
    "Outcome": "release_failed",
    "Detail": "its allocation is kept: no",
    "Problems": [{"Guard": "hold", "Subject": GATEWAY, "Text": "It is held.", "Fix": "Lift it."}],
    "SinceAt": "2026-10-02T17:00:00Z",
    "AskedBy": "arn:me",
    "AskedReason": "contract ends",
    "AskedTrigger": {"Kind": "alarm", "Name": "blocked", "At": "2026-10-02T16:59:00Z"},
    "Adopted": True,
    "LeftBefore": True,
    "RequestedAt": "2026-10-02T17:00:01Z",
    "AnsweredAt": "2026-10-02T17:00:02Z",
    "LimitSeconds": 350,
    "Connections": 1200,
    "AddressesInService": 3,
    "Refusal": "OperationInProgress: wait",
    "Refusals": 2,
    "Denied": True,
    "DrainingSeenAt": "2026-10-02T17:00:02Z",
    "LastSeenAt": "2026-10-02T17:00:03Z",
    "GoneBy": "2026-10-02T17:00:04Z",
    "AbsentAt": "2026-10-02T17:00:05Z",
    "ConfirmedAt": "2026-10-02T17:00:06Z",
    "MissingAt": "2026-10-02T17:00:07Z",
    "ReleaseRefusal": "InvalidAddress.Locked: no",
    "ReleaseFinal": True,
}
REQUIRED = {"AssociationId": association("a"), "SinceAt": "2026-10-02T17:00:00Z"}

instants = st.none() | st.integers(0, 10**6).map(lambda seconds: START + timedelta(seconds=seconds))
texts = st.none() | st.text(min_size=1)
drains = st.builds(
    Drain,
    association_id=st.text(min_size=1),
    allocation_id=texts,
    public_ip=texts,
    private_ip=texts,
    zone=texts,
    outcome=st.none() | st.sampled_from(AddressOutcome),
    detail=texts,
    problems=st.lists(st.builds(Problem, text=st.text(), guard=texts, subject=texts, fix=texts)).map(tuple),
    progress=st.builds(
        Progress,
        since_at=instants.map(lambda at: at or START),
        asked_by=texts,
        asked_reason=texts,
        asked_trigger=st.none()
        | st.builds(Trigger, kind=st.sampled_from(TriggerKind), name=st.text(), at=st.text()),
        requested_at=instants,
        limit_seconds=st.none() | st.integers(1, 4000),
        connections=st.none() | st.integers(0, 10**9),
        addresses=st.none() | st.integers(0, 256),
        refusal=texts,
        refusals=st.integers(0, 4000),
        draining_seen_at=instants,
        last_seen_at=instants,
        gone_by=instants,
    ),
    release=st.builds(
        ReleaseProgress, absent_at=instants, confirmed_at=instants, missing_at=instants, refusal=texts
    ),
)


def in_dynamodb(value: Any) -> Any:
    """Return the value as boto3 reads it from the table."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(drains)
def test_drain_survives_the_way_through_the_workflow(known: Drain) -> None:
    assert Drain.from_json(json.loads(json.dumps(known.to_json()))) == known


def test_drain_has_no_field_that_is_not_tried_here() -> None:
    for part in (FULL, FULL.progress, FULL.release):
        assert all(getattr(part, field.name) for field in fields(part))


def test_drain_is_written_with_the_keys_that_running_executions_and_stored_items_have() -> None:
    assert FULL.to_json() == FULL_DOCUMENT


def test_drain_is_written_without_what_is_not_known() -> None:
    assert drain("a", allocation_id=None, public_ip=None).to_json() == REQUIRED


@pytest.mark.parametrize(
    "document", [FULL_DOCUMENT, {key: in_dynamodb(v) for key, v in FULL_DOCUMENT.items()}]
)
def test_drain_is_read_from_the_workflow_and_from_the_table(document: dict[str, Any]) -> None:
    assert Drain.from_json(document) == FULL


def test_drain_of_an_item_from_before_problems_were_kept_is_read() -> None:
    stored = {key: in_dynamodb(value) for key, value in FULL_DOCUMENT.items() if key != "Problems"}
    read = Drain.from_json(stored)
    assert (read.problems, read.progress, read.release) == ((), FULL.progress, FULL.release)


def test_drain_of_a_look_alone_knows_nothing_else() -> None:
    assert Drain.from_json(REQUIRED) == drain("a", allocation_id=None, public_ip=None)


@pytest.mark.parametrize("key", REQUIRED)
@pytest.mark.parametrize("absent", [{}, None, ""])
def test_drain_without_identity_or_beginning_is_refused(key: str, absent: object) -> None:
    document = {name: value for name, value in REQUIRED.items() if name != key}
    with pytest.raises(ValueError, match=key):
        Drain.from_json(document if absent == {} else document | {key: absent})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("AssociationId", 7),
        ("AllocationId", ["x"]),
        ("PublicIp", True),
        ("PrivateIp", {}),
        ("Zone", 1),
        ("Outcome", "vanished"),
        ("Outcome", []),
        ("Detail", 7),
        ("Problems", 7),
        ("Problems", "text"),
        ("Problems", [7]),
        ("Problems", [{}]),
        ("SinceAt", "yesterday"),
        ("SinceAt", "2026-10-02T17:00:00"),
        ("AskedBy", 7),
        ("AskedReason", 7),
        ("AskedTrigger", "alarm"),
        ("AskedTrigger", {"Kind": "alarm", "Name": "blocked"}),
        ("AskedTrigger", {"Kind": "person", "Name": "blocked", "At": "now"}),
        ("AskedTrigger", {"Kind": "alarm", "Name": "blocked", "At": 7}),
        ("Adopted", "yes"),
        ("LeftBefore", 1),
        ("RequestedAt", Decimal(7)),
        ("LimitSeconds", "350"),
        ("LimitSeconds", True),
        ("LimitSeconds", -1),
        ("LimitSeconds", 4001),
        ("LimitSeconds", Decimal("NaN")),
        ("LimitSeconds", float("nan")),
        ("LimitSeconds", Decimal("Infinity")),
        ("Refusal", 7),
        ("Refusals", "two"),
        ("Denied", "no"),
        ("DrainingSeenAt", 7),
        ("LastSeenAt", ""),
        ("GoneBy", "2026-13-01T00:00:00Z"),
        ("AbsentAt", False),
        ("ConfirmedAt", []),
        ("MissingAt", "x"),
        ("ReleaseRefusal", 7),
        ("ReleaseFinal", "true"),
    ],
)
def test_drain_with_a_malformed_value_is_refused_with_its_key(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{key} "):
        Drain.from_json(FULL_DOCUMENT | {key: value})


@pytest.mark.parametrize("number", [0, 4000])
def test_drain_with_the_least_or_the_greatest_number_is_read(number: int) -> None:
    assert Drain.from_json(FULL_DOCUMENT | {"LimitSeconds": number}).progress.limit_seconds == number


def test_noted_changes_the_progress_alone() -> None:
    noted = FULL.noted(refusals=3)
    assert (noted.progress.refusals, noted.noted(refusals=2)) == (3, FULL)


def test_ended_has_the_outcome_and_its_own_detail() -> None:
    ended = FULL.ended(AddressOutcome.DRAINED)
    assert (ended.outcome, ended.detail, ended.progress) == (AddressOutcome.DRAINED, None, FULL.progress)


def test_unreleased_forgets_the_release_alone() -> None:
    forgotten = FULL.unreleased()
    assert (forgotten.release, forgotten.progress) == (ReleaseProgress(), FULL.progress)


def seconds(count: int) -> datetime:
    return START + timedelta(seconds=count)


ASKED: dict[str, Any] = {"requested_at": START, "limit_seconds": 60}


@pytest.mark.parametrize(
    ("known", "at"), [(ASKED, seconds(60)), ({"requested_at": START}, None), ({"limit_seconds": 60}, None)]
)
def test_limit_is_known_of_an_accepted_request_with_its_limit(
    known: dict[str, Any], at: datetime | None
) -> None:
    assert drain("a", **known).limit_at == at


@pytest.mark.parametrize(
    ("known", "reached"),
    [
        (ASKED | {"gone_by": seconds(59)}, False),
        (ASKED | {"gone_by": seconds(60)}, None),
        (ASKED | {"gone_by": seconds(70), "last_seen_at": seconds(60)}, None),
        (ASKED | {"gone_by": seconds(70), "last_seen_at": seconds(61)}, True),
        (ASKED | {"last_seen_at": seconds(61)}, None),
        ({"gone_by": seconds(59)}, None),
    ],
)
def test_limit_is_reached_only_where_two_looks_leave_no_doubt(
    known: dict[str, Any], *, reached: bool | None
) -> None:
    assert drain("a", **known).limit_reached is reached


@pytest.mark.parametrize(
    ("known", "to_ask", "leaving"),
    [
        ({}, True, False),
        ({"draining_seen_at": START}, True, True),
        (ASKED, False, True),
        ({"outcome": AddressOutcome.NOT_ASKED}, False, False),
    ],
)
def test_drain_is_to_be_asked_for_until_ec2_accepts_and_leaves_once_that_shows(
    known: dict[str, Any], *, to_ask: bool, leaving: bool
) -> None:
    assert (drain("a", **known).to_ask, drain("a", **known).leaving) == (to_ask, leaving)


@pytest.mark.parametrize(
    ("known", "now"),
    [
        ({}, True),
        ({"outcome": AddressOutcome.DRAINED}, True),
        ({"outcome": AddressOutcome.ALREADY_DRAINED}, False),
        ({"outcome": AddressOutcome.PUT_BACK, "left_before": True}, False),
        ({"outcome": AddressOutcome.RELEASED, "left_before": True, "confirmed_at": START}, True),
    ],
)
def test_drain_ended_now_if_its_outcome_came_about_in_this_execution(
    known: dict[str, Any], *, now: bool
) -> None:
    assert drain("a", **known).ended_now is now


@pytest.mark.parametrize(
    ("outcome", "known", "released"),
    [
        (AddressOutcome.RELEASED, {"confirmed_at": START}, True),
        (AddressOutcome.RELEASED, {"release_refusal": "AuthFailure"}, True),
        (AddressOutcome.RELEASED, {"missing_at": START}, False),
        (AddressOutcome.DRAINED, {"confirmed_at": START}, False),
    ],
)
def test_released_now_is_what_this_execution_asked_for(
    outcome: AddressOutcome, known: dict[str, Any], *, released: bool
) -> None:
    assert drain("a", outcome=outcome, **known).released_now is released
