"""Laws of the decision about joins, over whatever AWS might show and answer, in any order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from natdrain.change.conclude import conclude
from natdrain.change.join.answers import accepted, recovered, refused, removal_accepted, removal_refused
from natdrain.change.join.decide import decide
from natdrain.change.known import Known
from natdrain.change.step import Associate, Disassociate, Finish, Refuse, Step, Wait
from natdrain.change.step import from_json as read_step
from natdrain.change.step import to_json as written
from natdrain.model.gateway import Gateway
from natdrain.model.instants import instant, timestamp
from natdrain.model.join import Join
from natdrain.model.look import ElasticIp, Hold, Look
from natdrain.model.outcome import IN_SERVICE_NOW, AddressOutcome
from natdrain.model.request import Association, Request
from natdrain.report.result import MAX_CAUSE_CHARACTERS, result
from support.builders import GATEWAY, MANAGED, START, address, allocation, association, gateway, ip, join
from support.endings import EXECUTION, REGION

LONGEST = timedelta(seconds=2 * (4_300 + 4_500) + 3_000)
SETTLE = timedelta(seconds=60)
NAMES = "ab"
HELD = (Hold(held=GATEWAY, why="alice", table="natdrain"),)


def to_join(*calls: str) -> Request:
    made = (Association(allocation_ids=tuple(map(allocation, names))) for names in calls)
    return Request(gateway_id=GATEWAY, associate=tuple(made))


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The state that AWS shows and its answers at one moment, and the seconds by which the look is late."""

    gateway: Gateway | None
    known_to_ec2: str = NAMES
    holds: tuple[Hold, ...] = ()
    to_associate: str = "accepted"
    to_disassociate: str = "accepted"
    late: float = 0


@dataclass
class Play:
    """The workflow in a world that shows one moment after the other, the last one for ever."""

    request: Request
    world: Sequence[Moment]
    looks: list[Look] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    unanswered: dict[str, datetime] = field(default_factory=dict)

    def run(self, intended: Mapping[str, Join]) -> Refuse | Finish:
        now, known = START, Known(intended=intended)
        for key, before in intended.items():
            if before.progress.asked_at and before.progress.pending and not before.outcome:
                self.unanswered[key] = before.progress.asked_at
        while True:
            moment = self.world[min(len(self.looks), len(self.world) - 1)]
            now += timedelta(seconds=moment.late)
            assert now - START <= LONGEST, "it does not end"
            eips = {allocation(n): ElasticIp(tags=MANAGED, public_ip=ip(n)) for n in moment.known_to_ec2}
            shown = {"elastic_ips": eips, "holds": moment.holds, "quota": 8}
            self.looks.append(Look(seen_at=now, gateway=moment.gateway, **shown))
            step = self._carry_out(decide(self.request, self.looks[-1], known), moment)
            if isinstance(step, Refuse | Finish):
                return step
            assert isinstance(step, Wait)
            assert step.until > now
            now = max(now, instant(timestamp(step.until)))
            # As the workflow carries them, to the second.
            known = replace(known, joins=read_step(written(step)).joins)

    def _carry_out(self, step: Step, moment: Moment) -> Step:
        if isinstance(step, Associate):
            return self._associate(step, moment.to_associate)
        if isinstance(step, Disassociate):
            return self._take_off(step, moment.to_disassociate)
        return step

    def _associate(self, step: Associate, answer: str) -> Step:
        now, ids = self.looks[-1].seen_at, step.allocation_ids
        for one in ids:
            self._may_be_asked_for(one)
        by: dict[str, Any] = {"asked_by": "arn:me", "asked_at": now, "pending": True, "adopted": False}
        joins = [one.noted(**by) if one.allocation_id in ids else one for one in step.joins]
        if answer == "lost":
            self.unanswered |= dict.fromkeys(ids, now)
            return recovered(joins, [one for one in joins if one.allocation_id in ids], now)
        if answer == "accepted":
            self.accepted |= {*ids}
            return accepted(joins, ids, at=now, answered_at=now)
        busy, denied = answer == "busy", answer == "denied"
        return refused(joins, ids, at=now, refusal=answer, busy=busy, denied=denied)

    def _may_be_asked_for(self, allocation_id: str) -> None:
        seen = self.looks[-1]
        assert seen.gateway is not None
        assert seen.gateway.state == "available"
        assert not seen.gateway.busy
        assert not seen.holds
        statuses = {entry.status for entry in seen.gateway.with_allocation(allocation_id)}
        assert not statuses & {"succeeded", "associating", "failed"}
        assert allocation_id not in self.accepted
        asked_at = self.unanswered.get(allocation_id)
        assert asked_at is None or seen.seen_at - asked_at >= SETTLE

    def _take_off(self, step: Disassociate, answer: str) -> Step:
        now, ids = self.looks[-1].seen_at, step.association_ids
        assert ids
        for one in ids:
            self._may_be_taken_off(one, step.joins)
        if answer == "accepted":
            return removal_accepted(step.joins, ids, at=now)
        return removal_refused(step.joins, ids, at=now, refusal=answer, busy=answer == "busy")

    def _may_be_taken_off(self, association_id: str, joins: Sequence[Join]) -> None:
        seen = self.looks[-1]
        assert seen.gateway is not None
        [ours] = [one for one in joins if one.association_id == association_id]
        # An entry may have lost its id, while nothing else of the allocation is there.
        unnamed = next(
            (one for one in seen.gateway.with_allocation(ours.allocation_id) if not one.association_id), None
        )
        entry = seen.gateway.association(association_id) or unnamed
        assert entry is not None, "asked to take off what this look does not list"
        assert entry.status == "failed", "asked to take off what this look does not show as failed"
        assert entry.allocation_id == ours.allocation_id
        assert ours.progress.requested_at, "asked to take off what natdrain did not ask for"
        assert association_id not in ours.progress.seen_before, "asked to take off what was there before"
        since = ours.progress.asked_at
        assert since is not None
        before = [one.gateway for one in self.looks if one.seen_at <= since and one.gateway is not None]
        assert not any(then.association(association_id) for then in before), "it was there before we asked"
        assert not any(_in_service(then, association_id, str(ours.allocation_id)) for then in self.looks), (
            "it was in service"
        )


def _in_service(seen: Look, association_id: str, allocation_id: str) -> bool:
    entry = seen.gateway.association(association_id) if seen.gateway else None
    return entry is not None and entry.status == "succeeded" and entry.allocation_id == allocation_id


def entry_of(name: str, status: str, fresh: str | None) -> Any:
    return address(name, status, association_id=fresh and association(fresh))


entries = st.builds(
    entry_of,
    name=st.sampled_from([*NAMES, "c"]),
    status=st.sampled_from(["succeeded", "associating", "failed", "disassociating", "unheard-of"]),
    fresh=st.sampled_from(["a", "b", "d", "e", None]),
)
gateways = st.none() | st.builds(
    lambda seen, **more: gateway(*seen, **more),
    seen=st.lists(entries, max_size=3, unique_by=lambda entry: entry.association_id),
    state=st.sampled_from(["available"] * 8 + ["pending", "deleting"]),
    tags=st.sampled_from([MANAGED] * 8 + [{}]),
)
moments = st.builds(
    Moment,
    gateway=st.just(gateway()) | gateways,
    known_to_ec2=st.sampled_from([NAMES, NAMES, NAMES, "a", ""]),
    holds=st.sampled_from([(), (), (), HELD]),
    to_associate=st.sampled_from(["accepted", "accepted", "lost", "busy", "invalid", "denied"]),
    to_disassociate=st.sampled_from(["accepted", "accepted", "busy", "invalid"]),
    late=st.sampled_from([0, 0, 0.9, 40]),
)
records = st.fixed_dictionaries(
    {},
    optional={
        allocation("a"): st.builds(
            lambda seconds, known, before: join(
                "a",
                asked_by="arn:earlier",
                asked_at=START + timedelta(seconds=seconds),
                seen_before=before,
                patience_seconds=600,
                **({"requested_at": START + timedelta(seconds=seconds)} if known else {"pending": True}),
            ),
            seconds=st.sampled_from([-3_600, -59, -5]),
            known=st.booleans(),
            before=st.sampled_from([(), (association("d"),), ("",)]),
        )
    },
)
# Worlds in which one allocation is asked for at once, and whose looks are mostly of it.
of_one = st.builds(
    lambda status, fresh, state, **more: Moment(
        gateway=gateway(*([entry_of("a", status, fresh)] if status else []), state=state), **more
    ),
    status=st.sampled_from(["associating", "failed", "failed", "succeeded", "disassociating", None, None]),
    fresh=st.sampled_from(["a", "a", "a", "d", None]),
    state=st.sampled_from(["available"] * 9 + ["pending"]),
    to_associate=st.sampled_from(["accepted", "lost", "busy"]),
    to_disassociate=st.sampled_from(["accepted", "busy", "invalid"]),
    late=st.sampled_from([0, 40]),
)
any_case = (
    st.sampled_from([to_join("a"), to_join("ab"), to_join("a", "b")]),
    st.lists(moments, min_size=1, max_size=10),
    records,
)
one_case = (
    st.just(to_join("a")),
    st.lists(of_one, min_size=1, max_size=8).map(lambda then: [Moment(gateway=gateway()), *then]),
    st.just({}),
)


def ends_well(request: Request, world: Sequence[Moment], intended: Mapping[str, Join]) -> None:
    played = Play(request, world)
    end = played.run(intended)
    if isinstance(end, Refuse):
        assert not played.accepted
        return
    assert all(one.outcome for one in end.joins)
    conclusion = conclude(request, (), end.joins)
    became = {*conclusion.outcomes.values()}
    assert (conclusion.error is None) is (became <= IN_SERVICE_NOW)
    assert (conclusion.changed == "all") is (AddressOutcome.JOINED in became and became <= IN_SERVICE_NOW)
    document = result(conclusion, request, execution=EXECUTION, region=REGION)
    if AddressOutcome.JOINED in became:
        assert document["PutBack"] is not None, "no way back"
        named = document["PutBack"]["Request"].get("AssociationIds", ["by allocation"])
        assert all(named), "the way back names no association"
    assert len(json.dumps(document, ensure_ascii=False)) <= MAX_CAUSE_CHARACTERS


@settings(max_examples=400, deadline=None, database=None)
@given(*any_case)
def test_every_sequence_of_looks_ends_and_ec2_is_never_asked_for_what_has_joined_or_may_have(
    request: Request, world: list[Moment], intended: dict[str, Join]
) -> None:
    ends_well(request, world, intended)


@settings(max_examples=400, deadline=None, database=None)
@given(*one_case)
def test_nothing_is_taken_off_that_is_in_service_or_was_there_before(
    request: Request, world: list[Moment], intended: dict[str, Join]
) -> None:
    ends_well(request, world, intended)
