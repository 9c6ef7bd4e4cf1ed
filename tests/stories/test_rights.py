"""Rights of every role: exactly the actions that a function uses, on the partitions that it touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.synthesis import synthesise
from support.stories import MANAGED, BuildGateway

SERVICE_RIGHTS = {
    "logs:CreateLogStream": "Lambda itself writes the function's log",
    "logs:PutLogEvents": "the same",
    "xray:PutTraceSegments": "Lambda itself sends the traces",
    "xray:PutTelemetryRecords": "the same",
}


IAM_NAMES = {"service-quotas": "servicequotas"}
"""Services whose rights have another name than their endpoint."""
LEADING_KEYS = "dynamodb:LeadingKeys"


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every statement of the template with the logical id of its role."""
    for policy in synthesise()["Resources"].values():
        if policy["Type"] == "AWS::IAM::Policy":
            for role in policy["Properties"]["Roles"]:
                for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                    actions = statement["Action"]
                    listed = [actions] if isinstance(actions, str) else actions
                    yield role["Ref"], {**statement, "Action": listed}


def granted() -> dict[str, set[str]]:
    """Return the actions that the template allows, by the logical id of a function's role."""
    rights: dict[str, set[str]] = defaultdict(set)
    for role, statement in statements():
        if role.startswith("Functions") and statement["Effect"] == "Allow":
            rights[role] |= {*statement["Action"]}
    return rights


def partitions() -> dict[tuple[str, str], list[str]]:
    """Return the patterns of the partitions on which a role may carry out an action."""
    return {
        (role, action): keys[LEADING_KEYS]
        for role, statement in statements()
        for keys in statement.get("Condition", {}).values()
        for action in statement["Action"]
        if LEADING_KEYS in keys
    }


def used(cloud: EmbeddedCloud, role: str) -> set[str]:
    """Return the actions called so far by the role with this logical id."""
    operations = {
        f"{IAM_NAMES.get(call.service, call.service)}:{call.operation}"
        for call in cloud.recorder.calls
        if call.role and role in call.role
    }
    # DynamoDB developer guide, transactions: the right to each item's own operation, and these all put.
    return {"dynamodb:PutItem" if name == "dynamodb:TransactWriteItems" else name for name in operations}


def touched(parameters: dict[str, Any]) -> set[str]:
    """Return the partitions of a call on the table."""
    puts = [one["Put"]["Item"] for one in parameters.get("TransactItems", [])]
    batches = [key for one in parameters.get("RequestItems", {}).values() for key in one["Keys"]]
    single = [parameters[name] for name in ("Item", "Key") if name in parameters]
    return {item["NatGatewayId"]["S"] for item in [*puts, *batches, *single]}


@pytest.fixture
def lived(cloud: EmbeddedCloud, nat: BuildGateway) -> EmbeddedCloud:
    """Return a cloud in which every function has done all that it can do."""
    gateway = nat(4)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=30)
    cloud.clock.advance(5)
    ips = [gateway.addresses[number]["PublicIp"] for number in (1, 2)]
    request = {"PublicIps": ips, "AfterDrain": "release"}
    trigger = {"Kind": "alarm", "Name": "Blocked", "At": "now"}
    assert cloud.run(gateway.named(0, Trigger=trigger)).status == "FAILED"
    assert cloud.run(request).status == "SUCCEEDED"
    # Service Quotas has no quota of the account's own, so that AWS's default is read too.
    none = Fault(operation="service-quotas:GetServiceQuota", error="NoSuchResourceException", status=400)
    cloud.recorder.faults = [none]
    spare, busy = cloud.simulation.add_address(tags=MANAGED), nat(2)
    cloud.client("ec2").disassociate_nat_gateway_address(**busy.named(1), MaxDrainDurationSeconds=1)
    cloud.clock.advance(3)
    assert cloud.run(busy.to_join(spare)).status == "SUCCEEDED"
    stopped = cloud.start(nat().named(1, Trigger=trigger))
    cloud.clock.advance(10)
    cloud.client("stepfunctions").stop_execution(executionArn=stopped)
    cloud.clock.advance(1)
    return cloud


def test_actions_granted_to_every_function_are_the_actions_it_uses(lived: EmbeddedCloud) -> None:
    rights = granted()
    assert len(rights) == 8
    for role, actions in rights.items():
        assert actions - set(SERVICE_RIGHTS) == used(lived, role), role


def test_partitions_granted_to_every_role_are_those_that_it_touches(lived: EmbeddedCloud) -> None:
    patterns, matched = partitions(), set()
    for call in lived.recorder.calls:
        if call.service != "dynamodb" or not call.role:
            continue
        operation = "PutItem" if call.operation == "TransactWriteItems" else call.operation
        [own] = [key for key in patterns if key[0] in call.role and key[1] == f"dynamodb:{operation}"]
        for partition in touched(call.parameters):
            found = [pattern for pattern in patterns[own] if fnmatchcase(partition, pattern)]
            assert found, (own, partition)
            matched |= {(own[0], pattern) for pattern in found}
    assert {(role, one) for (role, _), some in patterns.items() for one in some} == matched
