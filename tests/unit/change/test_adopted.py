"""The drains that an execution adopts from another one, or from whoever began them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from natdrain.change.leave.progress import begin
from natdrain.model.drain import Drain
from natdrain.model.request import Trigger, TriggerKind
from support.builders import START, address, association, drain, gateway, look

ASKED: dict[str, Any] = {
    "asked_by": "arn:earlier",
    "asked_reason": "contract ends",
    "asked_trigger": Trigger(kind=TriggerKind.ALARM, name="blocked", at="2026-10-02T16:59:00Z"),
}
LATER = {"requested_at": START, "limit_seconds": 350}


def begun(status: str, *, at: float = 100, **remembered: Any) -> Drain:
    target = address("a", status)
    known = {association("a"): drain("a", **remembered)} if remembered else {}
    return begin(target, look(gateway(target), at), known)


@pytest.mark.parametrize("known", [ASKED, ASKED | LATER], ids=["answer lost", "accepted"])
def test_adopted_drain_keeps_who_asked_for_it_and_why(known: dict[str, Any]) -> None:
    progress = begun("disassociating", **known).progress
    assert {name: getattr(progress, name) for name in known} == known
    assert progress.adopted


@pytest.mark.parametrize(("at", "adopted"), [(59, True), (60, False)])
def test_accepted_drain_that_does_not_show_yet_is_adopted_while_ec2_may_lag(
    at: int, *, adopted: bool
) -> None:
    progress = begun("succeeded", at=at, **ASKED, **LATER).progress
    assert (progress.adopted, progress.asked_by == "arn:earlier") == (adopted, adopted)


def test_address_in_service_that_ec2_was_to_be_asked_for_is_nobodys_drain() -> None:
    progress = begun("succeeded", **ASKED).progress
    assert (progress.adopted, progress.asked_by, progress.asked_reason) == (False, None, None)


def test_drain_that_somebody_else_began_is_adopted_with_nothing_known() -> None:
    progress = begun("disassociating").progress
    assert (progress.adopted, progress.asked_by, progress.since_at) == (
        True,
        None,
        START + timedelta(seconds=100),
    )
