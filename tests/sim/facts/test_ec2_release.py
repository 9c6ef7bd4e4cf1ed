"""ReleaseAddress on an EIP that a NAT gateway has or had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.account import VIEWS_AGREE_SECONDS, code_of

if TYPE_CHECKING:
    from conftest import Network, Refused, Statuses
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from support.account import Account

GONE = "InvalidAllocationID.NotFound"


def release(account: Account, allocation_id: str) -> str:
    """Release an EIP as soon as EC2 accepts it, and return the final error code of DescribeAddresses."""
    ec2 = account.ec2
    account.see(
        lambda: code_of(lambda: ec2.release_address(AllocationId=allocation_id)), "", VIEWS_AGREE_SECONDS
    )

    def described() -> str:
        return code_of(lambda: ec2.describe_addresses(AllocationIds=[allocation_id]))

    return account.see(described, GONE, VIEWS_AGREE_SECONDS)


@pytest.mark.parametrize("seconds", [0, 349])
def test_release_refuses_an_eip_in_use_until_it_has_left(
    ec2: EC2Client, net: Network, refused: Refused, clock: Traveller, seconds: int
) -> None:
    ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=net.association_ids[1:2])
    clock.shift(seconds)
    with refused("InvalidIPAddress.InUse"):
        ec2.release_address(AllocationId=net.allocation_ids[1])


@pytest.mark.fact("ReleaseAddress works within a minute after a drained EIP has left.", "reported")
def test_release_works_after_the_eip_has_left(account: Account, net: Network, statuses: Statuses) -> None:
    account.drain(net, 1)
    account.see(lambda: net.association_ids[1] in statuses(net), wanted=False, seconds=61)
    assert release(account, net.allocation_ids[1]) == GONE


@pytest.mark.fact("ReleaseAddress works on an unused EIP.", "documented")
def test_release_works_on_an_unused_eip(account: Account, spare: str) -> None:
    assert release(account, spare) == GONE


@pytest.mark.fact("A dry run of ReleaseAddress returns DryRunOperation.", "documented")
def test_release_dry_run_keeps_the_eip(ec2: EC2Client, spare: str, refused: Refused) -> None:
    with refused("DryRunOperation"):
        ec2.release_address(AllocationId=spare, DryRun=True)
    assert ec2.describe_addresses(AllocationIds=[spare])["Addresses"]
