"""Tasks of a state machine that call EventBridge and SQS."""

import json
from typing import Any

import pytest

from support.stub_functions import StubCloud, chain, resource, stub_cloud, template

ROLE = "arn:aws:iam::123456789012:role/machine-role"
PUT = "arn:aws:states:::events:putEvents"
SEND = "arn:aws:states:::sqs:sendMessage"
AFTER = {"Name": "After", "Type": "Succeed"}


def task(kind: str, arguments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": kind, "Arguments": arguments, **fields}


def putting(entry: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    detail = "{% {'Summary': $states.input.text} %}"
    whole = {"Source": "natdrain", "DetailType": "Change Ended", "Detail": detail, **(entry or {})}
    return task(PUT, {"Entries": [whole]}, **fields)


def sending(**fields: Any) -> dict[str, Any]:
    body = {"event": "{% $states.input %}"}
    return task(SEND, {"QueueUrl": "${Queue}", "MessageBody": body}, **fields)


def deploy(cloud: StubCloud, *states: dict[str, Any]) -> None:
    """Deploy the stub with a queue that receives every event whose source is natdrain."""
    target = {"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}
    rule = {"EventPattern": {"source": ["natdrain"]}, "State": "ENABLED", "Targets": [target]}
    more = {"Queue": resource("SQS::Queue"), "Rule": resource("Events::Rule", **rule)}
    whole = json.loads(template(chain(*states), more))
    whole["Outputs"]["QueueUrl"] = {"Value": {"Ref": "Queue"}}
    substitutions = whole["Resources"]["Machine"]["Properties"]["DefinitionSubstitutions"]
    substitutions["Queue"] = {"Ref": "Queue"}
    cloud.deploy(json.dumps(whole))


def bodies(cloud: StubCloud) -> list[Any]:
    return [json.loads(message["Body"]) for message in cloud.dead_letters()]


def caught(cloud: StubCloud, failing: dict[str, Any]) -> dict[str, Any]:
    """Return the task's error as a Catch of States.TaskFailed receives it."""
    catch = {"ErrorEquals": ["States.TaskFailed"], "Next": "After", "Output": "{% $states.errorOutput %}"}
    deploy(cloud, {**failing, "Catch": [catch]}, AFTER)
    return dict(json.loads(cloud.run({"text": "x"})["output"]))


def test_put_events_sends_the_detail_as_an_object_and_adds_the_execution_and_its_machine() -> None:
    with stub_cloud() as cloud:
        deploy(cloud, putting({"Resources": ["nat-1"]}))
        arn = cloud.run({"text": 'it "said"'})["executionArn"]
        (event,) = bodies(cloud)
        assert event["detail"] == {"Summary": 'it "said"'}
        assert event["resources"] == ["nat-1", cloud.outputs["MachineArn"], arn]


def test_put_events_assigns_and_returns_the_response() -> None:
    with stub_cloud() as cloud:
        assign = {"failed": "{% $states.result.FailedEntryCount %}"}
        output = {"failed": "{% $failed %}", "ids": "{% $count($states.input.EventId) %}"}
        whole = putting(Assign=assign, Output="{% $states.result.Entries %}")
        deploy(cloud, whole, {"Type": "Pass", "Output": output})
        assert json.loads(cloud.run({"text": "x"})["output"]) == {"failed": 0, "ids": 1}


def test_put_events_and_send_message_are_recorded_with_the_role_of_the_state_machine() -> None:
    with stub_cloud() as cloud:
        deploy(cloud, putting(Output="{% $states.input %}"), sending())
        cloud.run({"text": "x"})
        made = [(call.name, call.role) for call in cloud.recorder.calls if call.role]
        assert made == [
            ("events:PutEvents", ROLE),
            ("sqs:SendMessage", "events.amazonaws.com"),
            ("sqs:SendMessage", ROLE),
        ]


def test_put_events_fails_as_a_failed_entry_when_an_entry_is_refused() -> None:
    with stub_cloud() as cloud:
        error = caught(cloud, putting({"DetailType": ""}))
        assert error["Error"] == "EventBridge.FailedEntry"
        assert json.loads(error["Cause"])["FailedEntryCount"] == 1


def test_put_events_is_retried_as_a_failed_task_when_it_is_throttled() -> None:
    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 1}]
    with stub_cloud() as cloud:
        deploy(cloud, putting(Retry=retry))
        cloud.inject(operation="events:PutEvents", error="ThrottlingException", calls=frozenset({1}))
        assert cloud.run({"text": "x"})["status"] == "SUCCEEDED"
        assert [call.error for call in cloud.recorder.calls if call.service == "events"] == [
            "ThrottlingException",
            None,
        ]


@pytest.mark.parametrize(
    ("failing", "operation", "code", "name"),
    [
        (putting(), "events:PutEvents", "ServiceUnavailable", "EventBridge.AmazonEventBridgeException"),
        (putting(), "events:PutEvents", "InternalException", "EventBridge.InternalException"),
        (sending(), "sqs:SendMessage", "AccessDenied", "SQS.AmazonSQSException"),
    ],
)
def test_task_can_be_caught_with_the_code_and_message_of_the_service(
    failing: dict[str, Any], operation: str, code: str, name: str
) -> None:
    with stub_cloud() as cloud:
        cloud.inject(operation=operation, error=code, message="not now", role_contains="machine-role")
        error = caught(cloud, failing)
        assert error["Error"] == name
        assert error["Cause"].startswith("not now (Service: Amazon")
        assert f"Error Code: {code}" in error["Cause"]


def test_send_message_sends_an_object_as_json_and_returns_its_id() -> None:
    with stub_cloud() as cloud:
        deploy(cloud, sending(Output="{% $type($states.result.MessageId) %}"))
        assert json.loads(cloud.run({"text": 'a "b"'})["output"]) == "string"
        assert bodies(cloud) == [{"event": {"text": 'a "b"'}}]


def test_send_message_can_be_caught_when_the_queue_does_not_exist() -> None:
    with stub_cloud() as cloud:
        nowhere = {
            "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/nowhere",
            "MessageBody": "x",
        }
        assert caught(cloud, task(SEND, nowhere))["Error"] == "SQS.QueueDoesNotExistException"
