"""The workflow over HTTP: another process serves the embedded cloud, and the tests use boto3 alone."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from support.served import PATIENCE_REAL_SECONDS, SIM, Served, eventually


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
    eventually(lambda: served.states(first), lambda states: "Wait" in states)
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
        assert {"endpoint", "region", "account", "change_state_machine_arn"} <= set(ready)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_REAL_SECONDS) == 0
        assert process.stdout.read() == ""
