"""Stories of what EC2 shows and answers although nobody expects it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.guard_stories import AUTOMATIC, HAND, drained, fail, measured, names_of, started
from support.stories import BuildGateway, NatGateway, refused

DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"
ZONES = ["us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"]

both = pytest.mark.parametrize("how", [HAND, AUTOMATIC])


@pytest.fixture
def slow(cloud: EmbeddedCloud) -> Iterator[None]:
    """Let associating take a minute."""
    cloud.simulation.configure(lags=Lags(associate=60))
    return


def join(gateway: NatGateway) -> str:
    """Associate another address, as somebody's Terraform run does; return its allocation."""
    spare = gateway.cloud.simulation.add_address(tags={"natdrain:managed": "true"})
    gateway.cloud.client("ec2").associate_nat_gateway_address(
        NatGatewayId=gateway.gateway_id, AllocationIds=[spare]
    )
    return spare


def states(run: Any) -> list[str]:
    return [name for _, name in run.states]


# Another address is being associated


@both
@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("seconds", [0, 1, 2, 10, 59])
def test_drain_waits_while_another_address_joins(
    cloud: EmbeddedCloud, nat: BuildGateway, how: str, seconds: int
) -> None:
    gateway = nat()
    join(gateway)
    cloud.clock.advance(seconds)
    drained(cloud.run(started(how, gateway.named(1))))


@both
@pytest.mark.usefixtures("slow")
def test_drain_waits_when_only_the_address_that_joins_would_stay(
    cloud: EmbeddedCloud, nat: BuildGateway, how: str
) -> None:
    gateway = nat(1, zones=ZONES[:1])
    spare = cloud.simulation.add_address(tags={"natdrain:managed": "true"})
    cloud.client("ec2").associate_nat_gateway_address(
        NatGatewayId=gateway.gateway_id, AllocationIds=[spare], AvailabilityZone=ZONES[0]
    )
    cloud.clock.advance(10)
    drained(cloud.run(started(how, gateway.named(0))))


@pytest.mark.usefixtures("slow")
def test_drain_is_refused_at_once_by_what_no_address_that_joins_can_lift(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(tags={})
    join(gateway)
    cloud.clock.advance(10)
    run = cloud.run(gateway.named(1))
    assert names_of(refused(run)) == ["opt_in"]
    assert "Wait" not in states(run)


# Addresses that have failed


def test_address_that_has_failed_is_taken_off_when_ec2_does_so(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    fail(gateway, 1)
    cloud.simulation.fail_when_drained(gateway.addresses[1]["AssociationId"], None)
    drained(cloud.run(gateway.named(1)))


def test_address_that_has_failed_ends_with_the_answer_of_ec2(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    fail(gateway, 1)
    cloud.recorder.faults = [
        Fault(operation=DISASSOCIATE, error="InvalidParameter", status=400, message="It has failed.")
    ]
    run = cloud.run(gateway.named(1))
    assert (run.error, run.result["Changed"]) == ("DrainFailed", "none")
    assert "InvalidParameter: It has failed." in run.result["Addresses"][0]["Detail"]


def test_address_whose_drain_fails_again_ends_as_failed(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    fail(gateway, 1)
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=10))
    assert (run.error, run.result["Addresses"][0]["Outcome"]) == ("DrainFailed", "failed")
    assert "no luck" in run.result["Addresses"][0]["Detail"]


@both
def test_other_address_that_has_failed_is_a_warning_with_the_command_that_deals_with_it(
    cloud: EmbeddedCloud, nat: BuildGateway, how: str
) -> None:
    gateway = nat(4)
    fail(gateway, 2)
    warnings = drained(cloud.run(started(how, gateway.named(1))))
    [sibling] = [text for text in warnings if text.startswith("siblings: ")]
    command = (
        f"--nat-gateway-id {gateway.gateway_id} --association-ids {gateway.addresses[2]['AssociationId']}"
    )
    assert sibling.endswith(f"aws ec2 disassociate-nat-gateway-address {command}")


# Entries of draining addresses without their association id


@pytest.fixture
def unnamed(cloud: EmbeddedCloud) -> Iterator[None]:
    """Let DescribeNatGateways show draining addresses without their association id."""
    cloud.simulation.configure(lags=Lags(draining_association=False))
    return


def names(gateway: NatGateway, number: int) -> list[dict[str, Any]]:
    """Return a request for an address by each of its names."""
    return [gateway.called(way, number) for way in ("AssociationIds", "AllocationIds", "PublicIps")]


@pytest.mark.usefixtures("unnamed")
def test_drain_is_watched_to_its_end_when_its_entry_has_no_association(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=100))
    drained(run)
    assert run.result["Addresses"][0]["LimitReached"] is not False
    assert run.seconds >= 100


@pytest.mark.usefixtures("unnamed")
@pytest.mark.parametrize("way", range(3))
def test_drain_of_a_stopped_execution_is_adopted_when_its_entry_has_no_association(
    cloud: EmbeddedCloud, nat: BuildGateway, way: int
) -> None:
    gateway = nat()
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    run = cloud.run(names(gateway, 1)[way])
    drained(run)
    assert 200 < run.seconds < 350
    assert run.result["Addresses"][0]["AssociationId"] == gateway.addresses[1]["AssociationId"]


@pytest.mark.usefixtures("unnamed")
def test_release_follows_the_drain_when_its_entry_has_no_association(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=100, AfterDrain="release"))
    assert (run.status, run.result["Outcome"]) == ("SUCCEEDED", "released")
    assert run.seconds > 130


# The load of a regional gateway


def test_ports_of_a_zone_are_judged_by_the_metrics_of_the_zone(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4, zones=ZONES)
    measured(gateway, "ErrorPortAllocation", 3, "us-east-1a")
    [problem] = refused(cloud.run(gateway.named(0)))
    assert problem.startswith(f"ports: {gateway.gateway_id} in use1-az6 could not allocate a port 3 times")
    drained(cloud.run(gateway.named(2)))


def test_capacity_of_a_zone_is_judged_by_the_metrics_of_the_zone(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4, zones=ZONES)
    measured(gateway, "ActiveConnectionCount", 55_001, "us-east-1a")
    assert "capacity" in names_of(drained(cloud.run(gateway.named(0))))
    assert "capacity" not in names_of(drained(cloud.run(gateway.named(2))))


# Whether anything was cut, and what is at stake


@pytest.mark.parametrize("seed", range(5))
def test_result_tells_of_every_drain_whether_it_stayed_to_its_limit(
    cloud: EmbeddedCloud, nat: BuildGateway, seed: int
) -> None:
    cloud.simulation.configure(seed=seed)
    result = cloud.run(nat().named(1)).result
    assert "not known" not in result["Summary"]
    assert "347 of 350 s" in result["Summary"] or "after its limit of 350 s" in result["Summary"]


def test_plan_and_start_tell_how_many_connections_are_at_stake(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    for address in gateway.addresses:
        for _ in range(2):
            cloud.simulation.add_connection(
                gateway.gateway_id, address["AssociationId"], lifetime_seconds=9000
            )
    [row] = cloud.run(gateway.named(1, DryRun=True)).result["Addresses"]
    assert (row["GatewayConnections"], row["ConnectionsEstimate"]) == (6, 2)
    [row] = cloud.run(gateway.named(1)).result["Addresses"]
    assert (row["GatewayConnections"], row["ConnectionsEstimate"]) == (6, 2)
