"""Fixtures: the embedded cloud as a server, and `verify-aws` as its client."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from natdrain_sim.scenario import Scenario
from natdrain_sim.server import listen
from support.places import TESTS

PROGRAM = TESTS / "sim/facts/verify_aws.py"
SPEED = 200
TIMEOUT_REAL_SECONDS = 120
KINDS = {
    "vpcs": "Vpcs",
    "subnets": "Subnets",
    "internet_gateways": "InternetGateways",
    "addresses": "Addresses",
    "nat_gateways": "NatGateways",
}


@dataclass(frozen=True)
class Run:
    status: int
    output: str
    errors: str

    @property
    def verdicts(self) -> list[str]:
        return re.findall(r"^(holds|DOES NOT HOLD|could not be checked)  ", self.output, re.MULTILINE)


class Account:
    """An account with a VPC and an EIP that are not the program's."""

    speed = SPEED
    one_fact = ("--only", "test_associate_returns_the_address")

    def __init__(self, cloud: EmbeddedCloud, endpoint: str) -> None:
        self.cloud = cloud
        cloud.client("ec2").create_vpc(CidrBlock="10.9.0.0/24")
        cloud.simulation.add_address()
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {
            **others,
            "PYTHONPATH": str(TESTS),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
        }

    def run(self, *arguments: str, answer: str = "") -> Run:
        """Run the program to its end, with an answer on its standard input."""
        with self._start(*arguments) as process:
            return self.end(process, answer)

    @contextmanager
    def begun(self) -> Iterator[subprocess.Popen[str]]:
        """Start the program and wait for its first verdict; kill it at the end if it still runs."""
        with self._start("--yes") as process:
            assert process.stdout is not None
            assert next(line for line in process.stdout if line.startswith("holds"))
            try:
                yield process
            finally:
                process.kill()

    def end(self, process: subprocess.Popen[str], answer: str = "") -> Run:
        output, errors = process.communicate(answer, timeout=TIMEOUT_REAL_SECONDS)
        return Run(process.returncode, output, errors)

    def holdings(self) -> dict[str, Any]:
        """Return all resources except deleted gateways, which EC2 shows for an hour."""
        ec2 = self.cloud.client("ec2")
        shown = {kind: getattr(ec2, f"describe_{kind}")()[result] for kind, result in KINDS.items()}
        return {
            kind: [one for one in found if one.get("State") != "deleted"] for kind, found in shown.items()
        }

    def changed_since(self, number: int) -> bool:
        """Return whether any call after the first `number` changed something."""
        calls = self.cloud.recorder.calls[number:]
        return not all(call.operation.startswith(("Describe", "Get")) for call in calls)

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(PROGRAM), *arguments],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


class Unanswered(NamedTuple):
    run: Run
    changed: bool


@pytest.fixture(scope="module")
def unanswered(_cloud: tuple[EmbeddedCloud, str]) -> Unanswered:
    """Return a run without an answer, and whether it changed anything."""
    account = Account(*_cloud)
    made = len(account.cloud.recorder.calls)
    return Unanswered(account.run(), account.changed_since(made))


@pytest.fixture(scope="module")
def _cloud() -> Iterator[tuple[EmbeddedCloud, str]]:
    """Serve a cloud whose addresses associate for long enough for a second call at this speed."""
    scenario = Scenario(lags=Lags(associate=80))
    with EmbeddedCloud(scenario) as cloud, listen(cloud, port=0, speed=SPEED) as endpoint:
        yield cloud, endpoint


@pytest.fixture
def account(_cloud: tuple[EmbeddedCloud, str]) -> Account:
    cloud, endpoint = _cloud
    cloud.recorder.faults = ()
    return Account(cloud, endpoint)
