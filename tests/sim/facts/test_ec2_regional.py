"""Regional NAT gateways: one for a whole VPC, whose addresses each serve an Availability Zone.

None is created in a real account: it would cost per zone and need more EIPs than the default quota.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from natdrain_sim.ec2 import Lags
from support.places import SAMPLES

if TYPE_CHECKING:
    from conftest import Network, Refused
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from natdrain_sim.ec2 import Simulation
    from support.account import Account

SAMPLE = SAMPLES / "describe-nat-gateways.regional-manual.json"
ZONE, OTHER_ZONE = "us-east-1a", "us-east-1b"


@pytest.fixture
def subnet_id(account: Account) -> str:
    return account.make_subnet()[1]


@pytest.fixture
def vpc_id(ec2: EC2Client, subnet_id: str) -> str:
    return ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["VpcId"]


def create(ec2: EC2Client, vpc_id: str, **allocation_ids: list[str]) -> Any:
    """Create a regional gateway with EIPs by the letter of their zone; without any it is automatic."""
    zones = [
        {"AvailabilityZone": f"us-east-1{letter}", "AllocationIds": ids}
        for letter, ids in allocation_ids.items()
    ]
    given: dict[str, Any] = {"AvailabilityZoneAddresses": zones} if zones else {}
    return ec2.create_nat_gateway(AvailabilityMode="regional", VpcId=vpc_id, **given)["NatGateway"]


@pytest.fixture
def regional(account: Account, vpc_id: str) -> Any:
    """Return a manual gateway with two addresses in one zone and one in another, all in service."""
    one, two, three = account.spares(3)
    gateway = create(account.ec2, vpc_id, a=[one, two], b=[three])
    account.wait(60)
    return account.look(gateway["NatGatewayId"])


def drain(ec2: EC2Client, gateway: Any, *numbers: int, **parameters: Any) -> Any:
    ids = [gateway["NatGatewayAddresses"][number]["AssociationId"] for number in numbers]
    return ec2.disassociate_nat_gateway_address(
        NatGatewayId=gateway["NatGatewayId"], AssociationIds=ids, **parameters
    )


def associate(ec2: EC2Client, gateway: Any, *allocation_ids: str, **zone: Any) -> Any:
    answer = ec2.associate_nat_gateway_address(
        NatGatewayId=gateway["NatGatewayId"], AllocationIds=list(allocation_ids), **zone
    )
    return answer["NatGatewayAddresses"]


def test_regional_gateway_has_a_vpc_and_no_subnet(regional: Any, vpc_id: str) -> None:
    assert regional["VpcId"] == vpc_id
    assert "SubnetId" not in regional
    assert (regional["AvailabilityMode"], regional["ConnectivityType"]) == ("regional", "public")
    assert regional["RouteTableId"].startswith("rtb-")


def test_regional_gateway_with_given_zones_is_managed_by_its_owner(regional: Any) -> None:
    assert (regional["AutoScalingIps"], regional["AutoProvisionZones"]) == ("disabled", "disabled")


def test_regional_gateway_has_the_keys_of_the_sample(regional: Any) -> None:
    (wanted,) = json.loads(SAMPLE.read_text())["NatGateways"]
    assert set(regional) == set(wanted)
    for address in regional["NatGatewayAddresses"]:
        assert set(address) == set(wanted["NatGatewayAddresses"][0])


def test_regional_gateway_has_each_address_in_its_zone(regional: Any) -> None:
    zones = [(one["AvailabilityZone"], one["AvailabilityZoneId"]) for one in regional["NatGatewayAddresses"]]
    assert zones == [(ZONE, "use1-az6"), (ZONE, "use1-az6"), (OTHER_ZONE, "use1-az1")]


def test_regional_gateway_takes_zones_by_id(ec2: EC2Client, account: Account, vpc_id: str) -> None:
    (address,) = ec2.create_nat_gateway(
        AvailabilityMode="regional",
        VpcId=vpc_id,
        AvailabilityZoneAddresses=[{"AvailabilityZoneId": "use1-az1", "AllocationIds": account.spares(1)}],
    )["NatGateway"]["NatGatewayAddresses"]
    assert address["AvailabilityZone"] == OTHER_ZONE


def test_zonal_gateway_has_no_regional_fields(account: Account, net: Network) -> None:
    gateway = account.look(net.gateway_id)
    assert {"AutoScalingIps", "AutoProvisionZones", "RouteTableId"}.isdisjoint(gateway)
    assert "AvailabilityZone" not in gateway["NatGatewayAddresses"][0]


def test_automatic_gateway_has_an_eip_of_awss_own_in_each_zone_of_its_vpc(
    ec2: EC2Client, account: Account
) -> None:
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    for number, zone in enumerate((ZONE, OTHER_ZONE)):
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.0.{64 * number}/26", AvailabilityZone=zone)
    gateway = account.look(create(ec2, vpc_id)["NatGatewayId"])
    assert (gateway["AutoScalingIps"], gateway["AutoProvisionZones"]) == ("enabled", "enabled")
    assert [one["AvailabilityZone"] for one in gateway["NatGatewayAddresses"]] == [ZONE, OTHER_ZONE]
    eips = {one["PublicIp"] for one in ec2.describe_addresses()["Addresses"]}
    assert {one["PublicIp"] for one in gateway["NatGatewayAddresses"]} == eips


@pytest.mark.parametrize("zonal", [{"SubnetId": "subnet-1"}, {"AllocationId": "eipalloc-1"}])
def test_create_refuses_parameters_of_a_zonal_gateway_for_a_regional_one(
    ec2: EC2Client, vpc_id: str, refused: Refused, zonal: Any
) -> None:
    with refused("InvalidParameterCombination"):
        ec2.create_nat_gateway(AvailabilityMode="regional", VpcId=vpc_id, **zonal)


def test_create_refuses_a_vpc_for_a_zonal_gateway(
    ec2: EC2Client, account: Account, vpc_id: str, subnet_id: str, refused: Refused
) -> None:
    with refused("InvalidParameterCombination"):
        ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=account.spares(1)[0], VpcId=vpc_id)


def test_create_refuses_an_unknown_vpc(ec2: EC2Client, refused: Refused) -> None:
    with refused("InvalidVpcID.NotFound"):
        create(ec2, "vpc-00000000000000000")


def test_create_refuses_an_unknown_zone(
    ec2: EC2Client, account: Account, vpc_id: str, refused: Refused
) -> None:
    with refused("InvalidParameterValue", "us-east-1z"):
        create(ec2, vpc_id, z=account.spares(1))


def test_create_regional_refuses_an_eip_in_use(
    ec2: EC2Client, regional: Any, vpc_id: str, refused: Refused
) -> None:
    with refused("Resource.AlreadyAssociated"):
        create(ec2, vpc_id, a=[regional["NatGatewayAddresses"][0]["AllocationId"]])


def test_regional_gateway_accepts_32_addresses_in_each_zone_and_refuses_33(
    ec2: EC2Client, account: Account, vpc_id: str, refused: Refused
) -> None:
    eips = account.spares(66)
    with refused("PrivateIpAddressLimitExceeded", "32"):
        create(ec2, vpc_id, a=eips[:33])
    gateway = create(ec2, vpc_id, a=eips[:32], b=eips[32:63])
    with refused("PrivateIpAddressLimitExceeded", "32"):
        associate(ec2, gateway, eips[64], AvailabilityZone=ZONE)
    assert associate(ec2, gateway, eips[64], AvailabilityZone=OTHER_ZONE)


@pytest.mark.parametrize("zone", [{"AvailabilityZone": OTHER_ZONE}, {"AvailabilityZoneId": "use1-az1"}])
def test_associate_adds_an_eip_to_a_zone_of_a_regional_gateway(
    account: Account, ec2: EC2Client, regional: Any, zone: Any
) -> None:
    (answered,) = associate(ec2, regional, *account.spares(1), **zone)
    assert (answered["AvailabilityZone"], answered["Status"]) == (OTHER_ZONE, "associating")
    account.wait(60)
    shown = account.look(regional["NatGatewayId"])["NatGatewayAddresses"][-1]
    assert (shown["AssociationId"], shown["Status"]) == (answered["AssociationId"], "succeeded")


def test_associate_refuses_a_regional_gateway_without_a_zone(
    account: Account, ec2: EC2Client, regional: Any, refused: Refused
) -> None:
    with refused("MissingParameter", "AvailabilityZone"):
        associate(ec2, regional, *account.spares(1))


@pytest.mark.fact(
    "AssociateNatGatewayAddress refuses a zone for a zonal gateway: InvalidParameter.", "inferred"
)
def test_associate_refuses_a_zone_for_a_zonal_gateway(
    ec2: EC2Client, alone: Network, spare: str, refused: Refused
) -> None:
    """Documented: the zone is only for regional gateways (API reference)."""
    with refused("InvalidParameter", "zonal"):
        gateway = {"NatGatewayId": alone.gateway_id}
        associate(ec2, gateway, spare, AvailabilityZone=f"{ec2.meta.region_name}a")


def test_regional_address_drains_and_leaves(account: Account, ec2: EC2Client, regional: Any) -> None:
    def seen() -> list[str]:
        return [one["Status"] for one in account.look(regional["NatGatewayId"])["NatGatewayAddresses"]]

    (answered,) = drain(ec2, regional, 0, MaxDrainDurationSeconds=10)["NatGatewayAddresses"]
    assert (answered["AvailabilityZone"], answered["Status"]) == (ZONE, "disassociating")
    account.wait(9)
    assert seen() == ["disassociating", "succeeded", "succeeded"]
    account.wait(1 + 40 + 2)
    assert seen() == ["succeeded", "succeeded"]


def test_regional_gateway_can_lose_the_last_address_of_a_zone(
    account: Account, ec2: EC2Client, regional: Any
) -> None:
    """EC2 is not known to refuse it, so the caller must check that the zone stays served."""
    drain(ec2, regional, 2, MaxDrainDurationSeconds=1)
    account.wait(60)
    remaining = account.look(regional["NatGatewayId"])["NatGatewayAddresses"]
    assert Counter(one["AvailabilityZone"] for one in remaining) == {ZONE: 2}


def test_regional_gateway_drains_one_request_at_a_time(
    ec2: EC2Client, regional: Any, refused: Refused
) -> None:
    drain(ec2, regional, 0)
    with refused("OperationInProgress", "DISASSOCIATING"):
        drain(ec2, regional, 2)


@pytest.fixture
def automatic(account: Account, vpc_id: str) -> Any:
    return create(account.ec2, vpc_id)


def test_disassociate_refuses_a_gateway_whose_addresses_aws_manages(
    ec2: EC2Client, automatic: Any, refused: Refused
) -> None:
    with refused("InvalidParameter", "AWS manages"):
        drain(ec2, automatic, 0)


def test_associate_refuses_a_gateway_whose_addresses_aws_manages(
    account: Account, ec2: EC2Client, automatic: Any, refused: Refused
) -> None:
    with refused("InvalidParameter", "AWS manages"):
        associate(ec2, automatic, *account.spares(1), AvailabilityZone=ZONE)


def test_regional_gateway_is_deleted_and_frees_its_eips(
    account: Account, ec2: EC2Client, regional: Any
) -> None:
    ec2.delete_nat_gateway(NatGatewayId=regional["NatGatewayId"])
    account.wait(60)
    gateway = account.look(regional["NatGatewayId"])
    assert (gateway["State"], gateway["NatGatewayAddresses"]) == ("deleted", [])
    assert [one for one in ec2.describe_addresses()["Addresses"] if "AssociationId" in one] == []


def test_regional_gateway_is_found_by_its_vpc_and_by_no_subnet(
    ec2: EC2Client, regional: Any, vpc_id: str, subnet_id: str
) -> None:
    def found(name: str, value: str) -> list[str]:
        answer = ec2.describe_nat_gateways(Filter=[{"Name": name, "Values": [value]}])
        return [one["NatGatewayId"] for one in answer["NatGateways"]]

    assert found("vpc-id", vpc_id) == [regional["NatGatewayId"]]
    assert found("subnet-id", subnet_id) == []


def test_regional_gateway_has_an_interface_and_eips_that_are_described(ec2: EC2Client, regional: Any) -> None:
    first = regional["NatGatewayAddresses"][0]
    (eip,) = ec2.describe_addresses(AllocationIds=[first["AllocationId"]])["Addresses"]
    for key in ("AssociationId", "NetworkInterfaceId"):
        assert eip[key] == first[key]
    shown = {one["NetworkInterfaceId"] for one in ec2.describe_network_interfaces()["NetworkInterfaces"]}
    assert first["NetworkInterfaceId"] in shown


def test_simulation_makes_a_regional_manual_gateway_of_the_subnets_vpc(
    account: Account, simulation: Simulation, subnet_id: str, vpc_id: str
) -> None:
    eips = account.spares(2)
    gateway_id = simulation.add_nat_gateway(
        subnet_id, eips, zones=[ZONE, OTHER_ZONE], association_ids=[None, "eipassoc-0000000000000000b"]
    )
    gateway = account.look(gateway_id)
    assert (gateway["VpcId"], gateway["AutoScalingIps"]) == (vpc_id, "disabled")
    shown = [(one["AllocationId"], one["AvailabilityZone"]) for one in gateway["NatGatewayAddresses"]]
    assert shown == [(eips[0], ZONE), (eips[1], OTHER_ZONE)]
    assert gateway["NatGatewayAddresses"][1]["AssociationId"] == "eipassoc-0000000000000000b"


def test_simulation_makes_an_automatic_gateway_with_given_eips(
    account: Account, simulation: Simulation, subnet_id: str
) -> None:
    eips = account.spares(1)
    gateway = account.look(simulation.add_nat_gateway(subnet_id, eips, zones=[ZONE], automatic=True))
    assert gateway["AutoScalingIps"] == "enabled"
    assert [one["AllocationId"] for one in gateway["NatGatewayAddresses"]] == eips


def test_simulation_makes_an_automatic_gateway_with_eips_of_awss_own(
    account: Account, simulation: Simulation, subnet_id: str
) -> None:
    gateway = account.look(simulation.add_nat_gateway(subnet_id, automatic=True))
    assert (gateway["AvailabilityMode"], len(gateway["NatGatewayAddresses"])) == ("regional", 1)


def test_regional_gateway_carries_traffic_that_a_drain_cuts(
    ec2: EC2Client, regional: Any, simulation: Simulation, clock: Traveller
) -> None:
    simulation.configure(lags=Lags(leave_after_limit=(0, 0)))
    gateway_id = regional["NatGatewayId"]
    first = regional["NatGatewayAddresses"][0]["AssociationId"]
    simulation.add_connection(gateway_id, first, lifetime_seconds=1000)
    drain(ec2, regional, 0, MaxDrainDurationSeconds=10)
    clock.shift(10)
    assert simulation.cut(gateway_id)[first] == 1
