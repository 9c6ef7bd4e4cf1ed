"""Rules of EventBridge whose targets are state machines, topics and queues."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.stub_functions import START, StubCloud, chain, resource, role, stub_cloud, template

RULE_ROLE = "arn:aws:iam::123456789012:role/rule-role"
EVENT = {"Source": "test", "DetailType": "Test", "Detail": json.dumps({"a": {"b": [1]}}), "Resources": ["x"]}


@contextmanager
def rule_cloud(properties: dict[str, Any] | None = None, **target: Any) -> Iterator[StubCloud]:
    """Yield the stub with a rule that starts it, with more properties of the rule and of its target."""
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
        "Topic": resource("SNS::Topic"),
        "Copies": resource("SQS::Queue"),
        "Subscription": resource(
            "SNS::Subscription",
            TopicArn={"Ref": "Topic"},
            Protocol="sqs",
            Endpoint={"Fn::GetAtt": ["Copies", "Arn"]},
            RawMessageDelivery=True,
        ),
    }
    whole = json.loads(template(chain({"Type": "Succeed"}), more))
    for output, name in {"QueueUrl": "Queue", "CopiesUrl": "Copies", "Topic": "Topic"}.items():
        whole["Outputs"][output] = {"Value": {"Ref": name}}
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
    [({"Input": '{"fixed": true}'}, {"fixed": True}), ({"InputPath": "$.detail.a"}, {"b": [1]})],
)
def test_rule_starts_the_state_machine_with_the_input_of_its_target(
    target: dict[str, Any], wanted: Any
) -> None:
    with rule_cloud(**target) as cloud:
        put(cloud)
        assert cloud.inputs() == [wanted]


PATHS = {"text": "$.detail.text", "list": "$.detail.list", "none": "$.detail.none", "no": "$.detail.no"}
DETAIL = {"text": "left by 17:10", "list": [1, {"a": "b"}], "no": None}


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        (
            '{"t": <text>, "l": <list>, "n": [<no>, 9]}',
            {"t": DETAIL["text"], "l": DETAIL["list"], "n": [None, 9]},
        ),
        ('{"t": "it <text>", "q": "\\"<text>\\""}', {"t": "it left by 17:10", "q": '"left by 17:10"'}),
        ('"it <text>"', "it left by 17:10"),
        ('{"missing": <none>, "within": "<none>"}', {"missing": "", "within": ""}),
        ("<aws.events.rule-name>", "natdrain-rule"),
        ('{"time": <aws.events.event.ingestion-time>}', {"time": f"{START:%Y-%m-%dT%H:%M:%SZ}"}),
    ],
)
def test_rule_fills_the_template_of_its_input_transformer(template: str, wanted: Any) -> None:
    transformer = {"InputPathsMap": PATHS, "InputTemplate": template}
    with rule_cloud({"Name": "natdrain-rule"}, InputTransformer=transformer) as cloud:
        put(cloud, Detail=json.dumps(DETAIL))
        assert cloud.inputs() == [wanted]


def test_rule_inserts_the_whole_event_into_its_template() -> None:
    with rule_cloud(InputTransformer={"InputTemplate": '{"whole": <aws.events.event.json>}'}) as cloud:
        put(cloud)
        (given,) = cloud.inputs()
        assert (given["whole"]["source"], given["whole"]["detail"]) == ("test", {"a": {"b": [1]}})


def test_rule_uses_its_dead_letter_queue_when_its_template_makes_invalid_json() -> None:
    with rule_cloud(InputTransformer={"InputPathsMap": PATHS, "InputTemplate": '"<text>"'}) as cloud:
        put(cloud, Detail=json.dumps({"text": 'a "quote"'}))
        (letter,) = cloud.dead_letters()
        assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "InvalidExecutionInput"
        assert json.loads(letter["Body"])["detail"] == {"text": 'a "quote"'}


def test_rule_starts_nothing_for_an_event_that_does_not_match() -> None:
    with rule_cloud() as cloud:
        put(cloud, Source="other")
        assert cloud.inputs() == []


def test_rule_starts_nothing_when_it_is_disabled() -> None:
    with rule_cloud({"State": "DISABLED"}) as cloud:
        put(cloud)
        assert cloud.inputs() == []


@contextmanager
def topic_cloud(**target: Any) -> Iterator[StubCloud]:
    """Yield the stub with a rule that publishes to a topic, to which the queue `Copies` subscribes."""
    with rule_cloud(Arn={"Ref": "Topic"}, **target) as cloud:
        yield cloud


def received(cloud: StubCloud, queue: str) -> list[str]:
    answer = cloud.client("sqs").receive_message(QueueUrl=cloud.outputs[queue], MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def test_rule_publishes_the_text_of_its_input_transformer_to_a_topic() -> None:
    transformer = {"InputPathsMap": PATHS, "InputTemplate": '"It <text>."\n"Really."'}
    with topic_cloud(InputTransformer=transformer) as cloud:
        put(cloud, Detail=json.dumps(DETAIL))
        assert received(cloud, "CopiesUrl") == ['"It left by 17:10."\n"Really."']
        assert [(call.name, call.role) for call in cloud.recorder.calls if call.role] == [
            ("sns:Publish", RULE_ROLE)
        ]


def test_rule_publishes_the_minified_event_to_a_topic() -> None:
    with topic_cloud() as cloud:
        put(cloud)
        (message,) = received(cloud, "CopiesUrl")
        assert '"detail":{"a":{"b":[1]}}' in message


def test_rule_uses_its_dead_letter_queue_when_its_topic_is_deleted() -> None:
    with topic_cloud() as cloud:
        cloud.client("sns").delete_topic(TopicArn=cloud.outputs["Topic"])
        put(cloud)
        (letter,) = cloud.dead_letters()
        attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        assert attributes["TARGET_ARN"] == cloud.outputs["Topic"]
        assert (attributes["ERROR_CODE"], attributes["RULE_ARN"]) == ("NotFound", cloud.outputs["RuleArn"])
        assert json.loads(letter["Body"])["detail"] == {"a": {"b": [1]}}


def test_rule_uses_its_dead_letter_queue_when_it_may_not_publish() -> None:
    with topic_cloud() as cloud:
        cloud.inject(operation="sns:Publish", error="AuthorizationError", status=403)
        put(cloud)
        (letter,) = cloud.dead_letters()
        assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AuthorizationError"


def test_rule_sends_the_value_of_its_input_path_to_a_queue() -> None:
    with rule_cloud(Arn={"Fn::GetAtt": ["Copies", "Arn"]}, InputPath="$.detail.a") as cloud:
        put(cloud)
        assert received(cloud, "CopiesUrl") == ['{"b":[1]}']


def test_rule_uses_its_dead_letter_queue_when_its_queue_is_deleted() -> None:
    with rule_cloud(Arn={"Fn::GetAtt": ["Copies", "Arn"]}) as cloud:
        cloud.client("sqs").delete_queue(QueueUrl=cloud.outputs["CopiesUrl"])
        put(cloud)
        (letter,) = cloud.dead_letters()
        assert "NonExistentQueue" in letter["MessageAttributes"]["ERROR_CODE"]["StringValue"]


def test_rule_sends_an_event_to_its_other_targets_too() -> None:
    with rule_cloud() as cloud:
        target = {"Id": "queue", "Arn": "arn:aws:sqs:eu-central-1:123456789012:copies"}
        cloud.outputs["QueueUrl"] = cloud.client("sqs").create_queue(QueueName="copies")["QueueUrl"]
        rule = cloud.outputs["RuleArn"].rpartition("/")[2]
        cloud.client("events").put_targets(Rule=rule, Targets=[target])
        put(cloud)
        assert (len(cloud.inputs()), len(cloud.dead_letters())) == (1, 1)


def test_rule_sends_the_event_with_attributes_to_its_dead_letter_queue_when_the_start_fails() -> None:
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


def test_rule_uses_its_dead_letter_queue_when_its_state_machine_is_deleted() -> None:
    with rule_cloud() as cloud:
        cloud.client("stepfunctions").delete_state_machine(stateMachineArn=cloud.outputs["MachineArn"])
        put(cloud)
        (letter,) = cloud.dead_letters()
        assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "StateMachineDoesNotExist"


@pytest.mark.parametrize("queue", [{}, {"Arn": "arn:aws:sqs:eu-central-1:123456789012:nowhere"}])
def test_rule_loses_the_event_without_a_dead_letter_queue(queue: dict[str, str]) -> None:
    with rule_cloud(DeadLetterConfig=queue) as cloud:
        cloud.inject(operation="stepfunctions:StartExecution", error="ThrottlingException")
        put(cloud)
        assert (cloud.inputs(), cloud.dead_letters()) == ([], [])


def test_queue_policy_of_a_template_is_set_on_its_queue() -> None:
    with rule_cloud() as cloud:
        answer = cloud.client("sqs").get_queue_attributes(
            QueueUrl=cloud.outputs["QueueUrl"], AttributeNames=["Policy", "SqsManagedSseEnabled"]
        )
        assert json.loads(answer["Attributes"]["Policy"])["Statement"][0]["Action"] == "sqs:SendMessage"
        assert answer["Attributes"]["SqsManagedSseEnabled"] == "true"
