"""The step between two states of the workflow, written and read, now and as an earlier version wrote it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from natdrain.change.step import (
    Associate,
    Disassociate,
    Finish,
    Reason,
    Refuse,
    Release,
    Step,
    Wait,
    from_json,
    to_json,
)
from natdrain.contract import Do
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import MAX_PROBLEM_CHARACTERS, MAX_PROBLEMS, Problem
from support.builders import GATEWAY, START, allocation, association, drain, ip, join

WARNING = Problem(guard="owner", subject=GATEWAY, text="A stack owns it.")
PROBLEM = Problem(guard="hold", subject=GATEWAY, text="It is held.", fix="Lift it.")
ASKED = (drain("a", requested_at=START, limit_seconds=350), drain("b", zone="use1-az1"))

JOINS = (join("c", asked_at=START, pending=True, seen_before=(association("d"),)), join("e", zone="use1-az1"))

STEPS: dict[Do, Step] = {
    Do.REFUSE: Refuse(reason=Reason.REQUEST_OR_GUARDS_REFUSE, problems=(PROBLEM,), warnings=(WARNING,)),
    Do.ASSOCIATE: Associate(joins=JOINS, reason=Reason.GUARDS_ALLOW, allocation_ids=(allocation("c"),)),
    Do.DISASSOCIATE: Disassociate(
        drains=ASKED, reason=Reason.GUARDS_ALLOW, association_ids=(association("a"), association("b"))
    ),
    Do.RELEASE: Release(drains=ASKED, reason=Reason.ALLOCATION_CONFIRMED, allocation_ids=(allocation("a"),)),
    Do.WAIT: Wait(
        drains=ASKED, reason=Reason.DRAINING, until=START + timedelta(seconds=7), warnings=(WARNING,)
    ),
    Do.FINISH: Finish(drains=ASKED, reason=Reason.ALL_ENDED),
}


def test_steps_here_are_all_that_there_are() -> None:
    assert list(STEPS) == list(Do)


@pytest.mark.parametrize("do", STEPS)
def test_step_survives_the_way_through_the_workflow(do: Do) -> None:
    document = json.loads(json.dumps(to_json(STEPS[do])))
    assert document["Do"] == do
    assert from_json(document) == STEPS[do]


@pytest.mark.parametrize("do", STEPS)
def test_step_has_every_field_that_the_workflow_reads_of_it(do: Do) -> None:
    own = {Do.REFUSE: {"Problems"}, Do.WAIT: {"WaitUntil"}}.get(do, set())
    common = {"Do", "Reason", "Drains", "Joins", "Warnings", "AssociationIds", "AllocationIds"}
    assert to_json(STEPS[do]).keys() == common | own


def test_step_writes_the_instant_as_the_wait_state_takes_it() -> None:
    assert to_json(STEPS[Do.WAIT])["WaitUntil"] == "2026-10-02T17:00:07Z"


def test_step_carries_each_warning_once_and_no_more_than_there_is_room_for() -> None:
    many = [Problem(text=f"{number}: {'x' * 2 * MAX_PROBLEM_CHARACTERS}") for number in range(100)]
    read = from_json(to_json(Finish(reason=Reason.ALL_ENDED, warnings=(WARNING, WARNING, *many))))
    assert len(read.warnings) == MAX_PROBLEMS + 1
    assert read.warnings[0] == WARNING
    assert read.warnings[-1].text == "... and 76 more."
    assert max(len(warning.text) for warning in read.warnings) == MAX_PROBLEM_CHARACTERS


# What an execution carries that began before steps had reasons, and problems were objects.

DRAIN_THEN = {
    "AssociationId": association("a"),
    "AllocationId": allocation("a"),
    "PublicIp": ip("a"),
    "PrivateIp": "10.0.0.10",
    "SinceAt": "2026-10-02T17:00:00Z",
    "AskedBy": "arn:me",
    "RequestedAt": "2026-10-02T17:00:00Z",
    "LimitSeconds": 350,
}
DRAIN_NOW = drain("a", private_ip="10.0.0.10", asked_by="arn:me", requested_at=START, limit_seconds=350)
WARNING_THEN = "capacity: CloudWatch has no ActiveConnectionCount."
COMMON_THEN = {"AssociationIds": [], "AllocationIds": [], "Warnings": [WARNING_THEN], "Drains": [DRAIN_THEN]}
COMMON_NOW = {
    "drains": (DRAIN_NOW,),
    "reason": Reason.NOT_RECORDED,
    "warnings": (Problem(text=WARNING_THEN),),
}


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (
            {"Do": "refuse", "Drains": [], "Problems": ["hold: It is held."]},
            Refuse(**COMMON_NOW | {"drains": (), "problems": (Problem(text="hold: It is held."),)}),
        ),
        (
            {"Do": "disassociate", "AssociationIds": [association("a")]},
            Disassociate(**COMMON_NOW, association_ids=(association("a"),)),
        ),
        (
            {"Do": "release", "AllocationIds": [allocation("a")]},
            Release(**COMMON_NOW, allocation_ids=(allocation("a"),)),
        ),
        (
            {"Do": "wait", "WaitUntil": "2026-10-02T17:00:07Z"},
            Wait(**COMMON_NOW, until=START + timedelta(seconds=7)),
        ),
        ({"Do": "finish"}, Finish(**COMMON_NOW)),
    ],
    ids=["refuse", "disassociate", "release", "wait", "finish"],
)
def test_step_of_an_earlier_version_is_read(then: dict[str, object], now: Step) -> None:
    assert from_json(COMMON_THEN | then) == now


def test_step_with_which_the_workflow_begins_is_read() -> None:
    assert from_json({"Do": "finish", "Drains": []}) == Finish(reason=Reason.NOT_RECORDED)


def test_step_keeps_what_became_of_an_address() -> None:
    ended = drain("a").ended(AddressOutcome.FAILED, "EC2 says: no luck")
    assert from_json(to_json(Finish(drains=(ended,), reason=Reason.ALL_ENDED))).drains == (ended,)


def test_step_without_drains_is_read() -> None:
    assert from_json({"Do": "finish"}).drains == ()
