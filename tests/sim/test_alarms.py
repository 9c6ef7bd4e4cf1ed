"""Events about changes of an alarm's state, compared with samples."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.places import SAMPLES
from support.stub_functions import StubCloud, stub_cloud

ALARM = {"EvaluationPeriods": 1, "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold"}


@pytest.fixture
def cloud() -> Iterator[StubCloud]:
    """Yield a cloud with a queue that receives every event of CloudWatch."""
    with stub_cloud() as cloud:
        cloud.outputs["QueueUrl"] = cloud.client("sqs").create_queue(QueueName="events")["QueueUrl"]
        events = cloud.client("events")
        events.put_rule(Name="all", EventPattern='{"source": ["aws.cloudwatch"]}')
        target = {"Id": "queue", "Arn": "arn:aws:sqs:eu-central-1:123456789012:events"}
        events.put_targets(Rule="all", Targets=[target])
        yield cloud


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"alarm-event.{name}.json").read_text())


def set_state(cloud: StubCloud, name: str, state: dict[str, str]) -> None:
    cloud.client("cloudwatch").set_alarm_state(
        AlarmName=name,
        StateValue=state["value"],
        StateReason=state["reason"],
        StateReasonData=state["reasonData"],
    )


def create_alarm(cloud: StubCloud, event: Any) -> None:
    """Create the alarm of a sample event, in its previous state."""
    detail, client = event["detail"], cloud.client("cloudwatch")
    configuration = detail["configuration"]
    identity = {"AlarmName": detail["alarmName"], "AlarmDescription": configuration["description"]}
    if len(configuration["metrics"]) == 1:
        client.put_metric_alarm(**identity, **ALARM, **one_metric(configuration["metrics"][0]["metricStat"]))
    else:
        queries = [query(metric) for metric in configuration["metrics"]]
        client.put_metric_alarm(**identity, **ALARM, Metrics=queries)
    set_state(cloud, detail["alarmName"], detail["previousState"])
    cloud.dead_letters()


def one_metric(stat: Any) -> dict[str, Any]:
    return {**metric_of(stat["metric"]), "Period": stat["period"], "Statistic": stat["stat"]}


def metric_of(metric: Any) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric["dimensions"].items()]
    return {"MetricName": metric["name"], "Namespace": metric["namespace"], "Dimensions": dimensions}


def query(metric: Any) -> dict[str, Any]:
    fields = {"Id": metric["id"], "ReturnData": metric["returnData"]}
    if "expression" in metric:
        return {**fields, "Expression": metric["expression"], "Label": metric["label"]}
    stat = metric["metricStat"]
    return {
        **fields,
        "MetricStat": {"Metric": metric_of(stat["metric"]), "Period": stat["period"], "Stat": stat["stat"]},
    }


def comparable(event: Any) -> Any:
    """Return the event without ids, times and places, which differ from the sample."""
    bare = json.loads(json.dumps(event))
    for key in ("id", "time", "region", "resources", "account"):
        bare.pop(key, None)
    for state in ("state", "previousState"):
        stamp = bare["detail"][state].pop("timestamp")
        assert len(stamp) == len("2026-10-02T17:04:40.989+0000")
    if len(metrics := bare["detail"]["configuration"]["metrics"]) == 1:
        assert metrics[0].pop("id")
    return bare


@pytest.mark.parametrize(
    "name", ["blocked-egress-ip", "back-to-ok", "low-traffic", "port-exhaustion", "metric-math"]
)
def test_alarm_event_has_the_format_of_the_sample(cloud: StubCloud, name: str) -> None:
    wanted = sample(name)
    create_alarm(cloud, wanted)
    set_state(cloud, wanted["detail"]["alarmName"], wanted["detail"]["state"])
    (message,) = cloud.dead_letters()
    event = json.loads(message["Body"])
    assert comparable(event) == comparable(wanted)
    assert event["resources"] == [
        f"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{wanted['detail']['alarmName']}"
    ]


def test_alarm_sends_no_event_when_its_state_stays_the_same(cloud: StubCloud) -> None:
    event = sample("blocked-egress-ip")
    create_alarm(cloud, event)
    set_state(cloud, event["detail"]["alarmName"], event["detail"]["previousState"])
    assert cloud.dead_letters() == []
