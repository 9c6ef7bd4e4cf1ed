"""AssociateNatGatewayAddress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import BuildNetwork, Network, Refused, Statuses
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
    for seconds in (2, 5):
        clock.shift(seconds)
        seen.append(statuses(net).get(address["AssociationId"]))
    assert seen == [None, "associating", "succeeded"]


def test_associate_refuses_more_than_eight_addresses(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    with refused("PrivateIpAddressLimitExceeded"):
        associate(ec2, net, *eips[:6])


@pytest.mark.fact("AssociateNatGatewayAddress refuses an EIP that the gateway already has.", "inferred")
def test_associate_refuses_an_eip_in_use(ec2: EC2Client, alone: Network, refused: Refused) -> None:
    with refused("Resource.AlreadyAssociated"):
        associate(ec2, alone, alone.allocation_ids[0])


def test_associate_refuses_an_eip_that_an_interface_uses(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    interface = ec2.create_network_interface(SubnetId=net.subnet_id)["NetworkInterface"]
    ec2.associate_address(AllocationId=eips[0], NetworkInterfaceId=interface["NetworkInterfaceId"])
    with refused("Resource.AlreadyAssociated"):
        associate(ec2, net, eips[0])


def test_associate_refuses_an_eip_that_still_drains(
    ec2: EC2Client, network: BuildNetwork, refused: Refused, clock: Traveller
) -> None:
    one, other = network(), network()
    ec2.disassociate_nat_gateway_address(NatGatewayId=one.gateway_id, AssociationIds=one.association_ids[1:2])
    clock.shift(349)
    with refused("Resource.AlreadyAssociated"):
        associate(ec2, other, one.allocation_ids[1])


@pytest.mark.fact("AssociateNatGatewayAddress refuses an empty list: MissingParameter.", "inferred")
def test_associate_refuses_an_empty_list(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("MissingParameter"):
        associate(ec2, net)


@pytest.mark.fact("AssociateNatGatewayAddress refuses a private gateway: InvalidParameter.", "inferred")
def test_associate_refuses_a_private_gateway(
    ec2: EC2Client, private_gateway: str, spare: str, refused: Refused
) -> None:
    with refused("InvalidParameter"):
        ec2.associate_nat_gateway_address(NatGatewayId=private_gateway, AllocationIds=[spare])


@pytest.mark.fact("While an address associates, another cannot: OperationInProgress.", "reported")
def test_associate_is_refused_while_an_address_associates(
    account: Account, ec2: EC2Client, alone: Network, refused: Refused
) -> None:
    """Code and text: hashicorp/terraform-provider-aws issue 44581."""
    one, other = account.spares(2)
    associate(ec2, alone, one)
    with refused("OperationInProgress", f"ASSOCIATING the following EIPs: [{one}]"):
        associate(ec2, alone, other)


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
