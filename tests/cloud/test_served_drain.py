"""The workflow over HTTP: another process serves the embedded cloud, and boto3 is all that is used."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

SIM = Path(sys.executable).with_name("natdrain-sim")
MANAGED = [{"Key": "natdrain:managed", "Value": "true"}]
SPEED = 200
PATIENCE_REAL_SECONDS = 120


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the service is any
            service,
            endpoint_url=self.ready["endpoint"],
            region_name=self.ready["region"],
            aws_access_key_id="any",
            aws_secret_access_key="any",  # noqa: S106 - any will do
        )

    def start(self, request: object, **more: str) -> str:
        arn = self.ready["drain_state_machine_arn"]
        answer = self.client("stepfunctions").start_execution(
            stateMachineArn=arn, input=json.dumps(request), **more
        )
        return str(answer["executionArn"])

    def wait(self, execution: str) -> dict[str, Any]:
        """Describe the execution once it has ended; `result` is its output or cause, read."""
        client = self.client("stepfunctions")
        until = time.monotonic() + PATIENCE_REAL_SECONDS
        while (described := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < until, "the execution does not end"
            time.sleep(0.05)
        return {**described, "result": json.loads(described.get("output") or described["cause"])}

    def run(self, request: object) -> dict[str, Any]:
        return self.wait(self.start(request))

    def states(self, execution: str) -> list[str]:
        pages = self.client("stepfunctions").get_paginator("get_execution_history")
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages.paginate(executionArn=execution)
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def addresses(self, gateway_id: str) -> list[dict[str, Any]]:
        (gateway,) = self.client("ec2").describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
        return list(gateway["NatGatewayAddresses"])


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    command = [str(SIM), "serve", "--port", "0", "--speed", str(SPEED)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Served(process, json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)


@pytest.fixture
def gateway_id(served: Served) -> str:
    """A gateway with three secondary addresses, made as anybody would make it."""
    ec2 = served.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    primary, *secondary = [
        ec2.allocate_address(
            Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": MANAGED}]
        )["AllocationId"]
        for _ in range(4)
    ]
    gateway = ec2.create_nat_gateway(
        SubnetId=subnet,
        AllocationId=primary,
        SecondaryAllocationIds=secondary,
        TagSpecifications=[{"ResourceType": "natgateway", "Tags": MANAGED}],
    )["NatGateway"]["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[gateway])
    return str(gateway)


def test_served_drain_takes_the_address_off(served: Served, gateway_id: str) -> None:
    before = served.addresses(gateway_id)
    execution = served.start(
        {
            "NatGatewayId": gateway_id,
            "AssociationIds": [before[1]["AssociationId"]],
            "MaxDrainDurationSeconds": 350,
        }
    )
    ended = served.wait(execution)
    assert (ended["status"], ended["result"]["Changed"]) == ("SUCCEEDED", "all")
    assert served.addresses(gateway_id) == [before[0], before[2], before[3]]
    states = served.states(execution)
    order = [
        "Read the request",
        "Take the lock",
        "Validate",
        "Disassociate",
        "Wait",
        "Confirm",
        "Close",
        "Succeed",
    ]
    assert sorted(order, key=states.index) == order


def test_served_dry_run_changes_nothing(served: Served, gateway_id: str) -> None:
    before = served.addresses(gateway_id)
    ended = served.run(
        {"NatGatewayId": gateway_id, "AssociationIds": [before[1]["AssociationId"]], "DryRun": True}
    )
    assert (ended["status"], ended["result"]["Outcome"]) == ("SUCCEEDED", "planned")
    assert served.addresses(gateway_id) == before


def test_served_drain_of_the_primary_is_refused(served: Served, gateway_id: str) -> None:
    primary = served.addresses(gateway_id)[0]
    ended = served.run({"NatGatewayId": gateway_id, "AssociationIds": [primary["AssociationId"]]})
    assert (ended["status"], ended["error"]) == ("FAILED", "RequestRefused")
    assert primary["PublicIp"] in ended["cause"]
    assert "EC2 forbids" in ended["cause"]


def test_served_drain_finds_the_gateway_of_a_public_ip(served: Served, gateway_id: str) -> None:
    ip = served.addresses(gateway_id)[2]["PublicIp"]
    ended = served.run({"PublicIps": [ip], "MaxDrainDurationSeconds": 10})
    assert (ended["status"], ended["result"]["NatGatewayId"]) == ("SUCCEEDED", gateway_id)


def test_served_drain_is_taken_over_from_a_stopped_execution(served: Served, gateway_id: str) -> None:
    request = {
        "NatGatewayId": gateway_id,
        "AssociationIds": [served.addresses(gateway_id)[1]["AssociationId"]],
    }
    first = served.start(request)
    until = time.monotonic() + PATIENCE_REAL_SECONDS
    while "Wait" not in served.states(first):
        assert time.monotonic() < until
    served.client("stepfunctions").stop_execution(executionArn=first, error="Enough", cause="for the test")
    ended = served.run(request)
    assert ended["status"] == "SUCCEEDED"
    assert ended["result"]["Addresses"][0]["Adopted"] is True
    described = served.client("stepfunctions").describe_execution(executionArn=first)
    assert (described["status"], described["error"]) == ("ABORTED", "Enough")


def test_served_gateway_is_busy_for_a_second_execution(served: Served, gateway_id: str) -> None:
    addresses = served.addresses(gateway_id)
    first = served.start({"NatGatewayId": gateway_id, "AssociationIds": [addresses[1]["AssociationId"]]})
    second = served.run({"NatGatewayId": gateway_id, "AssociationIds": [addresses[2]["AssociationId"]]})
    assert (second["status"], second["error"]) == ("FAILED", "GatewayBusy")
    assert first in second["cause"]
    assert served.wait(first)["status"] == "SUCCEEDED"


def test_served_cloud_ends_on_sigint(tmp_path: Path) -> None:
    command = [str(SIM), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert {"endpoint", "region", "account", "drain_state_machine_arn"} <= set(ready)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_REAL_SECONDS) == 0
        assert process.stdout.read() == ""
