"""DisassociateNatGatewayAddress: refused requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from conftest import BuildNetwork, Network, Refused, Statuses
    from mypy_boto3_ec2 import EC2Client

    from natdrain_sim.ec2 import Simulation
    from support.account import Account


def drain(ec2: EC2Client, net: Network, *association_ids: str, **parameters: Any) -> dict[str, Any]:
    ids = list(association_ids or net.association_ids[1:2])
    return ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=ids, **parameters)


@pytest.mark.parametrize("limit", [4001, 5000])
@pytest.mark.fact("DisassociateNatGatewayAddress refuses a limit above 4000 seconds.", "documented")
def test_disassociate_refuses_a_limit_above_4000(
    ec2: EC2Client, net: Network, refused: Refused, limit: int
) -> None:
    with refused("InvalidParameterValue"):
        drain(ec2, net, MaxDrainDurationSeconds=limit)


@pytest.mark.fact("DisassociateNatGatewayAddress accepts a limit of 1 second.", "documented")
def test_disassociate_accepts_a_limit_of_one_second(ec2: EC2Client, net: Network) -> None:
    assert drain(ec2, net, MaxDrainDurationSeconds=1)["NatGatewayAddresses"]


@pytest.mark.parametrize("limit", [1, 4000])
def test_disassociate_accepts_a_limit_at_the_bounds(ec2: EC2Client, net: Network, limit: int) -> None:
    assert drain(ec2, net, MaxDrainDurationSeconds=limit)["NatGatewayAddresses"]


@pytest.mark.fact("DisassociateNatGatewayAddress refuses an empty list: MissingParameter.", "inferred")
def test_disassociate_refuses_an_empty_list(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("MissingParameter"):
        ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=[])


@pytest.mark.fact("DisassociateNatGatewayAddress refuses the primary address.", "documented")
def test_disassociate_refuses_the_primary_address(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("InvalidParameter", net.association_ids[0]):
        drain(ec2, net, net.association_ids[0])


@pytest.mark.fact("DisassociateNatGatewayAddress refuses an unknown association.", "reported")
def test_disassociate_refuses_an_unknown_association(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("InvalidParameter", "eipassoc-00000000000000000"):
        drain(ec2, net, "eipassoc-00000000000000000")


def test_disassociate_refuses_an_association_of_another_gateway(
    ec2: EC2Client, network: BuildNetwork, refused: Refused
) -> None:
    one, other = network(), network()
    with refused("InvalidParameter", other.association_ids[1]):
        drain(ec2, one, other.association_ids[1])


@pytest.mark.fact("DisassociateNatGatewayAddress refuses an association that has left.", "reported")
def test_disassociate_refuses_an_association_that_has_left(
    account: Account, ec2: EC2Client, net: Network, refused: Refused, statuses: Statuses
) -> None:
    drain(ec2, net, MaxDrainDurationSeconds=1)
    account.see(lambda: net.association_ids[1] in statuses(net), wanted=False, seconds=61)
    with refused("InvalidParameter"):
        drain(ec2, net)


@pytest.mark.fact("DisassociateNatGatewayAddress changes nothing when one of several is refused.", "inferred")
def test_disassociate_changes_nothing_when_one_of_several_is_refused(
    account: Account, ec2: EC2Client, net: Network, refused: Refused, statuses: Statuses
) -> None:
    with refused("InvalidParameter"):
        drain(ec2, net, net.association_ids[1], net.association_ids[0])
    account.wait(5)
    assert set(statuses(net).values()) == {"succeeded"}


@pytest.mark.fact("DisassociateNatGatewayAddress refuses an unknown gateway.", "documented")
def test_disassociate_refuses_an_unknown_gateway(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("NatGatewayNotFound"):
        ec2.disassociate_nat_gateway_address(
            NatGatewayId="nat-00000000000000000", AssociationIds=net.association_ids[1:]
        )


@pytest.mark.fact("DisassociateNatGatewayAddress refuses a malformed gateway id.", "documented")
def test_disassociate_refuses_a_malformed_gateway_id(ec2: EC2Client, refused: Refused) -> None:
    with refused("NatGatewayMalformed"):
        ec2.disassociate_nat_gateway_address(NatGatewayId="natty", AssociationIds=["eipassoc-1"])


@pytest.mark.fact("DisassociateNatGatewayAddress refuses a private gateway.", "documented")
def test_disassociate_refuses_a_private_gateway(
    ec2: EC2Client, net: Network, private_gateway: str, refused: Refused
) -> None:
    """Documented: it is for public gateways (API reference). Inferred: the code."""
    with refused("InvalidParameter", "private"):
        ec2.disassociate_nat_gateway_address(
            NatGatewayId=private_gateway, AssociationIds=net.association_ids[1:]
        )


@pytest.mark.parametrize("state", ["pending", "failed", "deleting", "deleted"])
def test_disassociate_refuses_a_gateway_that_is_not_available(
    ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused, state: str
) -> None:
    simulation.set_gateway_state(net.gateway_id, state)
    with refused("InvalidParameter", state):
        drain(ec2, net)


def test_disassociate_is_refused_while_the_draining_address_still_shows_succeeded(
    ec2: EC2Client, net: Network, refused: Refused
) -> None:
    drain(ec2, net)
    with refused("OperationInProgress"):
        drain(ec2, net)


@pytest.mark.fact("While an address associates, none can be drained: OperationInProgress.", "reported")
def test_disassociate_is_refused_while_an_address_associates(
    ec2: EC2Client, alone: Network, spare: str, refused: Refused
) -> None:
    answer = ec2.associate_nat_gateway_address(NatGatewayId=alone.gateway_id, AllocationIds=[spare])
    with refused("OperationInProgress", f"ASSOCIATING the following EIPs: [{spare}]"):
        drain(ec2, alone, answer["NatGatewayAddresses"][0]["AssociationId"], MaxDrainDurationSeconds=1)


def test_disassociate_leaves_other_gateways_free(ec2: EC2Client, network: BuildNetwork) -> None:
    one, other = network(), network()
    drain(ec2, one)
    assert drain(ec2, other)["NatGatewayAddresses"]


@pytest.mark.fact("A dry run of DisassociateNatGatewayAddress returns DryRunOperation.", "documented")
def test_disassociate_dry_run_returns_412_and_changes_nothing(
    account: Account, ec2: EC2Client, net: Network, statuses: Statuses
) -> None:
    with pytest.raises(ClientError) as caught:
        drain(ec2, net, DryRun=True)
    assert caught.value.response["Error"]["Code"] == "DryRunOperation"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    account.wait(5)
    assert set(statuses(net).values()) == {"succeeded"}
