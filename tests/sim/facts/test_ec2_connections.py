"""Simulated connections through a gateway, their addresses, and the connections that a drain cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Network
    from mypy_boto3_ec2 import EC2Client
    from time_machine import Traveller

    from natdrain_sim.ec2 import Simulation


@pytest.fixture
def drain(ec2: EC2Client, net: Network) -> Callable[[], None]:
    def begin(limit: int = 350) -> None:
        ec2.disassociate_nat_gateway_address(
            NatGatewayId=net.gateway_id,
            AssociationIds=net.association_ids[1:2],
            MaxDrainDurationSeconds=limit,
        )

    return begin


def test_connections_spread_evenly_over_the_addresses_in_service(
    net: Network, simulation: Simulation, clock: Traveller
) -> None:
    simulation.add_traffic(net.gateway_id, per_second=3, lifetime_seconds=(1000, 1000))
    clock.shift(99.9)
    assert simulation.connections(net.gateway_id) == dict.fromkeys(net.association_ids, 100)


def test_connections_go_to_the_remaining_addresses_during_a_drain(
    net: Network, simulation: Simulation, clock: Traveller, drain: Callable[[], None]
) -> None:
    drain()
    simulation.add_traffic(net.gateway_id, per_second=2, lifetime_seconds=(1000, 1000))
    clock.shift(9.9)
    first, draining, third = net.association_ids
    assert simulation.connections(net.gateway_id) == {first: 10, draining: 0, third: 10}


def test_connections_of_a_draining_address_are_kept_until_they_end(
    net: Network, simulation: Simulation, clock: Traveller, drain: Callable[[], None]
) -> None:
    simulation.add_connection(net.gateway_id, net.association_ids[1], lifetime_seconds=100)
    drain()
    clock.shift(99)
    assert simulation.connections(net.gateway_id)[net.association_ids[1]] == 1
    clock.shift(1)
    assert simulation.connections(net.gateway_id)[net.association_ids[1]] == 0


def test_connection_is_cut_at_the_limit_when_it_is_still_open(
    net: Network, simulation: Simulation, clock: Traveller, drain: Callable[[], None]
) -> None:
    simulation.add_connection(net.gateway_id, net.association_ids[1], lifetime_seconds=1000)
    drain()
    clock.shift(349)
    assert simulation.cut(net.gateway_id)[net.association_ids[1]] == 0
    clock.shift(1)
    assert simulation.cut(net.gateway_id)[net.association_ids[1]] == 1


def test_connection_is_not_cut_when_it_ends_before_the_limit(
    net: Network, simulation: Simulation, clock: Traveller, drain: Callable[[], None]
) -> None:
    simulation.add_connection(net.gateway_id, net.association_ids[1], lifetime_seconds=349)
    drain()
    clock.shift(500)
    assert simulation.cut(net.gateway_id) == dict.fromkeys(net.association_ids, 0)


def test_connection_cannot_be_added_to_a_draining_address(
    net: Network, simulation: Simulation, drain: Callable[[], None]
) -> None:
    drain()
    with pytest.raises(ValueError, match="not in service"):
        simulation.add_connection(net.gateway_id, net.association_ids[1], lifetime_seconds=1)


def test_connections_are_all_cut_when_the_gateway_is_deleted(
    ec2: EC2Client, net: Network, simulation: Simulation
) -> None:
    simulation.add_connection(net.gateway_id, net.association_ids[0], lifetime_seconds=1000)
    ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
    assert simulation.cut(net.gateway_id)[net.association_ids[0]] == 1
