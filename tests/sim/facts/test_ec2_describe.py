"""DescribeNatGateways and DescribeAddresses, and their lags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.account import VIEWS_AGREE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import BuildNetwork, Network, Refused, Statuses
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from natdrain_sim.ec2 import Simulation
    from support.account import Account


def described(ec2: EC2Client, **parameters: Any) -> list[str]:
    return [one["NatGatewayId"] for one in ec2.describe_nat_gateways(**parameters)["NatGateways"]]


def eip(ec2: EC2Client, allocation_id: str) -> dict[str, Any]:
    [address] = ec2.describe_addresses(AllocationIds=[allocation_id])["Addresses"]
    return address


@pytest.mark.fact("DescribeNatGateways refuses an unknown id: NatGatewayNotFound.", "documented")
def test_describe_refuses_an_unknown_id(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("NatGatewayNotFound"):
        described(ec2, NatGatewayIds=[net.gateway_id, "nat-00000000000000000"])


@pytest.mark.fact("DescribeNatGateways refuses a malformed id: NatGatewayMalformed.", "documented")
def test_describe_refuses_a_malformed_id(ec2: EC2Client, refused: Refused) -> None:
    with refused("NatGatewayMalformed"):
        described(ec2, NatGatewayIds=["nat-xyz"])


@pytest.mark.fact("DescribeNatGateways finds each of several ids.", "documented")
def test_describe_finds_each_of_several_ids(ec2: EC2Client, net: Network, private_gateway: str) -> None:
    ids = [net.gateway_id, private_gateway]
    assert sorted(described(ec2, NatGatewayIds=ids)) == sorted(ids)


def test_describe_accepts_several_ids(ec2: EC2Client, network: BuildNetwork) -> None:
    one, _, three = network(), network(), network()
    ids = [one.gateway_id, three.gateway_id]
    assert described(ec2, NatGatewayIds=ids) == ids


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("nat-gateway-id", lambda net: net.gateway_id, id="nat-gateway-id"),
        pytest.param("vpc-id", lambda net: net.vpc_id, id="vpc-id"),
        pytest.param("subnet-id", lambda net: net.subnet_id, id="subnet-id"),
        pytest.param("tag:team", lambda _: "pay*", id="tag:team"),
        pytest.param("tag-key", lambda _: "team", id="tag-key"),
    ],
)
@pytest.mark.fact("DescribeNatGateways supports the filter.", "documented")
def test_describe_filters(
    account: Account, net: Network, private_gateway: str, name: str, value: Callable[[Network], str]
) -> None:
    """Each filter finds only the tagged one of two gateways."""
    ec2 = account.ec2
    ec2.create_tags(Resources=[net.gateway_id], Tags=[{"Key": "team", "Value": "payments"}])

    def found() -> set[str]:
        both = {net.gateway_id, private_gateway}
        return both.intersection(described(ec2, Filter=[{"Name": name, "Values": [value(net)]}]))

    assert account.see(found, {net.gateway_id}, VIEWS_AGREE_SECONDS) == {net.gateway_id}


def test_describe_filters_by_state(ec2: EC2Client, network: BuildNetwork, clock: Traveller) -> None:
    network()
    net = network()
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(3)
    assert described(ec2, Filter=[{"Name": "state", "Values": ["deleting"]}]) == [net.gateway_id]


@pytest.mark.fact("DescribeNatGateways requires all of several filters to match.", "documented")
def test_describe_requires_all_filters_to_match(ec2: EC2Client, net: Network) -> None:
    filters = [{"Name": "vpc-id", "Values": [net.vpc_id]}, {"Name": "state", "Values": ["deleted"]}]
    assert described(ec2, Filter=filters) == []


def test_describe_returns_pages_in_the_order_of_creation(ec2: EC2Client, network: BuildNetwork) -> None:
    ids = [network(1).gateway_id for _ in range(12)]
    pages = list(ec2.get_paginator("describe_nat_gateways").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["NatGateways"]) for page in pages] == [5, 5, 2]
    assert [one["NatGatewayId"] for page in pages for one in page["NatGateways"]] == ids


@pytest.mark.fact("DescribeNatGateways refuses pages of more than 1000: InvalidParameterValue.", "documented")
def test_describe_refuses_pages_of_more_than_1000(ec2: EC2Client, refused: Refused) -> None:
    with refused("InvalidParameterValue"):
        described(ec2, MaxResults=1001)


@pytest.mark.fact("DescribeNatGateways refuses an invalid token: InvalidParameterValue.", "inferred")
def test_describe_refuses_an_invalid_token(ec2: EC2Client, refused: Refused) -> None:
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


@pytest.mark.fact("DescribeAddresses shows a gateway's association, interface and private IP.", "documented")
def test_addresses_show_the_association_of_a_gateway(account: Account, ec2: EC2Client, net: Network) -> None:
    addresses = account.look(net.gateway_id)["NatGatewayAddresses"]
    [held] = [one for one in addresses if one["AssociationId"] == net.association_ids[1]]
    wanted = (held["AssociationId"], held["NetworkInterfaceId"], held["PrivateIp"])

    def shown() -> tuple[str | None, ...]:
        address = eip(ec2, net.allocation_ids[1])
        return tuple(address.get(key) for key in ("AssociationId", "NetworkInterfaceId", "PrivateIpAddress"))

    assert account.see(shown, wanted, VIEWS_AGREE_SECONDS) == wanted


def test_addresses_show_a_new_association_late(
    ec2: EC2Client, net: Network, simulation: Simulation, clock: Traveller
) -> None:
    spare = simulation.add_address()
    ec2.associate_nat_gateway_address(NatGatewayId=net.gateway_id, AllocationIds=[spare])
    clock.shift(19)
    assert "AssociationId" not in eip(ec2, spare)
    clock.shift(1)
    assert eip(ec2, spare)["AssociationId"]


@pytest.mark.fact("DescribeAddresses shows a free EIP without association and interface.", "reported")
def test_addresses_show_a_free_eip_without_association_and_interface(ec2: EC2Client, spare: str) -> None:
    """Reported for a gateway's EIP, which has an interface: sebdah/aws-ec2-assign-elastic-ip issue 18."""
    assert {"AssociationId", "NetworkInterfaceId"}.isdisjoint(eip(ec2, spare))


@pytest.mark.fact(
    "DescribeAddresses shows a drained EIP as free within a minute after it has left.", "reported"
)
def test_addresses_show_a_drained_eip_as_free_eventually(
    account: Account, ec2: EC2Client, net: Network, statuses: Statuses
) -> None:
    account.drain(net, 1)
    account.see(lambda: net.association_ids[1] in statuses(net), wanted=False, seconds=61)
    free = account.see(
        lambda: "AssociationId" not in eip(ec2, net.allocation_ids[1]),
        wanted=True,
        seconds=VIEWS_AGREE_SECONDS,
    )
    assert free


def test_addresses_show_late_that_an_eip_has_left(
    ec2: EC2Client, net: Network, statuses: Statuses, clock: Traveller
) -> None:
    """The address is absent from the gateway while DescribeAddresses still shows its association."""
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
        pytest.param("association-id", lambda net: net.association_ids[1], id="association-id"),
        pytest.param("allocation-id", lambda net: net.allocation_ids[1], id="allocation-id"),
        pytest.param("tag:natdrain:verify:own", lambda net: net.allocation_ids[1], id="tag"),
    ],
)
@pytest.mark.fact("DescribeAddresses supports the filter.", "documented")
def test_addresses_filter(
    account: Account, ec2: EC2Client, net: Network, name: str, value: Callable[[Network], str]
) -> None:
    """The tag's value is unique to the second EIP, so that no other one is found."""
    own = [{"Key": "natdrain:verify:own", "Value": net.allocation_ids[1]}]
    ec2.create_tags(Resources=net.allocation_ids[1:2], Tags=own)

    def found() -> list[str]:
        answer = ec2.describe_addresses(Filters=[{"Name": name, "Values": [value(net)]}])
        return [one["AllocationId"] for one in answer["Addresses"]]

    wanted = net.allocation_ids[1:2]
    assert account.see(found, wanted, VIEWS_AGREE_SECONDS) == wanted


def test_addresses_of_interfaces_are_shown_by_moto(
    ec2: EC2Client, net: Network, simulation: Simulation
) -> None:
    spare = simulation.add_address()
    interface = ec2.create_network_interface(SubnetId=net.subnet_id)["NetworkInterface"]
    answer = ec2.associate_address(AllocationId=spare, NetworkInterfaceId=interface["NetworkInterfaceId"])
    assert eip(ec2, spare)["AssociationId"] == answer["AssociationId"]
