"""Addresses that fail to associate, that never end associating, and that somebody takes away meanwhile.

Only the simulated EC2 can be told to do so. How long a failed address stays listed, and whether it keeps its
association id, is documented nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from natdrain_sim.ec2 import Lags

if TYPE_CHECKING:
    from conftest import BuildNetwork, Network, Refused

    from natdrain_sim.ec2 import Simulation
    from support.account import Account

MESSAGE = "The network interface is not there."
JOINED_SECONDS = 30 + 2


@pytest.fixture
def eip(simulation: Simulation) -> str:
    return simulation.add_address()


def associate(account: Account, net: Network, *allocation_ids: str) -> str:
    answer = account.ec2.associate_nat_gateway_address(
        NatGatewayId=net.gateway_id, AllocationIds=list(allocation_ids)
    )
    return answer["NatGatewayAddresses"][0]["AssociationId"]


def drain(account: Account, net: Network, association_id: str, limit: int = 4000) -> Any:
    return account.ec2.disassociate_nat_gateway_address(
        NatGatewayId=net.gateway_id, AssociationIds=[association_id], MaxDrainDurationSeconds=limit
    )


def entry(account: Account, net: Network, allocation_id: str) -> Any:
    """Return the gateway's entry with this EIP, or None."""
    shown = account.look(net.gateway_id)["NatGatewayAddresses"]
    return next((one for one in shown if one["AllocationId"] == allocation_id), None)


def test_association_fails_after_its_lag_with_the_message(
    account: Account, net: Network, eip: str, simulation: Simulation
) -> None:
    simulation.fail_when_associated(eip, MESSAGE)
    association_id = associate(account, net, eip)
    account.wait(31)
    assert entry(account, net, eip)["Status"] == "associating"
    assert "FailureMessage" not in entry(account, net, eip)
    account.wait(1)
    failed = entry(account, net, eip)
    assert (failed["Status"], failed["FailureMessage"]) == ("failed", MESSAGE)
    assert failed["AssociationId"] == association_id


def test_only_the_next_association_fails(
    account: Account, net: Network, eip: str, simulation: Simulation
) -> None:
    simulation.fail_when_associated(eip, MESSAGE, leaves_after_seconds=0)
    associate(account, net, eip)
    account.wait(JOINED_SECONDS)
    assert entry(account, net, eip) is None
    associate(account, net, eip)
    account.wait(JOINED_SECONDS)
    assert entry(account, net, eip)["Status"] == "succeeded"


def test_refused_request_does_not_use_up_the_failure(
    account: Account, net: Network, eip: str, simulation: Simulation, refused: Refused
) -> None:
    simulation.fail_when_associated(eip, MESSAGE)
    with refused("Resource.AlreadyAssociated"):
        associate(account, net, eip, net.allocation_ids[0])
    associate(account, net, eip)
    account.wait(JOINED_SECONDS)
    assert entry(account, net, eip)["Status"] == "failed"


def test_one_of_several_fails_alone(account: Account, net: Network, eip: str, simulation: Simulation) -> None:
    other = simulation.add_address()
    simulation.fail_when_associated(eip, MESSAGE)
    associate(account, net, eip, other)
    account.wait(JOINED_SECONDS)
    assert [entry(account, net, one)["Status"] for one in (eip, other)] == ["failed", "succeeded"]


def test_failed_address_stays_in_use_and_counts(
    account: Account, network: BuildNetwork, eip: str, simulation: Simulation, refused: Refused
) -> None:
    net, other = network(3), network(1)
    simulation.set_quota(4)
    simulation.fail_when_associated(eip, MESSAGE)
    associate(account, net, eip)
    account.wait(3600)
    with refused("PrivateIpAddressLimitExceeded"):
        associate(account, net, simulation.add_address())
    with refused("Resource.AlreadyAssociated"):
        associate(account, other, eip)
    with refused("InvalidIPAddress.InUse"):
        account.ec2.release_address(AllocationId=eip)


@pytest.mark.parametrize("association", [True, False])
def test_addresses_show_a_failed_address_as_associated(
    account: Account, net: Network, eip: str, simulation: Simulation, *, association: bool
) -> None:
    simulation.fail_when_associated(eip, MESSAGE, association=association)
    associate(account, net, eip)
    account.wait(60)
    failed = entry(account, net, eip)
    (shown,) = account.ec2.describe_addresses(AllocationIds=[eip])["Addresses"]
    assert shown["NetworkInterfaceId"] == failed["NetworkInterfaceId"]
    assert ("AssociationId" in failed) == ("AssociationId" in shown) == association


def test_failed_address_leaves_within_seconds_of_its_disassociation(
    account: Account, net: Network, eip: str, simulation: Simulation
) -> None:
    """It has no connections, so the limit of 4000 s is not waited for (inferred)."""
    simulation.fail_when_associated(eip, MESSAGE)
    association_id = associate(account, net, eip)
    account.wait(JOINED_SECONDS)
    drain(account, net, association_id)
    account.wait(2)
    assert entry(account, net, eip)["Status"] == "disassociating"
    account.wait(3)
    assert entry(account, net, eip) is None


def test_failed_address_fails_again_when_its_drain_is_to_fail(
    account: Account, net: Network, eip: str, simulation: Simulation
) -> None:
    simulation.fail_when_associated(eip, MESSAGE)
    association_id = associate(account, net, eip)
    simulation.fail_when_drained(association_id, "It is stuck.")
    account.wait(JOINED_SECONDS)
    assert entry(account, net, eip)["FailureMessage"] == MESSAGE
    drain(account, net, association_id)
    account.wait(60)
    failed = entry(account, net, eip)
    assert (failed["Status"], failed["FailureMessage"]) == ("failed", "It is stuck.")


def test_failed_address_without_association_cannot_be_disassociated(
    account: Account, net: Network, eip: str, simulation: Simulation, refused: Refused
) -> None:
    simulation.fail_when_associated(eip, MESSAGE, association=False)
    association_id = associate(account, net, eip)
    account.wait(JOINED_SECONDS)
    with refused("InvalidParameter", association_id):
        drain(account, net, association_id)


def test_failed_address_leaves_by_itself_after_the_given_time(
    account: Account, net: Network, eip: str, simulation: Simulation
) -> None:
    simulation.fail_when_associated(eip, MESSAGE, association=False, leaves_after_seconds=100)
    associate(account, net, eip)
    account.wait(JOINED_SECONDS + 99)
    assert entry(account, net, eip)["Status"] == "failed"
    account.wait(1)
    assert entry(account, net, eip) is None


def test_failed_address_takes_no_connections(
    account: Account, net: Network, eip: str, simulation: Simulation
) -> None:
    simulation.fail_when_associated(eip, MESSAGE)
    association_id = associate(account, net, eip)
    account.wait(JOINED_SECONDS)
    simulation.add_traffic(net.gateway_id, per_second=1, lifetime_seconds=(1000, 1000))
    account.wait(10)
    assert simulation.connections(net.gateway_id)[association_id] == 0


def test_hanging_association_blocks_every_other_change(
    account: Account, net: Network, eip: str, simulation: Simulation, refused: Refused
) -> None:
    simulation.hang_when_associated(eip)
    associate(account, net, eip)
    account.wait(3600)
    assert entry(account, net, eip)["Status"] == "associating"
    with refused("OperationInProgress", f"ASSOCIATING the following EIPs: [{eip}]"):
        drain(account, net, net.association_ids[1])
    account.ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    account.wait(60)
    assert entry(account, net, eip) is None


@pytest.mark.parametrize("seconds", [10, 60])
def test_address_that_is_taken_away_is_gone_at_once(
    account: Account, net: Network, eip: str, simulation: Simulation, seconds: int
) -> None:
    """At ten seconds it still associates, when EC2 refuses to disassociate it."""
    associate(account, net, eip)
    account.wait(seconds)
    simulation.remove_address(eip)
    account.wait(2)
    assert entry(account, net, eip) is None
    account.wait(18)
    assert "NetworkInterfaceId" not in account.ec2.describe_addresses(AllocationIds=[eip])["Addresses"][0]
    assert associate(account, net, eip)


def test_address_that_is_taken_away_loses_its_connections(
    account: Account, net: Network, simulation: Simulation
) -> None:
    taken = net.association_ids[1]
    simulation.add_connection(net.gateway_id, taken, lifetime_seconds=1000)
    simulation.remove_address(net.allocation_ids[1])
    account.wait(1)
    assert simulation.cut(net.gateway_id)[taken] == 1


def test_address_that_no_gateway_has_cannot_be_taken_away(eip: str, simulation: Simulation) -> None:
    with pytest.raises(ValueError, match=eip):
        simulation.remove_address(eip)


def test_association_takes_longer_in_a_zone_with_nothing_in_service(
    account: Account, net: Network, simulation: Simulation
) -> None:
    """A regional gateway may take up to an hour to grow into a zone (VPC user guide)."""
    simulation.configure(lags=Lags(describe_nat_gateways=0))
    first, second, third = (simulation.add_address() for _ in range(3))
    gateway_id = simulation.add_nat_gateway(net.subnet_id, [first], zones=["us-east-1a"])

    def join(allocation_id: str, zone: str) -> int:
        account.ec2.associate_nat_gateway_address(
            NatGatewayId=gateway_id, AllocationIds=[allocation_id], AvailabilityZone=zone
        )
        for seconds in range(0, 3600, 10):
            if account.look(gateway_id)["NatGatewayAddresses"][-1]["Status"] == "succeeded":
                return seconds
            account.wait(10)
        return -1

    assert (join(second, "us-east-1b"), join(third, "us-east-1b")) == (600, 30)
