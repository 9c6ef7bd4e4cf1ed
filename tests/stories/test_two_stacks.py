"""Stories of two stacks in one account and region: both work, and each hears only its own events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.embedded import nat, subnet
from support.stories import BuildGateway, log_lines, received

__all__ = ["nat", "subnet"]

CONFIG = 'stack_name = "{stack}"\nmessages.emails = ["network-team@example.com"]\n'


class Stack:
    """A stack, and a queue with the mails that it has sent."""

    def __init__(self, cloud: EmbeddedCloud, name: str, outputs: Mapping[str, str]) -> None:
        self._cloud, self.name, self.outputs = cloud, name, outputs
        sqs, sns = cloud.client("sqs"), cloud.client("sns")
        self._url = sqs.create_queue(QueueName=f"reader-of-{name}")["QueueUrl"]
        [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"] if f":{name}-" in one["TopicArn"]]
        queue = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue["QueueArn"], Attributes=raw)

    def start(self, request: Mapping[str, Any]) -> str:
        started = self._cloud.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["ChangeStateMachineArn"], input=json.dumps(request)
        )
        return str(started["executionArn"])

    def mails(self) -> list[str]:
        return received(self._cloud, self._url)

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in received(self._cloud, self.outputs["DeadLetterQueueUrl"])]

    def records(self) -> int:
        """Return how many executions the Record workflow has had."""
        machine = {"stateMachineArn": self.outputs["RecordStateMachineArn"]}
        return len(self._cloud.client("stepfunctions").list_executions(**machine)["executions"])


@pytest.fixture(scope="module")
def shared_stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedCloud, Stack, Stack]]:
    files = {name: tmp_path_factory.mktemp("config") / "natdrain.toml" for name in ("Natdrain", "Edge")}
    for name, path in files.items():
        path.write_text(CONFIG.format(stack=name))
    with EmbeddedCloud(config=files["Natdrain"]) as cloud:
        edge = cloud.deploy(files["Edge"], stack="Edge")
        yield cloud, Stack(cloud, "Natdrain", cloud.outputs), Stack(cloud, "Edge", edge)


@pytest.fixture(scope="module")
def shared_cloud(shared_stacks: tuple[EmbeddedCloud, Stack, Stack]) -> EmbeddedCloud:
    return shared_stacks[0]


@pytest.fixture
def cloud(shared_cloud: EmbeddedCloud) -> Iterator[EmbeddedCloud]:
    shared_cloud.recorder.faults = ()
    yield shared_cloud
    shared_cloud.recorder.faults = ()


@pytest.fixture
def stacks(shared_stacks: tuple[EmbeddedCloud, Stack, Stack]) -> tuple[Stack, Stack]:
    for stack in shared_stacks[1:]:
        stack.mails()
        stack.letters()
    return shared_stacks[1:]


def test_stacks_send_messages_about_their_own_drains_only(
    cloud: EmbeddedCloud, nat: BuildGateway, stacks: tuple[Stack, Stack]
) -> None:
    gateways = [nat(), nat()]
    started = [stack.start(gateway.named(1)) for stack, gateway in zip(stacks, gateways, strict=True)]
    assert [cloud.wait(execution).status for execution in started] == ["SUCCEEDED"] * 2
    for stack, gateway in zip(stacks, gateways, strict=True):
        mails = stack.mails()
        assert len(mails) == 2
        assert all(gateway.gateway_id in mail for mail in mails)


def test_stacks_put_their_metrics_into_namespaces_of_their_own(
    cloud: EmbeddedCloud, nat: BuildGateway, stacks: tuple[Stack, Stack]
) -> None:
    for stack in stacks:
        cloud.wait(stack.start(nat().named(0)))
    metrics = [line["_aws"]["CloudWatchMetrics"] for line in log_lines(cloud) if "_aws" in line]
    assert {one["Namespace"] for [one] in metrics} == {f"natdrain/{stack.name}" for stack in stacks}


def test_stacks_record_the_ends_of_their_own_executions_only(
    cloud: EmbeddedCloud, nat: BuildGateway, stacks: tuple[Stack, Stack]
) -> None:
    cloud.clock.advance(10)
    before = [stack.records() for stack in stacks]
    execution = stacks[1].start(nat().named(1))
    cloud.clock.advance(10)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    cloud.clock.advance(10)
    assert [stack.records() for stack in stacks] == [before[0], before[1] + 1]


def test_parked_event_notifies_the_people_of_its_stack_when_it_is_published_by_hand(
    cloud: EmbeddedCloud, nat: BuildGateway, stacks: tuple[Stack, Stack]
) -> None:
    cloud.recorder.faults = [Fault(operation="events:PutEvents", error="InternalException")]
    execution = stacks[1].start(nat().named(0))
    cloud.wait(execution)
    cloud.recorder.faults = ()
    assert stacks[1].mails() == []
    [letter] = stacks[1].letters()
    assert letter["Resources"] == [stacks[1].outputs["ChangeStateMachineArn"], execution]
    # As the page on dead letters does it.
    entry = {**letter, "Detail": json.dumps(letter["Detail"])}
    assert cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert len(stacks[1].mails()) == 1
    assert stacks[0].mails() == []
