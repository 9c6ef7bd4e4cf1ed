"""Events about changes of an execution's status."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.stub_functions import START, StubCloud, chain, resource, stub_cloud, template

WAIT = {"Type": "Wait", "Seconds": 350}
EVENT = {"source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"]}
BEGAN = int(START.timestamp() * 1000)


@contextmanager
def event_cloud(*states: dict[str, Any], **definition: Any) -> Iterator[StubCloud]:
    """Yield the stub with a queue that receives the events about every execution."""
    target = {"Id": "queue", "Arn": {"Fn::GetAtt": ["Events", "Arn"]}}
    more = {
        "Events": resource("SQS::Queue"),
        "Rule": resource("Events::Rule", EventPattern=EVENT, State="ENABLED", Targets=[target]),
    }
    whole = json.loads(template(chain(*states) | definition, more))
    whole["Outputs"]["QueueUrl"] = {"Value": {"Ref": "Events"}}
    with stub_cloud() as cloud:
        cloud.deploy(json.dumps(whole))
        yield cloud


def details(cloud: StubCloud) -> list[Any]:
    """Return the details of the events so far, in their order."""
    return [json.loads(message["Body"])["detail"] for message in cloud.dead_letters()]


def statuses(cloud: StubCloud) -> list[str]:
    return [detail["status"] for detail in details(cloud)]


def test_execution_publishes_its_start_and_success_in_the_format_of_step_functions() -> None:
    with event_cloud(WAIT, {"Type": "Pass", "Output": {"done": True}}) as cloud:
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


def test_execution_publishes_its_error_and_cause_when_it_fails() -> None:
    with event_cloud({"Type": "Fail", "Error": "DrainFailed", "Cause": 'a "cause"'}) as cloud:
        cloud.run()
        cloud.clock.advance(0)
        _, failed = details(cloud)
        assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "DrainFailed", 'a "cause"')
        assert failed["output"] is None


def test_execution_publishes_aborted_once_when_it_is_stopped() -> None:
    with event_cloud(WAIT) as cloud:
        arn = cloud.start()
        cloud.clock.advance(100)
        cloud.client("stepfunctions").stop_execution(executionArn=arn, error="Enough", cause="said so")
        cloud.clock.advance(1000)
        _, aborted = details(cloud)
        assert (aborted["status"], aborted["error"], aborted["cause"]) == ("ABORTED", "Enough", "said so")
        assert aborted["stopDate"] == BEGAN + 100_000


def test_execution_publishes_aborted_when_it_is_stopped_before_its_first_state() -> None:
    with event_cloud(WAIT) as cloud:
        cloud.client("stepfunctions").stop_execution(executionArn=cloud.start())
        cloud.clock.advance(0)
        assert statuses(cloud) == ["RUNNING", "ABORTED"]


def test_execution_publishes_timed_out_when_it_takes_too_long() -> None:
    with event_cloud(WAIT, TimeoutSeconds=60) as cloud:
        assert cloud.run()["status"] == "TIMED_OUT"
        cloud.clock.advance(0)
        _, timed_out = details(cloud)
        assert (timed_out["status"], timed_out["stopDate"]) == ("TIMED_OUT", BEGAN + 60_000)


def test_execution_publishes_its_status_when_nothing_is_busy() -> None:
    with event_cloud(WAIT) as cloud:
        cloud.start()
        assert statuses(cloud) == []
        cloud.clock.advance(0)
        assert statuses(cloud) == ["RUNNING"]
