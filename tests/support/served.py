"""An embedded cloud that another process serves; tests use it over HTTP, with boto3 alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

SIM = Path(sys.executable).with_name("natdrain-sim")
MANAGED = [{"Key": "natdrain:managed", "Value": "true"}]
SPEED = 200
PATIENCE_REAL_SECONDS = 120
POLL_REAL_SECONDS = 0.1


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    ready: dict[str, Any]
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return a client, the same one each time: making it costs more than many calls."""
        if service not in self._clients:
            self._clients[service] = self._new_client(service)
        return self._clients[service]

    def _new_client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the service is any
            service,
            endpoint_url=self.ready["endpoint"],
            region_name=self.ready["region"],
            aws_access_key_id="any",
            aws_secret_access_key="any",  # noqa: S106 - any will do
        )

    def start(self, request: object, **more: str) -> str:
        arn = self.ready["change_state_machine_arn"]
        answer = self.client("stepfunctions").start_execution(
            stateMachineArn=arn, input=json.dumps(request), **more
        )
        return str(answer["executionArn"])

    def wait(self, execution: str) -> dict[str, Any]:
        """Describe the execution once it has ended; `result` is its output or cause, read."""
        client = self.client("stepfunctions")
        described = eventually(
            lambda: client.describe_execution(executionArn=execution), lambda now: now["status"] != "RUNNING"
        )
        return {**described, "result": json.loads(described.get("output") or described["cause"])}

    def run(self, request: object) -> dict[str, Any]:
        return self.wait(self.start(request))

    def executions(self) -> list[str]:
        """Return every execution that ever was."""
        pages = self.client("stepfunctions").get_paginator("list_executions")
        listed = pages.paginate(stateMachineArn=self.ready["change_state_machine_arn"])
        return [execution["executionArn"] for page in listed for execution in page["executions"]]

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

    def allocate(self, count: int) -> list[str]:
        """Allocate EIPs that may be drained, and wait until EC2's other calls know them."""
        ec2, tags = self.client("ec2"), [{"ResourceType": "elastic-ip", "Tags": MANAGED}]
        allocations = [
            ec2.allocate_address(Domain="vpc", TagSpecifications=tags)["AllocationId"] for _ in range(count)
        ]

        def known() -> bool:
            shown = {address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]}
            return shown.issuperset(allocations)

        eventually(known)
        return allocations

    def add_gateway(self) -> str:
        """Add a gateway with three secondary addresses through EC2's public API."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        primary, *secondary = self.allocate(4)
        gateway = ec2.create_nat_gateway(
            SubnetId=subnet,
            AllocationId=primary,
            SecondaryAllocationIds=secondary,
            TagSpecifications=[{"ResourceType": "natgateway", "Tags": MANAGED}],
        )["NatGateway"]["NatGatewayId"]
        ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[gateway])
        return str(gateway)


@contextmanager
def serving(*arguments: str) -> Iterator[Served]:
    """Serve an empty account at a good speed until the end of the context."""
    command = [str(SIM), "serve", "--port", "0", "--speed", str(SPEED), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(process, json.loads(process.stdout.readline()))
        finally:
            process.send_signal(signal.SIGTERM)


def eventually(look: Callable[[], Any], good: Callable[[Any], object] = bool) -> Any:
    """Look until the result is good, and return it."""
    until = time.monotonic() + PATIENCE_REAL_SECONDS
    while not good(seen := look()):
        assert time.monotonic() < until, f"in vain: {seen}"
        time.sleep(POLL_REAL_SECONDS)
    return seen
