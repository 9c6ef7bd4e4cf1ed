"""One embedded cloud for each file of stories; every story builds its own gateway in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from stories import MANAGED, BuildGateway, NatGateway


@pytest.fixture(scope="module")
def _cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(_cloud: EmbeddedCloud) -> Iterator[EmbeddedCloud]:
    """The cloud, without faults and with EC2's usual lags, when all is recorded of the story before."""
    _cloud.recorder.faults = ()
    _cloud.clock.advance(1)
    _cloud.simulation.configure(lags=Lags(), seed=0)
    yield _cloud
    _cloud.recorder.faults = ()


@pytest.fixture(scope="module")
def _subnet(_cloud: EmbeddedCloud) -> str:
    ec2 = _cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/16")["Subnet"]["SubnetId"])


_numbers = itertools.count()


@pytest.fixture
def nat(cloud: EmbeddedCloud, _subnet: str) -> BuildGateway:
    """Build a gateway with so many addresses, everything opted in.

    The first one is primary; unless it is a regional gateway, with `zones` for them, or `automatic`.
    """

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
        gateway_id = cloud.simulation.add_nat_gateway(_subnet, allocations, tags=tags, **regional)
        built = NatGateway(cloud, gateway_id, [])
        built.addresses.extend(built.shown())
        return built

    return build
