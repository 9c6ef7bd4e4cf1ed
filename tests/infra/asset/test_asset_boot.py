"""Tests that each function boots from the asset alone, as Lambda starts it, and answers the workflow."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

import natdrain_sim
from benchmarks.runtime_api import Boot, boot, environments
from natdrain.contract import GatewayRecord
from natdrain.model.instants import timestamp

pytestmark = pytest.mark.deep

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:Drain:one"
GATEWAY = "nat-1234567890abcdef0"
PUBLIC_IP = "3.211.231.218"
SCENARIO = Path(natdrain_sim.__file__).with_name("scenarios") / "default.toml"


@dataclass(frozen=True)
class Functions:
    """The functions in the asset, with the served embedded cloud in place of AWS."""

    asset: Path
    endpoint: str
    table: str

    def call(self, name: str, **event: Any) -> Boot:
        handler = f"natdrain.handlers.{name}.handler"
        environment = {**environments(table=self.table)[handler], "AWS_ENDPOINT_URL": self.endpoint}
        sent = {"Execution": EXECUTION, "RetryCount": 0, **event}
        return boot(handler, sent, folders=[self.asset], environment=environment)


@pytest.fixture(scope="module")
def functions(asset: Path) -> Iterator[Functions]:
    program = Path(sys.executable).with_name("natdrain-sim")
    command = [program, "serve", "--scenario", SCENARIO, "--speed", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        dynamodb = boto3.client(
            "dynamodb",
            endpoint_url=ready["endpoint"],
            region_name=ready["region"],
            aws_access_key_id="any",
            aws_secret_access_key="any",  # noqa: S106 - any will do
        )
        (table,) = dynamodb.list_tables()["TableNames"]
        # The workflow takes the lock without a function.
        lock = {
            GatewayRecord.GATEWAY: {"S": GATEWAY},
            GatewayRecord.SORT: {"S": GatewayRecord.LOCK},
            GatewayRecord.OWNER: {"S": EXECUTION},
            GatewayRecord.DRAINS: {"M": {}},
        }
        dynamodb.put_item(TableName=table, Item=lock)
        yield Functions(asset, ready["endpoint"], table)
        process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def answers(functions: Functions) -> Mapping[str, Any]:
    """Return the answer of each function, when each gets the answer of the one before it."""
    read = functions.call("read_request", Input={"PublicIps": [PUBLIC_IP]}).answer
    common = {"Request": read["Request"]}
    plan = functions.call("validate", **common, Step={"Do": "finish", "Drains": []}).answer["Step"]
    asked = functions.call("disassociate", **common, Step=plan).answer["Step"]
    seen = functions.call("confirm", **common, Step=asked).answer["Step"]
    confirmed = {**seen["Drains"][0], "Outcome": "drained", "ConfirmedAt": timestamp(datetime.now(UTC))}
    to_release = {
        **seen,
        "Do": "release",
        "Drains": [confirmed],
        "AllocationIds": [confirmed["AllocationId"]],
    }
    released = functions.call("release", **common, Step=to_release).answer["Step"]
    died = {"Error": "Sandbox.Timedout", "Cause": "a state that gave up"}
    closed = functions.call("close", **common, Step=seen, Failure=died).answer
    recorded = functions.call("record", Status="ABORTED", Cause="").answer
    return {
        "read_request": read,
        "validate": plan,
        "disassociate": asked,
        "confirm": seen,
        "release": released,
        "close": json.loads(closed["Cause"]),
        "record": recorded,
    }


def test_read_request_boots_from_the_asset_and_finds_the_gateway(answers: Mapping[str, Any]) -> None:
    assert answers["read_request"]["Request"]["NatGatewayId"] == GATEWAY


def test_validate_boots_from_the_asset_and_plans_to_ask(answers: Mapping[str, Any]) -> None:
    assert answers["validate"]["Do"] == "disassociate"


def test_disassociate_boots_from_the_asset_and_is_accepted(answers: Mapping[str, Any]) -> None:
    [drain] = answers["disassociate"]["Drains"]
    assert "RequestedAt" in drain


def test_confirm_boots_from_the_asset_and_sees_the_address_leaving(answers: Mapping[str, Any]) -> None:
    [drain] = answers["confirm"]["Drains"]
    assert (answers["confirm"]["Do"], drain["PublicIp"]) == ("wait", PUBLIC_IP)


def test_release_boots_from_the_asset_and_finds_the_address_in_use(answers: Mapping[str, Any]) -> None:
    [drain] = answers["release"]["Drains"]
    assert drain["ReleaseRefusal"].startswith("InvalidIPAddress.InUse")


def test_close_boots_from_the_asset_and_concludes(answers: Mapping[str, Any]) -> None:
    assert (answers["close"]["NatGatewayId"], answers["close"]["Outcome"]) == (GATEWAY, "failed")


def test_record_boots_from_the_asset_and_finds_what_close_has_recorded(answers: Mapping[str, Any]) -> None:
    event = answers["record"]["Event"]
    assert (event["Execution"], event["Outcome"]) == (EXECUTION, "failed")


def test_refusal_of_a_function_is_an_answer(functions: Functions) -> None:
    refused = functions.call("read_request", Input={})
    assert (refused.failed, refused.answer["Failure"]["Error"]) == (False, "RequestRefused")


def test_function_logs_lines_of_json_that_carry_the_execution(functions: Functions) -> None:
    printed = functions.call("read_request", Input={"PublicIps": [PUBLIC_IP]}).printed
    assert [json.loads(line)["execution"] for line in printed.splitlines()] == [EXECUTION]
