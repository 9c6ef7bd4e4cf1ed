"""The rights of the functions, as few as each one uses, and of the rules that start a state machine.

Only *Associate*, *Disassociate* and *Release* may change anything in EC2.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from natdrain.contract import (
    CHANGE_ENDED,
    CHANGE_STARTED,
    EVENT_SOURCE,
    FORMER_TYPES,
    OPT_IN_TAG,
    OPT_IN_VALUE,
    PROTECT_TAG,
)
from natdrain.contract import GatewayRecord as R

_ASSOCIATE = "ec2:AssociateNatGatewayAddress"
_DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"
_RELEASE = "ec2:ReleaseAddress"
GATEWAYS = "nat-*"
"""The table's partitions of gateways, beside those that `GatewayRecord` names."""
_LEADING_KEYS = "dynamodb:LeadingKeys"


class Rights:
    """The IAM statements of each function."""

    def __init__(self, stack: Stack, *, table: dynamodb.ITable, calendars: Sequence[str]) -> None:
        self._stack = stack
        self._table = table
        self.read_request = [
            _everywhere("ec2:DescribeNatGateways"),
            self._on_table("PutItem", partitions=[R.EXECUTIONS, R.TRIGGERS]),
        ]
        self.look = [
            _everywhere(
                *("ec2:DescribeNatGateways", "ec2:DescribeAddresses", "cloudwatch:GetMetricData"),
                *("servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota"),
            ),
            self._on_table("BatchGetItem", partitions=[GATEWAYS, R.ALL, R.PACE]),
            self._on_table("PutItem", partitions=[GATEWAYS]),
            *self._on_calendars(calendars),
        ]
        writing_the_lock = self._on_table("UpdateItem", partitions=[GATEWAYS])
        self.disassociate = [
            *self._where_tagged(_DISASSOCIATE, "natgateway", "elastic-ip"),
            # The interface belongs to AWS and has no tags: a condition on them would deny every drain.
            iam.PolicyStatement(actions=[_DISASSOCIATE], resources=[self._ec2("network-interface")]),
            self._on_table("BatchGetItem", partitions=[GATEWAYS, R.ALL, R.PACE]),
            self._on_table("PutItem", partitions=[R.PACE]),
            writing_the_lock,
        ]
        self.associate = [
            *self._where_tagged(_ASSOCIATE, "natgateway", "elastic-ip"),
            # The Service Authorization Reference names no interface for this action, unlike for the other
            # one. Should EC2 evaluate it all the same, every join would be denied without this.
            iam.PolicyStatement(actions=[_ASSOCIATE], resources=[self._ec2("network-interface")]),
            self._on_table("BatchGetItem", partitions=[GATEWAYS, R.ALL]),
            writing_the_lock,
        ]
        self.release = [
            *self._where_tagged(_RELEASE, "elastic-ip"),
            self._on_table("BatchGetItem", partitions=[GATEWAYS, R.ALL]),
            writing_the_lock,
        ]
        self.close = [
            self._on_table("DeleteItem", partitions=[R.TRIGGERS]),
            self._on_table("PutItem", partitions=[GATEWAYS, R.EXECUTIONS]),
            writing_the_lock,
        ]
        self.record = [*self.close, self._on_table("BatchGetItem", partitions=[GATEWAYS, R.EXECUTIONS])]

    def _on_table(self, operation: str, *, partitions: Sequence[str]) -> iam.PolicyStatement:
        """Return the right to items of these partitions of the table.

        `LeadingKeys` has a value for each item, hence ForAllValues (DynamoDB developer guide, fine-grained
        access control). A transaction needs the right of each operation in it (same guide, IAM with
        transactions), which is not said to carry the key there: so its absence denies nothing. Only a scan is
        known to lack it, and nothing scans.
        """
        return iam.PolicyStatement(
            actions=[f"dynamodb:{operation}"],
            resources=[self._table.table_arn],
            conditions={"ForAllValues:StringLike": {_LEADING_KEYS: [*partitions]}},
        )

    def _on_calendars(self, names: Sequence[str]) -> list[iam.PolicyStatement]:
        """Return the right to read change calendars (Service Authorization Reference, Systems Manager)."""
        documents = [
            name
            if name.startswith("arn:")
            else self._stack.format_arn(service="ssm", resource="document", resource_name=name)
            for name in names
        ]
        reading = iam.PolicyStatement(actions=["ssm:GetCalendarState"], resources=documents)
        return [reading] if documents else []

    def _ec2(self, kind: str) -> str:
        return self._stack.format_arn(service="ec2", resource=kind, resource_name="*")

    def _where_tagged(self, action: str, *kinds: str) -> list[iam.PolicyStatement]:
        """Return the right to change EC2 resources that are opted in and not protected.

        Service Authorization Reference, Amazon EC2: an action is authorised on each resource of a call
        separately; those of NAT gateways on the gateway and on every Elastic IP.
        """
        tagged = [self._ec2(kind) for kind in kinds]
        opted_in = {"StringEquals": {f"aws:ResourceTag/{OPT_IN_TAG}": OPT_IN_VALUE}}
        protected = {"Null": {f"aws:ResourceTag/{PROTECT_TAG}": "false"}}
        return [
            iam.PolicyStatement(actions=[action], resources=tagged, conditions=opted_in),
            iam.PolicyStatement(
                effect=iam.Effect.DENY, actions=[action], resources=tagged, conditions=protected
            ),
        ]


def _everywhere(*actions: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=["*"])


def for_this_account(service: str) -> iam.ServicePrincipal:
    """Return a service that may assume a role only on behalf of this account.

    That Lambda sends the account is seen in trust policies of AWS's own (aws/agent-toolkit-for-aws,
    lambda-trust-policy.json); for the others their guides say so. The CDK sets it for Step Functions and
    EventBridge Scheduler.
    """
    of_this_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    return iam.ServicePrincipal(service, conditions=of_this_account)


def narrow_workflow(
    state_machine: sfn.StateMachine, table: dynamodb.ITable, *, partitions: Sequence[str]
) -> None:
    """Deny a state machine events that are not natdrain's, and other partitions of the table.

    The CDK itself allows what its tasks do, without conditions. The keys have several values (Service
    Authorization Reference, Amazon EventBridge and Amazon DynamoDB), hence ForAnyValue.
    """
    limits: list[tuple[list[str], str, str, str, list[str]]] = [
        (["events:PutEvents"], "*", "StringNotEquals", "events:source", [EVENT_SOURCE]),
        (
            ["events:PutEvents"],
            "*",
            "StringNotEquals",
            "events:detail-type",
            [CHANGE_STARTED, CHANGE_ENDED, *FORMER_TYPES],
        ),
        (
            ["dynamodb:GetItem", "dynamodb:UpdateItem"],
            table.table_arn,
            "StringNotLike",
            _LEADING_KEYS,
            [*partitions],
        ),
    ]
    for actions, resource, operator, key, allowed in limits:
        state_machine.add_to_role_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=actions,
                resources=[resource],
                conditions={f"ForAnyValue:{operator}": {key: allowed}},
            )
        )


def rule_role(scope: Construct, construct_id: str, state_machine: sfn.IStateMachine) -> iam.Role:
    """Return the role of a rule that starts a state machine, for rules of this account only.

    The CDK's own role has no such condition (EventBridge user guide, cross-service confused deputy
    prevention). A condition on the rule's ARN, which the guide also recommends, would be circular: the rule
    depends on this role.
    """
    role = iam.Role(scope, construct_id, assumed_by=for_this_account("events.amazonaws.com"))
    state_machine.grant_start_execution(role)
    return role
