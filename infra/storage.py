"""The table of locks, holds, triggers, executions and history."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config.file import Config
from natdrain.contract import GatewayRecord


class Storage(Construct):
    """One table: encrypted, recoverable to any second, and by default kept when the stack is deleted."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=GatewayRecord.GATEWAY, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=GatewayRecord.SORT, type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True, recovery_period_in_days=config.table.recovery_days
            ),
            time_to_live_attribute=GatewayRecord.EXPIRES_AT,
            deletion_protection=config.table.deletion_protection,
            removal_policy=RemovalPolicy.RETAIN if config.table.keep else RemovalPolicy.DESTROY,
        )
        self.table.add_global_secondary_index(
            index_name=GatewayRecord.BY_PUBLIC_IP,
            partition_key=dynamodb.Attribute(
                name=GatewayRecord.PUBLIC_IP, type=dynamodb.AttributeType.STRING
            ),
            sort_key=dynamodb.Attribute(name=GatewayRecord.SORT, type=dynamodb.AttributeType.STRING),
        )
