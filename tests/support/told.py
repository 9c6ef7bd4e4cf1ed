"""What is told: one case for each kind of start and end, made by the code that makes them.

`PYTHONPATH=tests .venv/bin/python -m support.told` writes their messages anew; read the difference aloud
before you keep it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from natdrain.change.conclude import Failure, conclude
from natdrain.change.leave.decide import Decision, Known, Refuse, decide
from natdrain.intake.request import AfterDrain, Request, Trigger, TriggerKind
from natdrain.model.drain import AddressOutcome, Drain
from natdrain.model.look import Hold, Load, Look
from natdrain.report.event import ended, started
from support.builders import GATEWAY, MANAGED, START, address, allocation, association, gateway, ip, look
from support.places import TESTS

MESSAGES = TESTS / "unit/report/messages"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:Drain:1b0c7a2e-9f1d-4a53-8c55-2d0f6e6b7c11"

BY_HAND = Request(
    gateway_id=GATEWAY, association_ids=(association("a"),), reason="contract with the partner ends"
)
BY_ALARM = replace(
    BY_HAND,
    reason="alarm EgressIpBlocked: Threshold Crossed: 1 datapoint [7.0] was greater than 0.0.",
    trigger=Trigger(kind=TriggerKind.ALARM, name="EgressIpBlocked", at="2026-10-02T17:04:40.985+0000"),
)
BY_SCHEDULE = replace(
    BY_HAND,
    association_ids=(),
    public_ips=(ip("a"),),
    reason=None,
    trigger=Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-10-02T17:00:00Z"),
)
TO_RELEASE = replace(BY_HAND, after_drain=AfterDrain.RELEASE)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def drain(name: str, **known: Any) -> Drain:
    """An address that EC2 was asked for at the start, with the usual limit, unless told otherwise."""
    fields: dict[str, Any] = {
        "association_id": association(name),
        "allocation_id": allocation(name),
        "public_ip": ip(name),
        "private_ip": f"10.0.0.{int(name, 16)}",
        "since_at": START,
        "requested_at": START,
        "limit_seconds": 350,
    }
    return Drain(**(fields | known))


def left(name: str, **known: Any) -> Drain:
    """One that left before its limit, unless told otherwise."""
    gone = {"outcome": AddressOutcome.DRAINED, "last_seen_at": after(91), "gone_by": after(181)}
    return drain(name, **(gone | known))


def adopted(name: str) -> Drain:
    """One that somebody else has taken off."""
    unasked = {"adopted": True, "requested_at": None, "limit_seconds": None}
    return drain(name, **unasked, draining_seen_at=after(5))


CUT = {"last_seen_at": after(357), "gone_by": after(366)}
NOT_KNOWN = {"last_seen_at": after(181), "gone_by": after(366)}
FAILED = {"outcome": AddressOutcome.FAILED, "detail": "EC2 says: the network interface is busy"}
NOT_ASKED = {
    "outcome": AddressOutcome.NOT_ASKED,
    "requested_at": None,
    "detail": "ports: could not allocate a port 3 times in the last 15 minutes: it needs more addresses.",
}
BLOCKED = {
    "outcome": AddressOutcome.BLOCKED,
    "requested_at": None,
    "detail": "EC2 let no request through in time: OperationInProgress",
}
GONE = {"outcome": AddressOutcome.GATEWAY_GONE, "detail": "the gateway is deleted"}
OVERDUE = {
    "outcome": AddressOutcome.OVERDUE,
    "last_seen_at": after(650),
    "detail": "still on the gateway, 0:10:50 after its drain began",
}
KEPT = {
    "outcome": AddressOutcome.RELEASE_FAILED,
    "detail": "its allocation is kept: EC2 answers InvalidAddress.Locked: it has a reverse DNS record",
}
RELEASED = {"outcome": AddressOutcome.RELEASED, "confirmed_at": after(220)}
BEFORE = {"outcome": AddressOutcome.ALREADY_DRAINED, "left_before": True}
NO_ANSWER = Failure(error="TransientFailure", message="EC2 answers RequestLimitExceeded: slow down")


def start(request: Request, *drains: Drain) -> dict[str, Any]:
    return started(execution=EXECUTION, request=request, drains=drains)


def end(request: Request | None, *drains: Drain, **more: Any) -> dict[str, Any]:
    """What is told of the end that these drains have come to."""
    outcome = conclude(
        gateway_id=request.gateway_id if request else None,
        drains=drains,
        releases=bool(request and request.after_drain is AfterDrain.RELEASE),
        region="eu-west-1",
        **more,
    )
    status = more.get("status") or ("FAILED" if outcome.error else "SUCCEEDED")
    return ended(execution=EXECUTION, request=request, outcome=outcome, status=status)


def judged(request: Request, seen: Look) -> Decision:
    """What is decided of this look; the gateway is idle, and no calendar is asked."""
    return decide(request, replace(seen, load=Load(port_errors=0, peak_connections=0)), Known())


def refused(request: Request, seen: Look) -> dict[str, Any]:
    """What is told when the guards refuse what this look shows."""
    decision = judged(request, seen)
    assert isinstance(decision, Refuse)
    failure = Failure(error="RequestRefused", message="\n".join(decision.problems))
    return end(request, failure=failure, told=decision.warnings)


UNTAGGED = look(gateway(address("a"), primary=False, tags={}), tags={allocation("a"): {}})
OF_STACK = {allocation("a"): {**MANAGED, "aws:cloudformation:stack-name": "egress"}}
HOLD = Hold(held=GATEWAY, why="alice, incident 4711", table="natdrain")
BUSY = (
    f"{GATEWAY} is locked by {EXECUTION.replace('1b0c7a2e', '77aa01b2')} since 2026-10-02T16:58:31.204Z "
    '(partner move). Ask again when that has ended, or wait in line for it: WhenBusy: "wait".'
)
UNREAD = 'Unknown field "NatGateway": did you mean NatGatewayId?\nNo address is named: give PublicIps.'
STOPPED = Failure(error="ABORTED", message="somebody stopped the execution.")
TIMED_OUT = Failure(error="TIMED_OUT", message="the execution took longer than it may.")

CASES: dict[str, dict[str, Any]] = {
    "start of one address": start(BY_HAND, drain("a")),
    "start of several by an alarm": start(BY_ALARM, *(drain(name) for name in "abcde")),
    "start over midnight": start(BY_SCHEDULE, drain("a", requested_at=after(6.5 * 3600), limit_seconds=4000)),
    "start before a release": start(TO_RELEASE, drain("a"), drain("b")),
    "start adopted of our own": start(BY_HAND, drain("a", adopted=True)),
    "start adopted with a limit that is not known": start(BY_HAND, adopted("a")),
    "drained and nothing cut": end(BY_HAND, left("a")),
    "drained and perhaps cut": end(BY_HAND, left("a", **CUT)),
    "drained and not known": end(BY_HAND, left("a", **NOT_KNOWN)),
    "drained several": end(BY_ALARM, left("a"), left("b"), left("c", **CUT), drain("d", **BEFORE)),
    "drained in two zones": end(BY_HAND, left("a", zone="use1-az1"), left("b", zone="use1-az2")),
    "drained against a warning": end(
        BY_HAND, left("a"), told=judged(BY_HAND, look(gateway(address("a")), tags=OF_STACK)).warnings
    ),
    "drained before": end(BY_ALARM, drain("a", **BEFORE)),
    "nothing to do": end(BY_SCHEDULE, absent=[ip("a")]),
    "released": end(TO_RELEASE, left("a", **RELEASED)),
    "released before": end(TO_RELEASE, drain("a", outcome=AddressOutcome.ALREADY_RELEASED, left_before=True)),
    "refused": refused(BY_HAND, UNTAGGED),
    "refused by a hold": refused(BY_ALARM, look(gateway(address("a")), holds=(HOLD,))),
    "refused with an override": refused(
        BY_SCHEDULE, look(gateway(address("a"), address("b", "associating"), address("c", "failed")))
    ),
    "refused unread": end(None, failure=Failure(error="RequestRefused", message=UNREAD)),
    "busy": end(BY_HAND, failure=Failure(error="GatewayBusy", message=BUSY)),
    "failed": end(BY_HAND, drain("a", **FAILED)),
    "failed while draining": end(BY_HAND, drain("a"), failure=NO_ANSWER),
    "failed while asking": end(
        BY_HAND, drain("a", requested_at=None), failure=NO_ANSWER, asking=[association("a")]
    ),
    "failed in part": end(BY_ALARM, left("a", **CUT), left("b", **CUT), drain("c", **FAILED)),
    "failed in part by guards": end(BY_HAND, left("a"), *(drain(name, **NOT_ASKED) for name in "bcdef")),
    "failed as EC2 was busy": end(BY_HAND, drain("a", **BLOCKED)),
    "failed as the gateway has gone": end(BY_HAND, drain("a", **GONE), drain("b", **GONE)),
    "failed and put back": end(
        BY_HAND, left("a", outcome=AddressOutcome.PUT_BACK, detail="it left, and somebody has put it back")
    ),
    "overdue": end(BY_HAND, drain("a", **OVERDUE)),
    "release failed": end(TO_RELEASE, left("a", **RELEASED), left("b", **KEPT)),
    "release not known": end(TO_RELEASE, left("a"), failure=NO_ANSWER, asking=[allocation("a")]),
    "stopped while draining": end(BY_HAND, drain("a"), drain("b"), failure=STOPPED, status="ABORTED"),
    "stopped before anything": end(BY_HAND, failure=STOPPED, status="ABORTED"),
    "timed out": end(BY_ALARM, left("a"), drain("b"), failure=TIMED_OUT, status="TIMED_OUT"),
}


def shown(detail: Mapping[str, Any]) -> str:
    """A message as people review it."""
    text = textwrap.fill(detail["Message"], 110, break_long_words=False, break_on_hyphens=False)
    return f"{detail['Title']}\n\n{text}\n"


def _write() -> None:
    for old in MESSAGES.glob("*.txt"):
        old.unlink()
    for case, detail in CASES.items():
        (MESSAGES / f"{case.replace(' ', '-')}.txt").write_text(shown(detail))


if __name__ == "__main__":
    _write()
