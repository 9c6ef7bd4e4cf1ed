"""A request on its way through the workflow."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.intake.request import parse_request
from natdrain.model.request import (
    MAX_ADDRESSES,
    MAX_REASON_CHARACTERS,
    AfterDrain,
    Association,
    Direction,
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
        "Disassociate": st.fixed_dictionaries({"AllocationIds": some(allocation)}),
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


calls = st.lists(st.sampled_from(NAMES), min_size=1, max_size=MAX_ADDRESSES, unique=True).flatmap(
    lambda names: st.fixed_dictionaries(
        {"AllocationIds": st.just([allocation(name) for name in names])},
        optional={
            "PrivateIpAddresses": st.just([ip(name) for name in names]),
            "AvailabilityZoneId": st.just("use1-az1"),
        },
    )
)
joining = st.fixed_dictionaries(
    {"NatGatewayId": st.just(GATEWAY), "Associate": calls.map(lambda call: [call])},
    optional={
        "DryRun": st.booleans(),
        "WhenBusy": st.sampled_from([each.value for each in WhenBusy]),
        "Override": st.lists(st.sampled_from(LIFTABLE)),
        "Reason": TEXT,
    },
)


@given(documents | joining)
def test_request_is_read_as_intake_reads_it(document: dict[str, Any]) -> None:
    assert Request.from_json(document) == parse_request(document)


@given(documents | joining)
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
        "Disassociate": {"AllocationIds": [allocation("a")]},
        "PublicIps": [ip("a")],
        "MaxDrainDurationSeconds": 99,
        "DryRun": True,
        "AfterDrain": "release",
        "WhenBusy": "wait",
        "Override": ["ports"],
        "Reason": "contract ends",
        "Trigger": MONTHLY,
    }


TWO = Association(
    allocation_ids=(allocation("a"), allocation("b")),
    private_ips=("10.0.0.7", "10.0.0.8"),
    zone_id="use1-az1",
)


def test_request_to_associate_is_written_in_ec2s_own_parameters_and_without_what_is_for_drains() -> None:
    zonal = Association(allocation_ids=(allocation("c"),), zone_name="us-east-1a")
    request = Request(gateway_id=GATEWAY, associate=(TWO, zonal), override=("room",), reason="more ports")
    assert request.to_json() == {
        "NatGatewayId": GATEWAY,
        "Associate": [
            {
                "AllocationIds": [allocation("a"), allocation("b")],
                "PrivateIpAddresses": ["10.0.0.7", "10.0.0.8"],
                "AvailabilityZoneId": "use1-az1",
            },
            {"AllocationIds": [allocation("c")], "AvailabilityZone": "us-east-1a"},
        ],
        "DryRun": False,
        "WhenBusy": "fail",
        "Override": ["room"],
        "Reason": "more ports",
    }


@pytest.mark.parametrize(
    ("wanted", "allocations", "private_ips"),
    [
        ("ab", "ab", ("10.0.0.7", "10.0.0.8")),
        ("ba", "ab", ("10.0.0.7", "10.0.0.8")),
        ("b", "b", ("10.0.0.8",)),
        ("ac", "a", ("10.0.0.7",)),
        ("c", "", ()),
    ],
)
def test_call_for_some_of_its_allocations_keeps_their_order_private_ips_and_zone(
    wanted: str, allocations: str, private_ips: tuple[str, ...]
) -> None:
    some = TWO.of([allocation(name) for name in wanted])
    assert some.allocation_ids == tuple(allocation(name) for name in allocations)
    assert (some.private_ips, some.zone_id) == (private_ips, "use1-az1")


def test_call_without_private_ips_has_none_for_some_of_its_allocations_either() -> None:
    assert replace(TWO, private_ips=()).of([allocation("b")]).private_ips == ()


OF_AN_EARLIER_VERSION = {
    "NatGatewayId": GATEWAY,
    "AssociationIds": [association("a")],
    "AllocationIds": [allocation("a")],
    "MaxDrainDurationSeconds": 99,
    "DryRun": False,
    "AfterDrain": "keep",
    "WhenBusy": "fail",
}
"""A request as executions carry it, and the table has it, that began before there were joins."""


def test_request_of_an_earlier_version_is_read_as_the_drain_that_it_is() -> None:
    request = Request.from_json(OF_AN_EARLIER_VERSION)
    assert (request.direction, request.allocation_ids) == (Direction.LEAVE, (allocation("a"),))
    assert (request.association_ids, request.limit_seconds) == ((association("a"),), 99)


def test_request_of_an_earlier_version_is_written_as_one_that_can_be_run_again() -> None:
    request = Request.from_json(OF_AN_EARLIER_VERSION)
    assert parse_request(request.to_json()) == request


@pytest.mark.parametrize(
    ("associate", "direction"), [((), Direction.LEAVE), ((TWO,), Direction.JOIN)], ids=["leave", "join"]
)
def test_request_has_one_direction(associate: tuple[Association, ...], direction: Direction) -> None:
    request = Request(gateway_id=GATEWAY, associate=associate)
    assert (request.direction, request.joins) == (direction, direction is Direction.JOIN)


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
