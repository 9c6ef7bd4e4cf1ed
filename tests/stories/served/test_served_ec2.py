"""The pace, joining and failed addresses, odd answers and what EC2 hides, over HTTP with boto3 alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.served import Served, eventually, serving
from support.stories import problems

pytestmark = pytest.mark.deep

SCENARIO = """
[lags]
associate = 120
draining_association = false

[[gateway]]
gateway_id = "nat-00000000000000001"
tags = { "natdrain:managed" = "true" }
address = [
  { tags = { "natdrain:managed" = "true" } },
  { tags = { "natdrain:managed" = "true" }, connections = [9000.0, 9000.0] },
  { tags = { "natdrain:managed" = "true" } },
  { tags = { "natdrain:managed" = "true" }, fails_with = "no luck" },
]

[[gateway]]
gateway_id = "nat-00000000000000002"
tags = { "natdrain:managed" = "true" }
address = [
  { tags = { "natdrain:managed" = "true" }, zone = "us-east-1a" },
  { tags = { "natdrain:managed" = "true" }, zone = "us-east-1a" },
  { tags = { "natdrain:managed" = "true" }, zone = "us-east-1b" },
  { tags = { "natdrain:managed" = "true" }, zone = "us-east-1b" },
]
"""
ZONAL, REGIONAL = "nat-00000000000000001", "nat-00000000000000002"

ODD_ANSWERS = """
[[gateway]]
gateway_id = "nat-00000000000000001"
tags = { "natdrain:managed" = "true" }
address = [
  { tags = { "natdrain:managed" = "true" } },
  { tags = { "natdrain:managed" = "true" } },
  { tags = { "natdrain:managed" = "true" } },
]

[[fault]]
operation = "ec2:DescribeNatGateways"
error = "AuthFailure"
status = 401
role_contains = "Confirm"
calls = [1, 2]

[[fault]]
operation = "ec2:ReleaseAddress"
error = "InvalidIPAddress.InUse"
status = 400
calls = [1]
"""


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an EC2 that associates slowly, fails, and hides associations."""
    scenario: Path = tmp_path_factory.mktemp("scenario") / "strange.toml"
    scenario.write_text(SCENARIO)
    with serving("--scenario", str(scenario)) as served:
        yield served


def named(served: Served, gateway_id: str, number: int, **more: Any) -> dict[str, Any]:
    """Return a request for an address by its public IP, which EC2 always shows."""
    address = served.addresses(gateway_id)[number]
    request = {"NatGatewayId": gateway_id, "PublicIps": [address["PublicIp"]]}
    return {**request, "MaxDrainDurationSeconds": 60, **more}


def alarm(at: str) -> dict[str, Any]:
    return {"Trigger": {"Kind": "alarm", "Name": "Blocked", "At": at}}


def guards(ended: dict[str, Any]) -> list[str]:
    assert ended["error"] == "RequestRefused"
    return [text.partition(":")[0] for text in problems(ended["result"])]


def test_served_two_automatic_requests_at_once_take_one_address(served: Served, gateway_id: str) -> None:
    both = [named(served, gateway_id, number, **alarm(f"{gateway_id} {number}")) for number in (1, 2)]
    first, second = [served.wait(execution) for execution in [served.start(one) for one in both]]
    assert {first["status"], second["status"]} == {"SUCCEEDED", "FAILED"}
    assert guards(first if first["status"] == "FAILED" else second) == ["pace"]
    assert len(served.addresses(gateway_id)) == 3


@pytest.mark.parametrize("more", [{}, alarm("joining")], ids=["by hand", "automatic"])
def test_served_drain_waits_for_an_address_that_joins(strange: Served, more: dict[str, Any]) -> None:
    ec2 = strange.client("ec2")
    ec2.associate_nat_gateway_address(
        NatGatewayId=REGIONAL, AllocationIds=strange.allocate(1), AvailabilityZone="us-east-1a"
    )
    request = named(strange, REGIONAL, 0, **more)
    ended = strange.run(request)
    assert (ended["status"], ended["result"]["Outcome"]) == ("SUCCEEDED", "drained")
    assert any("While EC2 works on" in text for text in ended["result"]["Warnings"])


def test_served_address_that_has_failed_is_passed_on_to_ec2_and_stops_no_other(strange: Served) -> None:
    failing = named(strange, ZONAL, 3)
    for _ in range(2):
        ended = strange.run(failing)
        assert (ended["error"], ended["result"]["Addresses"][0]["Outcome"]) == ("DrainFailed", "failed")
        assert strange.states(ended["executionArn"]).count("Disassociate") == 1
    [sibling] = [
        text for text in strange.run(named(strange, ZONAL, 2))["result"]["Warnings"] if "failed" in text
    ]
    assert "aws ec2 disassociate-nat-gateway-address --nat-gateway-id" in sibling


def test_served_drain_is_watched_and_told_although_its_entry_has_no_association(strange: Served) -> None:
    plan = strange.run(named(strange, ZONAL, 1, DryRun=True))["result"]
    [planned] = plan["Addresses"]
    assert (planned["GatewayConnections"], planned["ConnectionsEstimate"]) == (2, 1)
    request = named(strange, ZONAL, 1)
    running = strange.start(request)
    eventually(lambda: strange.states(running), lambda states: "Confirm" in states)
    hidden = [one for one in strange.addresses(ZONAL) if one["Status"] == "disassociating"]
    assert all("AssociationId" not in one for one in hidden)
    ended = strange.wait(running)
    assert (ended["status"], ended["result"]["Outcome"]) == ("SUCCEEDED", "drained")
    assert re.search(r"(until|after) .*60 s|after its limit", ended["result"]["Summary"])
    assert "cut" in ended["result"]["Warnings"][0]


def test_served_odd_answers_of_ec2_cost_neither_the_drain_nor_the_release(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text(ODD_ANSWERS)
    with serving("--scenario", str(tmp_path / "odd.toml")) as odd:
        request = named(odd, ZONAL, 1, AfterDrain="release")
        ended = odd.run(request)
        assert (ended["status"], ended["result"]["Outcome"]) == ("SUCCEEDED", "released")
        assert odd.states(ended["executionArn"]).count("Release") == 2
        released = {"Name": "public-ip", "Values": request["PublicIps"]}
        assert odd.client("ec2").describe_addresses(Filters=[released])["Addresses"] == []


def test_served_regional_gateway_is_judged_by_the_metrics_of_each_zone(strange: Served) -> None:
    dimensions = {"NatGatewayId": REGIONAL, "AvailabilityZone": "us-east-1b"}
    strange.client("cloudwatch").put_metric_data(
        Namespace="AWS/NATGateway",
        MetricData=[
            {
                "MetricName": "ErrorPortAllocation",
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                "Value": 3,
            }
        ],
    )
    zones = [address["AvailabilityZone"] for address in strange.addresses(REGIONAL)]
    plan = named(strange, REGIONAL, zones.index("us-east-1b"), DryRun=True)
    # A point counts when its minute is over.
    ended = eventually(lambda: strange.run(plan), lambda one: one["status"] == "FAILED")
    assert guards(ended) == ["ports"]
