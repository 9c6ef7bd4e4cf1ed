"""The law of the guards: no request and no policy lets through what the fixed guards forbid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from natdrain.change.decide import decide
from natdrain.change.known import Known
from natdrain.change.leave.progress import begin
from natdrain.change.step import Disassociate
from natdrain.guards import judging as guards
from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.gateway import Address
from natdrain.model.look import ChangeCalendar, ElasticIp, Hold, Load, Look, Unread
from natdrain.model.request import Direction, Request, Trigger, TriggerKind
from support.builders import GATEWAY, MANAGED, address, allocation, association, gateway, look
from support.guard_rows import FIXED, LIFTABLE, PROTECTED, RULE, left

OF_LEAVING = [name for name in FIXED if Direction.LEAVE in RULE[name].directions]
UNREAD = Unread("AccessDenied: no")
TRIGGER = Trigger(kind=TriggerKind.ALARM, name="blocked", at="2026-10-02T17:00:00Z")

Disturbance = Callable[[Look], Look]


def of_gateway(**changes: Any) -> Disturbance:
    return lambda seen: replace(seen, gateway=seen.gateway and replace(seen.gateway, **changes))


def of_address(number: int, **changes: Any) -> Disturbance:
    def disturb(seen: Look) -> Look:
        assert seen.gateway is not None
        addresses = list(seen.gateway.addresses)
        place = number % len(addresses)
        addresses[place] = replace(addresses[place], **changes)
        return of_gateway(addresses=tuple(addresses))(seen)

    return disturb


def of_eip(name: str, tags: Mapping[str, str] | None) -> Disturbance:
    def disturb(seen: Look) -> Look:
        eips = {} if isinstance(seen.elastic_ips, Unread) else dict(seen.elastic_ips)
        eips.pop(allocation(name), None)
        return replace(
            seen, elastic_ips=eips if tags is None else {**eips, allocation(name): ElasticIp(tags=tags)}
        )

    return disturb


def of_look(**changes: Any) -> Disturbance:
    return lambda seen: replace(seen, **changes)


DISTURBANCES: list[Disturbance] = [
    *(of_gateway(state=state) for state in ("pending", "deleting", "failed")),
    of_gateway(connectivity="private"),
    of_gateway(availability_mode="regional"),
    of_gateway(aws_managed=True),
    *(of_gateway(tags=tags) for tags in ({}, PROTECTED)),
    *(of_address(n, is_primary=primary) for n in (0, 1, 2) for primary in (True, False, None)),
    *(
        of_address(n, status=status)
        for n in (0, 1, 2)
        for status in ("failed", "disassociating", "associating")
    ),
    *(of_address(n, zone="use1-az1") for n in (0, 1)),
    *(
        of_eip("a", tags)
        for tags in (None, {}, {"natdrain:managed": "no"}, {**MANAGED, "NATDRAIN:Protect": ""})
    ),
    of_look(elastic_ips=UNREAD),
    *(of_look(holds=(Hold(held=held, why="alice", table="table"),)) for held in (GATEWAY, "all")),
    *(of_look(load=load) for load in (UNREAD, {None: Load(port_errors=7, peak_connections=10**6)})),
    *(of_look(calendar=calendar) for calendar in (UNREAD, ChangeCalendar(closed=True))),
]


@dataclass(frozen=True, kw_only=True)
class World:
    """A request, a look and a memory; on the gateway are 1 (the primary), a and b, or a alone."""

    request: Request
    seen: Look
    policy: GuardPolicy
    remembered: Mapping[str, Drain]
    later: bool
    """It is not the first look."""

    def asked(self) -> list[Address]:
        """Return what EC2 is asked for."""
        assert self.seen.gateway is not None
        known = Known(policy=self.policy, remembered=self.remembered)
        addresses = self.seen.gateway.addresses
        if self.later:
            named = [a for a in addresses if a.association_id in self.request.association_ids]
            known = replace(known, drains=tuple(begin(a, self.seen, {}) for a in named))
        decision = decide(self.request, self.seen, known)
        ids = decision.association_ids if isinstance(decision, Disassociate) else ()
        return [a for a in addresses if a.association_id in ids]

    def broken(self) -> set[str]:
        """The fixed guards that should have forbidden what EC2 is asked for."""
        gateway, eips, leaving = self.seen.gateway, self.seen.elastic_ips, self.asked()
        assert gateway is not None
        known = {} if isinstance(eips, Unread) else dict(eips)
        found = [known[str(a.allocation_id)].tags for a in leaving if a.allocation_id in known]
        tags = [gateway.tags, *found]
        primary = {True} if gateway.availability_mode == "regional" else {True, None}
        forbids = {
            "ec2": (gateway.state, gateway.connectivity) != ("available", "public")
            or any(a.is_primary in primary or a.status not in {"succeeded", "failed"} for a in leaving),
            "opt_in": len(found) < len(leaving) or any(its.get("natdrain:managed") != "true" for its in tags),
            "protect": any(key.lower() == "natdrain:protect" for its in tags for key in its),
            "hold": bool(self.seen.holds),
            "aws_managed": gateway.aws_managed,
            "last": any(a.status == "succeeded" for a in leaving)
            and not any(a.status == "succeeded" and a not in leaving for a in gateway.addresses),
        }
        assert list(forbids) == OF_LEAVING
        return {name for name, forbidden in forbids.items() if forbidden and leaving}


def disturbed(seen: Look, disturbances: Iterable[Disturbance]) -> Look:
    for disturb in disturbances:
        seen = disturb(seen)
    return seen


looks = [look(gateway(address("a"), address("b"))), look(gateway(address("a"), primary=False))]
verdicts = st.dictionaries(st.sampled_from([*RULE]), st.sampled_from(["allow", "warn", "refuse"]))
worlds = st.builds(
    World,
    request=st.builds(
        Request,
        gateway_id=st.just(GATEWAY),
        association_ids=st.sampled_from(["a", "b", "ab", "1a"]).map(
            lambda names: tuple(map(association, names))
        ),
        override=st.just(tuple(RULE)) | st.lists(st.sampled_from(LIFTABLE)).map(tuple),
        trigger=st.sampled_from([None, TRIGGER]),
    ),
    seen=st.builds(disturbed, st.sampled_from(looks), st.lists(st.sampled_from(DISTURBANCES), max_size=3)),
    policy=st.builds(
        GuardPolicy, by_hand=verdicts, automatic=verdicts, remaining_addresses=st.integers(0, 3)
    ),
    remembered=st.sampled_from([{}, left("a", as_="e")]),
    later=st.booleans(),
)


@settings(max_examples=500, deadline=None)
@given(worlds)
def test_no_override_and_no_policy_lets_through_what_a_fixed_guard_forbids(world: World) -> None:
    assert world.broken() == set()


def some(such: Callable[[World], object]) -> World:
    """Find a world that is such, always the same one."""
    always = settings(max_examples=5000, database=None, derandomize=True, phases=[Phase.generate])
    return find(worlds, lambda world: bool(such(world)), settings=always)


@pytest.mark.deep
@pytest.mark.parametrize("name", OF_LEAVING)
def test_law_would_find_a_fixed_guard_that_is_silent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guards._GUARDS, name, lambda _case: iter(()))
    assert some(lambda world: name in world.broken())


def test_law_speaks_of_worlds_in_which_ec2_is_asked() -> None:
    assert some(World.asked)
