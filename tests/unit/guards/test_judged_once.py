"""The guards are asked when something is to be asked of EC2, and never twice about one look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from natdrain.change.decide import decide
from natdrain.change.known import Known
from natdrain.change.leave import decide as deciding
from natdrain.change.leave.answers import accepted
from natdrain.change.step import Disassociate, Finish, Refuse, Release, Step, Wait
from natdrain.guards.case import Case
from natdrain.guards.judging import Judgement, judge
from natdrain.model.drain import Drain
from natdrain.model.look import Look
from natdrain.model.request import AfterDrain, Request
from support.builders import GATEWAY, START, address, association, gateway, look
from support.worlds import FREE, Moment, any_case, leaving_case


@pytest.fixture(scope="module")
def judged() -> Iterator[list[Case]]:
    """The cases that were judged."""
    cases: list[Case] = []

    def counted(case: Case, **how: Any) -> Judgement:
        cases.append(case)
        return judge(case, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "judge", counted)
        yield cases


def decided(request: Request, looks: Sequence[Look], known: Known) -> Iterator[Step]:
    """Decide at each look until the end; EC2 accepts what it is asked for."""
    for seen in looks:
        step = decide(request, seen, known)
        yield step
        if isinstance(step, Refuse | Finish | Release):
            return
        if isinstance(step, Disassociate):
            step = accepted(step.drains, step.association_ids, at=seen.seen_at, limit_seconds=60)
        known = Known(drains=step.drains)


def test_guards_are_judged_before_each_request_to_ec2_and_at_no_other_look(judged: list[Case]) -> None:
    request = Request(gateway_id=GATEWAY, association_ids=(association("a"),), after_drain=AfterDrain.RELEASE)
    looks = [
        look(gateway(address("a"), address("b", "disassociating"))),
        look(gateway(address("a"), address("b")), at=15),
        look(gateway(address("a", "disassociating"), address("b")), at=22),
        look(gateway(address("b")), at=80, elastic_ips=FREE),
        look(gateway(address("b")), at=111, elastic_ips=FREE),
    ]
    story = []
    judged.clear()
    for step in decided(request, looks, Known()):
        story.append((type(step), len(judged)))
        judged.clear()
    assert story == [(Wait, 1), (Disassociate, 1), (Wait, 0), (Wait, 0), (Release, 1)]


def at_most_once(
    judged: list[Case], request: Request, world: Sequence[Moment], remembered: Mapping[str, Drain]
) -> None:
    looks = [
        Look(
            seen_at=START + timedelta(seconds=45 * number),
            gateway=moment.gateway,
            elastic_ips=moment.elastic_ips,
            holds=moment.holds,
        )
        for number, moment in enumerate(world)
    ]
    judged.clear()
    for _ in decided(request, looks, Known(remembered=remembered)):
        assert len(judged) <= 1
        judged.clear()


@settings(deadline=None)
@given(*any_case)
def test_no_look_is_judged_twice(
    judged: list[Case], request: Request, world: list[Moment], remembered: dict[str, Drain]
) -> None:
    at_most_once(judged, request, world, remembered)


@settings(deadline=None)
@given(*leaving_case)
def test_no_look_is_judged_twice_on_the_way_to_a_release(
    judged: list[Case], request: Request, world: list[Moment], remembered: dict[str, Drain]
) -> None:
    at_most_once(judged, request, world, remembered)
