"""Every reason for a step, and a situation in which it is the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from natdrain.change.after.release import strategy_of
from natdrain.change.decide import decide
from natdrain.change.join import answers as join_answers
from natdrain.change.known import Known
from natdrain.change.leave.answers import accepted, refused
from natdrain.change.step import Reason, Step, from_json
from natdrain.model.look import Hold
from natdrain.model.outcome import AddressOutcome
from natdrain.model.request import AfterDrain, Association, Request, Trigger, TriggerKind
from support.builders import GATEWAY, START, address, allocation, association, drain, gateway, ip, join, look

KEEP = Request(gateway_id=GATEWAY, association_ids=(association("a"),))
RELEASE = replace(KEEP, after_drain=AfterDrain.RELEASE)
MONTHLY = Request(
    gateway_id=GATEWAY,
    public_ips=(ip("a"),),
    trigger=Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-11-01T03:00:00Z"),
)
IN_SERVICE = drain("a")
DRAINING = drain("a", requested_at=START, limit_seconds=350)
LEFT = drain("a", outcome=AddressOutcome.DRAINED, absent_at=START)
FREE = look(gateway(address("a"))).elastic_ips
HELD = (Hold(held=GATEWAY, why="alice", table="table"),)
ID = [association("a")]
JOIN = Request(gateway_id=GATEWAY, associate=(Association(allocation_ids=(allocation("c"),)),))
ASKED_TO_JOIN = join("c", asked_at=START, pending=True)

STEPS: dict[Reason, list[Step]] = {
    Reason.NOT_RECORDED: [from_json({"Do": "finish"})],
    Reason.NO_GATEWAY: [decide(KEEP, look(None), Known())],
    Reason.REQUEST_OR_GUARDS_REFUSE: [
        decide(KEEP, look(gateway()), Known()),
        decide(KEEP, look(gateway(address("a")), holds=HELD), Known()),
    ],
    Reason.ABSENT_AS_SCHEDULED: [decide(MONTHLY, look(gateway()), Known())],
    Reason.EC2_BUSY: [decide(KEEP, look(gateway(address("a"), address("b", "disassociating"))), Known())],
    Reason.GUARDS_ALLOW: [
        decide(KEEP, look(gateway(address("a"))), Known()),
        decide(KEEP, look(gateway(address("a")), at=9), Known(drains=(IN_SERVICE,))),
    ],
    Reason.DRAINING: [
        decide(KEEP, look(gateway(address("a", "disassociating")), at=100), Known(drains=(DRAINING,))),
        decide(KEEP, look(gateway(address("a")), at=5), Known(drains=(DRAINING,))),
    ],
    Reason.ALL_ENDED: [
        decide(KEEP, look(gateway(), at=360), Known(drains=(DRAINING,))),
        decide(RELEASE, look(gateway()), Known(drains=(LEFT.ended(AddressOutcome.RELEASED),))),
    ],
    Reason.ALLOCATION_KEPT: [
        decide(RELEASE, look(gateway(), at=31, holds=HELD, elastic_ips=FREE), Known(drains=(LEFT,))),
        decide(RELEASE, look(gateway(), at=31), Known(drains=(LEFT.ended(AddressOutcome.OVERDUE),))),
    ],
    Reason.ALLOCATION_UNCONFIRMED: [
        decide(RELEASE, look(gateway(), at=30, elastic_ips=FREE), Known(drains=(LEFT,)))
    ],
    Reason.ALLOCATION_CONFIRMED: [
        decide(RELEASE, look(gateway(), at=31, elastic_ips=FREE), Known(drains=(LEFT,)))
    ],
    Reason.EC2_ACCEPTED: [accepted([IN_SERVICE], ID, at=START, limit_seconds=350)],
    Reason.EC2_REFUSED: [refused([IN_SERVICE], ID, at=START + timedelta(seconds=1), refusal="no")],
    Reason.ANSWER_LOST: [join_answers.recovered([ASKED_TO_JOIN], [ASKED_TO_JOIN], START)],
    Reason.PERMISSION_TO_PROVE: [strategy_of(AfterDrain.RELEASE).to_prove([IN_SERVICE])],
    Reason.NOT_YET: [decide(JOIN, look(gateway()), Known())],
    Reason.JOINING: [
        decide(JOIN, look(gateway(address("c", "associating")), at=9), Known(joins=(ASKED_TO_JOIN,))),
        decide(JOIN, look(gateway(), at=9), Known(joins=(ASKED_TO_JOIN,))),
    ],
    Reason.FAILED_TO_JOIN: [
        decide(JOIN, look(gateway(address("c", "failed")), at=9), Known(joins=(ASKED_TO_JOIN,)))
    ],
    Reason.PERMISSION_PROVEN: [strategy_of(AfterDrain.KEEP).to_prove([IN_SERVICE])],
}


def test_reasons_all_have_their_rows_here() -> None:
    assert list(STEPS) == list(Reason)


@pytest.mark.parametrize(
    ("reason", "step"), [(reason, step) for reason, steps in STEPS.items() for step in steps]
)
def test_step_has_its_reason(reason: Reason, step: Step) -> None:
    assert step.reason is reason
