"""DisassociateNatGatewayAddress: what EC2 refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from conftest import BuildNetwork, Network, Refused, Statuses
    from natdrain_sim.ec2 import Simulation


MARGIN = 350 + 40 + 2


def drain(ec2: EC2Client, net: Network, *association_ids: str, **parameters: Any) -> dict[str, Any]:
    ids = list(association_ids or net.association_ids[1:2])
    return ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=ids, **parameters)


@pytest.mark.parametrize("limit", [4001, 5000])
def test_disassociate_refuses_a_limit_above_4000(
    ec2: EC2Client, net: Network, refused: Refused, limit: int
) -> None:
    with refused("InvalidParameterValue"):
        drain(ec2, net, MaxDrainDurationSeconds=limit)


@pytest.mark.parametrize("limit", [1, 4000])
def test_disassociate_accepts_a_limit_at_the_bounds(ec2: EC2Client, net: Network, limit: int) -> None:
    assert drain(ec2, net, MaxDrainDurationSeconds=limit)["NatGatewayAddresses"]


def test_disassociate_refuses_an_empty_list(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("MissingParameter"):
        ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=[])


def test_disassociate_refuses_the_primary_address(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("InvalidParameter", net.association_ids[0]):
        drain(ec2, net, net.association_ids[0])


def test_disassociate_refuses_an_unknown_association(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("InvalidParameter", "eipassoc-00000000000000000"):
        drain(ec2, net, "eipassoc-00000000000000000")


def test_disassociate_refuses_an_association_of_another_gateway(
    ec2: EC2Client, network: BuildNetwork, refused: Refused
) -> None:
    one, other = network(), network()
    with refused("InvalidParameter", other.association_ids[1]):
        drain(ec2, one, other.association_ids[1])


def test_disassociate_refuses_an_association_that_has_left(
    ec2: EC2Client, net: Network, refused: Refused, clock: Traveller
) -> None:
    drain(ec2, net)
    clock.shift(MARGIN)
    with refused("InvalidParameter"):
        drain(ec2, net)


def test_disassociate_changes_nothing_when_one_of_several_is_refused(
    ec2: EC2Client, net: Network, refused: Refused, statuses: Statuses, clock: Traveller
) -> None:
    with refused("InvalidParameter"):
        drain(ec2, net, net.association_ids[1], net.association_ids[0])
    clock.shift(5)
    assert set(statuses(net).values()) == {"succeeded"}


def test_disassociate_refuses_an_unknown_gateway(ec2: EC2Client, net: Network, refused: Refused) -> None:
    with refused("NatGatewayNotFound"):
        ec2.disassociate_nat_gateway_address(
            NatGatewayId="nat-00000000000000000", AssociationIds=net.association_ids[1:]
        )


def test_disassociate_refuses_a_malformed_gateway_id(ec2: EC2Client, refused: Refused) -> None:
    with refused("NatGatewayMalformed"):
        ec2.disassociate_nat_gateway_address(NatGatewayId="natty", AssociationIds=["eipassoc-1"])


def test_disassociate_refuses_a_private_gateway(
    ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused
) -> None:
    private = simulation.add_nat_gateway(net.subnet_id)
    with refused("InvalidParameter", "private"):
        ec2.disassociate_nat_gateway_address(NatGatewayId=private, AssociationIds=net.association_ids[1:])


@pytest.mark.parametrize("state", ["pending", "failed", "deleting", "deleted"])
def test_disassociate_refuses_a_gateway_that_is_not_available(
    ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused, state: str
) -> None:
    simulation.set_gateway_state(net.gateway_id, state)
    with refused("InvalidParameter", state):
        drain(ec2, net)


def test_disassociate_is_refused_while_another_drain_runs(
    ec2: EC2Client, net: Network, refused: Refused
) -> None:
    drain(ec2, net)
    text = f"Service is currently DISASSOCIATING the following EIPs: [{net.allocation_ids[1]}]"
    with refused("OperationInProgress", text):
        drain(ec2, net, net.association_ids[2])


def test_disassociate_is_refused_for_the_address_that_drains_already(
    ec2: EC2Client, net: Network, refused: Refused
) -> None:
    """Even within the describe lag, while the address still shows `succeeded`."""
    drain(ec2, net)
    with refused("OperationInProgress"):
        drain(ec2, net)


def test_disassociate_is_refused_while_an_address_associates(
    ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused
) -> None:
    spare = simulation.add_address()
    ec2.associate_nat_gateway_address(NatGatewayId=net.gateway_id, AllocationIds=[spare])
    with refused("OperationInProgress", f"ASSOCIATING the following EIPs: [{spare}]"):
        drain(ec2, net)


def test_disassociate_is_accepted_again_when_the_first_drain_has_ended(
    ec2: EC2Client, net: Network, clock: Traveller
) -> None:
    drain(ec2, net)
    clock.shift(MARGIN)
    assert drain(ec2, net, net.association_ids[2])["NatGatewayAddresses"]


def test_disassociate_leaves_other_gateways_free(ec2: EC2Client, network: BuildNetwork) -> None:
    one, other = network(), network()
    drain(ec2, one)
    assert drain(ec2, other)["NatGatewayAddresses"]


def test_dry_run_is_answered_412_and_changes_nothing(
    ec2: EC2Client, net: Network, statuses: Statuses, clock: Traveller
) -> None:
    with pytest.raises(ClientError) as caught:
        drain(ec2, net, DryRun=True)
    assert caught.value.response["Error"]["Code"] == "DryRunOperation"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    clock.shift(5)
    assert set(statuses(net).values()) == {"succeeded"}
