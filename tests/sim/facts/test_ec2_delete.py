"""DeleteNatGateway: it is always allowed; the addresses leave, the allocations stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.account import VIEWS_AGREE_SECONDS

if TYPE_CHECKING:
    from conftest import Network, Refused, Statuses
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from support.account import Account


def state(ec2: EC2Client, net: Network) -> str:
    [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[net.gateway_id])["NatGateways"]
    return gateway["State"]


def test_delete_shows_deleting_then_deleted(ec2: EC2Client, net: Network, clock: Traveller) -> None:
    assert ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)["NatGatewayId"] == net.gateway_id
    seen = [state(ec2, net)]
    for seconds in (2, 30):
        clock.shift(seconds)
        seen.append(state(ec2, net))
    assert seen == ["available", "deleting", "deleted"]


def test_deleted_gateway_is_not_found_after_an_hour(
    ec2: EC2Client, net: Network, clock: Traveller, refused: Refused
) -> None:
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(30 + 3599)
    assert state(ec2, net) == "deleted"
    clock.shift(3)
    with refused("NatGatewayNotFound"):
        state(ec2, net)
    assert ec2.describe_nat_gateways()["NatGateways"] == []


@pytest.mark.fact("A deleted gateway is still shown, as `deleted` and without addresses.", "documented")
def test_deleted_gateway_is_shown_without_addresses(
    ec2: EC2Client, deleted: Network, statuses: Statuses
) -> None:
    assert state(ec2, deleted) == "deleted"
    assert statuses(deleted) == {}


@pytest.mark.fact("Deleting a gateway keeps its EIPs, which are free within a minute.", "documented")
def test_delete_keeps_the_allocations_and_frees_them(
    account: Account, ec2: EC2Client, deleted: Network
) -> None:
    def associations() -> list[str | None]:
        addresses = ec2.describe_addresses(AllocationIds=deleted.allocation_ids)["Addresses"]
        return [one.get("AssociationId") for one in addresses]

    free = [None] * len(deleted.allocation_ids)
    assert account.see(associations, free, VIEWS_AGREE_SECONDS) == free


@pytest.mark.fact("Deleting a deleted gateway again succeeds and changes nothing.", "inferred")
def test_delete_again_changes_nothing(account: Account, ec2: EC2Client, deleted: Network) -> None:
    ec2.delete_nat_gateway(NatGatewayId=deleted.gateway_id)
    account.wait(2)
    assert state(ec2, deleted) == "deleted"


@pytest.mark.fact("DisassociateNatGatewayAddress refuses a deleted gateway: InvalidParameter.", "inferred")
def test_disassociate_refuses_a_deleted_gateway(account: Account, deleted: Network, refused: Refused) -> None:
    with refused("InvalidParameter", "deleted"):
        account.drain(deleted, 1)


@pytest.mark.fact("DeleteNatGateway refuses an unknown gateway: NatGatewayNotFound.", "documented")
def test_delete_refuses_an_unknown_gateway(ec2: EC2Client, refused: Refused) -> None:
    with refused("NatGatewayNotFound"):
        ec2.delete_nat_gateway(NatGatewayId="nat-00000000000000000")


@pytest.mark.fact("A dry run of DeleteNatGateway returns DryRunOperation.", "documented")
def test_delete_dry_run_changes_nothing(
    account: Account, ec2: EC2Client, net: Network, refused: Refused
) -> None:
    with refused("DryRunOperation"):
        ec2.delete_nat_gateway(NatGatewayId=net.gateway_id, DryRun=True)
    account.wait(60)
    assert state(ec2, net) == "available"
