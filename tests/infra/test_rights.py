"""The rights of every role, in full: a new right must be added here too."""

from __future__ import annotations

import pytest

from support.synthesised import (
    CHANGE_FUNCTIONS,
    FUNCTIONS,
    Template,
    function,
    of_type,
    rights,
    state_machine,
)

OPTED_IN = "if StringEquals aws:ResourceTag/natdrain:managed=true"
PROTECTED = "if Null aws:ResourceTag/natdrain:protect=false"
ASSOCIATE = "ec2:AssociateNatGatewayAddress"
DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"
RELEASE = "ec2:ReleaseAddress"


def on_table(operation: str, *partitions: str) -> str:
    """Return the right to items of these partitions."""
    within = f"ForAllValues:StringLike dynamodb:LeadingKeys={[*partitions]}"
    return f"Allow dynamodb:{operation} on dynamodb table/StorageTable if {within}"


LOOK = [
    on_table("PutItem", "nat-*"),
    "Allow cloudwatch:GetMetricData on *",
    on_table("BatchGetItem", "nat-*", "all", "pace"),
    "Allow ec2:DescribeAddresses on *",
    "Allow ec2:DescribeNatGateways on *",
    "Allow servicequotas:GetAWSDefaultServiceQuota on *",
    "Allow servicequotas:GetServiceQuota on *",
    "Allow ssm:GetCalendarState on ssm document/egress-freeze",
]

END = [
    on_table("DeleteItem", "triggers"),
    on_table("PutItem", "nat-*", "executions"),
    on_table("UpdateItem", "nat-*"),
]

RIGHTS = {
    "ReadRequest": [on_table("PutItem", "executions", "triggers"), "Allow ec2:DescribeNatGateways on *"],
    "Validate": LOOK,
    "Disassociate": [
        on_table("BatchGetItem", "nat-*", "all", "pace"),
        on_table("PutItem", "pace"),
        on_table("UpdateItem", "nat-*"),
        f"Allow {DISASSOCIATE} on ec2 elastic-ip/* {OPTED_IN}",
        f"Allow {DISASSOCIATE} on ec2 natgateway/* {OPTED_IN}",
        # The interface belongs to AWS and has no tags: a condition on them would deny every drain.
        f"Allow {DISASSOCIATE} on ec2 network-interface/*",
        f"Deny {DISASSOCIATE} on ec2 elastic-ip/* {PROTECTED}",
        f"Deny {DISASSOCIATE} on ec2 natgateway/* {PROTECTED}",
    ],
    "Associate": [
        on_table("BatchGetItem", "nat-*", "all"),
        on_table("UpdateItem", "nat-*"),
        f"Allow {ASSOCIATE} on ec2 elastic-ip/* {OPTED_IN}",
        f"Allow {ASSOCIATE} on ec2 natgateway/* {OPTED_IN}",
        f"Allow {ASSOCIATE} on ec2 network-interface/*",
        f"Deny {ASSOCIATE} on ec2 elastic-ip/* {PROTECTED}",
        f"Deny {ASSOCIATE} on ec2 natgateway/* {PROTECTED}",
    ],
    "Confirm": LOOK,
    "Release": [
        on_table("BatchGetItem", "nat-*", "all"),
        on_table("UpdateItem", "nat-*"),
        f"Allow {RELEASE} on ec2 elastic-ip/* {OPTED_IN}",
        f"Deny {RELEASE} on ec2 elastic-ip/* {PROTECTED}",
    ],
    "Close": END,
    "Record": [on_table("BatchGetItem", "nat-*", "executions"), *END],
}
FOREIGN = "Deny events:PutEvents on * if ForAnyValue:StringNotEquals"
PUBLISHING = [
    "Allow events:PutEvents on events event-bus/default",
    "Allow sqs:SendMessage on sqs DeadLettersQueue",
    f"{FOREIGN} events:source=['natdrain']",
    f"{FOREIGN} events:detail-type=['Change Started', 'Change Ended', 'Drain Started', 'Drain Ended']",
]


def within(*partitions: str) -> list[str]:
    """Return the limits of a workflow's rights on the table."""
    beyond = f"ForAnyValue:StringNotLike dynamodb:LeadingKeys={[*partitions]}"
    return [
        f"Deny dynamodb:{operation} on dynamodb table/StorageTable if {beyond}"
        for operation in ("GetItem", "UpdateItem")
    ]


WORKFLOW_RIGHTS = [
    "Allow dynamodb:GetItem on dynamodb table/StorageTable",
    "Allow dynamodb:UpdateItem on dynamodb table/StorageTable",
    *(f"Allow lambda:InvokeFunction on lambda function:Functions{name}:1" for name in CHANGE_FUNCTIONS),
    # An execution keeps the versions that it began with, also after a deployment.
    *(f"Allow lambda:InvokeFunction on lambda function:Functions{name}:*" for name in CHANGE_FUNCTIONS),
    "Allow states:DescribeExecution on states execution:DrainStateMachine:*",
    *PUBLISHING,
    *within("nat-*", "executions"),
]
RECORD_RIGHTS = (
    ["Allow dynamodb:UpdateItem on dynamodb table/StorageTable"]
    + [f"Allow lambda:InvokeFunction on lambda function:FunctionsRecord:{v}" for v in "1*"]
    + PUBLISHING
    + within("executions")
)


# The rights that the services themselves need, on behalf of a function or the workflow.
def service_rights_of_function(name: str) -> list[str]:
    log = f"logs log-group:Functions{name}Logs"
    return [
        # Lambda writes to the function's own log group, which the stack has created.
        f"Allow logs:CreateLogStream on {log}",
        f"Allow logs:PutLogEvents on {log}",
        # X-Ray has no resources to which these could be narrowed.
        "Allow xray:PutTelemetryRecords on *",
        "Allow xray:PutTraceSegments on *",
    ]


SERVICE_RIGHTS_OF_WORKFLOW = [
    # Step Functions logs through CloudWatch's log delivery, which has no resources.
    "Allow logs:CreateLogDelivery on *",
    "Allow logs:DeleteLogDelivery on *",
    "Allow logs:DescribeLogGroups on *",
    "Allow logs:DescribeResourcePolicies on *",
    "Allow logs:GetLogDelivery on *",
    "Allow logs:ListLogDeliveries on *",
    "Allow logs:PutResourcePolicy on *",
    "Allow logs:UpdateLogDelivery on *",
    # X-Ray has no resources. Step Functions also asks which executions to sample.
    "Allow xray:GetSamplingRules on *",
    "Allow xray:GetSamplingTargets on *",
    "Allow xray:PutTelemetryRecords on *",
    "Allow xray:PutTraceSegments on *",
]


def rights_of_function(template: Template, name: str) -> list[str]:
    return rights(template, function(template, name)["Properties"]["Role"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_exactly_the_rights_it_uses(template: Template, name: str) -> None:
    expected = sorted([*RIGHTS[name], *service_rights_of_function(name)])
    assert rights_of_function(template, name) == expected


@pytest.mark.parametrize(("name", "own"), [("Drain", WORKFLOW_RIGHTS), ("Record", RECORD_RIGHTS)])
def test_workflow_has_exactly_the_rights_it_uses(template: Template, name: str, own: list[str]) -> None:
    role = state_machine(template, name)["Properties"]["RoleArn"]
    assert rights(template, role) == sorted([*own, *SERVICE_RIGHTS_OF_WORKFLOW])


def test_rights_to_change_ec2_belong_to_three_functions_alone(template: Template) -> None:
    changing = {
        role
        for role in of_type(template, "AWS::IAM::Role")
        for right in rights(template, {"Fn::GetAtt": [role, "Arn"]})
        if right.startswith(("Allow ec2:", "Allow *")) and not right.startswith("Allow ec2:Describe")
    }
    assert changing == {
        function(template, name)["Properties"]["Role"]["Fn::GetAtt"][0]
        for name in ("Associate", "Disassociate", "Release")
    }


def test_rights_come_only_from_the_policies_that_are_read_here(template: Template) -> None:
    kinds = {found["Type"] for found in template["Resources"].values() if "::IAM::" in found["Type"]}
    given = {key for role in of_type(template, "AWS::IAM::Role").values() for key in role["Properties"]}
    assert (kinds, given) == ({"AWS::IAM::Role", "AWS::IAM::Policy"}, {"AssumeRolePolicyDocument", "Tags"})


def test_functions_have_a_role_each(template: Template) -> None:
    roles = {function(template, name)["Properties"]["Role"]["Fn::GetAtt"][0] for name in FUNCTIONS}
    assert len(roles) == len(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_role_is_assumed_by_lambda_for_this_account_only(template: Template, name: str) -> None:
    role = template["Resources"][function(template, name)["Properties"]["Role"]["Fn::GetAtt"][0]]
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize("name", ["Drain", "Record"])
def test_workflow_role_is_assumed_by_step_functions_for_this_account_only(
    template: Template, name: str
) -> None:
    role = template["Resources"][state_machine(template, name)["Properties"]["RoleArn"]["Fn::GetAtt"][0]]
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    account = statement["Condition"]["StringEquals"]["aws:SourceAccount"]
    assert (statement["Principal"], account) == (
        {"Service": "states.amazonaws.com"},
        {"Ref": "AWS::AccountId"},
    )
