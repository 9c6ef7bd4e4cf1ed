"""Stories of invalid requests: all problems are reported at once, and nothing has changed afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from support.stories import MANAGED, BuildGateway, NatGateway, refused

UNKNOWN = "eipassoc-0123456789abcdef0"

Wrong = Callable[[NatGateway], Any]

FORMS: dict[str, tuple[Wrong, str]] = {
    "no object": (lambda _: [1], "The input must be a JSON object"),
    "no gateway": (lambda g: {"AssociationIds": g.named(1)["AssociationIds"]}, "NatGatewayId is missing"),
    "no addresses": (lambda g: {"NatGatewayId": g.gateway_id}, "No address is named"),
    "malformed gateway": (lambda g: g.named(1, NatGatewayId="nat-7"), "NatGatewayId must look like"),
    "malformed association": (lambda g: g.named(1, AssociationIds=["x"]), "AssociationIds must look like"),
    "empty list": (lambda g: g.named(), "the list is empty"),
    "duplicates": (lambda g: g.named(1, 1), "more than once"),
    "too many": (
        lambda g: g.named(AssociationIds=[f"{UNKNOWN[:-1]}{n}" for n in range(9)]),
        "names 9 addresses",
    ),
    "limit 0": (lambda g: g.named(1, MaxDrainDurationSeconds=0), "from 1 to 4000, not 0"),
    "limit 4001": (lambda g: g.named(1, MaxDrainDurationSeconds=4001), "from 1 to 4000, not 4001"),
    "limit text": (lambda g: g.named(1, MaxDrainDurationSeconds="350"), 'from 1 to 4000, not "350"'),
    "limit true": (lambda g: g.named(1, MaxDrainDurationSeconds=True), "from 1 to 4000, not true"),
    "unknown field": (lambda g: g.named(1, DryRum=True), 'Unknown field "DryRum": did you mean DryRun?'),
    "200 KB": (lambda g: g.named(1, Reason="x" * 200_000), "Reason must be a text of at most 500"),
    "primary": (lambda g: g.named(0), "is the primary address"),
    "not associated": (lambda g: g.named(AssociationIds=[UNKNOWN]), f"{UNKNOWN} is not on nat-"),
    "unknown gateway": (
        lambda g: g.named(1, NatGatewayId="nat-0123456789abcdef0"),
        "There is no NAT gateway",
    ),
    "two ways that disagree": (
        lambda g: g.named(1, PublicIps=[g.addresses[2]["PublicIp"]]),
        "in ways that disagree",
    ),
    "unknown public IP": (
        lambda _: {"PublicIps": ["198.51.100.1"]},
        "no NAT gateway of this account and region",
    ),
}


@pytest.mark.parametrize("wrong", FORMS)
def test_request_is_refused_and_nothing_changes(cloud: EmbeddedCloud, nat: BuildGateway, wrong: str) -> None:
    gateway = nat()
    build, problem = FORMS[wrong]
    problems = refused(cloud.run(build(gateway)))
    assert any(problem in line for line in problems)
    assert gateway.changes() == []
    assert gateway.shown() == gateway.addresses


def test_refusal_of_the_primary_names_it_and_says_that_ec2_forbids_it(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(0))
    refused(run)
    assert gateway.addresses[0]["PublicIp"] in run.result["Summary"]
    assert "EC2 forbids" in run.result["Summary"]


def test_address_of_another_gateway_is_refused(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, other = nat(), nat()
    (problem,) = refused(cloud.run(gateway.named(AssociationIds=other.named(1)["AssociationIds"])))
    assert "may have left, be mistyped or belong to another gateway" in problem


def test_public_ips_of_two_gateways_are_refused(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    ips = [nat().addresses[1]["PublicIp"] for _ in range(2)]
    (problem,) = refused(cloud.run({"PublicIps": ips}))
    assert "are on several gateways" in problem


@pytest.mark.parametrize("state", ["pending", "deleting", "deleted", "failed"])
def test_gateway_that_is_not_available_is_refused(
    cloud: EmbeddedCloud, nat: BuildGateway, state: str
) -> None:
    gateway = nat()
    cloud.simulation.set_gateway_state(gateway.gateway_id, state)
    cloud.clock.advance(5)
    assert any(f"is {state};" in problem for problem in refused(cloud.run(gateway.named(1))))
    assert gateway.changes() == []


def test_private_gateway_is_refused(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(0)
    problems = refused(cloud.run(gateway.named(AssociationIds=[UNKNOWN])))
    assert any("is a private NAT gateway" in problem for problem in problems)


@pytest.mark.parametrize(
    ("tags", "address_tags", "problem"),
    [
        ({}, MANAGED, "does not carry the tag natdrain:managed=true"),
        (MANAGED, {}, "does not carry the tag natdrain:managed=true"),
        ({**MANAGED, "natdrain:protect": ""}, MANAGED, "carries the tag natdrain:protect"),
        (MANAGED, {**MANAGED, "natdrain:protect": ""}, "carries the tag natdrain:protect"),
    ],
)
def test_tags_are_obeyed(
    cloud: EmbeddedCloud, nat: BuildGateway, tags: dict[str, str], address_tags: dict[str, str], problem: str
) -> None:
    gateway = nat(tags=tags, address_tags={1: address_tags})
    (found,) = refused(cloud.run(gateway.named(1)))
    assert problem in found
    assert gateway.changes() == []


def test_every_problem_is_reported_at_once(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(tags={}, address_tags={1: {"natdrain:protect": ""}})
    request = gateway.named(0, 1)
    request["AssociationIds"].append(UNKNOWN)
    assert len(refused(cloud.run(request))) == 5


def test_gateway_is_free_after_a_refusal(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    refused(cloud.run(gateway.named(0)))
    assert cloud.run(gateway.named(1, MaxDrainDurationSeconds=1)).status == "SUCCEEDED"
