"""Helpers of the stories of guards: causes of findings, and readers of results."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from natdrain_sim.cloud import EmbeddedCloud, Run
from support.stories import NatGateway, table

CALENDAR = "egress-freeze"
CALENDAR_TEXT = "BEGIN:VCALENDAR\nPRODID:test\nVERSION:2.0\nX-CALENDAR-TYPE:{}\nEND:VCALENDAR\n"
HAND, AUTOMATIC = "by hand", "automatic"

_times = itertools.count()


def started(how: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the request as a person makes it, or as a new alarm does."""
    trigger = {"Kind": "alarm", "Name": "Blocked", "At": f"time {next(_times)}"}
    return {**request, "MaxDrainDurationSeconds": 1, **({"Trigger": trigger} if how == AUTOMATIC else {})}


def names_of(said: list[str]) -> list[str]:
    """Return the guards of these problems, each once."""
    return list(dict.fromkeys(text.partition(":")[0] for text in said))


def drained(run: Run) -> list[str]:
    """Return the warnings of an execution that has drained everything."""
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "drained", "all")
    return list(run.result["Warnings"])


def tag(gateway: NatGateway, resource: str, key: str, value: str = "") -> None:
    gateway.cloud.client("ec2").create_tags(Resources=[resource], Tags=[{"Key": key, "Value": value}])


def measured(gateway: NatGateway, metric: str, value: float, zone: str | None = None) -> None:
    """Give CloudWatch a metric of the gateway, or of a zone of a regional one, from a minute ago."""
    named = {"NatGatewayId": gateway.gateway_id, **({"AvailabilityZone": zone} if zone else {})}
    point = {
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in named.items()],
        "Timestamp": gateway.cloud.clock.now - timedelta(minutes=1),
        "Value": value,
    }
    gateway.cloud.client("cloudwatch").put_metric_data(Namespace="AWS/NATGateway", MetricData=[point])


def fail(gateway: NatGateway, number: int) -> None:
    """Let somebody else's drain of an address fail."""
    cloud = gateway.cloud
    cloud.simulation.fail_when_drained(gateway.addresses[number]["AssociationId"], "no luck")
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(number), MaxDrainDurationSeconds=1)
    cloud.clock.advance(60)


def put_back(gateway: NatGateway, number: int) -> None:
    """Drain an address, and let somebody else put it back; it then stands at the end."""
    cloud, zone = gateway.cloud, gateway.addresses[number].get("AvailabilityZone")
    request = gateway.named(number, MaxDrainDurationSeconds=1, Override=["remaining"])
    assert cloud.run(request).status == "SUCCEEDED"
    cloud.client("ec2").associate_nat_gateway_address(
        NatGatewayId=gateway.gateway_id,
        AllocationIds=[gateway.addresses[number]["AllocationId"]],
        **({"AvailabilityZone": zone} if zone else {}),
    )
    cloud.clock.advance(60)
    while {address["Status"] for address in gateway.shown()} != {"succeeded"}:
        cloud.clock.advance(60)
    gateway.addresses[:] = gateway.shown()


def hold(cloud: EmbeddedCloud, held: str, **attributes: Any) -> None:
    item = {"NatGatewayId": {"S": held}, "Record": {"S": "hold"}, **attributes}
    cloud.client("dynamodb").put_item(TableName=table(cloud), Item=item)


def lift(cloud: EmbeddedCloud, held: str) -> None:
    key = {"NatGatewayId": {"S": held}, "Record": {"S": "hold"}}
    cloud.client("dynamodb").delete_item(TableName=table(cloud), Key=key)


def set_calendar(cloud: EmbeddedCloud, kind: str | None) -> None:
    """Replace the deployment's calendar, or delete it."""
    ssm = cloud.client("ssm")
    if ssm.list_documents(Filters=[{"Key": "Name", "Values": [CALENDAR]}])["DocumentIdentifiers"]:
        ssm.delete_document(Name=CALENDAR)
    if kind:
        given = {"DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT"}
        ssm.create_document(Name=CALENDAR, Content=CALENDAR_TEXT.format(kind), **given)
