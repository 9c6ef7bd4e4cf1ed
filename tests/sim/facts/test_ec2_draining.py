"""Requests that EC2 accepts or refuses while an address of a gateway drains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.account import DELETED_SECONDS

if TYPE_CHECKING:
    from conftest import Network, Refused, Statuses
    from mypy_boto3_ec2 import EC2Client

    from support.account import Account


@pytest.mark.fact("DisassociateNatGatewayAddress accepts a limit of 4000 seconds.", "documented")
def test_draining_address_shows_disassociating(draining: Network, statuses: Statuses) -> None:
    assert statuses(draining)[draining.association_ids[1]] == "disassociating"


@pytest.mark.fact("DescribeNatGateways shows the association id of an address that drains.", "inferred")
def test_draining_address_shows_its_association(account: Account, draining: Network) -> None:
    """Only the answer of DisassociateNatGatewayAddress is documented to show it."""
    shown = account.look(draining.gateway_id)["NatGatewayAddresses"]
    [entry] = [one for one in shown if one["AllocationId"] == draining.allocation_ids[1]]
    assert entry.get("AssociationId") == draining.association_ids[1]


@pytest.mark.fact("Addresses that do not drain stay in service meanwhile.", "documented")
def test_other_addresses_stay_in_service_while_one_drains(draining: Network, statuses: Statuses) -> None:
    others = {one: status for one, status in statuses(draining).items() if one != draining.association_ids[1]}
    assert set(others.values()) == {"succeeded"}


@pytest.mark.fact("While an address drains, another cannot: OperationInProgress.", "documented")
def test_disassociate_is_refused_while_another_drain_runs(
    ec2: EC2Client, draining: Network, third: str, refused: Refused
) -> None:
    """Documented: it is refused (VPC user guide). Inferred from ASSOCIATING: the code."""
    text = f"Service is currently DISASSOCIATING the following EIPs: [{draining.allocation_ids[1]}]"
    with refused("OperationInProgress", text):
        ec2.disassociate_nat_gateway_address(NatGatewayId=draining.gateway_id, AssociationIds=[third])


@pytest.mark.fact(
    "While an address drains, the same request again is refused: OperationInProgress.", "inferred"
)
def test_disassociate_is_refused_for_an_address_that_already_drains(
    account: Account, draining: Network, refused: Refused
) -> None:
    with refused("OperationInProgress"):
        account.drain(draining, 350)


@pytest.mark.fact("While an address drains, none can be associated: OperationInProgress.", "documented")
def test_associate_is_refused_while_an_address_drains(
    ec2: EC2Client, draining: Network, spare: str, refused: Refused
) -> None:
    """Documented: it is refused (VPC user guide). Inferred from ASSOCIATING: the code."""
    with refused("OperationInProgress", f"DISASSOCIATING the following EIPs: [{draining.allocation_ids[1]}]"):
        ec2.associate_nat_gateway_address(NatGatewayId=draining.gateway_id, AllocationIds=[spare])


@pytest.mark.fact("ReleaseAddress refuses an EIP that drains: InvalidIPAddress.InUse.", "reported")
def test_release_refuses_an_eip_that_drains(ec2: EC2Client, draining: Network, refused: Refused) -> None:
    with refused("InvalidIPAddress.InUse"):
        ec2.release_address(AllocationId=draining.allocation_ids[1])


@pytest.mark.fact("A gateway can be deleted while an address drains, and becomes `deleted`.", "documented")
def test_delete_is_allowed_while_an_address_drains(
    account: Account, ec2: EC2Client, draining: Network, statuses: Statuses
) -> None:
    """This test is the last one here, because it deletes the gateway that the others share."""
    answer = ec2.delete_nat_gateway(NatGatewayId=draining.gateway_id)
    assert answer["NatGatewayId"] == draining.gateway_id
    state = account.see(lambda: account.look(draining.gateway_id)["State"], "deleted", DELETED_SECONDS)
    assert (state, statuses(draining)) == ("deleted", {})
