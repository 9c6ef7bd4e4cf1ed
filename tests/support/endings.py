"""One case for each kind of start and end: the details of their events, made by the product's own code.

`PYTHONPATH=tests .venv/bin/python -m support.endings` writes their messages to files; read the difference
aloud before you commit it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from natdrain.change.conclude import conclude
from natdrain.change.decide import decide
from natdrain.change.failure import Failure
from natdrain.change.known import Known
from natdrain.change.step import Refuse, Step
from natdrain.intake.request import parse_request
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.join import Join
from natdrain.model.look import ElasticIp, Hold, Load, Look
from natdrain.model.outcome import AddressOutcome, ExecutionStatus
from natdrain.model.pace import Pace
from natdrain.model.problem import Guard, Problem
from natdrain.model.request import AfterDrain, Association, Request, Trigger, TriggerKind
from natdrain.report import details, findings
from natdrain.report.event import ended, started
from natdrain.report.result import result
from support import builders
from support.builders import (
    GATEWAY,
    MANAGED,
    START,
    address,
    allocation,
    association,
    gateway,
    ip,
    look,
    taken,
)
from support.places import TESTS

MESSAGES = TESTS / "unit/report/messages"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:Drain:1b0c7a2e-9f1d-4a53-8c55-2d0f6e6b7c11"
REGION = "eu-west-1"

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


def to_join(*calls: str, zones: Sequence[str | None] = (None,), **more: Any) -> Request:
    """Return a request by hand to associate allocations; each call has the names of those of its zone."""
    associate = (
        Association(allocation_ids=tuple(map(allocation, names)), zone_id=zone)
        for names, zone in zip(calls, zones, strict=True)
    )
    fields: dict[str, Any] = {"gateway_id": GATEWAY, "reason": "ports run out", "associate": tuple(associate)}
    return Request(**fields | more)


JOIN, JOIN_TWO = to_join("a"), to_join("ab")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def asked(name: str, **known: Any) -> Drain:
    """Return an address whose drain was requested at the start with the usual limit; `known` overrides."""
    usual: dict[str, Any] = {
        "private_ip": f"10.0.0.{int(name, 16)}",
        "requested_at": START,
        "limit_seconds": 350,
    }
    return builders.drain(name, **(usual | known))


def left(name: str, **known: Any) -> Drain:
    """Return an address that left before its limit; `known` overrides."""
    gone = {"outcome": AddressOutcome.DRAINED, "last_seen_at": after(91), "gone_by": after(181)}
    return asked(name, **(gone | known))


def joining(name: str, **known: Any) -> Join:
    """Return an allocation that EC2 was asked to associate at the start; `known` overrides."""
    usual: dict[str, Any] = {
        "asked_at": START,
        "requested_at": START,
        "answered_at": START,
        "asked_by": EXECUTION,
    }
    return builders.join(name, **usual | known)


def joined(name: str, **known: Any) -> Join:
    """Return an allocation that is in service; `known` overrides."""
    there: dict[str, Any] = {
        "association_id": association(name),
        "private_ip": f"10.0.0.{int(name, 16)}",
        "outcome": AddressOutcome.JOINED,
        **{key: after(33) for key in ("seen_at", "in_service_at", "last_seen_at")},
    }
    return joining(name, **there | known)


def adopted(name: str) -> Drain:
    """Return an address that somebody else has taken off."""
    return asked(name, requested_at=None, limit_seconds=None, adopted=True, draining_seen_at=after(5))


def failing(error: str, *problems: str) -> Failure:
    """Return the failure of a state, with the texts of its problems."""
    return Failure(error=error, problems=tuple(Problem(text=text) for text in problems))


def unreadable(document: Any) -> Failure:
    """Return the failure of an input that is no request."""
    try:
        parse_request(document)
    except RequestRefused as refusal:
        return Failure(error=RequestRefused.__name__, problems=refusal.problems)
    raise AssertionError("the input is a request")


PORTS = replace(
    findings.PORT_ERRORS.about(GATEWAY, where=GATEWAY, errors=3, minutes=15, command="aws ec2 ..."),
    guard=Guard.PORTS,
)
CUT = {"last_seen_at": after(353), "gone_by": after(363)}
PERHAPS_CUT = {"last_seen_at": after(347), "gone_by": after(353)}
NOT_KNOWN = {"gone_by": after(363), "last_seen_at": None}
FAILED = {
    "outcome": AddressOutcome.FAILED,
    "detail": details.EC2_FAILED.with_(message="the network interface is busy"),
}
NOT_ASKED = {
    "outcome": AddressOutcome.NOT_ASKED,
    "requested_at": None,
    "detail": str(PORTS),
    "problems": (PORTS,),
}
BLOCKED = {
    "outcome": AddressOutcome.BLOCKED,
    "requested_at": None,
    "detail": details.BLOCKED.with_(why="OperationInProgress"),
}
GONE = {"outcome": AddressOutcome.GATEWAY_GONE, "detail": details.GATEWAY_GONE.with_(state="deleted")}
OVERDUE = {
    "outcome": AddressOutcome.OVERDUE,
    "last_seen_at": after(650),
    "detail": details.OVERDUE.with_(longest=timedelta(seconds=650)),
}
KEPT = {
    "outcome": AddressOutcome.RELEASE_FAILED,
    "detail": details.KEPT.with_(
        why=details.EC2_ANSWERS.with_(refusal="InvalidAddress.Locked: it has a reverse DNS record")
    ),
}
PUT_BACK = {
    "outcome": AddressOutcome.PUT_BACK,
    "detail": details.PUT_BACK_AS.with_(association=association("f")),
}
RELEASED = {"outcome": AddressOutcome.RELEASED, "confirmed_at": after(220)}
BEFORE = {"outcome": AddressOutcome.ALREADY_DRAINED, "left_before": True}
UNLUCKY = details.EC2_FAILED.with_(message="the network interface is busy")
OFF_AGAIN: dict[str, Any] = {
    "outcome": AddressOutcome.JOIN_FAILED,
    "detail": details.TAKEN_OFF_AGAIN.with_(why=UNLUCKY),
    "in_service_at": None,
}
LISTED = OFF_AGAIN | {"detail": details.STILL_LISTED.with_(why=UNLUCKY), "listed": True}
HANGING = {
    **OFF_AGAIN,
    "outcome": AddressOutcome.JOIN_OVERDUE,
    "detail": details.STILL_JOINING.with_(status="associating"),
    "listed": True,
}
BY_ANOTHER: dict[str, Any] = {"requested_at": None, "adopted": True, "seen_at": START}
TAKEN_AWAY = {"outcome": AddressOutcome.TAKEN_AWAY, "detail": details.TAKEN_AWAY}
NO_PRIVATE_IP = {
    "outcome": AddressOutcome.JOIN_FAILED,
    "requested_at": None,
    "detail": details.KEEPS_REFUSING.with_(refusal="InsufficientFreeAddressesInSubnet: there are not enough"),
}
NO_ANSWER = failing("TransientFailure", "EC2 answers RequestLimitExceeded: slow down")


def start(request: Request, *addresses: Drain | Join) -> dict[str, Any]:
    return started(execution=EXECUTION, request=request, addresses=addresses)


def end(request: Request | None, *addresses: Drain | Join, **more: Any) -> dict[str, Any]:
    """Return the detail of an end with these drains, or joins."""
    drains = [one for one in addresses if isinstance(one, Drain)]
    joins = [one for one in addresses if isinstance(one, Join)]
    conclusion = conclude(request, drains, joins, **more)
    by_itself = ExecutionStatus.FAILED if conclusion.error else ExecutionStatus.SUCCEEDED
    return ended(
        execution=EXECUTION,
        request=request,
        end=conclusion,
        result=result(conclusion, request, execution=EXECUTION, region=REGION),
        status=more.get("status") or by_itself,
        region=REGION,
    )


def judged(request: Request, seen: Look) -> Step:
    """Return the decision at this look; the gateway is idle, and no calendar is asked."""
    return decide(request, replace(seen, load={None: Load(port_errors=0, peak_connections=0)}), Known())


def refused(request: Request, seen: Look) -> dict[str, Any]:
    """Return the detail of the end when the guards refuse what this look shows."""
    step = judged(request, seen)
    assert isinstance(step, Refuse)
    failure = Failure(error="RequestRefused", problems=step.problems)
    return end(request, failure=failure, warnings=step.warnings)


FULL = gateway(address("b"), address("c"))
IN_USE = {allocation("a"): ElasticIp(tags=MANAGED, public_ip=ip("a"), association_id=association("f"))}
UNTAGGED = look(gateway(address("a"), primary=False, tags={}), tags={allocation("a"): {}})
OF_STACK = {allocation("a"): {**MANAGED, "aws:cloudformation:stack-name": "egress"}}
HOLD = Hold(held=GATEWAY, why="alice, incident 4711", table="natdrain")
LOCKED = Problem(
    subject=GATEWAY,
    text=f"{GATEWAY} is locked by {EXECUTION.replace('1b0c7a2e', '77aa01b2')} since 2026-10-02T16:58:31.204Z "
    "(partner move).",
    fix='Run the request again when that has ended, or wait for it: WhenBusy: "wait".',
)
BUSY = Failure(error="GatewayBusy", problems=(LOCKED,))
UNREAD = unreadable({"NatGateway": GATEWAY})
STOPPED = {
    "failure": failing("ABORTED", details.ENDED_BY[ExecutionStatus.ABORTED]),
    "status": ExecutionStatus.ABORTED,
}
TIMED_OUT = {
    "failure": failing("TIMED_OUT", details.ENDED_BY[ExecutionStatus.TIMED_OUT]),
    "status": ExecutionStatus.TIMED_OUT,
}

CASES: dict[str, dict[str, Any]] = {
    "start of one address": start(BY_HAND, asked("a")),
    "start with connections at stake": start(BY_HAND, asked("a", connections=1200, addresses=3)),
    "start of several by an alarm": start(BY_ALARM, *(asked(name) for name in "abcde")),
    "start over midnight": start(BY_SCHEDULE, asked("a", requested_at=after(6.5 * 3600), limit_seconds=4000)),
    "start before a release": start(TO_RELEASE, asked("a"), asked("b")),
    "start adopted of our own": start(BY_HAND, asked("a", adopted=True)),
    "start adopted with a limit that is not known": start(BY_HAND, adopted("a")),
    "drained and nothing cut": end(BY_HAND, left("a")),
    "drained and perhaps cut": end(BY_HAND, left("a", **CUT)),
    "drained about its limit": end(BY_HAND, left("a", **PERHAPS_CUT)),
    "drained and not known": end(BY_HAND, left("a", **NOT_KNOWN)),
    "drained several": end(BY_ALARM, left("a"), left("b"), left("c", **CUT), asked("d", **BEFORE)),
    "drained in two zones": end(BY_HAND, left("a", zone="use1-az1"), left("b", zone="use1-az2")),
    "drained against a warning": end(
        BY_HAND, left("a"), warnings=judged(BY_HAND, look(gateway(address("a")), tags=OF_STACK)).warnings
    ),
    "drained before": end(BY_ALARM, asked("a", **BEFORE)),
    "nothing to do": end(BY_SCHEDULE),
    "released": end(TO_RELEASE, left("a", **RELEASED)),
    "released before": end(TO_RELEASE, asked("a", outcome=AddressOutcome.ALREADY_RELEASED, left_before=True)),
    "refused": refused(BY_HAND, UNTAGGED),
    "refused by a hold": refused(BY_ALARM, look(gateway(address("a")), holds=(HOLD,))),
    "refused with an override": refused(
        BY_SCHEDULE, look(gateway(address("a"), address("b", "failed")), tags=OF_STACK)
    ),
    "refused to an alarm": refused(
        BY_ALARM, look(gateway(address("a"), address("b")), pace=Pace(takes=(taken("c", in_service=4),)))
    ),
    "refused unread": end(None, failure=UNREAD),
    "busy": end(BY_HAND, failure=BUSY),
    "failed": end(BY_HAND, asked("a", **FAILED)),
    "failed several": end(BY_HAND, *(asked(name, **FAILED) for name in "abcde")),
    "failed while draining": end(BY_HAND, asked("a"), failure=NO_ANSWER),
    "failed while asking": end(
        BY_HAND, asked("a", requested_at=None), failure=NO_ANSWER, asking=[association("a")]
    ),
    "failed in part": end(BY_ALARM, left("a", **CUT), left("b", **CUT), asked("c", **FAILED)),
    "failed in part by guards": end(BY_HAND, left("a"), *(asked(name, **NOT_ASKED) for name in "bcdef")),
    "failed as EC2 was busy": end(BY_HAND, asked("a", **BLOCKED)),
    "failed as the gateway has gone": end(BY_HAND, asked("a", **GONE), asked("b", **GONE)),
    "failed and put back": end(BY_HAND, left("a", **PUT_BACK)),
    "overdue": end(BY_HAND, asked("a", **OVERDUE)),
    "release failed": end(TO_RELEASE, left("a", **RELEASED), left("b", **KEPT)),
    "release not known": end(TO_RELEASE, left("a"), failure=NO_ANSWER, asking=[allocation("a")]),
    "stopped while draining": end(BY_HAND, asked("a"), asked("b"), **STOPPED),
    "stopped before anything": end(BY_HAND, **STOPPED),
    "timed out": end(BY_ALARM, left("a"), asked("b"), **TIMED_OUT),
    "start of a join": start(JOIN, joining("a")),
    "start of two joins": start(JOIN_TWO, joining("a"), joining("b")),
    "start of a join by somebody else": start(
        JOIN, joining("a", requested_at=None, adopted=True, seen_at=START)
    ),
    "joined": end(JOIN, joined("a")),
    "joined several": end(JOIN_TWO, joined("a"), joined("b", outcome=AddressOutcome.ALREADY_JOINED)),
    "joined before": end(JOIN, joined("a", outcome=AddressOutcome.ALREADY_JOINED)),
    "join refused at the quota": refused(JOIN, look(FULL, quota=3, tags={allocation("a"): MANAGED})),
    "join refused as it is in use": refused(JOIN, look(gateway(address("b")), elastic_ips=IN_USE)),
    "join finds the gateway busy": end(JOIN, failure=BUSY),
    "join failed and was taken off again": end(JOIN, joined("a", **OFF_AGAIN)),
    "join failed and is still listed": end(JOIN, joined("a", **LISTED)),
    "join failed in part": end(JOIN_TWO, joined("a"), joined("b", **OFF_AGAIN)),
    "join failed without a private IP": end(JOIN, joining("a", **NO_PRIVATE_IP)),
    "join overdue": end(JOIN, joined("a", **HANGING)),
    "join taken away": end(JOIN, joined("a", **TAKEN_AWAY)),
    "join stopped": end(JOIN_TWO, joining("a"), joining("b"), **STOPPED),
    "join timed out": end(JOIN, joining("a", pending=True, requested_at=None), **TIMED_OUT),
}


def shown(detail: Mapping[str, Any]) -> str:
    """Return a message as people review it."""
    text = textwrap.fill(detail["Message"], 110, break_long_words=False, break_on_hyphens=False)
    return f"{detail['Title']}\n\n{text}\n"


def _write() -> None:
    for old in MESSAGES.glob("*.txt"):
        old.unlink()
    for case, detail in CASES.items():
        (MESSAGES / f"{case.replace(' ', '-')}.txt").write_text(shown(detail))


if __name__ == "__main__":
    _write()
