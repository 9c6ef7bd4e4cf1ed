"""What EventBridge's rules do with an event for a state machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sim_stub_functions import START, StubCloud, chain, resource, role, stub_cloud, template

RULE_ROLE = "arn:aws:iam::123456789012:role/rule-role"
EVENT = {"Source": "test", "DetailType": "Test", "Detail": json.dumps({"a": {"b": [1]}}), "Resources": ["x"]}


@contextmanager
def rule_cloud(properties: dict[str, Any] | None = None, **target: Any) -> Iterator[StubCloud]:
    """The stub, and a rule that starts it; properties of the rule and members of its target may be added."""
    target = {
        "Id": "Target0",
        "Arn": {"Ref": "Machine"},
        "RoleArn": {"Fn::GetAtt": ["RuleRole", "Arn"]},
        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5},
        **target,
    }
    rule = {"EventPattern": {"source": ["test"]}, "State": "ENABLED", "Targets": [target]}
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Principal": "*"}
    more = {
        "RuleRole": role("rule-role", "events.amazonaws.com"),
        "Queue": resource("SQS::Queue", SqsManagedSseEnabled=True),
        "QueuePolicy": resource(
            "SQS::QueuePolicy",
            PolicyDocument={"Version": "2012-10-17", "Statement": [statement]},
            Queues=[{"Ref": "Queue"}],
        ),
        "Rule": resource("Events::Rule", **rule | (properties or {})),
    }
    whole = json.loads(template(chain({"Type": "Succeed"}), more))
    whole["Outputs"]["QueueUrl"] = {"Value": {"Ref": "Queue"}}
    whole["Outputs"]["RuleArn"] = {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}}
    with stub_cloud() as cloud:
        cloud.deploy(json.dumps(whole))
        yield cloud


def put(cloud: StubCloud, **event: Any) -> None:
    assert cloud.client("events").put_events(Entries=[EVENT | event])["FailedEntryCount"] == 0


def test_rule_starts_the_state_machine_with_the_event_as_its_role() -> None:
    with rule_cloud() as cloud:
        put(cloud)
        assert [(call.operation, call.role) for call in cloud.recorder.calls] == [
            ("PutEvents", None),
            ("StartExecution", RULE_ROLE),
        ]
        (event,) = cloud.inputs()
        assert event.pop("id")
        assert event == {
            "version": "0",
            "detail-type": "Test",
            "source": "test",
            "account": "123456789012",
            "time": f"{START:%Y-%m-%dT%H:%M:%SZ}",
            "region": "eu-central-1",
            "resources": ["x"],
            "detail": {"a": {"b": [1]}},
        }


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ({"Input": '{"fixed": true}'}, {"fixed": True}),
        ({"InputPath": "$.detail.a"}, {"b": [1]}),
    ],
)
def test_rule_gives_the_state_machine_the_input_of_its_target(target: dict[str, Any], wanted: Any) -> None:
    with rule_cloud(**target) as cloud:
        put(cloud)
        assert cloud.inputs() == [wanted]


def test_rule_starts_nothing_for_an_event_that_does_not_match() -> None:
    with rule_cloud() as cloud:
        put(cloud, Source="other")
        assert cloud.inputs() == []


def test_rule_that_is_disabled_starts_nothing() -> None:
    with rule_cloud({"State": "DISABLED"}) as cloud:
        put(cloud)
        assert cloud.inputs() == []


def test_rule_sends_an_event_to_its_other_targets_too() -> None:
    with rule_cloud() as cloud:
        target = {"Id": "queue", "Arn": "arn:aws:sqs:eu-central-1:123456789012:copies"}
        cloud.outputs["QueueUrl"] = cloud.client("sqs").create_queue(QueueName="copies")["QueueUrl"]
        rule = cloud.outputs["RuleArn"].rpartition("/")[2]
        cloud.client("events").put_targets(Rule=rule, Targets=[target])
        put(cloud)
        assert (len(cloud.inputs()), len(cloud.dead_letters())) == (1, 1)


def test_rule_puts_an_event_that_starts_nothing_into_its_dead_letter_queue() -> None:
    with rule_cloud() as cloud:
        cloud.inject(operation="stepfunctions:StartExecution", error="ThrottlingException", message="later")
        put(cloud)
        (letter,) = cloud.dead_letters()
        assert json.loads(letter["Body"])["detail"] == {"a": {"b": [1]}}
        attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        assert attributes == {
            "RULE_ARN": cloud.outputs["RuleArn"],
            "TARGET_ARN": cloud.outputs["MachineArn"],
            "ERROR_CODE": "ThrottlingException",
            "ERROR_MESSAGE": "later",
            "RETRY_ATTEMPTS": "0",
        }


def test_rule_whose_state_machine_is_gone_uses_its_dead_letter_queue() -> None:
    with rule_cloud() as cloud:
        cloud.client("stepfunctions").delete_state_machine(stateMachineArn=cloud.outputs["MachineArn"])
        put(cloud)
        (letter,) = cloud.dead_letters()
        assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "StateMachineDoesNotExist"


@pytest.mark.parametrize("queue", [{}, {"Arn": "arn:aws:sqs:eu-central-1:123456789012:nowhere"}])
def test_rule_without_a_queue_for_dead_letters_loses_the_event(queue: dict[str, str]) -> None:
    with rule_cloud(DeadLetterConfig=queue) as cloud:
        cloud.inject(operation="stepfunctions:StartExecution", error="ThrottlingException")
        put(cloud)
        assert (cloud.inputs(), cloud.dead_letters()) == ([], [])


def test_queue_policy_of_a_template_is_that_of_its_queue() -> None:
    with rule_cloud() as cloud:
        answer = cloud.client("sqs").get_queue_attributes(
            QueueUrl=cloud.outputs["QueueUrl"], AttributeNames=["Policy", "SqsManagedSseEnabled"]
        )
        assert json.loads(answer["Attributes"]["Policy"])["Statement"][0]["Action"] == "sqs:SendMessage"
        assert answer["Attributes"]["SqsManagedSseEnabled"] == "true"
