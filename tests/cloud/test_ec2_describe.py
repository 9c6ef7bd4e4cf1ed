"""DescribeNatGateways and DescribeAddresses: what they show, and how late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from conftest import BuildNetwork, Network, Refused, Statuses
    from natdrain_sim.ec2 import Simulation


def described(ec2: EC2Client, **parameters: Any) -> list[str]:
    return [one["NatGatewayId"] for one in ec2.describe_nat_gateways(**parameters)["NatGateways"]]


def eip(ec2: EC2Client, allocation_id: str) -> dict[str, Any]:
    [address] = ec2.describe_addresses(AllocationIds=[allocation_id])["Addresses"]
    return address


def test_describe_refuses_an_unknown_id(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("NatGatewayNotFound"):
        described(ec2, NatGatewayIds=[net.gateway_id, "nat-00000000000000000"])


def test_describe_refuses_a_malformed_id(ec2: EC2Client, refused: Refused) -> None:
    with refused("NatGatewayMalformed"):
        described(ec2, NatGatewayIds=["nat-xyz"])


def test_describe_takes_several_ids(ec2: EC2Client, network: BuildNetwork) -> None:
    one, _, three = network(), network(), network()
    ids = [one.gateway_id, three.gateway_id]
    assert described(ec2, NatGatewayIds=ids) == ids


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nat-gateway-id", lambda net: net.gateway_id),
        ("vpc-id", lambda net: net.vpc_id),
        ("subnet-id", lambda net: net.subnet_id),
        ("state", lambda _: "deleting"),
        ("tag:team", lambda _: "pay*"),
        ("tag-key", lambda _: "team"),
    ],
)
def test_describe_filters(
    ec2: EC2Client, network: BuildNetwork, clock: Traveller, name: str, value: Callable[[Network], str]
) -> None:
    """One of two gateways is tagged and being deleted; each filter finds it alone."""
    network()
    net = network()
    ec2.create_tags(Resources=[net.gateway_id], Tags=[{"Key": "team", "Value": "payments"}])
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(3)
    assert described(ec2, Filter=[{"Name": name, "Values": [value(net)]}]) == [net.gateway_id]


def test_describe_wants_all_filters_to_match(ec2: EC2Client, net: Network) -> None:
    filters = [{"Name": "vpc-id", "Values": [net.vpc_id]}, {"Name": "state", "Values": ["deleted"]}]
    assert described(ec2, Filter=filters) == []


def test_describe_pages(ec2: EC2Client, network: BuildNetwork) -> None:
    ids = [network(1).gateway_id for _ in range(12)]
    pages = list(ec2.get_paginator("describe_nat_gateways").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["NatGateways"]) for page in pages] == [5, 5, 2]
    assert [one["NatGatewayId"] for page in pages for one in page["NatGateways"]] == ids


def test_describe_refuses_pages_of_more_than_1000(ec2: EC2Client, refused: Refused) -> None:
    with refused("InvalidParameterValue"):
        described(ec2, MaxResults=1001)


def test_describe_refuses_a_token_that_it_did_not_give(ec2: EC2Client, refused: Refused) -> None:
    with refused("InvalidParameterValue"):
        described(ec2, NextToken="nonsense")


def test_describe_shows_given_ids_and_tags(ec2: EC2Client, net: Network, simulation: Simulation) -> None:
    allocation_id = simulation.add_address(
        allocation_id="eipalloc-0be6ecac95e8a3b10",
        public_ip="3.211.231.218",
        tags={"natdrain:managed": "true"},
    )
    simulation.add_nat_gateway(
        net.subnet_id,
        [allocation_id],
        gateway_id="nat-1234567890abcdef0",
        association_ids=["eipassoc-0f96bdca17e8a3b10"],
        private_ips=["10.0.0.74"],
        tags={"Name": "egress-b"},
    )
    [gateway] = ec2.describe_nat_gateways(NatGatewayIds=["nat-1234567890abcdef0"])["NatGateways"]
    [address] = gateway["NatGatewayAddresses"]
    assert address["AllocationId"] == "eipalloc-0be6ecac95e8a3b10"
    assert address["AssociationId"] == "eipassoc-0f96bdca17e8a3b10"
    assert (address["PublicIp"], address["PrivateIp"]) == ("3.211.231.218", "10.0.0.74")
    assert gateway["Tags"] == [{"Key": "Name", "Value": "egress-b"}]
    assert eip(ec2, allocation_id)["Tags"] == [{"Key": "natdrain:managed", "Value": "true"}]


def test_addresses_show_the_association_of_a_gateway(ec2: EC2Client, net: Network) -> None:
    address = eip(ec2, net.allocation_ids[1])
    [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[net.gateway_id])["NatGateways"]
    held = gateway["NatGatewayAddresses"][1]
    assert address["AssociationId"] == held["AssociationId"]
    assert address["NetworkInterfaceId"] == held["NetworkInterfaceId"]
    assert address["PrivateIpAddress"] == held["PrivateIp"]


def test_addresses_show_a_new_association_late(
    ec2: EC2Client, net: Network, simulation: Simulation, clock: Traveller
) -> None:
    spare = simulation.add_address()
    ec2.associate_nat_gateway_address(NatGatewayId=net.gateway_id, AllocationIds=[spare])
    clock.shift(19)
    assert "AssociationId" not in eip(ec2, spare)
    clock.shift(1)
    assert eip(ec2, spare)["AssociationId"]


def test_addresses_show_that_an_eip_left_late(
    ec2: EC2Client, net: Network, statuses: Statuses, clock: Traveller
) -> None:
    """One look finds the address gone from the gateway while DescribeAddresses still has its association."""
    ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=net.association_ids[1:2])
    clock.shift(350)
    while net.association_ids[1] in statuses(net):
        clock.shift(1)
    assert eip(ec2, net.allocation_ids[1])["AssociationId"] == net.association_ids[1]
    clock.shift(20)
    assert "AssociationId" not in eip(ec2, net.allocation_ids[1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("association-id", lambda net: net.association_ids[1]),
        ("allocation-id", lambda net: net.allocation_ids[1]),
        ("tag:role", lambda _: "spare"),
    ],
)
def test_addresses_filter(ec2: EC2Client, net: Network, name: str, value: Callable[[Network], str]) -> None:
    ec2.create_tags(Resources=net.allocation_ids[1:2], Tags=[{"Key": "role", "Value": "spare"}])
    found = ec2.describe_addresses(Filters=[{"Name": name, "Values": [value(net)]}])["Addresses"]
    assert [one["AllocationId"] for one in found] == net.allocation_ids[1:2]


def test_addresses_of_instances_are_shown_as_moto_does(
    ec2: EC2Client, net: Network, simulation: Simulation
) -> None:
    spare = simulation.add_address()
    interface = ec2.create_network_interface(SubnetId=net.subnet_id)["NetworkInterface"]
    answer = ec2.associate_address(AllocationId=spare, NetworkInterfaceId=interface["NetworkInterfaceId"])
    assert eip(ec2, spare)["AssociationId"] == answer["AssociationId"]
