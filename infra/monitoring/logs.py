"""Log groups with the configured retention, deleted with the stack."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config.file import Config


def log_group(
    scope: Construct, construct_id: str, config: Config, *, name: str | None = None
) -> logs.LogGroup:
    """Return a log group; the CDK's enumeration of retentions lacks some that CloudWatch has."""
    group = logs.LogGroup(scope, construct_id, log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = config.logs.retention_days
    return group
