"""The rights of the functions, as few as each one uses, and of the rules that start a state machine.

Only *Disassociate* and *Release* may change anything in EC2.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from natdrain.contract import OPT_IN_TAG, OPT_IN_VALUE, PROTECT_TAG

_DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"
_RELEASE = "ec2:ReleaseAddress"


class Rights:
    """The IAM statements of each function."""

    def __init__(self, stack: Stack, *, table: dynamodb.ITable, calendars: Sequence[str]) -> None:
        self._stack = stack
        self._table = table
        self.read_request = [_everywhere("ec2:DescribeNatGateways"), self._on_table("PutItem")]
        self.look = [
            _everywhere("ec2:DescribeNatGateways", "ec2:DescribeAddresses", "cloudwatch:GetMetricData"),
            self._on_table("BatchGetItem", "PutItem"),
            *self._on_calendars(calendars),
        ]
        under_the_lock = self._on_table("BatchGetItem", "UpdateItem")
        self.disassociate = [
            *self._where_tagged(_DISASSOCIATE, "natgateway", "elastic-ip"),
            # The interface belongs to AWS and has no tags: a condition on them would deny every drain.
            iam.PolicyStatement(actions=[_DISASSOCIATE], resources=[self._ec2("network-interface")]),
            under_the_lock,
            self._on_table("PutItem"),
        ]
        self.release = [*self._where_tagged(_RELEASE, "elastic-ip"), under_the_lock]
        self.close = [self._on_table("DeleteItem", "PutItem", "UpdateItem")]
        self.record = [self._on_table("BatchGetItem", "DeleteItem", "PutItem", "UpdateItem")]

    def _on_table(self, *operations: str) -> iam.PolicyStatement:
        actions = [f"dynamodb:{operation}" for operation in operations]
        return iam.PolicyStatement(actions=actions, resources=[self._table.table_arn])

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


def rule_role(scope: Construct, construct_id: str, state_machine: sfn.IStateMachine) -> iam.Role:
    """Return the role of a rule that starts a state machine, for rules of this account only.

    The CDK's own role has no such condition (EventBridge user guide, cross-service confused deputy
    prevention). A condition on the rule's ARN, which the guide also recommends, would be circular: the rule
    depends on this role.
    """
    of_this_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("events.amazonaws.com", conditions=of_this_account),
    )
    state_machine.grant_start_execution(role)
    return role
