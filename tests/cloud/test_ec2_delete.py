"""DeleteNatGateway: allowed at any time; the addresses go, the allocations stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from conftest import Network, Refused, Statuses


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


def test_deleted_gateway_is_gone_after_an_hour(
    ec2: EC2Client, net: Network, clock: Traveller, refused: Refused
) -> None:
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(30 + 3599)
    assert state(ec2, net) == "deleted"
    clock.shift(3)
    with refused("NatGatewayNotFound"):
        state(ec2, net)
    assert ec2.describe_nat_gateways()["NatGateways"] == []


def test_delete_is_allowed_while_an_address_drains(
    ec2: EC2Client, net: Network, clock: Traveller, statuses: Statuses
) -> None:
    ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=net.association_ids[1:2])
    clock.shift(60)
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(32)
    assert state(ec2, net) == "deleted"
    assert statuses(net) == {}


def test_delete_keeps_the_allocations_and_frees_them(ec2: EC2Client, net: Network, clock: Traveller) -> None:
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(60)
    addresses = ec2.describe_addresses(AllocationIds=net.allocation_ids)["Addresses"]
    assert len(addresses) == 3
    assert not any("AssociationId" in one for one in addresses)


def test_delete_again_changes_nothing(ec2: EC2Client, net: Network, clock: Traveller) -> None:
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(40)
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    clock.shift(2)
    assert state(ec2, net) == "deleted"


def test_delete_refuses_an_unknown_gateway(ec2: EC2Client, refused: Refused) -> None:
    with refused("NatGatewayNotFound"):
        ec2.delete_nat_gateway(NatGatewayId="nat-00000000000000000")


def test_delete_dry_run_changes_nothing(
    ec2: EC2Client, net: Network, clock: Traveller, refused: Refused
) -> None:
    with refused("DryRunOperation"):
        ec2.delete_nat_gateway(NatGatewayId=net.gateway_id, DryRun=True)
    clock.shift(60)
    assert state(ec2, net) == "available"
