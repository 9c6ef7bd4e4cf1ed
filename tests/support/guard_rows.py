"""Findings of each guard and their texts: the rows of the guards' tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from natdrain.guards.case import Case
from natdrain.guards.policy import RULES, GuardPolicy, Verdict
from natdrain.model.drain import Drain
from natdrain.model.gateway import Address, Gateway
from natdrain.model.join import Join
from natdrain.model.look import ChangeCalendar, ElasticIp, Hold, Load, Unread
from natdrain.model.outcome import AddressOutcome
from natdrain.model.pace import Pace
from support.builders import (
    GATEWAY,
    MANAGED,
    START,
    address,
    allocation,
    association,
    drain,
    gateway,
    ip,
    join,
    look,
    taken,
)

PROTECTED = {**MANAGED, "natdrain:protect": ""}
OF_STACK = {**MANAGED, "aws:cloudformation:stack-name": "egress"}
IDLE = Load(port_errors=0, peak_connections=0)
OPEN = ChangeCalendar(closed=False)
ASSOCIATE = f"aws ec2 associate-nat-gateway-address --nat-gateway-id {GATEWAY} --allocation-ids ..."
NOTHING = "Nothing overrides this."
ONLY = "Drain another address first: AWS documents no higher limit."
OF_TWO_GROUPS = {
    allocation("a"): ElasticIp(tags=MANAGED, border_group="there"),
    allocation("c"): ElasticIp(tags=MANAGED, public_ip=ip("c"), border_group="here"),
}
ZONE, OTHER_ZONE = "use1-az1", "use1-az2"


def left(name: str, *, as_: str, **known: Any) -> dict[str, Drain]:
    """Return remembered drains with this address, which left at the start under another association."""
    fields = {"outcome": AddressOutcome.DRAINED, "gone_by": START} | known
    before = drain(name, association_id=association(as_), **fields)
    return {before.association_id: before}


def regional(*addresses: Address, **more: Any) -> Gateway:
    return gateway(*addresses, primary=False, availability_mode="regional", **more)


def in_zone(name: str, zone: str | None, status: str = "succeeded") -> Address:
    return address(name, status, primary=None, zone=zone)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A look at which a guard finds something about `subject`, and parts of its text.

    Without changes, no guard finds anything.
    """

    says: tuple[str, ...] = ()
    subject: str | None = GATEWAY
    seen: Gateway = field(default_factory=lambda: gateway(address("a"), address("b")))
    targets: str = "a"
    tags: Mapping[str, dict[str, str]] = field(default_factory=dict)
    of_look: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    remembered: Mapping[str, Drain] = field(default_factory=dict)
    joining: tuple[Join, ...] = ()
    eips: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What EC2 shows of the allocations that are to join, beside their opt-in."""
    departed: tuple[str, ...] = ()
    automatic: bool = False

    def case(self, **policy: Any) -> Case:
        idle = {address.zone: IDLE for address in self.seen.addresses}
        around: dict[str, Any] = {"load": idle, "calendar": OPEN, **self.of_look}
        tags = {allocation(name): its for name, its in self.tags.items()}
        shown = dict(look(self.seen, tags=tags).elastic_ips)  # type: ignore[arg-type]  # they are read
        shown |= {
            join.allocation_id: ElasticIp(
                **{"tags": MANAGED, "public_ip": join.public_ip} | self.eips.get(name, {})
            )
            for join in self.joining
            if (name := join.allocation_id[-1])
        }
        named = {association(name) for name in self.targets}
        return Case(
            look=look(self.seen, **{"elastic_ips": shown, **around}),
            gateway=self.seen,
            targets=[a for a in self.seen.addresses if a.association_id in named],
            policy=GuardPolicy(**{**self.policy, **policy}),
            remembered=self.remembered,
            joining=self.joining,
            departed=self.departed,
            automatic=self.automatic,
        )


def joins(*says: str, **more: Any) -> Found:
    """Return a finding about the allocation `c`, which is to join."""
    fields: dict[str, Any] = {"subject": allocation("c"), "targets": "", "joining": (join("c"),)} | more
    return Found(says=says, **fields)


def room_for(most: int, *names: str, **more: Any) -> Found:
    """Return a finding about a gateway with a primary address and these, whose quota is `most`."""
    seen = gateway(*map(address, names))
    return joins(seen=seen, subject=GATEWAY, of_look={"quota": most}, **more)


def tags_of(gateway_tags: dict[str, str], *says: str) -> Found:
    return Found(says=says, seen=gateway(address("a"), tags=gateway_tags))


FOUND: dict[str, list[Found]] = {
    "ec2": [
        Found(
            says=(GATEWAY, "is a private NAT gateway", NOTHING),
            seen=gateway(address("a"), connectivity="private"),
        ),
        Found(says=("is pending;", "Try again when it is."), seen=gateway(address("a"), state="pending")),
        Found(says=("is deleting;", NOTHING), seen=gateway(address("a"), state="deleting")),
        Found(says=("is deleted;", NOTHING), seen=gateway(address("a"), state="deleted")),
        Found(says=("is failed;", NOTHING), seen=gateway(address("a"), state="failed")),
        Found(
            says=(ip("1"), "primary address", "EC2 forbids", NOTHING), subject=association("1"), targets="1"
        ),
        Found(
            says=(ip("b"), "primary address", NOTHING),
            subject=association("b"),
            seen=gateway(address("b", primary=None)),
            targets="b",
        ),
    ],
    "opt_in": [
        tags_of({}, GATEWAY, "aws ec2 create-tags --resources", "Key=natdrain:managed,Value=true"),
        tags_of({"natdrain:managed": "True"}, f"create-tags --resources {GATEWAY} --tags"),
        Found(
            says=(f"{ip('a')} ({allocation('a')}) does not", f"create-tags --resources {allocation('a')}"),
            subject=allocation("a"),
            tags={"a": {}},
        ),
        Found(
            says=(f"EC2 does not show the allocation {allocation('a')}", "Try again when it does."),
            subject=allocation("a"),
            of_look={"elastic_ips": {}},
        ),
        Found(
            says=("could not be read (AccessDenied: no)", NOTHING),
            subject=None,
            of_look={"elastic_ips": Unread("AccessDenied: no")},
        ),
    ],
    "protect": [
        tags_of(PROTECTED, GATEWAY, f"aws ec2 delete-tags --resources {GATEWAY} --tags Key=natdrain:protect"),
        tags_of({**MANAGED, "NatDrain:PROTECT": "no"}, GATEWAY, "--tags Key=NatDrain:PROTECT"),
        Found(
            says=(ip("a"), f"delete-tags --resources {allocation('a')} --tags Key=natdrain:protect"),
            subject=allocation("a"),
            tags={"a": PROTECTED},
        ),
    ],
    "hold": [
        Found(
            says=(f"{GATEWAY} is held (alice)", "aws dynamodb delete-item --table-name table --key", GATEWAY),
            of_look={"holds": (Hold(held=GATEWAY, why="alice", table="table"),)},
        ),
        Found(
            says=(
                "every gateway is held (bob)",
                "delete-item --table-name table --key NatGatewayId={S=all},Record={S=hold}",
            ),
            subject=None,
            of_look={"holds": (Hold(held="all", why="bob", table="table"),)},
        ),
    ],
    "aws_managed": [
        Found(
            says=(GATEWAY, "whose addresses AWS manages", NOTHING),
            seen=regional(in_zone("a", ZONE), in_zone("b", ZONE), aws_managed=True),
        )
    ],
    "free": [
        joins(
            "is in use: EC2 shows it associated as eipassoc-",
            eips={"c": {"association_id": association("f")}},
        ),
        joins("is in use: EC2 shows it associated as eni-1.", eips={"c": {"network_interface_id": "eni-1"}}),
        joins(
            f"{ip('c')} ({allocation('c')}) is managed by AWS (alb)", eips={"c": {"service_managed": "alb"}}
        ),
        joins(
            "is of the network border group here, and",
            f"{GATEWAY} of there:",
            eips={"c": {"border_group": "here"}},
            of_look={"elastic_ips": OF_TWO_GROUPS},
        ),
        joins("is still leaving", seen=gateway(address("c", "disassociating"))),
        joins(
            "has failed on",
            f"--nat-gateway-id {GATEWAY} --association-ids {association('c')}",
            seen=gateway(address("c", "failed")),
        ),
        joins(
            "has failed on",
            "EC2 has no call that takes it off",
            seen=gateway(address("c", "failed", association_id=None)),
        ),
    ],
    "room": [
        replace(
            room_for(3, "a", "b"),
            says=("lists 3 addresses, and 1 more", "Drain another", "--desired-value 4"),
        ),
        replace(room_for(2, "a"), says=("more than the 2 that it may have", "--quota-code L-5F53652F")),
        replace(
            room_for(8, *"abdef0"), joining=(join("c"), join("9")), says=("7 addresses, and 2 more", ONLY)
        ),
        joins(
            f"{GATEWAY} in {ZONE} lists 32 addresses",
            ONLY,
            subject=GATEWAY,
            seen=regional(*(in_zone("a", ZONE) for _ in range(32)), in_zone("b", OTHER_ZONE)),
            joining=(join("c", zone=ZONE), join("d", zone=OTHER_ZONE)),
        ),
        joins(
            f"{GATEWAY} in {ZONE} lists 31 addresses, and 2 more",
            subject=GATEWAY,
            seen=regional(*(replace(in_zone("a", ZONE), zone_name="us-east-1a") for _ in range(31))),
            joining=(join("c", zone=ZONE), join("d", zone="us-east-1a")),
        ),
    ],
    "last": [
        Found(says=("No address", GATEWAY, ASSOCIATE), seen=gateway(address("a"), primary=False)),
        Found(
            says=("No address", ASSOCIATE),
            seen=gateway(address("a"), address("b"), primary=False),
            targets="ab",
        ),
        Found(
            says=("No address", "--availability-zone ..."),
            seen=regional(in_zone("a", ZONE), in_zone("b", OTHER_ZONE)),
            targets="ab",
        ),
    ],
    "remaining": [
        Found(
            says=(f"{GATEWAY} would keep 1 address in service", "keep at least 2", ASSOCIATE),
            seen=gateway(address("a")),
            policy={"remaining_addresses": 2},
        ),
        Found(
            says=(
                f"{GATEWAY} in {ZONE} would keep 0 addresses",
                "keep at least 1",
                f"--availability-zone-id {ZONE}",
            ),
            seen=regional(in_zone("a", ZONE), in_zone("b", OTHER_ZONE), in_zone("c", OTHER_ZONE)),
        ),
        Found(
            says=(f"{GATEWAY} in an unnamed zone would keep 0 addresses",),
            seen=regional(in_zone("a", None), in_zone("b", OTHER_ZONE)),
        ),
    ],
    "ports": [
        Found(
            says=(GATEWAY, "3 times in the last 15 minutes (ErrorPortAllocation)", "not fewer", ASSOCIATE),
            of_look={"load": {None: replace(IDLE, port_errors=3)}},
        ),
        Found(
            says=(f"{GATEWAY} in {ZONE} could not allocate a port 3 times", f"--availability-zone-id {ZONE}"),
            seen=regional(in_zone("a", ZONE), in_zone("b", ZONE), in_zone("c", OTHER_ZONE)),
            of_look={"load": {ZONE: replace(IDLE, port_errors=3), OTHER_ZONE: IDLE}},
        ),
    ],
    "capacity": [
        Found(
            says=("up to 110001 connections", "last 1440 minutes", "2 addresses", "110000", "over-estimates"),
            of_look={"load": {None: replace(IDLE, peak_connections=110_001)}},
        ),
        Found(
            says=("CloudWatch has no ActiveConnectionCount", GATEWAY, "last 1440 minutes"),
            of_look={"load": {None: replace(IDLE, peak_connections=None)}},
        ),
        Found(
            says=(f"{GATEWAY} in {ZONE} had up to 55001 connections", "1 address with ports for 55000"),
            seen=regional(in_zone("a", ZONE), in_zone("b", ZONE), in_zone("c", OTHER_ZONE)),
            of_look={"load": {ZONE: replace(IDLE, peak_connections=55_001), OTHER_ZONE: IDLE}},
        ),
    ],
    "pace": [
        Found(
            says=(f"Without {ip('a')}, {GATEWAY} would have lost 2", "60 minutes", "off 1", "replacements"),
            of_look={"pace": Pace(takes=(taken("c", in_service=4),))},
        ),
        Found(
            says=(f"With {ip('a')}, 4 addresses would have left all gateways", "may take off 3"),
            subject=None,
            of_look={"pace": Pace(takes=tuple(taken(name, gateway_id="nat-2") for name in "cde"))},
        ),
    ],
    "siblings": [
        Found(
            says=(
                f"{ip('b')} has failed (no luck). To take it off: aws ec2 disassociate-nat-gateway-address",
                f"--nat-gateway-id {GATEWAY} --association-ids {association('b')}",
            ),
            subject=association("b"),
            seen=gateway(address("a"), address("b", "failed", failure_message="no luck")),
        ),
        Found(
            says=(ip("b"), "has failed (EC2 gives no reason)", "no call that takes it off", "AWS Support"),
            subject=None,
            seen=gateway(address("a"), address("b", "failed", association_id=None)),
        ),
    ],
    "put_back": [
        Found(
            says=(ip("a"), f"had left as {association('c')} by 2026-10-02T17:00:00Z", "put it back since"),
            subject=association("a"),
            remembered=left("a", as_="c"),
        ),
        Found(
            says=(ip("a"), f"had left as {association('c')} while nobody watched"),
            subject=association("a"),
            remembered=left("a", as_="c", outcome=None, gone_by=None, requested_at=START),
        ),
    ],
    "owner": [
        Found(
            says=(GATEWAY, "the CloudFormation stack egress", "notices nothing until an update"),
            seen=gateway(address("a"), tags=OF_STACK),
        ),
        Found(
            says=(ip("a"), "the CloudFormation stack egress", "keeps the allocation"),
            subject=allocation("a"),
            tags={"a": OF_STACK},
        ),
        Found(
            says=(ip("a"), "carries the tag tool=X: X restores it."),
            subject=allocation("a"),
            tags={"a": {**MANAGED, "tool": "X"}},
            policy={"owner_tags": {"tool": "X restores it"}},
        ),
    ],
    "calendar": [
        Found(
            says=("The change calendar (freeze, weekend) is closed until 2026-10-05T06:00:00Z.",),
            subject=None,
            of_look={"calendar": ChangeCalendar(closed=True, until="2026-10-05T06:00:00Z")},
            policy={"change_calendars": ["freeze", "weekend"]},
        ),
        Found(says=("is closed.",), subject=None, of_look={"calendar": ChangeCalendar(closed=True)}),
    ],
}

DEFAULTS = {
    "room": (Verdict.REFUSE, Verdict.REFUSE),
    "remaining": (Verdict.REFUSE, Verdict.REFUSE),
    "ports": (Verdict.REFUSE, Verdict.REFUSE),
    "capacity": (Verdict.WARN, Verdict.REFUSE),
    "pace": (Verdict.WARN, Verdict.REFUSE),
    "siblings": (Verdict.WARN, Verdict.WARN),
    "put_back": (Verdict.WARN, Verdict.REFUSE),
    "owner": (Verdict.WARN, Verdict.REFUSE),
    "calendar": (Verdict.WARN, Verdict.REFUSE),
}
"""The verdicts of every guard that a request can lift: by hand, and automatic."""

FIXED = ["ec2", "opt_in", "protect", "hold", "aws_managed", "free", "last"]
LIFTABLE = list(DEFAULTS)
DRAINS_TOO = {"ec2", "opt_in", "protect", "aws_managed"}
"""The guards whose addresses are not even watched."""

RULE = {rule.name: rule for rule in RULES}


def rows(*names: str) -> pytest.MarkDecorator:
    """Return every finding of these guards."""
    found = [
        pytest.param(RULE[name], row, id=f"{name}-{number}")
        for name in names
        for number, row in enumerate(FOUND[name])
    ]
    return pytest.mark.parametrize(("rule", "found"), found)
