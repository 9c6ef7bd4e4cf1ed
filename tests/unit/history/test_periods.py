"""The periods in service that the entries of a history show."""

from __future__ import annotations

from typing import Any

import pytest

from natdrain.history.periods import Period, periods

FIRST = {"Event": "serving", "AssociationId": "eipassoc-a", "At": "08:00"}
AFTER = FIRST | {"After": "07:00"}
LEFT = {"Event": "left", "AssociationId": "eipassoc-a", "At": "10:00", "LastSeenAt": "09:00"}
FAILED = LEFT | {"Event": "out_of_service"}
OTHER = FIRST | {"AssociationId": "eipassoc-b"}
ENDED = {"Event": "ended", "At": "11:00"}


@pytest.mark.parametrize("left", [LEFT, FAILED], ids=["left", "failed"])
def test_period_goes_from_the_first_entry_of_its_association_to_the_last(left: dict[str, Any]) -> None:
    assert periods([FIRST, OTHER, left, ENDED]) == [Period(first=FIRST, left=left), Period(first=OTHER)]


def test_period_goes_on_when_a_look_that_missed_the_address_was_stale() -> None:
    again = FIRST | {"At": "11:00"}
    assert periods([FIRST, LEFT, again]) == [Period(first=FIRST)]


def test_period_that_ended_because_the_address_failed_does_not_go_on_when_it_serves_again() -> None:
    again = AFTER | {"At": "12:00", "After": "11:00"}
    left = LEFT | {"At": "14:00", "LastSeenAt": "13:00"}
    assert periods([FIRST, FAILED, again, left]) == [
        Period(first=FIRST, left=FAILED),
        Period(first=again, left=left),
    ]


def test_period_whose_beginning_nobody_recorded_is_one() -> None:
    assert periods([LEFT]) == [Period(left=LEFT)]


@pytest.mark.parametrize(
    ("period", "absent_at", "seen_from", "seen_until"),
    [
        (Period(first=FIRST), None, "08:00", None),
        (Period(first=AFTER, left=LEFT), "07:00", "08:00", "09:00"),
        (Period(left=LEFT), None, "09:00", "09:00"),
    ],
    ids=["goes on", "whole", "without its beginning"],
)
def test_period_has_the_instants_between_which_the_address_was_seen(
    period: Period, absent_at: str | None, seen_from: str, seen_until: str | None
) -> None:
    assert (period.absent_at, period.seen_from, period.seen_until) == (absent_at, seen_from, seen_until)


@pytest.mark.parametrize(
    ("period", "entry"), [(Period(first=FIRST, left=LEFT), FIRST), (Period(left=LEFT), LEFT)]
)
def test_period_is_named_by_its_first_entry(period: Period, entry: dict[str, Any]) -> None:
    assert period.entry == entry
