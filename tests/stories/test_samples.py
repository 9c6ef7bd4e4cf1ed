"""Samples of alarms, each on the bus and as an input: all end as the table in docs/alarm-drains.md says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import DEFAULT, Scenario
from support.places import TESTS
from support.stories import MANAGED, refused

TABLE = (TESTS.parent / "docs" / "alarm-drains.md").read_text()
ROWS = {
    name: (on_the_bus, as_input)
    for name, on_the_bus, as_input in re.findall(
        r"^\|[^|]*\(`(alarm-[^`]*\.json)`\) \| ([^|]*) \| ([^|]*) \|$", TABLE, re.MULTILINE
    )
}


@pytest.fixture
def fresh() -> Iterator[EmbeddedCloud]:
    """Yield a cloud with the gateway of the samples and both of their addresses, at about their time."""
    with EmbeddedCloud(Scenario.load(DEFAULT)) as cloud:
        allocation = cloud.simulation.add_address(public_ip="203.0.113.10", tags=MANAGED)
        cloud.client("ec2").associate_nat_gateway_address(
            NatGatewayId="nat-1234567890abcdef0", AllocationIds=[allocation]
        )
        cloud.clock.advance(60)
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
    events = cloud.client("events")
    if name := event.get("replay-name"):
        replay(cloud, name, entry)
    else:
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    cloud.clock.advance(600)
    client = cloud.client("stepfunctions")
    started = client.list_executions(stateMachineArn=cloud.change_state_machine_arn)["executions"]
    ended = [client.describe_execution(executionArn=one["executionArn"]) for one in started]
    return [json.loads(one.get("output") or one["cause"]) for one in ended]


def replay(cloud: EmbeddedCloud, name: str, entry: dict[str, Any]) -> None:
    """Replay the event from an archive that has taken it while no rule of natdrain was enabled."""
    events, buses = cloud.client("events"), "arn:aws:events:eu-central-1:123456789012:event-bus/default"
    rules = [rule["Name"] for rule in events.list_rules()["Rules"]]
    archive = events.create_archive(ArchiveName="all", EventSourceArn=buses)["ArchiveArn"]
    for rule in rules:
        events.disable_rule(Name=rule)
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    for rule in rules:
        events.enable_rule(Name=rule)
    window = {"EventStartTime": datetime(2026, 9, 1, tzinfo=UTC), "EventEndTime": cloud.clock.now}
    events.start_replay(ReplayName=name, EventSourceArn=archive, Destination={"Arn": buses}, **window)


def test_table_has_every_sample() -> None:
    assert set(ROWS) == {path.name for path in (TESTS / "samples").glob("alarm-*.json")}


@pytest.mark.parametrize("name", [name for name, (bus, _) in ROWS.items() if bus == "drains the address"])
def test_sample_on_the_bus_drains_the_address_as_the_table_says(fresh: EmbeddedCloud, name: str) -> None:
    [result] = put_on_the_bus(fresh, sample(name))
    assert result["Outcome"] == "drained"
    named = "203.0.113.10" if "203.0.113.10" in json.dumps(sample(name)) else "3.211.231.218"
    assert [row["PublicIp"] for row in result["Addresses"]] == [named]


@pytest.mark.parametrize("name", [name for name, (bus, _) in ROWS.items() if bus == "starts nothing"])
def test_sample_on_the_bus_starts_nothing_as_the_table_says(fresh: EmbeddedCloud, name: str) -> None:
    assert put_on_the_bus(fresh, sample(name)) == []


@pytest.mark.parametrize("name", [name for name, (bus, _) in ROWS.items() if bus == "is refused"])
def test_sample_on_the_bus_is_refused_as_the_table_says(fresh: EmbeddedCloud, name: str) -> None:
    [result] = put_on_the_bus(fresh, sample(name))
    assert result["Outcome"] == "refused"


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
