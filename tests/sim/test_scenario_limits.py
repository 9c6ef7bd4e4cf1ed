"""Scenario files: the quota of addresses on a gateway, and their border groups."""

from pathlib import Path

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import Scenario, ScenarioError

BORDER_GROUP = """
[[gateway]]
gateway_id = "nat-0000000000000000a"
address = [{{ border_group = "us-east-1-bos-1" }}, {{{}}}]
"""


def load(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(text)
    return Scenario.load(path)


def test_scenario_sets_the_quota_of_addresses_on_a_gateway(tmp_path: Path) -> None:
    with EmbeddedCloud(load(tmp_path, "eips_per_nat_gateway = 2")) as cloud:
        quota = {"ServiceCode": "vpc", "QuotaCode": "L-5F53652F"}
        assert cloud.client("service-quotas").get_service_quota(**quota)["Quota"]["Value"] == 2


@pytest.mark.parametrize("quota", [0, 9])
def test_scenario_refuses_a_quota_that_aws_does_not_grant(tmp_path: Path, quota: int) -> None:
    with pytest.raises(ScenarioError, match="eips_per_nat_gateway: Input should be"):
        load(tmp_path, f"eips_per_nat_gateway = {quota}")


def test_scenario_refuses_more_addresses_than_its_quota(tmp_path: Path) -> None:
    scenario = load(tmp_path, "eips_per_nat_gateway = 1\n[[gateway]]\naddress = [{}, {}]")
    with pytest.raises(ScenarioError, match="EC2 refuses the scenario"), EmbeddedCloud(scenario):
        pass


def test_scenario_addresses_have_their_border_group(tmp_path: Path) -> None:
    scenario = load(tmp_path, BORDER_GROUP.format('border_group = "us-east-1-bos-1"'))
    with EmbeddedCloud(scenario) as cloud:
        shown = cloud.client("ec2").describe_addresses()["Addresses"]
    assert [address["NetworkBorderGroup"] for address in shown] == ["us-east-1-bos-1"] * 2


def test_scenario_refuses_a_gateway_with_addresses_of_two_border_groups(tmp_path: Path) -> None:
    scenario = load(tmp_path, BORDER_GROUP.format(""))
    with pytest.raises(ScenarioError, match="us-east-1-bos-1"), EmbeddedCloud(scenario):
        pass
