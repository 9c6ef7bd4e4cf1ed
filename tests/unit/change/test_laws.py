"""Laws of `decide`, over whatever AWS might show and answer, in any order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from natdrain.change.after import release
from natdrain.change.after.release import answered
from natdrain.change.conclude import conclude
from natdrain.change.decide import decide
from natdrain.change.known import Known
from natdrain.change.leave.answers import accepted, refused
from natdrain.change.leave.decide import _judge as judge_all
from natdrain.change.step import Disassociate, Finish, Refuse, Release, Step, Wait
from natdrain.change.step import from_json as read_step
from natdrain.change.step import to_json as written
from natdrain.guards.judging import Judgement
from natdrain.model.drain import Drain
from natdrain.model.gateway import Address, Gateway
from natdrain.model.instants import instant, timestamp
from natdrain.model.look import ElasticIp, Look, Unread
from natdrain.model.outcome import AddressOutcome
from natdrain.model.request import AfterDrain, Request
from natdrain.report.result import MAX_CAUSE_CHARACTERS, result
from support.builders import MANAGED, START
from support.worlds import Moment, any_case, leaving_case

LONGEST_SECONDS = 3 * 4300
GOOD = {"drained", "already_drained", "released", "already_released"}


@dataclass
class Play:
    """The workflow in a world that shows one moment after the other, the last one for ever."""

    request: Request
    world: Sequence[Moment]
    looks: list[Look] = field(default_factory=list)
    released: set[str] = field(default_factory=set)

    def run(self, remembered: Mapping[str, Drain]) -> Refuse | Finish:
        now, known = START, Known(remembered=remembered)
        while True:
            moment = self.world[min(len(self.looks), len(self.world) - 1)]
            now += timedelta(seconds=moment.late)
            assert now - START <= timedelta(seconds=LONGEST_SECONDS)
            self.looks.append(
                Look(seen_at=now, gateway=moment.gateway, elastic_ips=moment.elastic_ips, holds=moment.holds)
            )
            decision = self._carry_out(decide(self.request, self.looks[-1], known), moment)
            if isinstance(decision, Refuse | Finish):
                return decision
            assert isinstance(decision, Wait)
            assert decision.until > now
            # As the workflow carries them, to the second.
            now = max(now, instant(timestamp(decision.until)))
            known = Known(drains=read_step(written(decision)).drains)

    def _carry_out(self, decision: Step, moment: Moment) -> Step:
        now = self.looks[-1].seen_at
        if isinstance(decision, Disassociate):
            ids, answer = decision.association_ids, moment.to_disassociate
            may_be_asked(self.looks[-1].gateway, ids)
            if answer == "accepted":
                return accepted(decision.drains, ids, at=now, limit_seconds=self.request.limit_seconds)
            busy, denied = answer == "busy", answer == "denied"
            return refused(decision.drains, ids, at=now, refusal=answer, busy=busy, denied=denied)
        if isinstance(decision, Release):
            assert decision.allocation_ids
            ids = decision.allocation_ids
            self._may_be_released(decision.drains, ids)
            drains = [
                self._ask(d, moment.to_release) if d.allocation_id in ids else d for d in decision.drains
            ]
            return answered(drains, at=now)
        return decision

    def _may_be_released(self, drains: Sequence[Drain], ids: Sequence[str]) -> None:
        assert self.request.after_drain is AfterDrain.RELEASE
        assert self.released.isdisjoint(ids)
        for drain in drains:
            assert drain.outcome in {*GOOD, "release_failed"}
            # Of what is released already a stale look may still show something.
            assert drain.outcome == "released" or not shown(self.looks[-1], drain)
            # Nothing goes before everything is sure.
            if drain.allocation_id in ids or drain.outcome in release.RELEASABLE:
                assert confirmed_drained(self.looks, drain)

    def _ask(self, drain: Drain, answer: str) -> Drain:
        if answer != "released":
            return release.refused(drain, answer, final=answer != "in use")
        self.released.add(str(drain.allocation_id))
        return release.released(drain)


def may_be_asked(gateway: Gateway | None, association_ids: Sequence[str]) -> None:
    assert gateway is not None
    for asked in association_ids:
        found = gateway.association(asked)
        assert found is not None
        assert not gateway.may_be_primary(found)
        assert found.status == "succeeded"
        assert "natdrain:protect" not in gateway.tags
        assert gateway.state == "available"
    staying = {a.association_id for a in gateway.addresses if a.status == "succeeded"}
    assert staying - set(association_ids)


def shown(look: Look, drain: Drain) -> bool:
    """Return True if the look shows the association on the gateway, or the allocation under another one."""
    there = look.gateway.addresses if look.gateway else ()
    return any(
        a.association_id == drain.association_id or a.allocation_id == drain.allocation_id for a in there
    )


def confirmed_drained(looks: Sequence[Look], drain: Drain) -> bool:
    """Return True if the looks prove that an address has left for good, and that its allocation may go."""
    away = looks[max((n + 1 for n, look in enumerate(looks) if shown(look, drain)), default=0) :]
    proofs = [look.seen_at for look in away if look.gateway and look.gateway.state == "available"]
    last = looks[-1]
    return (
        last.seen_at in proofs
        and last.seen_at - proofs[0] >= timedelta(seconds=30)
        and not isinstance(last.elastic_ips, Unread)
        and last.elastic_ips.get(str(drain.allocation_id)) == ElasticIp(tags=MANAGED, association_id=None)
        and not last.holds
    )


def unknown_to_ec2(look: Look, drain: Drain) -> bool:
    return not isinstance(look.elastic_ips, Unread) and drain.allocation_id not in look.elastic_ips


def ends_well(request: Request, world: Sequence[Moment], remembered: Mapping[str, Drain]) -> None:
    played = Play(request, world)
    end = played.run(remembered)
    if isinstance(end, Refuse):
        return
    assert all(drain.outcome for drain in end.drains)
    for drain in end.drains:
        if drain.outcome == "released" and drain.allocation_id not in played.released:
            assert any(unknown_to_ec2(look, drain) for look in played.looks)
    conclusion = conclude(request, end.drains)
    document = result(
        conclusion, request, execution="arn:aws:states:eu-west-1:1:execution:a:b", region="eu-west-1"
    )
    assert len(json.dumps(document, ensure_ascii=False)) <= MAX_CAUSE_CHARACTERS
    assert conclusion.changed != "none" or not played.released
    if conclusion.error is None:
        assert all(drain.outcome in GOOD for drain in end.drains)


@settings(max_examples=300, deadline=None)
@given(*any_case)
def test_every_sequence_of_looks_ends_in_an_outcome_and_never_asks_for_a_primary(
    request: Request, world: list[Moment], remembered: dict[str, Drain]
) -> None:
    ends_well(request, world, remembered)


@settings(max_examples=300, deadline=None)
@given(*leaving_case)
def test_no_path_releases_an_allocation_that_was_not_confirmed_drained(
    request: Request, world: list[Moment], remembered: dict[str, Drain]
) -> None:
    ends_well(request, world, remembered)


def confirmed_at_once(drain: Drain, look: Look, **_: bool) -> Drain:
    return replace(drain, release=replace(drain.release, confirmed_at=look.seen_at))


def judge_no_release(*case: Any, targets: Sequence[Address] = (), **_: object) -> Judgement:
    return judge_all(*case, targets=targets)


def one_by_one(drains: Sequence[Drain]) -> list[Drain]:
    return [drain for drain in drains if drain.outcome in release.RELEASABLE and drain.release.confirmed_at]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("place", "weaker"),
    [
        pytest.param("after.release._SECOND_LOOK_AFTER", timedelta(0), id="no second look"),
        pytest.param("after.release._confirm_free", confirmed_at_once, id="DescribeAddresses ignored"),
        pytest.param("leave.decide._judge", judge_no_release, id="tags and holds ignored"),
        pytest.param("after.release.GOES_ON", frozenset(AddressOutcome), id="other addresses ignored"),
        pytest.param("after.release._ready", one_by_one, id="others are not waited for"),
        pytest.param("after.release._watch", lambda drain, _: drain, id="addresses that are back ignored"),
        pytest.param("after.release._PATIENCE", timedelta(days=1), id="no end of waiting"),
    ],
)
def test_law_of_releasing_finds_every_weakness(
    monkeypatch: pytest.MonkeyPatch, place: str, weaker: Callable[..., Any]
) -> None:
    monkeypatch.setattr(f"natdrain.change.{place}", weaker)
    law = settings(
        max_examples=3000,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )(given(*leaving_case)(ends_well))
    with pytest.raises(AssertionError):
        law()
