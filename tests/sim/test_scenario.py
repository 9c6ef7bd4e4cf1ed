"""Scenario files: regional gateways and faults; test_cli.py has the other keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import Scenario, ScenarioError

REGIONAL = """
[[gateway]]
gateway_id = "nat-0000000000000000a"

[[gateway.address]]
zone = "us-east-1a"
association_id = "eipassoc-0000000000000000a"
connections = [1000]

[[gateway.address]]
zone = "use1-az1"
draining_with_limit = 900

[[gateway]]
gateway_id = "nat-0000000000000000b"
automatic = true

[[gateway]]
gateway_id = "nat-0000000000000000c"
automatic = true
address = [{ zone = "us-east-1c", public_ip = "203.0.113.7" }]

[[gateway]]
gateway_id = "nat-0000000000000000d"
address = [{}]
"""


FAULT = """
[[fault]]
operation = "ec2:DescribeNatGateways"
error = "RequestLimitExceeded"
for_seconds = {}
"""


def load(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(text)
    return Scenario.load(path)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud(load(tmp_path_factory.mktemp("scenario"), REGIONAL)) as cloud:
        yield cloud


def gateway(cloud: EmbeddedCloud, letter: str) -> Any:
    answer = cloud.client("ec2").describe_nat_gateways(NatGatewayIds=[f"nat-0000000000000000{letter}"])
    return answer["NatGateways"][0]


def described(cloud: EmbeddedCloud, letter: str) -> Any:
    """Return the mode, whether AWS manages the addresses, and the zones."""
    seen = gateway(cloud, letter)
    zones = [one.get("AvailabilityZone") for one in seen["NatGatewayAddresses"]]
    return seen["AvailabilityMode"], seen.get("AutoScalingIps"), zones


def test_scenario_gateway_is_regional_when_its_addresses_have_zones(cloud: EmbeddedCloud) -> None:
    assert described(cloud, "a") == ("regional", "disabled", ["us-east-1a", "us-east-1b"])


def test_scenario_gateway_is_zonal_when_its_addresses_have_no_zones(cloud: EmbeddedCloud) -> None:
    assert described(cloud, "d") == ("zonal", None, [None])


def test_scenario_automatic_gateway_has_an_address_of_awss_own(cloud: EmbeddedCloud) -> None:
    assert described(cloud, "b") == ("regional", "enabled", ["us-east-1a"])


def test_scenario_automatic_gateway_has_the_listed_addresses(cloud: EmbeddedCloud) -> None:
    assert described(cloud, "c") == ("regional", "enabled", ["us-east-1c"])
    assert gateway(cloud, "c")["NatGatewayAddresses"][0]["PublicIp"] == "203.0.113.7"


def test_scenario_regional_addresses_have_connections_and_drains(cloud: EmbeddedCloud) -> None:
    first, second = gateway(cloud, "a")["NatGatewayAddresses"]
    assert cloud.simulation.connections("nat-0000000000000000a") == {
        "eipassoc-0000000000000000a": 1,
        second["AssociationId"]: 0,
    }
    assert (first["Status"], second["Status"]) == ("succeeded", "disassociating")


@pytest.mark.parametrize(
    "text",
    ['[[gateway]]\naddress = [{ zone = "us-east-1a" }, {}]', "[[gateway]]\nautomatic = true\naddress = [{}]"],
)
def test_scenario_refuses_a_regional_address_without_a_zone(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        ScenarioError, match=r"gateway\[0\]: each address of a regional gateway must have a zone"
    ):
        load(tmp_path, text)


def test_scenario_fault_can_have_a_duration(tmp_path: Path) -> None:
    (fault,) = load(tmp_path, FAULT.format(30.5)).fault
    assert fault.for_seconds == 30.5


def test_scenario_refuses_a_fault_with_a_duration_of_zero(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"fault\[0\]\.for_seconds: Input should be greater than 0"):
        load(tmp_path, FAULT.format(0))
