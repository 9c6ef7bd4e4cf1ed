"""AssociateNatGatewayAddress: refused requests."""

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


@pytest.mark.fact(
    "AssociateNatGatewayAddress refuses an unknown EIP: InvalidAllocationID.NotFound.", "reported"
)
def test_associate_refuses_an_unknown_eip(ec2: EC2Client, alone: Network, refused: Refused) -> None:
    with refused("InvalidAllocationID.NotFound"):
        associate(ec2, alone, "eipalloc-00000000000000000")


@pytest.mark.fact("AssociateNatGatewayAddress refuses an EIP given twice: InvalidParameterValue.", "inferred")
def test_associate_refuses_an_eip_given_twice(
    ec2: EC2Client, alone: Network, spare: str, refused: Refused
) -> None:
    with refused("InvalidParameterValue", "twice"):
        associate(ec2, alone, spare, spare)


def test_associate_refuses_an_eip_that_an_instance_uses(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    (instance,) = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=net.subnet_id)[
        "Instances"
    ]
    ec2.associate_address(AllocationId=eips[0], InstanceId=instance["InstanceId"])
    with refused("Resource.AlreadyAssociated"):
        associate(ec2, net, eips[0])


def test_associate_refuses_an_eip_of_another_service(
    ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused
) -> None:
    with refused("OperationNotPermitted", "alb"):
        associate(ec2, net, simulation.add_address(service_managed="alb"))


def test_associate_refuses_an_eip_of_another_border_group(
    ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused
) -> None:
    """Documented: the group must be that of the zone (VPC user guide). Inferred: the code."""
    with refused("InvalidParameterCombination", "us-east-1-bos-1"):
        associate(ec2, net, simulation.add_address(border_group="us-east-1-bos-1"))


def test_gateway_of_another_border_group_takes_only_eips_of_that_group(
    ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused
) -> None:
    first, second = (simulation.add_address(border_group="us-east-1-bos-1") for _ in range(2))
    request: Any = {"NatGatewayId": simulation.add_nat_gateway(net.subnet_id, [first])}
    with refused("InvalidParameterCombination"):
        ec2.associate_nat_gateway_address(**request, AllocationIds=[simulation.add_address()])
    assert ec2.associate_nat_gateway_address(**request, AllocationIds=[second])


@pytest.mark.fact(
    "AssociateNatGatewayAddress refuses a private IP outside the subnet: InvalidParameterValue.", "inferred"
)
def test_associate_refuses_a_private_ip_of_no_subnet(
    ec2: EC2Client, alone: Network, spare: str, refused: Refused
) -> None:
    with refused("InvalidParameterValue"):
        associate(ec2, alone, spare, PrivateIpAddresses=["10.9.9.9"])


@pytest.mark.parametrize("ip", ["10.0.0.0", "10.0.0.3", "10.0.0.4", "10.0.0.255", "10.0.1.4", "ten"])
def test_associate_refuses_a_private_ip_that_is_not_free(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused, ip: str
) -> None:
    """AWS reserves the first four and the last; the gateway's primary address has 10.0.0.4."""
    with refused("InvalidParameterValue", ip):
        associate(ec2, net, eips[0], PrivateIpAddresses=[ip])


def test_associate_refuses_a_private_ip_given_twice(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    with refused("InvalidParameterValue", "10.0.0.99"):
        associate(ec2, net, *eips[:2], PrivateIpAddresses=["10.0.0.99"] * 2)


def test_associate_refuses_another_number_of_private_ips(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    with refused("InvalidParameterCombination"):
        associate(ec2, net, *eips[:2], PrivateIpAddresses=["10.0.0.99"])


def test_associate_refuses_more_than_the_subnet_has_free(
    account: Account, ec2: EC2Client, simulation: Simulation, eips: list[str], refused: Refused
) -> None:
    """A /28 has 11 free addresses; those of an address that has left are free again."""
    vpc_id, _ = account.make_subnet()
    ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="10.1.0.0/28")
    small = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.1.0.0/28")["Subnet"]["SubnetId"]
    one = simulation.add_nat_gateway(small, eips[:8])
    request: Any = {"NatGatewayId": simulation.add_nat_gateway(small, [simulation.add_address()])}
    spares = [simulation.add_address() for _ in range(3)]
    text = "The specified subnet does not have enough free addresses to satisfy the request."
    with refused("InsufficientFreeAddressesInSubnet", text):
        ec2.associate_nat_gateway_address(**request, AllocationIds=spares)
    drained = account.look(one)["NatGatewayAddresses"][1]
    ec2.disassociate_nat_gateway_address(
        NatGatewayId=one, AssociationIds=[drained["AssociationId"]], MaxDrainDurationSeconds=1
    )
    account.wait(1 + 40)
    joining = ec2.associate_nat_gateway_address(**request, AllocationIds=spares)["NatGatewayAddresses"]
    assert drained["PrivateIp"] in [address["PrivateIp"] for address in joining]


@pytest.mark.fact("AssociateNatGatewayAddress changes nothing when one of several is refused.", "inferred")
def test_associate_changes_nothing_when_one_of_several_is_refused(
    account: Account, alone: Network, spare: str, refused: Refused, statuses: Statuses
) -> None:
    with refused("InvalidAllocationID.NotFound"):
        associate(account.ec2, alone, spare, "eipalloc-00000000000000000")
    account.wait(5)
    assert list(statuses(alone)) == alone.association_ids
    assert associate(account.ec2, alone, spare)["NatGatewayAddresses"]


def test_associate_takes_no_private_ip_when_one_of_several_is_refused(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    with refused("InvalidParameterValue", "10.0.0.4"):
        associate(ec2, net, *eips[:2], PrivateIpAddresses=["10.0.0.99", "10.0.0.4"])
    assert associate(ec2, net, eips[0], PrivateIpAddresses=["10.0.0.99"])["NatGatewayAddresses"]
