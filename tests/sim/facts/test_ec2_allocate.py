"""AllocateAddress, and the time in which other calls do not know the new EIP yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.account import VIEWS_AGREE_SECONDS, code_of

if TYPE_CHECKING:
    from conftest import Network, Refused
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from natdrain_sim.ec2 import Simulation
    from support.account import Account

GONE = "InvalidAllocationID.NotFound"


def described(ec2: EC2Client, **parameters: Any) -> list[str]:
    return [one["AllocationId"] for one in ec2.describe_addresses(**parameters)["Addresses"]]


@pytest.mark.fact("A new EIP can be tagged at once, and is described within a minute.", "reported")
def test_new_eip_is_tagged_at_once_and_described_eventually(account: Account, ec2: EC2Client) -> None:
    """That it may take a moment: hashicorp/terraform-provider-aws, ec2_eip.go, which retries."""
    new = account.allocate()
    ec2.create_tags(Resources=[new], Tags=[{"Key": "natdrain:verify:own", "Value": new}])
    own = [{"Name": "tag:natdrain:verify:own", "Values": [new]}]
    assert account.see(lambda: described(ec2, Filters=own), [new], VIEWS_AGREE_SECONDS) == [new]


@pytest.mark.fact("A new EIP is in the Region's own border group, unless another is given.", "documented")
def test_new_eip_is_in_the_border_group_of_the_region(account: Account, ec2: EC2Client) -> None:
    answer = ec2.allocate_address(Domain="vpc", TagSpecifications=account.tagged("elastic-ip"))
    account.created.append(answer["AllocationId"])
    assert answer["NetworkBorderGroup"] == ec2.meta.region_name

    def shown() -> str:
        groups = {
            one["AllocationId"]: one["NetworkBorderGroup"] for one in ec2.describe_addresses()["Addresses"]
        }
        return groups.get(answer["AllocationId"], "")

    assert account.see(shown, ec2.meta.region_name, VIEWS_AGREE_SECONDS) == ec2.meta.region_name


def test_new_eip_is_missing_from_every_description_until_the_lag_has_passed(
    ec2: EC2Client, clock: Traveller
) -> None:
    answer = ec2.allocate_address(Domain="vpc")
    new, ip = answer["AllocationId"], answer["PublicIp"]
    clock.shift(19)
    assert described(ec2) == []
    assert code_of(lambda: described(ec2, AllocationIds=[new])) == GONE
    assert code_of(lambda: described(ec2, PublicIps=[ip])) == "InvalidAddress.NotFound"
    clock.shift(1)
    assert described(ec2) == described(ec2, AllocationIds=[new]) == described(ec2, PublicIps=[ip]) == [new]


def test_new_eip_cannot_be_associated_until_the_lag_has_passed(
    ec2: EC2Client, net: Network, refused: Refused, clock: Traveller
) -> None:
    new = ec2.allocate_address(Domain="vpc")["AllocationId"]
    request: Any = {"NatGatewayId": net.gateway_id, "AllocationIds": [new]}
    clock.shift(19)
    with refused(GONE, f"Allocation ID '{new}' not found."):
        ec2.associate_nat_gateway_address(**request)
    clock.shift(1)
    assert ec2.associate_nat_gateway_address(**request)["NatGatewayAddresses"]


def test_new_eip_can_be_given_to_a_new_gateway_at_once(account: Account, net: Network) -> None:
    assert account.look(account.make_gateway(net.subnet_id, [account.allocate()]))


def test_new_eip_can_be_released_at_once(ec2: EC2Client, clock: Traveller) -> None:
    ec2.release_address(AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])
    clock.shift(60)
    assert described(ec2) == []


def test_eip_of_the_simulation_is_old(ec2: EC2Client, simulation: Simulation) -> None:
    old = simulation.add_address()
    assert described(ec2, AllocationIds=[old]) == [old]


def test_eip_can_be_in_another_border_group(ec2: EC2Client, simulation: Simulation, clock: Traveller) -> None:
    new = ec2.allocate_address(Domain="vpc", NetworkBorderGroup="us-east-1-bos-1")
    assert new["NetworkBorderGroup"] == "us-east-1-bos-1"
    simulation.add_address(border_group="us-east-1-bos-1")
    clock.shift(20)
    groups = [one["NetworkBorderGroup"] for one in ec2.describe_addresses()["Addresses"]]
    assert groups == ["us-east-1-bos-1"] * 2


def test_eip_of_another_service_is_described_as_such(ec2: EC2Client, simulation: Simulation) -> None:
    simulation.add_address(service_managed="alb")
    simulation.add_address()
    shown = ec2.describe_addresses()["Addresses"]
    assert [one.get("ServiceManaged") for one in shown] == ["alb", None]
