"""The answer of a function that decides: the next step, and the start that is to be published."""

from __future__ import annotations

from typing import Any

import pytest

from natdrain.change import step as steps
from natdrain.change.step import Reason, Step, Wait
from natdrain.model.drain import Drain
from natdrain.model.join import Join
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Association, Request
from natdrain.steps.task import deciding
from support.builders import GATEWAY, START, allocation, association, drain, join

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:Drain:me"
JOINS = Request(gateway_id=GATEWAY, associate=(Association(allocation_ids=(allocation("a"),)),))
LEAVES = Request(gateway_id=GATEWAY, association_ids=(association("a"),))
ASKED = {"asked_by": EXECUTION, "asked_at": START, "requested_at": START}


def waiting(*addresses: Drain | Join, **more: Any) -> Wait:
    drains = tuple(one for one in addresses if isinstance(one, Drain))
    joins = tuple(one for one in addresses if isinstance(one, Join))
    return Wait(drains=drains, joins=joins, until=START, reason=Reason.EC2_ACCEPTED, **more)


def answered(request: Request, before: Step, after: Step) -> dict[str, Any]:
    """Return the answer of a function that decides on `after`."""
    event = {"Execution": EXECUTION, "Request": request.to_json(), "Step": steps.to_json(before)}
    return deciding(lambda *_: after)(event)


def started(request: Request, before: Step, after: Step) -> list[str]:
    """Return the allocations of the start that is to be published."""
    start = answered(request, before, after)["Start"]
    return [row["AllocationId"] for row in start.get("Addresses", [])]


@pytest.mark.parametrize(
    ("request_", "wanted", "begun"),
    [(JOINS, join("a"), join("a", **ASKED)), (LEAVES, drain("a"), drain("a", requested_at=START))],
    ids=["join", "leave"],
)
def test_start_is_published_when_ec2_has_accepted(
    request_: Request, wanted: Drain | Join, begun: Drain | Join
) -> None:
    assert started(request_, waiting(wanted), waiting(begun)) == [allocation("a")]


def test_start_is_published_of_a_join_that_something_else_began() -> None:
    adopted = join("a", adopted=True, seen_at=START)
    assert started(JOINS, waiting(join("a")), waiting(adopted)) == [allocation("a")]


@pytest.mark.parametrize(
    "after",
    [
        join("a"),
        join("a", asked_by=EXECUTION, asked_at=START, pending=True),
        join("a", outcome=AddressOutcome.ALREADY_JOINED),
        join("a", outcome=AddressOutcome.JOINED, **ASKED),
    ],
    ids=["not asked", "no answer yet", "in service already", "joined at once"],
)
def test_start_is_not_published_of_a_join_that_has_not_begun_or_has_ended(after: Join) -> None:
    assert started(JOINS, waiting(join("a")), waiting(after)) == []


def test_start_is_published_once() -> None:
    begun = join("a", **ASKED)
    assert started(JOINS, waiting(begun), waiting(begun.noted(seen_at=START))) == []


def test_start_names_only_the_allocations_that_have_begun_since() -> None:
    first, second = join("a", **ASKED), join("b", **ASKED)
    assert started(JOINS, waiting(first, join("b")), waiting(first, second)) == [allocation("b")]


def test_start_of_a_dry_run_is_not_published() -> None:
    dry = Request(gateway_id=GATEWAY, associate=JOINS.associate, dry_run=True)
    assert started(dry, waiting(join("a")), waiting(join("a", **ASKED))) == []


def test_warnings_of_the_step_before_are_carried_over() -> None:
    before = waiting(join("a"), warnings=(Problem(text="first"),))
    answer = answered(JOINS, before, waiting(join("a"), warnings=(Problem(text="second"),)))
    assert [warning["Text"] for warning in answer["Step"]["Warnings"]] == ["first", "second"]
