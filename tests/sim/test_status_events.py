"""What EventBridge is told of an execution's status."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.stub_functions import START, StubCloud, chain, resource, stub_cloud, template

WAIT = {"Type": "Wait", "Seconds": 350}
EVENT = {"source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"]}
BEGAN = int(START.timestamp() * 1000)


@contextmanager
def told_cloud(*states: dict[str, Any], **definition: Any) -> Iterator[StubCloud]:
    """The stub, and a queue behind a rule on the status of every execution."""
    target = {"Id": "queue", "Arn": {"Fn::GetAtt": ["Told", "Arn"]}}
    more = {
        "Told": resource("SQS::Queue"),
        "Rule": resource("Events::Rule", EventPattern=EVENT, State="ENABLED", Targets=[target]),
    }
    whole = json.loads(template(chain(*states) | definition, more))
    whole["Outputs"]["QueueUrl"] = {"Value": {"Ref": "Told"}}
    with stub_cloud() as cloud:
        cloud.deploy(json.dumps(whole))
        yield cloud


def told(cloud: StubCloud) -> list[Any]:
    """The details of the events so far, in their order."""
    return [json.loads(message["Body"])["detail"] for message in cloud.dead_letters()]


def statuses(cloud: StubCloud) -> list[str]:
    return [detail["status"] for detail in told(cloud)]


def test_execution_that_runs_and_succeeds_is_told_twice_in_the_shape_of_step_functions() -> None:
    with told_cloud(WAIT, {"Type": "Pass", "Output": {"done": True}}) as cloud:
        arn = cloud.run({"a": 1})["executionArn"]
        cloud.clock.advance(0)
        events = [json.loads(message["Body"]) for message in cloud.dead_letters()]
        same = {
            "executionArn": arn,
            "stateMachineArn": cloud.outputs["MachineArn"],
            "name": "one",
            "startDate": BEGAN,
            "input": '{"a": 1}',
            "inputDetails": {"included": True},
            "error": None,
            "cause": None,
        }
        running = {"status": "RUNNING", "stopDate": None, "output": None, "outputDetails": None}
        succeeded = {"status": "SUCCEEDED", "stopDate": BEGAN + 350_000, "output": '{"done": true}'}
        assert [event["detail"] for event in events] == [
            same | running,
            same | succeeded | {"outputDetails": {"included": True}},
        ]
        assert {(event["source"], *event["resources"]) for event in events} == {("aws.states", arn)}
        assert [event["time"] for event in events] == ["2026-03-01T12:00:00Z", "2026-03-01T12:05:50Z"]


def test_execution_that_fails_is_told_with_its_error_and_cause() -> None:
    with told_cloud({"Type": "Fail", "Error": "DrainFailed", "Cause": 'a "cause"'}) as cloud:
        cloud.run()
        cloud.clock.advance(0)
        _, failed = told(cloud)
        assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "DrainFailed", 'a "cause"')
        assert failed["output"] is None


def test_execution_that_is_stopped_is_told_once_as_aborted() -> None:
    with told_cloud(WAIT) as cloud:
        arn = cloud.start()
        cloud.clock.advance(100)
        cloud.client("stepfunctions").stop_execution(executionArn=arn, error="Enough", cause="said so")
        cloud.clock.advance(1000)
        _, aborted = told(cloud)
        assert (aborted["status"], aborted["error"], aborted["cause"]) == ("ABORTED", "Enough", "said so")
        assert aborted["stopDate"] == BEGAN + 100_000


def test_execution_that_is_stopped_before_its_first_step_is_told_as_aborted() -> None:
    with told_cloud(WAIT) as cloud:
        cloud.client("stepfunctions").stop_execution(executionArn=cloud.start())
        cloud.clock.advance(0)
        assert statuses(cloud) == ["RUNNING", "ABORTED"]


def test_execution_that_takes_too_long_is_told_as_timed_out() -> None:
    with told_cloud(WAIT, TimeoutSeconds=60) as cloud:
        assert cloud.run()["status"] == "TIMED_OUT"
        cloud.clock.advance(0)
        _, timed_out = told(cloud)
        assert (timed_out["status"], timed_out["stopDate"]) == ("TIMED_OUT", BEGAN + 60_000)


def test_status_is_told_only_when_nothing_is_busy_any_more() -> None:
    with told_cloud(WAIT) as cloud:
        cloud.start()
        assert statuses(cloud) == []
        cloud.clock.advance(0)
        assert statuses(cloud) == ["RUNNING"]
