from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.poll_plan import deadline_seconds, next_offset, poll_plan

limits = st.integers(1, 4000)


def test_plan_of_the_default_limit_reads_well() -> None:
    assert poll_plan(350) == (23, 45, 90, 179, 357, 366, 375, 384, 393, 411, 447, 519, 650)


@given(limits)
def test_plan_ascends(limit: int) -> None:
    plan = poll_plan(limit)
    assert all(earlier < later for earlier, later in pairwise(plan))


@given(limits)
def test_plan_ends_at_limit_plus_margin(limit: int) -> None:
    assert poll_plan(limit)[-1] == limit + 300 == deadline_seconds(limit)


@given(limits)
def test_plan_grows_with_the_logarithm_of_the_limit(limit: int) -> None:
    assert len(poll_plan(limit)) <= 9 + max(0, math.log2((limit + 7) / 10))


@given(limits, st.floats(20, 4000))
def test_plan_notices_early_leaving_after_at_most_as_much_time_again(limit: int, left_after: float) -> None:
    if left_after > limit:
        return
    noticed = next(offset for offset in poll_plan(limit) if offset >= left_after)
    assert noticed <= max(2 * left_after, 40)


@given(limits, st.floats(0, 40))
def test_plan_notices_an_idle_address_within_nine_seconds(limit: int, left_after_limit: float) -> None:
    noticed = next(offset for offset in poll_plan(limit) if offset >= limit + left_after_limit)
    assert noticed - (limit + left_after_limit) <= 9


def test_plan_for_an_unknown_limit_looks_once_a_minute_or_a_tenth_of_the_time_gone() -> None:
    plan = (0, *poll_plan(None))
    assert plan[-1] == 4300
    assert all(later - earlier <= max(60, earlier / 10) for earlier, later in pairwise(plan))


@pytest.mark.parametrize(
    ("elapsed", "offset"), [(0, 23), (23, 45), (22.4, 23), (22.6, 45), (357, 366), (700, 650)]
)
def test_next_offset_is_the_first_still_to_come(elapsed: float, offset: int) -> None:
    assert next_offset(350, elapsed) == offset
