"""AssociateNatGatewayAddress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Network, Refused, Statuses
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from natdrain_sim.ec2 import Simulation
    from support.account import Account


def associate(ec2: EC2Client, net: Network, *allocation_ids: str, **parameters: Any) -> dict[str, Any]:
    return ec2.associate_nat_gateway_address(
        NatGatewayId=net.gateway_id, AllocationIds=list(allocation_ids), **parameters
    )


@pytest.fixture
def eips(simulation: Simulation) -> list[str]:
    return [simulation.add_address() for _ in range(9)]


@pytest.mark.fact("AssociateNatGatewayAddress returns the address as `associating`.", "documented")
def test_associate_returns_the_address_as_associating(ec2: EC2Client, alone: Network, spare: str) -> None:
    [address] = associate(ec2, alone, spare)["NatGatewayAddresses"]
    assert (address["AllocationId"], address["Status"]) == (spare, "associating")


@pytest.mark.fact("An associated address is `succeeded` within two minutes.", "documented")
def test_associated_address_is_succeeded_eventually(
    account: Account, ec2: EC2Client, alone: Network, spare: str, statuses: Statuses
) -> None:
    [address] = associate(ec2, alone, spare)["NatGatewayAddresses"]
    assert account.see(lambda: statuses(alone).get(address["AssociationId"]), "succeeded", 120) == "succeeded"


def test_associated_address_is_absent_then_associating_then_succeeded(
    ec2: EC2Client, net: Network, eips: list[str], statuses: Statuses, clock: Traveller
) -> None:
    [address] = associate(ec2, net, eips[0])["NatGatewayAddresses"]
    seen = [statuses(net).get(address["AssociationId"])]
    for seconds in (2, 30):
        clock.shift(seconds)
        seen.append(statuses(net).get(address["AssociationId"]))
    assert seen == [None, "associating", "succeeded"]


@pytest.mark.fact("A drained EIP that is associated again has a new association id.", "reported")
def test_associate_gives_the_same_allocation_a_new_association_id(
    account: Account, ec2: EC2Client, net: Network, statuses: Statuses
) -> None:
    left = net.association_ids[1]
    account.drain(net, 1)
    account.see(lambda: left in statuses(net), wanted=False, seconds=61)
    account.wait(60)
    [address] = associate(ec2, net, net.allocation_ids[1])["NatGatewayAddresses"]
    assert address["AllocationId"] == net.allocation_ids[1]
    assert address["AssociationId"] not in net.association_ids


@pytest.mark.fact("A dry run of AssociateNatGatewayAddress returns DryRunOperation.", "documented")
def test_associate_dry_run_changes_nothing(
    account: Account, ec2: EC2Client, alone: Network, spare: str, refused: Refused
) -> None:
    with refused("DryRunOperation"):
        associate(ec2, alone, spare, DryRun=True)
    account.wait(60)
    assert "AssociationId" not in ec2.describe_addresses(AllocationIds=[spare])["Addresses"][0]


@pytest.mark.fact("AssociateNatGatewayAddress takes a given private IP of the subnet.", "documented")
def test_associate_takes_a_given_private_ip(ec2: EC2Client, alone: Network, spare: str) -> None:
    [address] = associate(ec2, alone, spare, PrivateIpAddresses=["10.0.0.200"])["NatGatewayAddresses"]
    assert address["PrivateIp"] == "10.0.0.200"


def test_associate_takes_private_ips_in_the_order_of_the_eips(
    ec2: EC2Client, net: Network, eips: list[str]
) -> None:
    given = ["10.0.0.99", "10.0.0.98"]
    addresses = associate(ec2, net, *eips[:2], PrivateIpAddresses=given)["NatGatewayAddresses"]
    assert [one["AllocationId"] for one in addresses] == eips[:2]
    assert [one["PrivateIp"] for one in addresses] == given


def test_associate_adds_several_eips_at_once(
    account: Account, ec2: EC2Client, alone: Network, statuses: Statuses
) -> None:
    eips = account.spares(2)
    joining = associate(ec2, alone, *eips)["NatGatewayAddresses"]
    ids = [one["AssociationId"] for one in joining]
    assert account.see(
        lambda: {statuses(alone).get(one) for one in ids}, wanted={"succeeded"}, seconds=120
    ) == {"succeeded"}
