from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.change.leave.poll_plan import deadline_seconds, next_offset, poll_plan

PLAN = (7, 12, 23, 45, 88, 174, 347, 353, 363, 373, 383, 393, 403, 423, 463, 543, 650)

limits = st.integers(1, 4000)


def test_plan_of_the_default_limit_reads_well() -> None:
    assert poll_plan(350) == PLAN


@given(limits)
def test_plan_ascends(limit: int) -> None:
    plan = poll_plan(limit)
    assert all(earlier < later for earlier, later in pairwise(plan))


@given(limits)
def test_plan_ends_at_limit_plus_margin(limit: int) -> None:
    assert poll_plan(limit)[-1] == limit + 300 == deadline_seconds(limit)


@given(limits)
def test_plan_grows_with_the_logarithm_of_the_limit(limit: int) -> None:
    assert len(poll_plan(limit)) <= 11 + max(0, math.log2((limit + 8) / 4))


@given(limits)
def test_plan_of_a_short_limit_has_one_early_look_for_each_half_minute_at_most(limit: int) -> None:
    assert sum(offset < limit - 3 for offset in poll_plan(limit)) <= limit / 30


@given(st.integers(10, 4000))
def test_plan_looks_just_before_the_limit_and_just_after_it(limit: int) -> None:
    assert {limit - 3, limit + 3} <= set(poll_plan(limit))


@given(st.integers(1, 9))
def test_plan_of_a_limit_of_seconds_looks_only_after_it(limit: int) -> None:
    assert poll_plan(limit)[0] == limit + 3


@given(st.integers(30, 4000), st.floats(0, 4000))
def test_plan_notices_early_leaving_after_as_much_time_again_or_at_the_first_look(
    limit: int, left_after: float
) -> None:
    if left_after > limit:
        return
    plan = poll_plan(limit)
    noticed = next(offset for offset in plan if offset >= left_after)
    # A second for the look itself.
    assert noticed == plan[0] or noticed + 1 <= 2 * left_after


@given(st.integers(60, 4000))
def test_plan_looks_first_when_at_most_a_third_of_the_limit_has_gone(limit: int) -> None:
    assert poll_plan(limit)[0] <= min(limit / 3, 26)


@given(limits, st.floats(0, 50))
def test_plan_notices_an_idle_address_within_ten_seconds(limit: int, left_after_limit: float) -> None:
    noticed = next(offset for offset in poll_plan(limit) if offset >= limit + left_after_limit)
    assert noticed - (limit + left_after_limit) <= 10


def test_plan_for_an_unknown_limit_looks_once_a_minute_or_a_tenth_of_the_time_gone() -> None:
    plan = (0, *poll_plan(None))
    assert plan[-1] == 4300
    assert all(later - earlier <= max(60, earlier / 10) for earlier, later in pairwise(plan))


@pytest.mark.parametrize(
    ("elapsed", "offset"),
    [
        (0, 7),
        (23, 45),
        (22.4, 23),
        (22.5, 45),
        (22.6, 45),
        (353, 363),
        (649.4, 650),
        (649.5, 650),
        (700, 650),
    ],
)
def test_next_offset_is_the_first_still_to_come(elapsed: float, offset: int) -> None:
    assert next_offset(350, elapsed) == offset


def test_plan_for_an_unknown_limit_looks_closely_after_the_longest_one() -> None:
    assert poll_plan(None)[-10:] == (4003, 4013, 4023, 4033, 4043, 4053, 4073, 4113, 4193, 4300)
