"""DisassociateNatGatewayAddress: the statuses of an address until it has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from natdrain_sim.ec2 import Lags

if TYPE_CHECKING:
    from conftest import BuildNetwork, Network, Statuses
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from natdrain_sim.ec2 import Simulation
    from support.account import Account


MARGIN = 60
"""An idle address left 10 to 40 s after its limit in Terraform's acceptance tests."""


def drain(ec2: EC2Client, net: Network, *association_ids: str, **parameters: Any) -> dict[str, Any]:
    ids = list(association_ids or net.association_ids[1:2])
    return ec2.disassociate_nat_gateway_address(NatGatewayId=net.gateway_id, AssociationIds=ids, **parameters)


@pytest.mark.fact(
    "DisassociateNatGatewayAddress returns the address as `disassociating`, not primary.", "documented"
)
def test_disassociate_returns_the_addresses_as_disassociating(ec2: EC2Client, net: Network) -> None:
    answer = drain(ec2, net, MaxDrainDurationSeconds=1)
    assert answer["NatGatewayId"] == net.gateway_id
    [address] = answer["NatGatewayAddresses"]
    assert address["AssociationId"] == net.association_ids[1]
    assert address["AllocationId"] == net.allocation_ids[1]
    assert address["Status"] == "disassociating"
    assert address["IsPrimary"] is False


@pytest.mark.fact(
    "An address that drains shows `succeeded` or `disassociating` until it is absent.", "reported"
)
def test_address_shows_succeeded_or_disassociating_until_it_is_absent(
    account: Account, ec2: EC2Client, net: Network, statuses: Statuses
) -> None:
    """Terraform's waiter treats these two as pending and absence as done."""
    seen: set[str | None] = set()

    def status() -> str | None:
        seen.add(one := statuses(net).get(net.association_ids[1]))
        return one

    drain(ec2, net, MaxDrainDurationSeconds=60)
    account.see(status, None, 60 + MARGIN)
    assert seen <= {"succeeded", "disassociating", None}


def test_address_still_shows_succeeded_within_the_describe_lag(
    ec2: EC2Client, net: Network, statuses: Statuses, clock: Traveller
) -> None:
    drain(ec2, net)
    clock.shift(1)
    assert statuses(net)[net.association_ids[1]] == "succeeded"


def test_address_shows_disassociating_after_the_describe_lag(
    ec2: EC2Client, net: Network, statuses: Statuses, clock: Traveller
) -> None:
    drain(ec2, net)
    clock.shift(2)
    assert statuses(net)[net.association_ids[1]] == "disassociating"


@pytest.mark.fact(
    "An idle address does not leave early: at half of the default limit of 350 s it is listed.", "inferred"
)
def test_idle_address_is_listed_at_half_of_the_default_limit(
    account: Account, ec2: EC2Client, net: Network, statuses: Statuses
) -> None:
    """EC2's documentation says both that it may leave early and that it does not."""
    drain(ec2, net)
    account.wait(350 / 2)
    assert statuses(net).get(net.association_ids[1]) == "disassociating"


@pytest.mark.fact(
    "A drained address is absent a minute after its limit at the latest; others stay.", "reported"
)
def test_address_is_absent_eventually_and_the_others_stay(
    account: Account, ec2: EC2Client, net: Network, statuses: Statuses
) -> None:
    drain(ec2, net, MaxDrainDurationSeconds=20)
    others = set(net.association_ids) - {net.association_ids[1]}
    assert account.see(lambda: set(statuses(net)), others, 20 + MARGIN) == others


def test_address_stays_listed_until_the_default_limit_of_350_seconds(
    ec2: EC2Client, net: Network, statuses: Statuses, clock: Traveller
) -> None:
    drain(ec2, net)
    clock.shift(350)
    assert statuses(net)[net.association_ids[1]] == "disassociating"


def test_address_is_absent_at_most_forty_seconds_after_the_limit(
    ec2: EC2Client, net: Network, statuses: Statuses, clock: Traveller
) -> None:
    drain(ec2, net)
    clock.shift(350 + 40 + 2)
    assert list(statuses(net)) == [net.association_ids[0], net.association_ids[2]]


def test_address_leaves_at_the_same_instant_with_the_same_seed(
    ec2: EC2Client, network: BuildNetwork, simulation: Simulation, statuses: Statuses, clock: Traveller
) -> None:
    lasted = []
    for _ in range(2):
        simulation.configure(seed=7)
        net = network()
        drain(ec2, net)
        clock.shift(350)
        lasted.append(0)
        while net.association_ids[1] in statuses(net):
            clock.shift(1)
            lasted[-1] += 1
    assert 0 < lasted[0] == lasted[1] <= 42


def test_disassociate_applies_the_given_limit(
    ec2: EC2Client, net: Network, simulation: Simulation, statuses: Statuses, clock: Traveller
) -> None:
    simulation.configure(lags=Lags(leave_after_limit=(0, 0)))
    drain(ec2, net, MaxDrainDurationSeconds=10)
    clock.shift(11.9)
    assert net.association_ids[1] in statuses(net)
    clock.shift(0.2)
    assert net.association_ids[1] not in statuses(net)


@pytest.mark.fact("DisassociateNatGatewayAddress drains several addresses at once.", "documented")
def test_disassociate_accepts_several_addresses(
    account: Account, ec2: EC2Client, roomy: Network, statuses: Statuses
) -> None:
    drain(ec2, roomy, *roomy.association_ids[1:], MaxDrainDurationSeconds=1)
    primary = roomy.association_ids[:1]
    assert account.see(lambda: list(statuses(roomy)), primary, 1 + MARGIN) == primary


@pytest.mark.fact("When one drain has ended, the next is accepted.", "documented")
def test_disassociate_is_accepted_again_when_the_first_drain_has_ended(
    account: Account, ec2: EC2Client, roomy: Network, statuses: Statuses
) -> None:
    drain(ec2, roomy, MaxDrainDurationSeconds=1)
    account.see(lambda: roomy.association_ids[1] in statuses(roomy), wanted=False, seconds=1 + MARGIN)
    assert drain(ec2, roomy, roomy.association_ids[2], MaxDrainDurationSeconds=1)["NatGatewayAddresses"]


def test_drain_ends_as_failed_with_the_given_message(
    ec2: EC2Client, net: Network, simulation: Simulation, clock: Traveller
) -> None:
    simulation.fail_when_drained(net.association_ids[1], "The network interface could not be updated.")
    drain(ec2, net)
    clock.shift(350 + MARGIN)
    [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[net.gateway_id])["NatGateways"]
    address = gateway["NatGatewayAddresses"][1]
    assert address["Status"] == "failed"
    assert address["FailureMessage"] == "The network interface could not be updated."


def test_failed_address_stays_listed(
    ec2: EC2Client, net: Network, simulation: Simulation, statuses: Statuses, clock: Traveller
) -> None:
    simulation.fail_when_drained(net.association_ids[1], "no")
    drain(ec2, net)
    clock.shift(7200)
    assert statuses(net)[net.association_ids[1]] == "failed"


def test_running_drain_can_be_made_to_fail(
    ec2: EC2Client, net: Network, simulation: Simulation, statuses: Statuses, clock: Traveller
) -> None:
    drain(ec2, net)
    clock.shift(100)
    simulation.fail_when_drained(net.association_ids[1], "no")
    assert statuses(net)[net.association_ids[1]] == "disassociating"
    clock.shift(350 + MARGIN)
    assert statuses(net)[net.association_ids[1]] == "failed"


def test_idle_address_leaves_at_once_with_leave_when_idle(
    ec2: EC2Client, net: Network, simulation: Simulation, statuses: Statuses, clock: Traveller
) -> None:
    simulation.configure(lags=Lags(leave_when_idle=True))
    drain(ec2, net)
    clock.shift(2)
    assert net.association_ids[1] not in statuses(net)


def test_address_leaves_with_its_last_connection_with_leave_when_idle(
    ec2: EC2Client, net: Network, simulation: Simulation, statuses: Statuses, clock: Traveller
) -> None:
    simulation.configure(lags=Lags(leave_when_idle=True))
    simulation.add_connection(net.gateway_id, net.association_ids[1], lifetime_seconds=60)
    drain(ec2, net)
    clock.shift(61)
    assert net.association_ids[1] in statuses(net)
    clock.shift(1)
    assert net.association_ids[1] not in statuses(net)


def test_address_leaves_after_the_limit_when_its_connections_outlive_it(
    ec2: EC2Client, net: Network, simulation: Simulation, statuses: Statuses, clock: Traveller
) -> None:
    simulation.configure(lags=Lags(leave_when_idle=True, leave_after_limit=(20, 20)))
    simulation.add_connection(net.gateway_id, net.association_ids[1], lifetime_seconds=6000)
    drain(ec2, net)
    clock.shift(371)
    assert net.association_ids[1] in statuses(net)
    clock.shift(1)
    assert net.association_ids[1] not in statuses(net)
