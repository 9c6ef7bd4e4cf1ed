"""A request on its way through the workflow."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.intake.request import parse_request
from natdrain.model.request import (
    MAX_ADDRESSES,
    MAX_REASON_CHARACTERS,
    AfterDrain,
    Request,
    Trigger,
    TriggerKind,
    WhenBusy,
)
from support.builders import GATEWAY, allocation, association, ip
from support.guard_rows import LIFTABLE

NAMES = "123456789abcdef"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
MONTHLY = {"Kind": "schedule", "Name": "monthly", "At": "2026-11-01T03:00:00Z"}


def some(name: Any) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(NAMES).map(name), min_size=1, max_size=MAX_ADDRESSES, unique=True)


documents = st.fixed_dictionaries(
    {"NatGatewayId": st.just(GATEWAY), "AssociationIds": some(association)},
    optional={
        "AllocationIds": some(allocation),
        "PublicIps": some(ip),
        "MaxDrainDurationSeconds": st.integers(1, 4000),
        "DryRun": st.booleans(),
        "AfterDrain": st.sampled_from([each.value for each in AfterDrain]),
        "WhenBusy": st.sampled_from([each.value for each in WhenBusy]),
        "Override": st.lists(st.sampled_from(LIFTABLE)),
        "Reason": st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_REASON_CHARACTERS),
        "Trigger": st.fixed_dictionaries(
            {"Kind": st.sampled_from([each.value for each in TriggerKind]), "Name": TEXT, "At": TEXT}
        ),
    },
)


@given(documents)
def test_request_is_read_as_intake_reads_it(document: dict[str, Any]) -> None:
    assert Request.from_json(document) == parse_request(document)


@given(documents)
def test_request_survives_the_way_through_the_workflow(document: dict[str, Any]) -> None:
    request = parse_request(document)
    carried = json.loads(json.dumps(request.to_json()))
    assert Request.from_json(carried) == request
    assert parse_request(carried) == request


def test_request_is_written_with_the_keys_of_an_input() -> None:
    request = Request(
        gateway_id=GATEWAY,
        association_ids=(association("a"),),
        allocation_ids=(allocation("a"),),
        public_ips=(ip("a"),),
        limit_seconds=99,
        dry_run=True,
        after_drain=AfterDrain.RELEASE,
        when_busy=WhenBusy.WAIT,
        override=("ports",),
        reason="contract ends",
        trigger=Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-11-01T03:00:00Z"),
    )
    assert request.to_json() == {
        "NatGatewayId": GATEWAY,
        "AssociationIds": [association("a")],
        "AllocationIds": [allocation("a")],
        "PublicIps": [ip("a")],
        "MaxDrainDurationSeconds": 99,
        "DryRun": True,
        "AfterDrain": "release",
        "WhenBusy": "wait",
        "Override": ["ports"],
        "Reason": "contract ends",
        "Trigger": MONTHLY,
    }


@pytest.mark.parametrize(
    ("trigger", "when_busy"), [({}, WhenBusy.FAIL), ({"Trigger": MONTHLY}, WhenBusy.WAIT)]
)
def test_request_waits_for_its_turn_by_default_if_no_person_made_it(
    trigger: dict[str, Any], when_busy: WhenBusy
) -> None:
    asked = {"NatGatewayId": GATEWAY, "PublicIps": [ip("a")]}
    assert Request.from_json(asked | trigger).when_busy is when_busy
    assert Request.from_json(asked | trigger | {"WhenBusy": "fail"}).when_busy is WhenBusy.FAIL


def test_request_of_a_person_is_neither_automatic_nor_scheduled() -> None:
    asked = Request.from_json({"NatGatewayId": GATEWAY, "PublicIps": [ip("a")]})
    assert (asked.automatic, asked.scheduled, asked.names) == (False, False, (ip("a"),))


@pytest.mark.parametrize(("kind", "scheduled"), [("alarm", False), ("schedule", True)])
def test_request_of_a_trigger_is_automatic(kind: str, *, scheduled: bool) -> None:
    asked = Request.from_json({"PublicIps": [ip("a")], "Trigger": MONTHLY | {"Kind": kind}})
    assert (asked.automatic, asked.scheduled) == (True, scheduled)
