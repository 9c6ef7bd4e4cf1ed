"""The embedded cloud, seen from inside, and `verify-aws`, which talks to it from outside."""

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
PATIENCE_REAL_SECONDS = 120
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
    """An account that holds a VPC and an EIP of somebody else."""

    speed = SPEED
    one_fact = ("--only", "test_associate_answers_with_the_address")

    def __init__(self, cloud: EmbeddedCloud, endpoint: str) -> None:
        self.cloud = cloud
        cloud.client("ec2").create_vpc(CidrBlock="10.9.0.0/24")
        cloud.client("ec2").allocate_address(Domain="vpc")
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {
            **ours,
            "PYTHONPATH": str(TESTS),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
        }

    def run(self, *arguments: str, answer: str = "") -> Run:
        """Run the program to its end; somebody gives the answer, or nobody is there."""
        with self._start(*arguments) as process:
            return self.end(process, answer)

    @contextmanager
    def begun(self) -> Iterator[subprocess.Popen[str]]:
        """Start the program and wait for its first verdict; kill it, should it still be there at the end."""
        with self._start("--yes") as process:
            assert process.stdout is not None
            assert next(line for line in process.stdout if line.startswith("holds"))
            try:
                yield process
            finally:
                process.kill()

    def end(self, process: subprocess.Popen[str], answer: str = "") -> Run:
        output, errors = process.communicate(answer, timeout=PATIENCE_REAL_SECONDS)
        return Run(process.returncode, output, errors)

    def holdings(self) -> dict[str, Any]:
        """Show everything that is there, apart from deleted gateways, which EC2 shows for an hour."""
        ec2 = self.cloud.client("ec2")
        shown = {kind: getattr(ec2, f"describe_{kind}")()[result] for kind, result in KINDS.items()}
        return {kind: [one for one in all_ if one.get("State") != "deleted"] for kind, all_ in shown.items()}

    def changed_since(self, number: int) -> bool:
        """Tell whether any of the calls from so many on did more than look."""
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
    """A run in which nobody is there to be asked, and whether it changed anything."""
    account = Account(*_cloud)
    made = len(account.cloud.recorder.calls)
    return Unanswered(account.run(), account.changed_since(made))


@pytest.fixture(scope="module")
def _cloud() -> Iterator[tuple[EmbeddedCloud, str]]:
    """With addresses that associate long enough for a second call meanwhile, at such a speed."""
    scenario = Scenario(lags=Lags(associate=80))
    with EmbeddedCloud(scenario) as cloud, listen(cloud, port=0, speed=SPEED) as endpoint:
        yield cloud, endpoint


@pytest.fixture
def account(_cloud: tuple[EmbeddedCloud, str]) -> Account:
    cloud, endpoint = _cloud
    cloud.recorder.faults = ()
    return Account(cloud, endpoint)
