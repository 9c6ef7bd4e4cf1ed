"""Rights of every function's role: exactly the actions that the function uses."""

from __future__ import annotations

from collections import defaultdict

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.synthesis import synthesise
from support.stories import BuildGateway

SERVICE_RIGHTS = {
    "logs:CreateLogStream": "Lambda itself writes the function's log",
    "logs:PutLogEvents": "the same",
    "xray:PutTraceSegments": "Lambda itself sends the traces",
    "xray:PutTelemetryRecords": "the same",
}


def granted() -> dict[str, set[str]]:
    """Return the actions that the template allows, by the logical id of a function's role."""
    rights: dict[str, set[str]] = defaultdict(set)
    for policy in synthesise()["Resources"].values():
        if policy["Type"] != "AWS::IAM::Policy":
            continue
        for role in policy["Properties"]["Roles"]:
            if not role["Ref"].startswith("Functions"):
                continue
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                if statement["Effect"] == "Allow":
                    rights[role["Ref"]] |= {actions} if isinstance(actions, str) else set(actions)
    return rights


def used(cloud: EmbeddedCloud, role: str) -> set[str]:
    """Return the actions called so far by the role with this logical id."""
    operations = {
        f"{call.service}:{call.operation}" for call in cloud.recorder.calls if call.role and role in call.role
    }
    # DynamoDB developer guide, transactions: the right to each item's own operation, and these all put.
    return {"dynamodb:PutItem" if name == "dynamodb:TransactWriteItems" else name for name in operations}


def test_actions_granted_to_every_function_are_the_actions_it_uses(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=30)
    cloud.clock.advance(5)
    ips = [gateway.addresses[number]["PublicIp"] for number in (1, 2)]
    request = {"PublicIps": ips, "AfterDrain": "release"}
    trigger = {"Kind": "alarm", "Name": "Blocked", "At": "now"}
    assert cloud.run(gateway.named(0, Trigger=trigger)).status == "FAILED"
    assert cloud.run(request).status == "SUCCEEDED"
    stopped = cloud.start(nat().named(1, Trigger=trigger))
    cloud.clock.advance(10)
    cloud.client("stepfunctions").stop_execution(executionArn=stopped)
    cloud.clock.advance(1)
    rights = granted()
    assert len(rights) == 7
    for role, actions in rights.items():
        assert actions - set(SERVICE_RIGHTS) == used(cloud, role), role
