"""The rights of the roles to change addresses, with the conditions of their policies evaluated.

EC2 allows a call only if the role may do it to each resource that the call requires (Service Authorization
Reference, the column of resource types), so each resource has its verdict here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from natdrain.contract import OPT_IN_TAG, OPT_IN_VALUE, PROTECT_TAG
from support.places import PROJECT
from support.roles import Allowed, Policies, role_of, roles, simulator
from support.synthesised import Template

# Each function that may change an address: its action, and what its call requires.
CALLS = {
    "Associate": ("ec2:AssociateNatGatewayAddress", ("gateway", "address")),
    "Disassociate": ("ec2:DisassociateNatGatewayAddress", ("gateway", "address")),
    "Release": ("ec2:ReleaseAddress", ("address",)),
}
MAY_REQUIRE = {"Disassociate": ("interface",)}
"""Resources that EC2 may ask for too; of *Associate* the reference names no interface."""
HERE = "us-east-1:123456789012"
RESOURCES = {
    "gateway": f"arn:aws:ec2:{HERE}:natgateway/nat-0a1b2c3d4e5f60718",
    "address": f"arn:aws:ec2:{HERE}:elastic-ip/eipalloc-0a1b2c3d4e5f60718",
    "interface": f"arn:aws:ec2:{HERE}:network-interface/eni-0a1b2c3d4e5f60718",
    "anything": "*",
}
EACH_RESOURCE = pytest.mark.parametrize(
    ("name", "resource"), [(name, resource) for name, (_, required) in CALLS.items() for resource in required]
)

Tags = dict[str, str]
OPTED_IN = {OPT_IN_TAG: OPT_IN_VALUE}
# IAM user guide, JSON policy elements, Condition: the name of a condition key is not case-sensitive, nor is
# the tag key in it; the value is, for StringEquals. To EC2, and so to the workflow's guards, a key of another
# case is another tag. That an empty value of the protect tag is not null to the operator Null is inferred.
ALLOWED: dict[str, Tags] = {
    "opted in": OPTED_IN,
    "opted in among other tags": {"Name": "egress", **OPTED_IN},
    "opted in by a key of another case": {OPT_IN_TAG.upper(): OPT_IN_VALUE},
}
DENIED: dict[str, Tags] = {
    "no tag": {},
    "another tag": {"Name": "egress"},
    "opt-in is false": {OPT_IN_TAG: "false"},
    "opt-in is empty": {OPT_IN_TAG: ""},
    "opt-in by a value of another case": {OPT_IN_TAG: OPT_IN_VALUE.title()},
    "opt-in by a value and a space": {OPT_IN_TAG: f"{OPT_IN_VALUE} "},
    "protected": {PROTECT_TAG: "true"},
    "opted in and protected": {**OPTED_IN, PROTECT_TAG: "true"},
    "opted in and protect is false": {**OPTED_IN, PROTECT_TAG: "false"},
    "opted in and protect is empty": {**OPTED_IN, PROTECT_TAG: ""},
    "opted in and protected by a key of another case": {**OPTED_IN, PROTECT_TAG.upper(): "true"},
}
TAGGED = ALLOWED | DENIED

Statement = dict[str, Any]


@pytest.fixture(scope="module")
def allowed() -> Iterator[Allowed]:
    with simulator() as ask:
        yield ask


@pytest.fixture(scope="module")
def policies(template: Template) -> dict[str, Policies]:
    return roles(template)


@pytest.fixture
def own(template: Template, policies: dict[str, Policies], name: str) -> Policies:
    """Return the policies of the function under test."""
    return policies[role_of(template, name)]


def on(tags: Tags) -> dict[str, Any]:
    """Return the context of a request to a resource with these tags."""
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def giving(tags: Tags) -> dict[str, Any]:
    """Return the context of a request that gives these tags to a resource that is opted in."""
    given = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    return {**on(OPTED_IN), **given, "aws:TagKeys": [*tags]}


@pytest.mark.parametrize("resource", RESOURCES)
def test_changes_that_the_best_tags_allow_are_each_of_one_function(
    allowed: Allowed, template: Template, policies: dict[str, Policies], resource: str
) -> None:
    changes = {
        (role, action)
        for role, own in policies.items()
        for action in allowed(own, "ec2:*", RESOURCES[resource], giving(OPTED_IN))
        if not action.startswith("ec2:Describe")
    }
    assert changes == {
        (role_of(template, name), action)
        for name, (action, required) in CALLS.items()
        if resource in (*required, *MAY_REQUIRE.get(name, ()), "anything")
    }


@pytest.mark.parametrize("tagged", TAGGED)
@EACH_RESOURCE
def test_change_is_allowed_only_where_the_resource_is_opted_in_and_not_protected(
    allowed: Allowed, own: Policies, name: str, resource: str, tagged: str
) -> None:
    action, _ = CALLS[name]
    expected = [action] if tagged in ALLOWED else []
    assert allowed(own, action, RESOURCES[resource], on(TAGGED[tagged])) == expected


@pytest.mark.parametrize("name", ["Associate", "Disassociate"])
@pytest.mark.parametrize("gateway", ["opted in", "no tag", "opted in and protected"])
@pytest.mark.parametrize("address", ["opted in", "no tag", "opted in and protected"])
def test_change_is_allowed_only_when_both_gateway_and_address_are_opted_in(
    allowed: Allowed, own: Policies, name: str, gateway: str, address: str
) -> None:
    action, _ = CALLS[name]
    # The gateway's network interface never carries a tag.
    call = {"gateway": gateway, "address": address, **dict.fromkeys(MAY_REQUIRE.get(name, ()), "no tag")}
    may = all(allowed(own, action, RESOURCES[one], on(TAGGED[tagged])) for one, tagged in call.items())
    assert may == (gateway == address == "opted in")


@pytest.mark.parametrize("elsewhere", ["us-east-1:210987654321", "eu-west-1:123456789012"])
@EACH_RESOURCE
def test_change_is_denied_in_another_account_or_region(
    allowed: Allowed, own: Policies, name: str, resource: str, elsewhere: str
) -> None:
    foreign = RESOURCES[resource].replace(HERE, elsewhere)
    assert allowed(own, CALLS[name][0], foreign, on(OPTED_IN)) == []


@pytest.mark.parametrize("tags", [{}, OPTED_IN, {"Name": "egress"}], ids=["none", "opt-in", "another"])
@pytest.mark.parametrize("action", ["ec2:CreateTags", "ec2:DeleteTags"])
@pytest.mark.parametrize("resource", ["gateway", "address"])
def test_tags_are_given_and_taken_by_no_role(
    allowed: Allowed, policies: dict[str, Policies], resource: str, action: str, tags: Tags
) -> None:
    may = [role for role, own in policies.items() if allowed(own, action, RESOURCES[resource], giving(tags))]
    assert may == []


@pytest.mark.parametrize(
    ("actions", "resource"),
    [
        ("iam:*", "*"),
        ("sts:*", "arn:aws:iam::123456789012:role/Another"),
        ("tag:*", "*"),
        ("cloudformation:*", "*"),
        ("dynamodb:*", f"arn:aws:dynamodb:{HERE}:table/Another"),
        ("lambda:*", f"arn:aws:lambda:{HERE}:function:Another"),
        ("states:*", f"arn:aws:states:{HERE}:stateMachine:Another"),
        ("states:*", f"arn:aws:states:{HERE}:execution:Another:name"),
    ],
)
def test_roles_may_do_nothing_beyond_the_workflow(
    allowed: Allowed, policies: dict[str, Policies], actions: str, resource: str
) -> None:
    may = [role for role, own in policies.items() if allowed(own, actions, resource, giving(OPTED_IN))]
    assert may == []


TABLE = f"arn:aws:dynamodb:{HERE}:table/StorageTable"
BUS = f"arn:aws:events:{HERE}:event-bus/default"
PARTITIONS = ["nat-0a1b2c3d4e5f60718", "executions", "triggers", "all", "pace", "another"]
# The partitions that a role may touch, by operation; every other operation is on none.
TOUCHED: dict[str, dict[str, list[str]]] = {
    "FunctionsReadRequest": {"PutItem": ["executions", "triggers"]},
    "FunctionsValidate": {"BatchGetItem": ["nat", "all", "pace"], "PutItem": ["nat"]},
    "FunctionsConfirm": {"BatchGetItem": ["nat", "all", "pace"], "PutItem": ["nat"]},
    "FunctionsDisassociate": {
        "BatchGetItem": ["nat", "all", "pace"],
        "PutItem": ["pace"],
        "UpdateItem": ["nat"],
    },
    "FunctionsAssociate": {"BatchGetItem": ["nat", "all"], "UpdateItem": ["nat"]},
    "FunctionsRelease": {"BatchGetItem": ["nat", "all"], "UpdateItem": ["nat"]},
    "FunctionsClose": {"DeleteItem": ["triggers"], "PutItem": ["nat", "executions"], "UpdateItem": ["nat"]},
    "FunctionsRecord": {
        "BatchGetItem": ["nat", "executions"],
        "DeleteItem": ["triggers"],
        "PutItem": ["nat", "executions"],
        "UpdateItem": ["nat"],
    },
    "DrainStateMachine": {"GetItem": ["nat", "executions"], "UpdateItem": ["nat", "executions"]},
    "RecordStateMachine": {"UpdateItem": ["executions"]},
}
OPERATIONS = ["GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"]


@pytest.mark.parametrize("name", TOUCHED)
def test_items_are_within_reach_only_in_the_partitions_of_the_role(
    allowed: Allowed, policies: dict[str, Policies], name: str
) -> None:
    [own] = [policies[role] for role in policies if role.startswith(f"{name}Role")]
    may = {
        (operation, partition.partition("-")[0])
        for operation in OPERATIONS
        for partition in PARTITIONS
        if allowed(own, f"dynamodb:{operation}", TABLE, {"dynamodb:LeadingKeys": [partition]})
    }
    assert may == {(operation, one) for operation, some in TOUCHED[name].items() for one in some}


@pytest.mark.parametrize("name", TOUCHED)
def test_items_of_several_partitions_are_out_of_reach_when_one_of_them_is(
    allowed: Allowed, policies: dict[str, Policies], name: str
) -> None:
    [own] = [policies[role] for role in policies if role.startswith(f"{name}Role")]
    mixed = {"dynamodb:LeadingKeys": ["nat-0a1b2c3d4e5f60718", "executions", "another"]}
    assert [one for one in OPERATIONS if allowed(own, f"dynamodb:{one}", TABLE, mixed)] == []


@pytest.mark.parametrize(
    ("source", "detail_type", "may"),
    [
        ("natdrain", "Change Started", True),
        ("natdrain", "Change Ended", True),
        # Of executions that began before an upgrade.
        ("natdrain", "Drain Started", True),
        ("natdrain", "Drain Ended", True),
        ("natdrain", "Another", False),
        ("another", "Change Ended", False),
    ],
)
@pytest.mark.parametrize("name", ["Drain", "Record"])
def test_workflow_may_publish_only_events_of_natdrain(
    allowed: Allowed, policies: dict[str, Policies], name: str, source: str, detail_type: str, *, may: bool
) -> None:
    [own] = [policies[role] for role in policies if role.startswith(f"{name}StateMachineRole")]
    context = {"events:source": [source], "events:detail-type": [detail_type]}
    assert bool(allowed(own, "events:PutEvents", BUS, context)) == may


def without_denial(statement: Statement) -> list[Statement]:
    return [] if statement["Effect"] == "Deny" else [statement]


def without_opt_in(statement: Statement) -> list[Statement]:
    return [{key: value for key, value in statement.items() if key != "Condition" or is_denial(statement)}]


def opted_in_by_any_case(statement: Statement) -> list[Statement]:
    condition = {
        operator.replace("StringEquals", "StringEqualsIgnoreCase"): terms
        for operator, terms in statement.get("Condition", {}).items()
    }
    return [{**statement, "Condition": condition}]


def protected_by_true_only(statement: Statement) -> list[Statement]:
    condition = {"StringEquals": {f"aws:ResourceTag/{PROTECT_TAG}": "true"}}
    return [{**statement, "Condition": condition} if is_denial(statement) else statement]


def is_denial(statement: Statement) -> bool:
    return bool(statement["Effect"] == "Deny")


@pytest.mark.parametrize(
    "careless", [without_denial, without_opt_in, opted_in_by_any_case, protected_by_true_only]
)
@EACH_RESOURCE
def test_change_is_allowed_where_it_must_not_be_when_a_policy_is_careless(
    allowed: Allowed,
    own: Policies,
    name: str,
    resource: str,
    careless: Callable[[Statement], list[Statement]],
) -> None:
    wrong = [
        {**policy, "Statement": [new for statement in policy["Statement"] for new in careless(statement)]}
        for policy in own
    ]
    assert any(allowed(wrong, CALLS[name][0], RESOURCES[resource], on(tags)) for tags in DENIED.values())


def statement(action: str, resource: str, **condition: Any) -> Policies:
    allow = {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}
    return [{"Version": "2012-10-17", "Statement": allow}]


def test_changes_are_all_known_when_a_policy_allows_everything(allowed: Allowed) -> None:
    known = {
        action
        for resource in ("gateway", "address", "anything")
        for action in allowed(statement("*", "*"), "ec2:*", RESOURCES[resource], {})
    }
    assert known >= {
        *(f"ec2:{verb}NatGateway" for verb in ("Create", "Delete")),
        *(f"ec2:{verb}NatGatewayAddress" for verb in ("Associate", "Disassociate")),
        *(f"ec2:{verb}PrivateNatGatewayAddress" for verb in ("Assign", "Unassign")),
        *(f"ec2:{verb}Address" for verb in ("Allocate", "Release", "Associate", "Disassociate")),
        *(f"ec2:{verb}AddressTransfer" for verb in ("Accept", "Enable", "Disable")),
        *(f"ec2:{verb}AddressAttribute" for verb in ("Modify", "Reset")),
        *("ec2:MoveAddressToVpc", "ec2:RestoreAddressToClassic", "ec2:CreateTags", "ec2:DeleteTags"),
    }


def test_opt_in_tag_can_be_given_when_a_policy_allows_it(allowed: Allowed) -> None:
    tagging = statement(
        "ec2:CreateTags",
        "arn:aws:ec2:*:*:natgateway/*",
        StringEquals={f"aws:RequestTag/{OPT_IN_TAG}": OPT_IN_VALUE},
    )
    assert allowed(tagging, "ec2:CreateTags", RESOURCES["gateway"], giving(OPTED_IN)) == ["ec2:CreateTags"]


def guarded() -> Policies:
    """Return the rights of somebody who may do everything but what docs/rights.md keeps to one role."""
    [text] = [
        one
        for one in re.findall(r"```json\n(.*?)```", (PROJECT / "docs/rights.md").read_text(), re.DOTALL)
        if '"Effect": "Deny"' in one
    ]
    filled = {
        "CHANGE_STATE_MACHINE_ARN": f"arn:aws:states:{HERE}:stateMachine:Drain",
        "RECORD_STATE_MACHINE_ARN": f"arn:aws:states:{HERE}:stateMachine:Record",
        "TABLE_ARN": TABLE,
        "REGION:ACCOUNT": HERE,
        "ACCOUNT": "123456789012",
        "PREFIX": "Egress",
        "METRIC_NAMESPACE": "Egress/Reputation",
        "NETWORK_ROLE": "network",
        "PROBE_ROLE": "network",
    }
    for name, value in filled.items():
        text = text.replace(name, value)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return [{"Version": "2012-10-17", "Statement": [everything]}, json.loads(text)]


def in_role(name: str) -> dict[str, str]:
    return {"aws:PrincipalArn": f"arn:aws:iam::123456789012:role/{name}"}


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{HERE}:alarm:EgressIpBlocked", {}),
        ("cloudwatch:PutLogAlarm", f"arn:aws:cloudwatch:{HERE}:alarm:EgressIpBlocked", {}),
        ("cloudwatch:SetAlarmState", f"arn:aws:cloudwatch:{HERE}:alarm:EgressIpBlocked", {}),
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Egress/Reputation"}),
        ("states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:Drain", {}),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:Natdrain-FunctionsDisassociate", {}),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/Natdrain-TriggersAlarmsRole", {}),
        ("dynamodb:PutItem", TABLE, {}),
        ("dynamodb:PartiQLUpdate", TABLE, {}),
        ("ec2:CreateTags", RESOURCES["gateway"], giving(OPTED_IN)),
        # Without tag keys DeleteTags removes every tag (EC2 API reference, DeleteTags).
        ("ec2:DeleteTags", RESOURCES["gateway"], {}),
    ],
)
def test_documented_policy_keeps_each_way_to_start_a_drain_to_the_network_team(
    allowed: Allowed, action: str, resource: str, context: dict[str, Any]
) -> None:
    assert allowed(guarded(), action, resource, {**context, **in_role("another")}) == []
    assert allowed(guarded(), action, resource, {**context, **in_role("network")}) == [action]


def test_documented_policy_leaves_others_their_own_alarms_metrics_and_tags(allowed: Allowed) -> None:
    others = f"arn:aws:cloudwatch:{HERE}:alarm:TheirOwn"
    namespace = {"cloudwatch:namespace": "Theirs"}
    assert allowed(guarded(), "cloudwatch:PutMetricAlarm", others, in_role("another"))
    assert allowed(guarded(), "cloudwatch:PutMetricData", "*", {**namespace, **in_role("another")})
    tags = {"aws:TagKeys": ["Name"]}
    assert allowed(guarded(), "ec2:DeleteTags", RESOURCES["gateway"], {**tags, **in_role("another")})
