"""Stories of guards that refuse a drain, or only warn about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.guard_stories import (
    AUTOMATIC,
    HAND,
    drained,
    fail,
    hold,
    measured,
    names_of,
    put_back,
    set_calendar,
    started,
    tag,
)
from support.stories import MANAGED, BuildGateway, NatGateway, problems, refused

PROTECTED = {**MANAGED, "natdrain:protect": ""}
ZONES = ["us-east-1a", "us-east-1b", "us-east-1b", "us-east-1b"]

Find = Callable[[BuildGateway], tuple[NatGateway, dict[str, Any]]]
"""A function that builds a gateway and a request for which a guard finds something."""


@pytest.fixture(autouse=True)
def _open_calendar(cloud: EmbeddedCloud) -> Iterator[None]:
    """Open the calendar again for the next story."""
    yield
    set_calendar(cloud, "DEFAULT_OPEN")


def state(gateway: NatGateway) -> object:
    """Return what EC2 shows of the gateway, and the changes requested from EC2 so far."""
    return gateway.shown(), gateway.changes()


def a_gateway_that(change: Callable[[NatGateway], object], **built: Any) -> Find:
    """Return a function that builds a usual gateway with this change, and a request for its address 1."""

    def find(nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
        gateway = nat(**built)
        change(gateway)
        return gateway, gateway.named(1)

    return find


def the_primary(nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat()
    return gateway, gateway.named(0)


def all_of_them(nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat(1, zones=ZONES[:1])
    return gateway, gateway.named(0)


def the_only_one_of_a_zone(nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat(4, zones=ZONES)
    return gateway, gateway.named(0)


def another_one_taken(nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat(4)
    drained(gateway.cloud.run(started(AUTOMATIC, gateway.named(1))))
    return gateway, gateway.named(2)


def one_put_back(nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat()
    put_back(gateway, 1)
    return gateway, gateway.named(2)


FIXED: dict[str, tuple[Find, str]] = {
    "ec2": (the_primary, "is the primary address"),
    "opt_in": (a_gateway_that(lambda _: None, tags={}), "does not carry the tag natdrain:managed=true"),
    "protect": (
        a_gateway_that(lambda _: None, address_tags={1: PROTECTED}),
        "carries the tag natdrain:protect, which no request can lift. To lift it: aws ec2 delete-tags",
    ),
    "hold": (
        a_gateway_that(lambda g: hold(g.cloud, g.gateway_id, Hold={"S": "alice, incident 4711"})),
        "is held (alice, incident 4711). Anyone who may lift it: aws dynamodb delete-item",
    ),
    "aws_managed": (
        a_gateway_that(lambda _: None, addresses=3, zones=ZONES[:3], automatic=True),
        "whose addresses AWS manages",
    ),
    "last": (all_of_them, "would stay in service. Associate another one first: aws ec2 associate-nat-gate"),
}
LIFTABLE: dict[str, tuple[Find, str]] = {
    "remaining": (the_only_one_of_a_zone, "would keep 0 addresses in service"),
    "ports": (
        a_gateway_that(lambda g: measured(g, "ErrorPortAllocation", 3)),
        "could not allocate a port 3 times in the last 15 minutes",
    ),
    "capacity": (
        a_gateway_that(lambda g: measured(g, "ActiveConnectionCount", 110_001)),
        "had up to 110001 connections at once",
    ),
    "pace": (another_one_taken, "would have lost 2 of its addresses in service since automatic requests"),
    "siblings": (
        a_gateway_that(lambda g: fail(g, 2)),
        "has failed (no luck). To take it off: aws ec2 disass",
    ),
    "put_back": (one_put_back, "somebody has put it back since"),
    "owner": (
        a_gateway_that(lambda g: tag(g, g.addresses[1]["AllocationId"], "terraform", "egress")),
        "carries the tag terraform=egress: the next apply puts the address back",
    ),
    "calendar": (
        a_gateway_that(lambda g: set_calendar(g.cloud, "DEFAULT_CLOSED")),
        "The change calendar (egress-freeze) is closed.",
    ),
}
WARNED = [
    *((name, HAND) for name in ("capacity", "pace", "put_back", "owner", "calendar")),
    *(("siblings", how) for how in (HAND, AUTOMATIC)),
]
REFUSED = [(name, how) for name in LIFTABLE for how in (HAND, AUTOMATIC) if (name, how) not in WARNED]


def only_problem(cloud: EmbeddedCloud, gateway: NatGateway, request: Any, guard: str, says: str) -> str:
    """Return the problem of the only guard that refuses, after checking that nothing has changed."""
    before = state(gateway)
    (problem,) = refused(cloud.run(request))
    assert names_of([problem]) == [guard]
    assert says in problem
    assert state(gateway) == before
    return problem


@pytest.mark.parametrize("how", [HAND, AUTOMATIC])
@pytest.mark.parametrize("name", FIXED)
def test_fixed_guard_refuses_and_nothing_changes(
    cloud: EmbeddedCloud, nat: BuildGateway, name: str, how: str
) -> None:
    find, says = FIXED[name]
    gateway, request = find(nat)
    only_problem(cloud, gateway, started(how, request), name, says)


@pytest.mark.parametrize(("name", "how"), REFUSED)
def test_guard_refuses_and_nothing_changes_until_it_is_overridden(
    cloud: EmbeddedCloud, nat: BuildGateway, name: str, how: str
) -> None:
    find, says = LIFTABLE[name]
    gateway, request = find(nat)
    problem = only_problem(cloud, gateway, started(how, request), name, says)

    override = json.loads(re.findall(r"Override: (\[.*\])", problem)[0])
    warnings = drained(cloud.run(started(how, {**request, "Override": override})))
    (overridden,) = [text for text in warnings if names_of([text]) == [name]]
    assert says in overridden
    assert overridden.endswith("(Overridden.)")


@pytest.mark.parametrize(("name", "how"), WARNED)
def test_guard_warns_and_the_drain_continues_to_its_end(
    cloud: EmbeddedCloud, nat: BuildGateway, name: str, how: str
) -> None:
    find, says = LIFTABLE[name]
    _, request = find(nat)
    warnings = drained(cloud.run(started(how, request)))
    [warning] = [text for text in warnings if names_of([text]) == [name]]
    assert says in warning


def test_guards_report_everything_at_once(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    tags = {"natdrain:protect": "", "terraform": "egress"}
    gateway = nat(5, zones=[*ZONES, ZONES[-1]], address_tags={3: tags})
    put_back(gateway, 0)
    in_its_zone, failed, protected = 4, 0, 2
    fail(gateway, failed)
    hold(cloud, gateway.gateway_id, Hold={"S": "alice"})
    measured(gateway, "ErrorPortAllocation", 1, ZONES[0])
    measured(gateway, "ActiveConnectionCount", 55_001, ZONES[0])
    set_calendar(cloud, "DEFAULT_CLOSED")
    cloud.simulation.set_gateway_state(gateway.gateway_id, "pending")
    cloud.clock.advance(5)
    before = state(gateway)
    run = cloud.run(started(AUTOMATIC, gateway.named(in_its_zone, protected)))
    reported = [*FIXED, *LIFTABLE]
    for silent in ("aws_managed", "last", "siblings"):
        reported.remove(silent)
    assert names_of(refused(run)) == reported
    assert names_of(run.result["Warnings"]) == ["siblings"]
    assert state(gateway) == before


def test_warnings_are_reported_although_the_drain_fails(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    measured(gateway, "ActiveConnectionCount", 110_001)
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    cloud.client("ec2").delete_nat_gateway(NatGatewayId=gateway.gateway_id)
    run = cloud.wait(execution)
    assert run.error == "DrainFailed"
    assert "capacity" in names_of(run.result["Warnings"])


def test_warnings_are_reported_once_however_often_the_guards_were_judged(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    measured(gateway, "ActiveConnectionCount", 110_001)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    run = cloud.run(started(HAND, gateway.named(1, 2)))
    assert run.status == "SUCCEEDED"
    assert names_of(run.result["Warnings"]).count("capacity") == 1


@pytest.mark.parametrize("override", [[], ["ports"]])
def test_dry_run_reports_what_a_drain_would_report(
    cloud: EmbeddedCloud, nat: BuildGateway, override: list[str]
) -> None:
    gateway = nat()
    measured(gateway, "ErrorPortAllocation", 3)
    measured(gateway, "ActiveConnectionCount", 110_001)
    request = {**gateway.named(1), "Override": override}
    planned, real = cloud.run({**request, "DryRun": True}), cloud.run(request)
    assert planned.error == real.error
    assert problems(planned.result) == problems(real.result)
    of_guards = [text for text in real.result["Warnings"] if names_of([text])[0] in LIFTABLE]
    assert of_guards == planned.result["Warnings"][: len(of_guards)]


@pytest.mark.parametrize(
    ("minutes", "metric", "value"), [(15, "ErrorPortAllocation", 3), (1440, "ActiveConnectionCount", 110_001)]
)
def test_metrics_older_than_their_window_are_forgotten(
    cloud: EmbeddedCloud, nat: BuildGateway, minutes: int, metric: str, value: float
) -> None:
    gateway = nat()
    measured(gateway, metric, value)
    cloud.clock.advance(minutes * 60)
    names = names_of(drained(cloud.run(started(HAND, gateway.named(1)))))
    assert {"ports", "capacity"}.isdisjoint(names)


# Judged again before each request to EC2


@pytest.mark.parametrize("name", ["hold", "ports"])
def test_guard_is_judged_again_for_an_address_that_must_wait(
    cloud: EmbeddedCloud, nat: BuildGateway, name: str
) -> None:
    find: Callable[[NatGateway], object] = {
        "hold": lambda g: hold(cloud, g.gateway_id, Hold={"S": "alice"}),
        "ports": lambda g: measured(g, "ErrorPortAllocation", 1),
    }[name]
    gateway = nat(5)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1, 3), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    execution = cloud.start(gateway.named(1, 2))
    cloud.clock.advance(20)
    find(gateway)
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"]) == ("DrainFailed", "some")
    assert [address["Outcome"] for address in run.result["Addresses"]] == ["drained", "not_asked"]
    assert f"{name}: " in problems(run.result)[0]
    assert gateway.changes() == []


def test_guard_that_is_overridden_allows_an_address_later_too(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    execution = cloud.start(gateway.named(1, 2, Override=["ports"]))
    cloud.clock.advance(20)
    measured(gateway, "ErrorPortAllocation", 1)
    assert "ports" in names_of(drained(cloud.wait(execution)))


# Invalid overrides


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (["capacty"], '"capacty" is no guard'),
        (["Capacity"], '"Capacity" is no guard'),
        (["protect"], '"protect" cannot be overridden'),
        (["last", "capacity", "all"], '"last" cannot be overridden; "all" is no guard'),
        ([7], "7 is no guard"),
        ("capacity", 'must be a list of guards, such as ["room"]; not "capacity"'),
        (True, "must be a list of guards"),
    ],
)
def test_override_of_what_cannot_be_overridden_is_refused(
    cloud: EmbeddedCloud, nat: BuildGateway, override: object, problem: str
) -> None:
    gateway = nat()
    (reported,) = refused(cloud.run(gateway.named(1, Override=override)))
    assert reported.startswith("Override ")
    assert problem in reported
    if isinstance(override, list):
        liftable = ", ".join(["room", *LIFTABLE])
        assert reported.endswith(f"what can be overridden is {liftable}.")
    assert gateway.changes() == []


def test_guards_are_judged_with_all_the_facts_they_need_when_a_read_is_stale(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(1)
    cloud.simulation.configure(lags=Lags(describe_nat_gateways=30))
    drained(cloud.wait(execution))
