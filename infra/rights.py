"""The role with which a rule starts a state machine."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

__all__ = ["rule_role"]


def rule_role(scope: Construct, construct_id: str, state_machine: sfn.IStateMachine) -> iam.Role:
    """For rules of this account only, which the CDK's own role leaves open.

    EventBridge user guide, cross-service confused deputy prevention; the rule's own ARN, which it recommends
    too, would depend on the rule, which depends on this role.
    """
    of_this_account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("events.amazonaws.com", conditions=of_this_account),
    )
    state_machine.grant_start_execution(role)
    return role
