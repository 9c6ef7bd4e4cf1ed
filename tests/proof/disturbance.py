"""Disturbance of the executions under proof, as a case describes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from natdrain_sim.calls import Call, Fault
from proof.cases import EVERY, FIRST, GOOD, MINUTE, ONCE, Case
from proof.hands import Hand
from proof.meddling import Meddler, Moment, Nothing
from proof.troubles import DIES_AFTER, DIES_BEFORE, THROTTLED, answer


class Disturbance(Nothing):
    """The disturbance that one case causes."""

    def __init__(self, case: Case, meddler: Meddler, hand: Hand | None) -> None:
        self._case, self._meddler, self._hand = case, meddler, hand
        self._since: datetime | None = None

    def at_call(self, moment: Moment, call: Call) -> Fault | None:
        case = self._case
        if moment.site != case.site:
            return None
        if case.sort == "hand":
            if self._hand and f"look {moment.number}" == case.position:
                self._hand.act(len(self._meddler.made))
        elif case.sort == "call" and self._is_due(moment.number, call.at):
            throttled = case.trouble in {ONCE, MINUTE, GOOD}
            return answer(moment.site, THROTTLED if throttled else case.trouble)
        return None

    def _is_due(self, number: int, now: datetime) -> bool:
        case = self._case
        if case.trouble == GOOD:
            return number >= self._begins
        if case.trouble != MINUTE:
            return case.position == EVERY or number == self._begins
        if self._since is None and number >= self._begins:
            self._since = now
        if self._since is None or now < self._since + timedelta(seconds=60):
            return self._since is not None
        if case.position == EVERY:
            self._since = None  # the next call has a minute of its own
        return False

    @property
    def _begins(self) -> int:
        return self._case.count if self._case.position not in {FIRST, EVERY} else 1

    def at_entry(self, state: str, number: int) -> bool:
        case = self._case
        return case.sort == "stop" and state == case.site.state and number == self._begins

    def at_invocation(self, state: str, number: int) -> str | None:
        return self._dies(DIES_BEFORE, state, number)

    def after_invocation(self, state: str, number: int) -> str | None:
        return self._dies(DIES_AFTER, state, number)

    def _dies(self, when: str, state: str, number: int) -> str | None:
        case = self._case
        here = (case.sort, case.trouble, case.site.state) == ("function", when, state)
        return case.death if here and (case.position == EVERY or number == self._begins) else None
