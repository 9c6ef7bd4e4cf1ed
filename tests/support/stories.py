"""Helpers of the stories: their gateway, and readers of refusals, events and history."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from natdrain.model.problem import Problem
from natdrain_sim.cloud import EmbeddedCloud, Run

MANAGED = {"natdrain:managed": "true"}


@dataclass(frozen=True)
class NatGateway:
    """A gateway of a story, and its cloud."""

    cloud: EmbeddedCloud
    gateway_id: str
    addresses: list[dict[str, Any]]

    def named(self, *numbers: int, **more: Any) -> dict[str, Any]:
        """Return a request for the addresses with these numbers; 0 is the primary one."""
        ids = [self.addresses[number]["AssociationId"] for number in numbers]
        return {"NatGatewayId": self.gateway_id, "AssociationIds": ids, **more}

    def called(self, way: str, number: int, **more: Any) -> dict[str, Any]:
        """Return a request for an address by one of its names: `way` is the name's plural."""
        names = {way: [self.addresses[number][way[:-1]]]}
        named = {"Disassociate": names} if way == "AllocationIds" else names
        return {"NatGatewayId": self.gateway_id, **named, **more}

    def to_join(self, *allocation_ids: str, **more: Any) -> dict[str, Any]:
        """Return a request to associate allocations in one call."""
        return {"NatGatewayId": self.gateway_id, "Associate": [{"AllocationIds": [*allocation_ids]}], **more}

    def shown(self) -> list[dict[str, Any]]:
        """Return the addresses as EC2 shows them now."""
        (gateway,) = self.cloud.client("ec2").describe_nat_gateways(NatGatewayIds=[self.gateway_id])[
            "NatGateways"
        ]
        return list(gateway["NatGatewayAddresses"])

    def public_ips(self) -> list[str]:
        return [address["PublicIp"] for address in self.shown()]

    def changes(self) -> list[str]:
        """Return the calls that could have changed this gateway or its addresses, without dry runs."""
        return [
            call.operation
            for call in self.cloud.recorder.calls
            if call.service == "ec2"
            and not call.operation.startswith("Describe")
            and call.parameters.get("NatGatewayId") == self.gateway_id
            and call.parameters.get("DryRun") is not True
            and call.role
        ]


BuildGateway = Callable[..., NatGateway]


def refused(run: Run) -> list[str]:
    """Return the problems of a refused execution."""
    assert (run.status, run.error) == ("FAILED", "RequestRefused")
    assert run.result["Changed"] == "none"
    assert len(json.dumps(run.result, ensure_ascii=False)) <= 32_768
    return problems(run.result)


def problems(result: Mapping[str, Any]) -> list[str]:
    """Return each problem of a result in one line: guard, text, fix."""
    return [str(Problem.from_json(one)) for one in result["Problems"]]


def to_put_back(result: Mapping[str, Any]) -> list[str]:
    """Return the allocations that a result offers to associate again."""
    request = (result["PutBack"] or {}).get("Request", {})
    return [one for call in request.get("Associate", []) for one in call["AllocationIds"]]


def table(cloud: EmbeddedCloud) -> str:
    return cloud.outputs["TableName"]


def items(cloud: EmbeddedCloud, gateway_id: str) -> dict[str, dict[str, Any]]:
    """Return the table's items of a gateway, by sort key."""
    answer = cloud.client("dynamodb").query(
        TableName=table(cloud),
        KeyConditionExpression="NatGatewayId = :gateway",
        ExpressionAttributeValues={":gateway": {"S": gateway_id}},
    )
    return {item["Record"]["S"]: item for item in answer["Items"]}


def log_lines(cloud: EmbeddedCloud) -> list[dict[str, Any]]:
    """Return every structured line that a function has printed."""
    logs = cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    messages = [e["message"] for g in groups for e in logs.filter_log_events(logGroupName=g)["events"]]
    return [json.loads(message) for message in messages if message.startswith("{")]


@dataclass(frozen=True)
class Listener:
    """A queue behind a rule on the default bus."""

    cloud: EmbeddedCloud
    url: str

    @classmethod
    def on(cls, cloud: EmbeddedCloud, name: str, pattern: dict[str, Any]) -> Listener:
        sqs, events = cloud.client("sqs"), cloud.client("events")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": name, "Arn": arn}])
        return cls(cloud, url)

    def events(self) -> list[dict[str, Any]]:
        """Return what has come since the last call."""
        return [json.loads(body) for body in received(self.cloud, self.url)]


def received(cloud: EmbeddedCloud, queue_url: str) -> list[str]:
    """Take every message out of a queue."""
    sqs, bodies = cloud.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def history(cloud: EmbeddedCloud, gateway_id: str) -> list[dict[str, Any]]:
    """Return the history of a gateway, in order."""
    rows = [
        item for record, item in sorted(items(cloud, gateway_id).items()) if record.startswith("history#")
    ]
    return [{key: TypeDeserializer().deserialize(value) for key, value in row.items()} for row in rows]
