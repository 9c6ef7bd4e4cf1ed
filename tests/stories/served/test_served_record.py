"""History, events and dead letters over HTTP: another process serves the cloud; the tests use boto3 alone."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from support.places import PROJECT
from support.served import Served, eventually, serving

pytestmark = pytest.mark.deep

SCHEMAS = {"Change Started": "change-started.json", "Change Ended": "change-ended.json"}
SOON = """
[alarms]
enabled = true
name_prefixes = ["Egress"]
[messages]
chat = true
[[schedule]]
name = "soon"
expression = "cron(0/20 * * * ? *)"
request = { PublicIps = ["3.211.231.218"], DryRun = true }
"""


class Listener:
    """A queue behind a rule on natdrain's own events."""

    def __init__(self, served: Served) -> None:
        self._sqs, events = served.client("sqs"), served.client("events")
        self.url = self._sqs.create_queue(QueueName="partner")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        events.put_rule(Name="partner", EventPattern=json.dumps({"source": ["natdrain"]}))
        events.put_targets(Rule="partner", Targets=[{"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}])
        self.events: list[dict[str, Any]] = []

    def ended(self, execution: str) -> dict[str, Any]:
        """Return the event of the end of an execution."""

        def found() -> list[dict[str, Any]]:
            self.events += [json.loads(body) for body in received(self._sqs, self.url)]
            return [
                event
                for event in self.events
                if (event["detail-type"], event["detail"]["Execution"]) == ("Change Ended", execution)
            ]

        [event] = eventually(found)
        return dict(event)


def received(sqs: Any, url: str) -> list[str]:
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def query(served: Served, condition: str, values: dict[str, str], **more: Any) -> list[dict[str, str]]:
    answer = served.client("dynamodb").query(
        TableName=served.ready["outputs"]["TableName"],
        KeyConditionExpression=condition,
        ExpressionAttributeNames={"#record": "Record"},
        ExpressionAttributeValues={key: {"S": value} for key, value in values.items()},
        **more,
    )
    return [{key: value["S"] for key, value in item.items() if "S" in value} for item in answer["Items"]]


def of_gateway(served: Served, gateway_id: str) -> list[dict[str, str]]:
    values = {":gateway": gateway_id, ":history": "history#"}
    return query(served, "NatGatewayId = :gateway AND begins_with(#record, :history)", values)


def of_ip(served: Served, ip: str) -> list[dict[str, str]]:
    condition = "PublicIp = :ip AND begins_with(#record, :history)"
    return query(served, condition, {":ip": ip, ":history": "history#"}, IndexName="ByPublicIp")


def who_had(served: Served, ip: str, at: str) -> str | None:
    entries = of_ip(served, ip)
    serving = [entry for entry in entries if entry["Event"] == "serving" and entry["At"] <= at]
    if not serving:
        return None
    last = serving[-1]
    left = [e for e in entries if e["Event"] == "left" and e["AssociationId"] == last["AssociationId"]]
    return None if left and at >= left[-1]["At"] else last["NatGatewayId"]


def moved(instant: str, seconds: float) -> str:
    return f"{datetime.fromisoformat(instant) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def test_served_history_answers_after_a_stop_a_failure_and_an_outside_change_and_every_event_is_valid(
    served: Served,
) -> None:
    gateway_id, listener = served.add_gateway(), Listener(served)
    primary, stopped, outside, drained = served.addresses(gateway_id)

    def request(address: dict[str, Any], **more: Any) -> dict[str, Any]:
        ids = {"NatGatewayId": gateway_id, "AssociationIds": [address["AssociationId"]]}
        return {**ids, "MaxDrainDurationSeconds": 30, "Reason": "to be seen", **more}

    # A stop.
    first = served.start(request(stopped))
    eventually(lambda: "Wait" in served.states(first))
    served.client("stepfunctions").stop_execution(executionArn=first, cause="tea time")
    assert listener.ended(first)["detail"]["Outcome"] == "stopped"
    eventually(lambda: stopped["PublicIp"] not in [a["PublicIp"] for a in served.addresses(gateway_id)])
    # A failure.
    failed = served.run(request(primary))
    assert failed["error"] == "RequestRefused"
    assert listener.ended(failed["executionArn"])["detail"]["Outcome"] == "refused"
    # An outside change.
    served.client("ec2").disassociate_nat_gateway_address(
        NatGatewayId=gateway_id, AssociationIds=[outside["AssociationId"]], MaxDrainDurationSeconds=5
    )
    eventually(lambda: outside["PublicIp"] not in [a["PublicIp"] for a in served.addresses(gateway_id)])
    last = served.run(request(drained, Override=["remaining"]))
    assert listener.ended(last["executionArn"])["detail"]["Changed"] == "all"

    entries = of_gateway(served, gateway_id)
    left = {entry["PublicIp"]: entry for entry in entries if entry["Event"] == "left"}
    assert {ip: entry["By"] for ip, entry in left.items()} == {
        stopped["PublicIp"]: first,
        outside["PublicIp"]: "outside",
        drained["PublicIp"]: last["executionArn"],
    }
    assert [(e["Execution"], e["Outcome"]) for e in entries if e["Event"] == "ended"] == [
        (first, "stopped"),
        (failed["executionArn"], "refused"),
        (last["executionArn"], "drained"),
    ]
    ip = drained["PublicIp"]
    assert [entry["Event"] for entry in of_ip(served, ip)] == ["serving", "left"]
    gone_at, began_at = left[ip]["At"], of_ip(served, ip)[0]["At"]
    asked = [moved(gone_at, 0), moved(gone_at, -1), began_at, moved(began_at, -1)]
    assert [who_had(served, ip, at) for at in asked] == [None, gateway_id, gateway_id, None]

    kinds = {event["detail-type"] for event in listener.events}
    assert kinds == set(SCHEMAS)
    for event in listener.events:
        schema = json.loads((PROJECT / "schemas" / SCHEMAS[event["detail-type"]]).read_text())
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(event)


class DeadLetters:
    """The dead-letter queue of a served cloud, with its letters."""

    def __init__(self, served: Served) -> None:
        self._sqs, self._url = served.client("sqs"), served.ready["outputs"]["DeadLetterQueueUrl"]

        self._letters: list[dict[str, Any]] = []

    def letter(self, kind: str) -> dict[str, Any]:
        """Return the first letter with an event of this type, or with a schedule's request."""

        def look() -> list[dict[str, Any]]:
            self._letters += [json.loads(body) for body in received(self._sqs, self._url)]
            return [letter for letter in self._letters if letter.get("detail-type", "schedule") == kind]

        return dict(eventually(look)[0])


def delete_state_machine(served: Served, part: str) -> None:
    client = served.client("stepfunctions")
    machines = client.list_state_machines()["stateMachines"]
    [arn] = [machine["stateMachineArn"] for machine in machines if f"-{part}StateMachine" in machine["name"]]
    client.delete_state_machine(stateMachineArn=arn)


def test_served_dead_letter_queue_catches_what_each_target_fails_to_take(tmp_path: Path) -> None:
    config = tmp_path / "soon.toml"
    config.write_text(SOON)
    event = json.loads((PROJECT / "tests/samples/alarm-event.blocked-egress-ip.json").read_text())
    entry = {key: event[name] for key, name in {"Source": "source", "DetailType": "detail-type"}.items()}
    # Nothing here depends on the speed of the looks, and the schedule comes after twenty minutes.
    with serving("--config", str(config), "--speed", "1000") as served:
        letters = DeadLetters(served)
        for topic in served.client("sns").list_topics()["Topics"]:
            served.client("sns").delete_topic(TopicArn=topic["TopicArn"])
        ip = served.addresses(served.add_gateway())[1]["PublicIp"]
        execution = served.start({"PublicIps": [ip], "MaxDrainDurationSeconds": 4000})
        message = letters.letter("Change Started")
        delete_state_machine(served, "Record")
        served.client("stepfunctions").stop_execution(executionArn=execution)
        end = letters.letter("Step Functions Execution Status Change")
        delete_state_machine(served, "Drain")
        served.client("events").put_events(Entries=[{**entry, "Detail": json.dumps(event["detail"])}])
        alarm = letters.letter("CloudWatch Alarm State Change")
        schedule = letters.letter("schedule")
    assert message["detail"]["Execution"] == execution
    assert (end["detail"]["executionArn"], end["detail"]["status"]) == (execution, "ABORTED")
    assert alarm["detail"] == event["detail"]
    assert schedule["Trigger"]["Name"] == "soon"
