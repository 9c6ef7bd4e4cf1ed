"""The times of schedules that began before a deployment, or are over by then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.config.sections import Schedule
from infra.schedule_times import is_over, start_of

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
REQUEST = {"PublicIps": ["203.0.113.7"]}


def schedule(expression: str, **more: Any) -> Schedule:
    return Schedule(name="one", expression=expression, request=REQUEST, **more)


@pytest.mark.parametrize(
    ("expression", "began", "next_start"),
    [
        ("rate(7 days)", timedelta(days=15), timedelta(days=6)),
        ("rate(7 days)", timedelta(days=14), timedelta(0)),
        ("rate(1 hour)", timedelta(minutes=61), timedelta(minutes=59)),
        ("rate(90 minutes)", timedelta(seconds=1), timedelta(minutes=89, seconds=59)),
    ],
)
def test_start_of_a_rate_is_the_next_instant_of_its_phase_when_it_has_passed(
    expression: str, began: timedelta, next_start: timedelta
) -> None:
    assert start_of(schedule(expression, start_at=NOW - began), NOW) == NOW + next_start


def test_start_of_a_cron_expression_is_left_out_when_it_has_passed() -> None:
    assert start_of(schedule("cron(0 3 1 * ? *)", start_at=NOW - timedelta(days=1)), NOW) is None


@pytest.mark.parametrize("expression", ["rate(7 days)", "cron(0 3 1 * ? *)"])
def test_start_stays_when_it_is_to_come(expression: str) -> None:
    start = NOW + timedelta(days=1)
    assert start_of(schedule(expression, start_at=start), NOW) == start


@pytest.mark.parametrize(
    ("expression", "more", "over"),
    [
        ("cron(0 3 1 * ? *)", {}, False),
        ("cron(0 3 1 * ? *)", {"end_at": NOW + timedelta(days=1)}, False),
        ("cron(0 3 1 * ? *)", {"end_at": NOW}, True),
        # Its next instant is after its end.
        ("rate(7 days)", {"start_at": NOW - timedelta(days=1), "end_at": NOW + timedelta(days=5)}, True),
        ("rate(7 days)", {"start_at": NOW - timedelta(days=1), "end_at": NOW + timedelta(days=7)}, False),
        ("at(2027-03-01T12:00:01)", {}, False),
        # It may still be started late, or be tried again.
        ("at(2027-03-01T11:30:00)", {"flexible_window_minutes": 60, "retry_for_seconds": 60}, False),
        ("at(2027-02-28T13:00:00)", {}, False),
        ("at(2027-02-28T12:00:00)", {}, True),
        ("at(2027-02-28T12:00:00)", {"timezone": "America/New_York"}, False),
    ],
)
def test_schedule_is_over_when_it_can_start_nothing_any_more(
    expression: str, more: dict[str, Any], *, over: bool
) -> None:
    assert is_over(schedule(expression, **more), NOW) == over
