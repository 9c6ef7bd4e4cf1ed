"""Guards, holds and the lock over HTTP: another process serves the cloud, and the tests use boto3 alone."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from support.served import MANAGED, Served, eventually
from support.stories import problems

pytestmark = pytest.mark.deep

ZONE, OTHER_ZONE = "us-east-1a", "us-east-1b"
WAIT = "Wait in line"


def request(served: Served, gateway_id: str, *numbers: int, **more: Any) -> dict[str, Any]:
    """Return a request to drain the addresses with these numbers soon."""
    addresses = served.addresses(gateway_id)
    ids = [addresses[number]["AssociationId"] for number in numbers]
    return {"NatGatewayId": gateway_id, "AssociationIds": ids, "MaxDrainDurationSeconds": 10, **more}


def refused(served: Served, asked: dict[str, Any]) -> list[str]:
    """Return the problems of a request that is refused and changes nothing."""
    before = served.addresses(asked["NatGatewayId"])
    ended = served.run(asked)
    assert (ended["status"], ended["error"]) == ("FAILED", "RequestRefused")
    assert ended["result"]["Changed"] == "none"
    assert served.addresses(asked["NatGatewayId"]) == before
    return problems(ended["result"])


def drained(ended: dict[str, Any]) -> dict[str, Any]:
    """Return the result of an execution that has drained what was asked."""
    assert (ended["status"], ended["result"]["Changed"]) == ("SUCCEEDED", "all")
    return dict(ended["result"])


def add_regional_gateway(served: Served, **counts: int) -> str:
    """Add a gateway with so many addresses in each zone, such as a=2; without any, AWS manages them."""
    ec2 = served.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=ZONE)
    zones = [
        {"AvailabilityZone": f"us-east-1{letter}", "AllocationIds": served.allocate(count)}
        for letter, count in counts.items()
    ]
    gateway = ec2.create_nat_gateway(
        AvailabilityMode="regional",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "natgateway", "Tags": MANAGED}],
        **({"AvailabilityZoneAddresses": zones} if zones else {}),
    )["NatGateway"]["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[gateway])
    return str(gateway)


def zones_of(served: Served, gateway_id: str) -> Counter[str]:
    return Counter(address["AvailabilityZone"] for address in served.addresses(gateway_id))


def test_served_regional_gateway_keeps_an_address_in_each_zone_unless_overridden(served: Served) -> None:
    gateway_id = add_regional_gateway(served, a=2, b=1)
    drained(served.run(request(served, gateway_id, 0)))
    assert zones_of(served, gateway_id) == {ZONE: 1, OTHER_ZONE: 1}

    (problem,) = refused(served, request(served, gateway_id, 0))
    assert problem.startswith(f"remaining: {gateway_id} in use1-az6 would keep 0 addresses in service")
    assert problem.endswith('Override: ["remaining"].')

    result = drained(served.run(request(served, gateway_id, 0, Override=["remaining"])))
    assert zones_of(served, gateway_id) == {OTHER_ZONE: 1}
    assert any(text.startswith("remaining: ") for text in result["Warnings"])
    [call] = result["PutBack"]["Request"]["Associate"]
    assert call["AvailabilityZoneId"] == "use1-az6"

    (problem,) = refused(served, request(served, gateway_id, 0, Override=["remaining"]))
    assert problem.startswith(f"last: No address of {gateway_id} would stay in service")


def test_served_regional_gateway_whose_addresses_aws_manages_is_refused(served: Served) -> None:
    gateway_id = add_regional_gateway(served)
    problems = refused(served, request(served, gateway_id, 0))
    assert any(text.startswith("aws_managed: ") and "Nothing overrides this." in text for text in problems)


def test_served_address_that_is_protected_is_refused_until_the_tag_is_gone(
    served: Served, gateway_id: str
) -> None:
    ec2, allocation_id = served.client("ec2"), served.addresses(gateway_id)[1]["AllocationId"]
    tag = {"Key": "natdrain:protect", "Value": "partner"}
    ec2.create_tags(Resources=[allocation_id], Tags=[tag])
    (problem,) = refused(served, request(served, gateway_id, 1))
    assert f"aws ec2 delete-tags --resources {allocation_id} --tags Key=natdrain:protect" in problem
    ec2.delete_tags(Resources=[allocation_id], Tags=[{"Key": tag["Key"]}])
    drained(served.run(request(served, gateway_id, 1)))


def test_served_hold_set_during_a_drain_lets_it_end_and_refuses_the_next_until_it_is_lifted(
    served: Served, gateway_id: str
) -> None:
    dynamodb = served.client("dynamodb")
    (table,) = dynamodb.list_tables()["TableNames"]
    key = {"NatGatewayId": {"S": gateway_id}, "Record": {"S": "hold"}}
    running = served.start(request(served, gateway_id, 1, MaxDrainDurationSeconds=600))
    eventually(lambda: served.states(running), lambda states: "Wait" in states)
    dynamodb.put_item(TableName=table, Item={**key, "Hold": {"S": "alice, incident 4711"}})
    drained(served.wait(running))

    (problem,) = refused(served, request(served, gateway_id, 1))
    assert problem.startswith(f"hold: {gateway_id} is held (alice, incident 4711).")
    dynamodb.delete_item(TableName=table, Key=key)
    drained(served.run(request(served, gateway_id, 1)))


def test_served_two_at_once_drain_one_after_the_other_when_they_wait(served: Served, gateway_id: str) -> None:
    limits = {1: 600, 2: 10}
    both = [
        request(served, gateway_id, number, MaxDrainDurationSeconds=limit, WhenBusy="wait")
        for number, limit in limits.items()
    ]
    executions = [served.start(one) for one in both]
    rows = [drained(served.wait(execution))["Addresses"][0] for execution in executions]
    first, second = sorted(rows, key=lambda row: str(row["RequestedAt"]))
    assert first["GoneBy"] <= second["RequestedAt"]
    assert sum(WAIT in served.states(execution) for execution in executions) == 1


def test_served_fifty_at_once_drain_each_address_once(served: Served, gateway_id: str) -> None:
    waiting = [request(served, gateway_id, number, WhenBusy="wait") for number in (1, 2, 3)]
    hasty = [request(served, gateway_id, 1) for _ in range(47)]
    client = served.client("stepfunctions")  # threads may share a client, but not the session that makes it

    def start(asked: dict[str, Any]) -> str:
        arn = served.ready["change_state_machine_arn"]
        return str(client.start_execution(stateMachineArn=arn, input=json.dumps(asked))["executionArn"])

    with ThreadPoolExecutor(10) as threads:
        executions = list(threads.map(start, [*hasty[:20], *waiting, *hasty[20:]]))
    ended = [served.wait(execution) for execution in executions]
    assert {one.get("error") for one in ended if one["status"] != "SUCCEEDED"} <= {"GatewayBusy"}
    assert {one["status"] for one in ended[20:23]} == {"SUCCEEDED"}
    assert Counter(one["result"]["Changed"] for one in ended)["all"] == 3
    assert sum(served.states(execution).count("Disassociate") for execution in executions) == 3
    assert len(served.addresses(gateway_id)) == 1
    drains = sorted(
        (row["RequestedAt"], row["GoneBy"])
        for one in ended
        if one["result"]["Changed"] == "all"
        for row in one["result"]["Addresses"]
    )
    assert all(before[1] <= after[0] for before, after in pairwise(drains))
