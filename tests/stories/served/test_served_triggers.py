"""Alarms and schedules over HTTP: another process serves the embedded cloud; the tests use boto3 alone."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from support.places import SAMPLES
from support.served import Served, eventually

pytestmark = pytest.mark.deep

ALARM = {
    "EvaluationPeriods": 1,
    "Threshold": 0.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "Period": 60,
    "Statistic": "Sum",
}
DISASSOCIATE = "Disassociate"


def put_alarm(served: Served, name: str, **dimensions: str) -> None:
    served.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="Egress/Reputation",
        MetricName="BlockedResponses",
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        **ALARM,
    )


def set_alarm(served: Served, name: str, state: str) -> None:
    served.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="for the test")


def public_ips(served: Served, gateway_id: str) -> list[str]:
    return [address["PublicIp"] for address in served.addresses(gateway_id)]


def started_since(served: Served, before: list[str]) -> list[str]:
    return [execution for execution in served.executions() if execution not in before]


def disassociations(served: Served, executions: list[str]) -> int:
    return sum(served.states(execution).count(DISASSOCIATE) for execution in executions)


def test_served_alarm_takes_off_the_address_that_it_names_and_back_to_ok_starts_nothing(
    served: Served, gateway_id: str
) -> None:
    ip, before = public_ips(served, gateway_id)[1], served.executions()
    put_alarm(served, "EgressBlocked", NatGatewayId=gateway_id, PublicIp=ip)
    set_alarm(served, "EgressBlocked", "ALARM")
    eventually(lambda: ip not in public_ips(served, gateway_id))
    set_alarm(served, "EgressBlocked", "OK")
    (execution,) = started_since(served, before)
    assert served.wait(execution)["status"] == "SUCCEEDED"


def test_served_event_that_comes_ten_times_drains_once_and_fails_nothing(
    served: Served, gateway_id: str
) -> None:
    ip, before = public_ips(served, gateway_id)[1], served.executions()
    entry = entry_now(served, "blocked-egress-ip", gateway_id, ip)
    for _ in range(10):
        served.client("events").put_events(Entries=[entry])
    started = started_since(served, before)
    assert {served.wait(execution)["status"] for execution in started} == {"SUCCEEDED"}
    assert disassociations(served, started) == 1
    assert ip not in public_ips(served, gateway_id)


def entry_now(served: Served, name: str, gateway_id: str, ip: str) -> dict[str, Any]:
    """Return the sample's event about this address, as it would be put on the bus now."""
    event = json.loads((SAMPLES / f"alarm-event.{name}.json").read_text())
    detail = event["detail"]
    detail["state"]["timestamp"] = f"{simulated_now(served):%Y-%m-%dT%H:%M:%S}.000+0000"
    named = {"NatGatewayId": gateway_id, "PublicIp": ip}
    if contributor := detail.get("alarmContributor"):
        contributor["attributes"] = named
    for entry in detail["configuration"].get("metrics", []):
        if "metricStat" in entry:
            entry["metricStat"]["metric"]["dimensions"] = named
    return {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Resources": event["resources"],
        "Detail": json.dumps(detail),
    }


def put(served: Served, *entries: dict[str, Any]) -> None:
    assert served.client("events").put_events(Entries=[*entries])["FailedEntryCount"] == 0


def test_served_contributor_takes_off_the_address_of_its_attributes(served: Served, gateway_id: str) -> None:
    ip, before = public_ips(served, gateway_id)[1], served.executions()
    put(served, entry_now(served, "contributor-parent", gateway_id, ip))
    put(served, entry_now(served, "contributor", gateway_id, ip))
    (execution,) = started_since(served, before)
    assert served.wait(execution)["result"]["Outcome"] == "drained"
    assert ip not in public_ips(served, gateway_id)


def test_served_muted_and_suppressed_alarms_start_no_execution(served: Served, gateway_id: str) -> None:
    ip, before = public_ips(served, gateway_id)[1], served.executions()
    put(served, *(entry_now(served, name, gateway_id, ip) for name in ("muted", "composite-suppressed")))
    assert started_since(served, before) == []


def test_served_replay_of_an_event_starts_no_execution(served: Served, gateway_id: str) -> None:
    events, ip, before = served.client("events"), public_ips(served, gateway_id)[1], served.executions()
    bus = f"arn:aws:events:{served.ready['region']}:{served.ready['account']}:event-bus/default"
    archive = events.create_archive(ArchiveName="all", EventSourceArn=bus)["ArchiveArn"]
    put(served, entry_now(served, "blocked-egress-ip", gateway_id, ip))
    (execution,) = started_since(served, before)
    served.wait(execution)
    now = simulated_now(served)
    window = {"EventStartTime": now - timedelta(days=1), "EventEndTime": now}
    events.start_replay(ReplayName="again", EventSourceArn=archive, Destination={"Arn": bus}, **window)
    assert started_since(served, before) == [execution]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("no-data", "data are missing"), ("regional-port-exhaustion", "watches ErrorPortAllocation")],
)
def test_served_alarm_that_must_not_act_is_refused_as_an_input(
    served: Served, gateway_id: str, name: str, problem: str
) -> None:
    ip = public_ips(served, gateway_id)[1]
    entry = entry_now(served, name, gateway_id, ip)
    event = {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    }
    ended = served.run(event)
    assert (ended["error"], ip in public_ips(served, gateway_id)) == ("RequestRefused", True)
    assert problem in ended["result"]["Problems"][0]["Text"]


def test_served_alarm_that_is_too_old_is_refused_as_an_input(served: Served) -> None:
    event = json.loads((SAMPLES / "alarm-event.replayed.json").read_text())
    del event["replay-name"]
    assert "minutes ago" in served.run(event)["result"]["Problems"][0]["Text"]


def test_served_thousand_changes_of_unrelated_alarms_start_no_execution(served: Served) -> None:
    before = served.executions()
    cloudwatch = served.client("cloudwatch")
    unrelated: list[dict[str, str]] = [{"InstanceId": "i-1"}, {"NatGatewayId": "nat-1234567890abcdef0"}]
    for number, dimensions in enumerate(unrelated):
        put_alarm(served, f"Egress-unrelated-{number}", **dimensions)
    for number in range(1000):
        cloudwatch.set_alarm_state(
            AlarmName=f"Egress-unrelated-{number % 2}",
            StateValue="OK" if number // 2 % 2 else "ALARM",
            StateReason="for the test",
        )
    assert started_since(served, before) == []


def test_served_schedule_fires_at_its_simulated_time(served: Served, gateway_id: str) -> None:
    ip, before = public_ips(served, gateway_id)[2], served.executions()
    due = simulated_now(served) + timedelta(minutes=10)
    request = {"PublicIps": [ip], "MaxDrainDurationSeconds": 10}
    served.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": served.ready["change_state_machine_arn"],
            "RoleArn": f"arn:aws:iam::{served.ready['account']}:role/anybody",
            "Input": json.dumps(request),
        },
    )
    (execution,) = eventually(lambda: started_since(served, before))
    ended = served.wait(execution)
    assert timedelta(0) <= ended["startDate"] - due < timedelta(minutes=1)
    assert ended["status"] == "SUCCEEDED"
    assert ip not in public_ips(served, gateway_id)


def simulated_now(served: Served) -> Any:
    """Return the cloud's own time: the creation time of something made just now."""
    scheduler = served.client("scheduler")
    scheduler.create_schedule_group(Name="clock")
    now = scheduler.get_schedule_group(Name="clock")["CreationDate"]
    scheduler.delete_schedule_group(Name="clock")
    return now.replace(microsecond=0)


def test_served_upgrade_lets_running_executions_end_and_changes_new_ones(
    served: Served, gateway_id: str
) -> None:
    ip, cloudformation = public_ips(served, gateway_id)[1], served.client("cloudformation")
    running = served.start({"PublicIps": [ip], "MaxDrainDurationSeconds": 600})
    eventually(lambda: served.states(running), lambda states: "Wait" in states)
    (stack,) = cloudformation.describe_stacks()["Stacks"]
    template = cloudformation.get_template(StackName=stack["StackName"])["TemplateBody"]
    text = template if isinstance(template, str) else json.dumps(template)
    cloudformation.update_stack(
        StackName=stack["StackName"], TemplateBody=new_versions(text), Capabilities=["CAPABILITY_IAM"]
    )
    machine = served.client("stepfunctions").describe_state_machine(
        stateMachineArn=served.ready["change_state_machine_arn"]
    )
    invoked = re.findall(r":function:[^:\"]+:(\d+)", machine["definition"])
    assert set(invoked) == {"2"}
    assert served.wait(running)["status"] == "SUCCEEDED"
    assert ip not in public_ips(served, gateway_id)


def new_versions(text: str) -> str:
    """Return the template of another configuration: changed functions, and versions under new names."""
    template = json.loads(text)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Environment"]["Variables"]["CHANGED"] = "yes"
        if resource["Type"] == "AWS::Lambda::Version":
            text = text.replace(f'"{name}"', f'"{name}Changed"')
    changed = json.loads(text)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            changed["Resources"][name] = resource
    return json.dumps(changed)
