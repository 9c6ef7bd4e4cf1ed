"""The cases: what was recorded on each path, crossed with everything that can go wrong there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from proof.hands import hands_of, strongest_of
from proof.meddling import INVOKE, Site
from proof.troubles import (
    DEATHS,
    DENIED,
    DIES_AFTER,
    DIES_BEFORE,
    INTERNAL,
    LOST,
    ODD,
    TIMEOUT,
    changes,
    kinds_of,
)

FIRST, LATER, EVERY = "first", "later", "every"
ONCE, MINUTE, GOOD = "throttled once", "throttled for 60 s", "throttled for good"
STOPPED, LOOK = "stopped on entry", "ec2:DescribeNatGateways"
DIFFERENT = {"Disassociate", "Confirm"}
"""The states in which something may have been asked of EC2, and what follows differs for drains and joins."""
MANY_LOOKS = 6
"""The later looks of a join are like the earlier ones."""


class Trace(NamedTuple):
    """The counts of an execution's calls and entered states on a path where nothing went wrong."""

    calls: Mapping[Site, int]
    entries: Mapping[str, int]
    joins: str
    """The outcome of the path, if allocations are to join."""


@dataclass(frozen=True, order=True)
class Case:
    """One thing that goes wrong on one path, at the first of `count` such moments, the last, or every one."""

    path: str
    sort: Literal["none", "call", "function", "stop", "hand"]
    site: Site
    trouble: str
    position: str
    count: int
    death: str = ""

    def __str__(self) -> str:
        where = f"{self.site.state} {self.site.operation}".strip()
        more = f" ({self.death})" if self.death else ""
        return f"{self.path}: {where}: {self.trouble}{more}, {self.position} of {self.count}"


def is_short(case: Case) -> bool:
    """Return whether a retry is enough to recover."""
    if case.sort == "function":
        return case.position != EVERY
    throttled = case.trouble == ONCE or (case.trouble == MINUTE and case.position != EVERY)
    single = case.trouble in {INTERNAL, TIMEOUT, ODD, LOST, DIES_BEFORE} and case.position != EVERY
    return case.sort == "none" or (case.sort == "call" and (throttled or single))


def all_cases(traces: Mapping[str, Trace]) -> list[Case]:
    """Return every case of these paths, in order.

    A call that an earlier path also made in the same state has met every trouble there. Only its consequences
    differ from path to path, so one trouble for each consequence is enough: the call fails for good, it is
    refused, it takes effect unnoticed, or the function dies.
    """
    cases: list[Case] = []
    seen: set[object] = set()
    for path, trace in traces.items():
        cases.append(Case(path, "none", Site("", ""), "nothing", FIRST, 1))
        for site, count in trace.calls.items():
            call = (site, bool(trace.joins) and site.state in DIFFERENT)
            known = call in seen
            seen.add(call)
            cases += _of_call(path, site, count, known=known)
            if site.operation == INVOKE:
                cases += _of_function(path, site, count, known=known)
            if site.operation == LOOK:
                for number in range(1, count + 1):
                    look = (site, number, trace.joins)
                    new = look not in seen and not (trace.joins and number > MANY_LOOKS)
                    hands = hands_of(joins=bool(trace.joins)) if new else []
                    if not new and number == count:
                        hands = strongest_of(joins=bool(trace.joins))
                    cases += [Case(path, "hand", site, hand, f"look {number}", count) for hand in hands]
                    seen.add(look)
        for state, count in trace.entries.items():
            where = _positions(count)[-1:] if state in seen else _positions(count)
            cases += [Case(path, "stop", Site(state, ""), STOPPED, position, count) for position in where]
            seen.add(state)
    return cases


def _positions(count: int, *, every: bool = False) -> list[str]:
    return [FIRST, *([LATER] if count > 1 else []), *([EVERY] if every else [])]


def _of_call(path: str, site: Site, count: int, *, known: bool) -> Iterator[Case]:
    def case(trouble: str, position: str) -> Case:
        return Case(path, "call", site, trouble, position, count)

    if known:
        if changes(site):
            # The last call, when the earlier ones have had their effects.
            kinds = [DENIED, LOST, *([DIES_BEFORE] if site.of_function else [])]
            yield from (case(kind, _positions(count)[-1]) for kind in kinds)
        return
    for where in _positions(count):
        yield case(ONCE, where)
        yield case(GOOD, where)
    yield from (case(MINUTE, where) for where in _positions(count, every=True))
    yield from (case(kind, where) for kind in kinds_of(site) for where in _positions(count, every=True))


def _of_function(path: str, site: Site, count: int, *, known: bool) -> Iterator[Case]:
    def case(trouble: str, position: str, death: str) -> Case:
        return Case(path, "function", site, trouble, position, count, death)

    if known:
        yield case(DIES_AFTER, _positions(count)[-1], DEATHS[1])
        return
    for trouble in (DIES_BEFORE, DIES_AFTER):
        for death in DEATHS:
            yield from (case(trouble, where, death) for where in _positions(count, every=True))
