"""The strategies: what depends on what becomes of the allocations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from natdrain.change.after.release import answered, is_stale, strategy_of
from natdrain.change.step import Finish, Reason, Release, Wait
from natdrain.guards.judging import Judgement
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import AfterDrain
from support.builders import GATEWAY, START, address, allocation, drain, gateway, ip, look

KEEP, RELEASE = strategy_of(AfterDrain.KEEP), strategy_of(AfterDrain.RELEASE)
LEFT = drain("b", outcome=AddressOutcome.DRAINED)
LEFT_BEFORE = drain("c", outcome=AddressOutcome.ALREADY_DRAINED)
RELEASED = drain("d", outcome=AddressOutcome.RELEASED)
RELEASED_BEFORE = drain("e", outcome=AddressOutcome.ALREADY_RELEASED)
EVERY = [drain("a"), LEFT, LEFT_BEFORE, RELEASED, RELEASED_BEFORE]


@pytest.mark.parametrize("after", AfterDrain)
def test_strategy_is_there_for_every_request(after: AfterDrain) -> None:
    assert strategy_of(after).releases is (after is AfterDrain.RELEASE)


def test_keep_has_nothing_to_do_with_any_allocation() -> None:
    assert KEEP.to_release([address("a"), *EVERY]) == {}
    assert KEEP.not_released(EVERY) == []


def test_keep_has_nothing_more_to_prove() -> None:
    assert KEEP.to_prove(EVERY) == Finish(drains=tuple(EVERY), reason=Reason.PERMISSION_PROVEN)


def test_release_takes_every_allocation_that_is_still_there() -> None:
    without = drain("f", allocation_id=None)
    assert RELEASE.to_release([address("a"), LEFT, RELEASED_BEFORE, without]) == {
        allocation("a"): ip("a"),
        allocation("b"): ip("b"),
    }


def test_release_looks_at_what_has_left_and_is_not_released() -> None:
    assert RELEASE.not_released(EVERY) == [allocation("b"), allocation("c")]


def test_release_begins_anew_with_an_address_that_is_on_its_gateway_after_all() -> None:
    before = drain("a", outcome=AddressOutcome.ALREADY_DRAINED, left_before=True, gone_by=START)
    [now] = RELEASE.watch([before], look(gateway(address("a"))))
    assert (now.outcome, now.progress.left_before, now.progress.gone_by) == (None, False, None)


@pytest.mark.parametrize("outcome", [AddressOutcome.FAILED, AddressOutcome.RELEASED])
def test_release_leaves_alone_what_has_failed_or_is_released(outcome: AddressOutcome) -> None:
    ended = [drain("a", outcome=outcome)]
    assert RELEASE.watch(ended, look(gateway(address("a")))) == ended


@pytest.mark.parametrize(
    ("subject", "released"),
    [
        (allocation("b"), [allocation("a")]),
        (allocation("c"), [allocation("a"), allocation("b")]),
        (GATEWAY, []),
        (None, []),
    ],
)
def test_release_keeps_what_a_guard_finds_something_about(subject: str | None, released: list[str]) -> None:
    left = [drain(name, outcome=AddressOutcome.DRAINED, absent_at=START) for name in "ab"]
    later = look(gateway(), 100, tags={allocation(name): {} for name in "ab"})
    found = Judgement((Problem(subject=subject, text="No."),), ())
    step = RELEASE.decide(left, later, lambda *_, **__: found)
    assert list(getattr(step, "allocation_ids", ())) == released


@pytest.mark.parametrize(
    ("known", "at", "until"),
    [
        ({}, 10, 41),
        ({"absent_at": START}, 30, 31),
        ({"absent_at": START}, 30.5, 60),
        ({"absent_at": START}, 299, 300),
        ({"absent_at": START}, 400, 430.5),
    ],
)
def test_release_looks_again_at_its_next_look_and_then_every_half_minute(
    known: dict[str, Any], at: float, until: float
) -> None:
    left = drain("a", outcome=AddressOutcome.DRAINED, **known)
    step = answered([left], at=START + timedelta(seconds=at))
    assert isinstance(step, Wait)
    assert step.until == START + timedelta(seconds=until)


@pytest.mark.parametrize(("age", "stale"), [(30, False), (31, True), (None, True)])
def test_release_acts_on_a_look_of_half_a_minute_at_most(age: int | None, *, stale: bool) -> None:
    now = START + timedelta(seconds=age or 0)
    assert is_stale(drain("a", confirmed_at=None if age is None else START), now) is stale


def test_release_proves_that_it_may_release_what_is_there() -> None:
    step = RELEASE.to_prove([drain("a"), LEFT_BEFORE, RELEASED_BEFORE])
    assert isinstance(step, Release)
    assert step.allocation_ids == (allocation("a"), allocation("c"))
