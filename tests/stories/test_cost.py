"""A check of the cost page: its counts are those of a drain on the embedded cloud."""

from __future__ import annotations

import json
import re

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import DEFAULT, Scenario
from support.places import TESTS
from support.stories import MANAGED

PAGE = (TESTS.parent / "docs" / "cost.md").read_text()


def test_cost_page_counts_transitions_and_calls_of_a_drain() -> None:
    with EmbeddedCloud(Scenario.load(DEFAULT)) as cloud:
        run = cloud.run(json.loads((TESTS / "samples" / "request.manual.json").read_text()))
    assert run.result["Outcome"] == "drained"
    [transitions] = re.findall(r"\| (\d+) transitions . ", PAGE)
    [invocations] = re.findall(r"arm64 \| (\d+) . ", PAGE)
    [events] = re.findall(r"\| (\d+) events . ", PAGE)
    counted = (len(run.states), run.calls["lambda:Invoke"], run.calls["events:PutEvents"])
    assert (int(transitions), int(invocations), int(events)) == counted


def test_cost_page_counts_transitions_and_calls_of_a_join() -> None:
    with EmbeddedCloud(Scenario.load(DEFAULT)) as cloud:
        spare = cloud.simulation.add_address(tags=MANAGED)
        calls = [{"AllocationIds": [spare]}]
        run = cloud.run({"NatGatewayId": "nat-1234567890abcdef0", "Associate": calls})
    [counted] = re.findall(r"A \*\*join\*\* .*: (\d+) transitions and (\d+) function calls", PAGE)
    assert tuple(map(int, counted)) == (len(run.states), run.calls["lambda:Invoke"])
