"""One embedded cloud for each test file, in which every test builds its own gateway."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.stories import MANAGED, BuildGateway, NatGateway, table

__all__ = ["cloud", "nat", "shared_cloud", "subnet"]


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud: EmbeddedCloud) -> Iterator[EmbeddedCloud]:
    """Return the cloud without faults, with EC2's usual lags and quota, once the last story is recorded."""
    shared_cloud.recorder.faults = ()
    shared_cloud.clock.advance(1)
    shared_cloud.simulation.configure(lags=Lags(), seed=0)
    shared_cloud.simulation.set_quota(shared_cloud.scenario.eips_per_nat_gateway)
    yield shared_cloud
    shared_cloud.recorder.faults = ()


@pytest.fixture(scope="module")
def subnet(shared_cloud: EmbeddedCloud) -> str:
    ec2 = shared_cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/16")["Subnet"]["SubnetId"])


_numbers = itertools.count()


@pytest.fixture
def nat(cloud: EmbeddedCloud, subnet: str) -> BuildGateway:
    """Return a function that builds a gateway with this many addresses, everything opted in.

    The first one is primary; unless it is a regional gateway, with `zones` for them, or `automatic`. Nothing
    is counted yet of what automatic requests have taken off.
    """
    key = {"NatGatewayId": {"S": "pace"}, "Record": {"S": "pace"}}
    cloud.client("dynamodb").delete_item(TableName=table(cloud), Key=key)

    def build(
        addresses: int = 3,
        tags: dict[str, str] = MANAGED,
        address_tags: dict[int, dict[str, str]] | None = None,
        **regional: Any,
    ) -> NatGateway:
        story = next(_numbers)
        allocations = [
            cloud.simulation.add_address(
                public_ip=f"203.{story // 256}.{story % 256}.{number}",
                tags=(address_tags or {}).get(number, MANAGED),
            )
            for number in range(addresses)
        ]
        gateway_id = cloud.simulation.add_nat_gateway(subnet, allocations, tags=tags, **regional)
        built = NatGateway(cloud, gateway_id, [])
        built.addresses.extend(built.shown())
        return built

    return build
