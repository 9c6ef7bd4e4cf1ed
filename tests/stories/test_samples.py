"""Samples of alarms, each on the bus and as an input: all end as the table in docs/alarm-drains.md says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import DEFAULT, Scenario
from support.places import TESTS
from support.stories import refused

TABLE = (TESTS.parent / "docs" / "alarm-drains.md").read_text()
ROWS = {
    name: (on_the_bus, as_input)
    for name, on_the_bus, as_input in re.findall(
        r"^\|[^|]*\(`(alarm-[^`]*\.json)`\) \| ([^|]*) \| ([^|]*) \|$", TABLE, re.MULTILINE
    )
}


@pytest.fixture
def fresh() -> Iterator[EmbeddedCloud]:
    """Yield a cloud with the gateway of the samples, which each drain only once."""
    with EmbeddedCloud(Scenario.load(DEFAULT)) as cloud:
        yield cloud


def sample(name: str) -> dict[str, Any]:
    return dict(json.loads((TESTS / "samples" / name).read_text()))


def put_on_the_bus(cloud: EmbeddedCloud, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Put the event on the bus; return the results of the executions that it starts."""
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event["resources"],
    }
    assert cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    cloud.clock.advance(600)
    client = cloud.client("stepfunctions")
    started = client.list_executions(stateMachineArn=cloud.drain_state_machine_arn)["executions"]
    ended = [client.describe_execution(executionArn=one["executionArn"]) for one in started]
    return [json.loads(one.get("output") or one["cause"]) for one in ended]


def test_table_has_every_sample() -> None:
    assert set(ROWS) == {path.name for path in (TESTS / "samples").glob("alarm-*.json")}


@pytest.mark.parametrize("name", [name for name, (bus, _) in ROWS.items() if bus == "drains the address"])
def test_sample_on_the_bus_drains_the_address_as_the_table_says(fresh: EmbeddedCloud, name: str) -> None:
    [result] = put_on_the_bus(fresh, sample(name))
    assert result["Outcome"] == "drained"
    assert [row["PublicIp"] for row in result["Addresses"]] == ["3.211.231.218"]


@pytest.mark.parametrize("name", [name for name, (bus, _) in ROWS.items() if bus == "starts nothing"])
def test_sample_on_the_bus_starts_nothing_as_the_table_says(fresh: EmbeddedCloud, name: str) -> None:
    assert put_on_the_bus(fresh, sample(name)) == []


@pytest.mark.parametrize("name", ROWS)
def test_sample_as_input_ends_as_the_table_says(fresh: EmbeddedCloud, name: str) -> None:
    run = fresh.run(sample(name))
    expected = ROWS[name][1]
    if expected.startswith("refused"):
        [problem] = refused(run)
        assert problem
    elif "ignored" in expected:
        assert (run.status, run.result["Outcome"]) == ("SUCCEEDED", "ignored")
    else:
        assert (run.status, run.result["Outcome"]) == ("SUCCEEDED", "drained")
