"""ReleaseAddress on an EIP that a NAT gateway holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from conftest import Network, Refused


@pytest.mark.parametrize("seconds", [0, 349])
def test_release_refuses_an_eip_in_use_until_it_has_left(
    ec2: EC2Client, net: Network, refused: Refused, clock: Traveller, seconds: int
) -> None:
    ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=net.association_ids[1:2])
    clock.shift(seconds)
    with refused("InvalidIPAddress.InUse"):
        ec2.release_address(AllocationId=net.allocation_ids[1])


def test_release_works_after_the_eip_has_left(
    ec2: EC2Client, net: Network, clock: Traveller, refused: Refused
) -> None:
    ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=net.association_ids[1:2])
    clock.shift(400)
    ec2.release_address(AllocationId=net.allocation_ids[1])
    with refused("InvalidAllocationID.NotFound"):
        ec2.describe_addresses(AllocationIds=[net.allocation_ids[1]])


def test_release_works_on_an_eip_that_nothing_uses(ec2: EC2Client, refused: Refused) -> None:
    spare = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.release_address(AllocationId=spare)
    with refused("InvalidAllocationID.NotFound"):
        ec2.describe_addresses(AllocationIds=[spare])
