"""CreateNatGateway: the new gateway, and refused requests."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from moto.ec2.exceptions import InvalidParameterValue

from natdrain_sim.ec2 import Lags
from support.account import CIDR, TAG

if TYPE_CHECKING:
    from conftest import Network, Refused
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from natdrain_sim.ec2 import Simulation
    from support.account import Account


def create(
    ec2: EC2Client, subnet_id: str, primary: str, *secondary: str, **parameters: Any
) -> dict[str, Any]:
    if secondary:
        parameters["SecondaryAllocationIds"] = list(secondary)
    return ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=primary, **parameters)["NatGateway"]


@pytest.fixture
def eips(simulation: Simulation) -> list[str]:
    return [simulation.add_address() for _ in range(9)]


@pytest.mark.fact(
    "The EIP given as AllocationId is primary, and those given as secondary are not.", "documented"
)
def test_created_gateway_has_one_primary_address(account: Account, net: Network) -> None:
    addresses = account.look(net.gateway_id)["NatGatewayAddresses"]
    primary = {one["AllocationId"]: one["IsPrimary"] for one in addresses}
    assert primary == dict.fromkeys(net.allocation_ids, False) | {net.allocation_ids[0]: True}


def test_create_keeps_the_order_of_secondary_allocations(
    ec2: EC2Client, net: Network, eips: list[str]
) -> None:
    addresses = create(ec2, net.subnet_id, eips[2], eips[0], eips[1])["NatGatewayAddresses"]
    assert [one["AllocationId"] for one in addresses] == [eips[2], eips[0], eips[1]]
    assert [one["IsPrimary"] for one in addresses] == [True, False, False]


@pytest.mark.fact(
    "Each address has its own association and public IP; they share one interface.", "documented"
)
def test_created_gateway_has_distinct_addresses_on_one_interface(account: Account, net: Network) -> None:
    addresses = account.look(net.gateway_id)["NatGatewayAddresses"]
    count = len(net.allocation_ids)
    assert len({one["AssociationId"] for one in addresses}) == count
    assert len({one["PublicIp"] for one in addresses}) == count
    assert len({one["NetworkInterfaceId"] for one in addresses}) == 1
    assert {one["Status"] for one in addresses} == {"succeeded"}


@pytest.mark.fact(
    "Each address has its own private IP from the subnet, none of those that AWS reserves.", "documented"
)
def test_created_gateway_has_private_ips_of_its_subnet(account: Account, net: Network) -> None:
    """AWS reserves the first four and the last address of a subnet (VPC user guide, "Subnet sizing")."""
    addresses = account.look(net.gateway_id)["NatGatewayAddresses"]
    ips = {ip_address(one["PrivateIp"]) for one in addresses}
    assert len(ips) == len(net.allocation_ids)
    assert ips <= set(ip_network(CIDR)) - {ip_network(CIDR)[number] for number in (0, 1, 2, 3, -1)}


def test_create_takes_distinct_private_ips_from_the_subnet(
    ec2: EC2Client, net: Network, eips: list[str]
) -> None:
    """They are not those of another gateway in the subnet, nor those that AWS reserves."""
    first = ec2.describe_nat_gateways()["NatGateways"][0]["NatGatewayAddresses"]
    second = create(ec2, net.subnet_id, *eips[:3])["NatGatewayAddresses"]
    ips = [one["PrivateIp"] for one in first + second]
    assert len(set(ips)) == 6
    assert all(ip_address(ip) in ip_network(CIDR) for ip in ips)
    assert min(map(ip_address, ips)) == ip_address("10.0.0.4")


@pytest.mark.parametrize("taken", ["10.0.0.4", "10.9.9.9"])
def test_simulation_refuses_a_private_ip_that_is_taken_or_elsewhere(
    net: Network, eips: list[str], simulation: Simulation, taken: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=taken):
        simulation.add_nat_gateway(net.subnet_id, eips[:1], private_ips=[taken])


@pytest.mark.fact(
    "A gateway in service is public, zonal, available, in its subnet and VPC, tagged.", "documented"
)
def test_gateway_in_service_is_described_as_it_was_created(account: Account, net: Network) -> None:
    gateway = account.look(net.gateway_id)
    assert gateway["ConnectivityType"] == "public"
    assert gateway["AvailabilityMode"] == "zonal"
    assert gateway["State"] == "available"
    assert (gateway["SubnetId"], gateway["VpcId"]) == (net.subnet_id, net.vpc_id)
    assert {"Key": TAG, "Value": account.run_id} in gateway["Tags"]


def test_create_describes_the_gateway_at_once(
    ec2: EC2Client, net: Network, eips: list[str], clock: Traveller
) -> None:
    clock.move_to(datetime(2026, 10, 2, 18, tzinfo=UTC))
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Name", "Value": "new"}]}]
    gateway_id = create(ec2, net.subnet_id, eips[0], TagSpecifications=tags)["NatGatewayId"]
    [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
    assert gateway["ConnectivityType"] == "public"
    assert gateway["AvailabilityMode"] == "zonal"
    assert gateway["State"] == "available"
    assert (gateway["SubnetId"], gateway["VpcId"]) == (net.subnet_id, net.vpc_id)
    assert gateway["Tags"] == [{"Key": "Name", "Value": "new"}]
    assert gateway["CreateTime"].isoformat() == "2026-10-02T18:00:00+00:00"


def test_create_accepts_eight_addresses_and_refuses_nine(
    ec2: EC2Client, net: Network, eips: list[str], refused: Refused
) -> None:
    with refused("PrivateIpAddressLimitExceeded"):
        create(ec2, net.subnet_id, *eips)
    assert len(create(ec2, net.subnet_id, *eips[:8])["NatGatewayAddresses"]) == 8


def test_create_refuses_an_eip_in_use(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("Resource.AlreadyAssociated"):
        create(ec2, net.subnet_id, net.allocation_ids[1])


@pytest.mark.fact("CreateNatGateway refuses an unknown EIP: InvalidAllocationID.NotFound.", "inferred")
def test_create_refuses_an_unknown_eip(account: Account, net: Network, refused: Refused) -> None:
    with refused("InvalidAllocationID.NotFound"):
        account.make_gateway(net.subnet_id, ["eipalloc-00000000000000000"])


@pytest.mark.fact("CreateNatGateway refuses a public gateway without an EIP: MissingParameter.", "inferred")
def test_create_public_refuses_a_missing_eip(
    account: Account, ec2: EC2Client, net: Network, refused: Refused
) -> None:
    with refused("MissingParameter"):
        ec2.create_nat_gateway(SubnetId=net.subnet_id, TagSpecifications=account.tagged("natgateway"))


@pytest.mark.fact("A private gateway has a primary address without an EIP.", "documented")
def test_create_private_needs_no_eip(account: Account, private_gateway: str) -> None:
    gateway = account.look(private_gateway)
    (primary,) = gateway["NatGatewayAddresses"]
    assert gateway["ConnectivityType"] == "private"
    assert primary["IsPrimary"] is True
    assert "AllocationId" not in primary
    assert "AssociationId" not in primary


def test_created_gateway_is_pending_for_its_lag(
    ec2: EC2Client, net: Network, eips: list[str], simulation: Simulation, clock: Traveller
) -> None:
    simulation.configure(lags=Lags(create_gateway=60))
    gateway = create(ec2, net.subnet_id, eips[0])
    assert (gateway["State"], gateway["NatGatewayAddresses"][0]["Status"]) == ("pending", "associating")
    clock.shift(62)
    [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[gateway["NatGatewayId"]])["NatGateways"]
    assert (gateway["State"], gateway["NatGatewayAddresses"][0]["Status"]) == ("available", "succeeded")
