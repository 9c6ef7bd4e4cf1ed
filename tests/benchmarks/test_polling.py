"""The benchmark of the poll plan is arithmetic: it gives the same figures on every machine."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks import polling
from benchmarks.polling import LIMITS, WAITERS, Workflow

measure = cache(polling.measure)
# Every limit where a few looks make a difference.
MANY_LIMITS = [*range(60, 400), 1000, 4000]

STATES = ["Begin", "Wait", "Confirm", "Choose", "Wait", "Confirm", "Choose", "Close", "Succeed"]


@pytest.mark.parametrize(("limit", "most"), [(60, 0.45), (350, 0.25), (4000, 0.05)])
def test_natdrain_looks_less_than_half_as_often_as_terraform(limit: int, most: float) -> None:
    shares = {
        each: measure("natdrain", each).looks / measure("Terraform", each).looks
        for each in MANY_LIMITS
        if each >= limit
    }
    assert {each: share for each, share in shares.items() if share > most} == {}


def test_natdrain_notices_no_later_than_terraform() -> None:
    p95 = {
        limit: [measure(who, limit).lag_seconds[1] for who in ("natdrain", "Terraform")]
        for limit in MANY_LIMITS
    }
    assert {limit: lags for limit, lags in p95.items() if lags[0] > lags[1]} == {}


def test_natdrain_notices_early_leaving_after_as_much_time_again_as_it_took() -> None:
    factors = {limit: measure("natdrain", limit).early_factor for limit in MANY_LIMITS}
    assert {limit: factor for limit, factor in factors.items() if factor > 2} == {}


def test_terraform_asks_as_often_as_was_seen_at_the_default_limit() -> None:
    assert round(measure("Terraform", 350).looks) == 42


@pytest.mark.parametrize("name", WAITERS)
def test_waiter_notices_nothing_before_it_happens(name: str) -> None:
    assert all(lag > 0 for limit in LIMITS for lag in measure(name, limit).lag_seconds)


def test_workflow_is_counted_from_an_execution() -> None:
    assert Workflow.counted(STATES, 5) == Workflow(
        transitions_per_look=3, other_transitions=3, other_invocations=3
    )


def test_workflow_costs_more_with_every_look() -> None:
    workflow = Workflow(transitions_per_look=3, other_transitions=11, other_invocations=4)
    assert workflow.transitions(10) == 41
    assert workflow.dollars(10) > 41 * 0.000025
