"""AssociateNatGatewayAddress: how an address comes to a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from conftest import BuildNetwork, Network, Refused, Statuses
    from natdrain_sim.ec2 import Simulation


def associate(ec2: EC2Client, net: Network, *allocation_ids: str, **parameters: Any) -> dict[str, Any]:
    return ec2.associate_nat_gateway_address(
        NatGatewayId=net.gateway_id, AllocationIds=list(allocation_ids), **parameters
    )


@pytest.fixture
def eips(simulation: Simulation) -> list[str]:
    return [simulation.add_address() for _ in range(9)]


def test_associate_answers_with_the_address_as_associating(
    ec2: EC2Client, net: Network, eips: list[str]
) -> None:
    [address] = associate(ec2, net, eips[0])["NatGatewayAddresses"]
    assert (address["AllocationId"], address["Status"]) == (eips[0], "associating")


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


def test_associate_refuses_an_eip_in_use(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("Resource.AlreadyAssociated"):
        associate(ec2, net, net.allocation_ids[1])


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


def test_associate_refuses_an_empty_list(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("MissingParameter"):
        associate(ec2, net)


def test_associate_refuses_a_private_gateway(
    ec2: EC2Client, net: Network, eips: list[str], simulation: Simulation, refused: Refused
) -> None:
    private = simulation.add_nat_gateway(net.subnet_id)
    with refused("InvalidParameter"):
        ec2.associate_nat_gateway_address(NatGatewayId=private, AllocationIds=[eips[0]])


def test_associate_is_refused_while_an_address_associates(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    associate(ec2, net, eips[0])
    with refused("OperationInProgress", f"ASSOCIATING the following EIPs: [{eips[0]}]"):
        associate(ec2, net, eips[1])


def test_associate_is_refused_while_an_address_drains(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=net.association_ids[1:2])
    with refused("OperationInProgress", f"DISASSOCIATING the following EIPs: [{net.allocation_ids[1]}]"):
        associate(ec2, net, eips[0])


def test_associate_gives_the_same_allocation_a_new_association_id(
    ec2: EC2Client, net: Network, clock: Traveller
) -> None:
    ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=net.association_ids[1:2])
    clock.shift(400)
    [address] = associate(ec2, net, net.allocation_ids[1])["NatGatewayAddresses"]
    assert address["AllocationId"] == net.allocation_ids[1]
    assert address["AssociationId"] not in net.association_ids


def test_associate_dry_run_changes_nothing(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused, clock: Traveller
) -> None:
    with refused("DryRunOperation"):
        associate(ec2, net, eips[0], DryRun=True)
    clock.shift(60)
    assert "AssociationId" not in ec2.describe_addresses(AllocationIds=eips[:1])["Addresses"][0]
