"""The functions, each with a role of its own that has no more rights than the function uses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aws_cdk import Annotations, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledged import (
    DESCRIBE,
    TESTED_RUNTIME,
    XRAY,
    acknowledge,
    acknowledge_tagged_resources,
    acknowledge_wildcards,
)
from infra.asset import PYTHON, function_code
from infra.asset_bytecode import find_interpreter
from infra.config import Config
from infra.logs import log_group
from natdrain.alarms import AlarmPolicy
from natdrain.names import (
    ALARM_POLICY_ENV,
    DRAIN_LIMIT_ENV,
    OPT_IN_TAG,
    OPT_IN_VALUE,
    PROTECT_TAG,
    SERVICE,
    TABLE_ENV,
)

__all__ = ["Functions"]

NO_BYTECODE = (
    "There is no Python 3.13 on this machine, so the functions carry no byte code: they work, and start at "
    "about half a second instead of 0.2 s. docs/deploying.md tells where it is looked for."
)

_TIMEOUT = Duration.seconds(45)
"""Short, since a function in flight outlives an execution that is stopped."""

_DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"


class Functions(Construct):
    """What the workflow calls, as published versions that stay when the next one is deployed."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: Config, table: dynamodb.ITable
    ) -> None:
        super().__init__(scope, construct_id)
        acknowledge(self, "L1", TESTED_RUNTIME)
        if find_interpreter() is None:
            Annotations.of(self).add_warning_v2("natdrain:byte-code", NO_BYTECODE)
        self._config = config
        self._table = table
        look = iam.PolicyStatement(
            actions=["ec2:DescribeNatGateways", "ec2:DescribeAddresses"], resources=["*"]
        )
        self.read_request = self._function(
            "ReadRequest",
            "read_request",
            [
                iam.PolicyStatement(actions=["ec2:DescribeNatGateways"], resources=["*"]),
                self._on_table("dynamodb:PutItem"),
            ],
            environment=_request_settings(config),
        )
        self.validate = self._function(
            "Validate", "validate", [look, self._on_table("dynamodb:BatchGetItem")]
        )
        self.disassociate = self._function(
            "Disassociate", "disassociate", [*self._disassociate(), self._on_table("dynamodb:UpdateItem")]
        )
        acknowledge_tagged_resources(self.node.find_child("DisassociateRole"))
        self.confirm = self._function("Confirm", "confirm", [look])
        self.close = self._function(
            "Close",
            "close",
            [self._on_table("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")],
        )

    @property
    def versions(self) -> list[lambda_.IVersion]:
        """The published version of each function that the workflow calls from now on."""
        return [self.read_request, self.validate, self.disassociate, self.confirm, self.close]

    def _on_table(self, *actions: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(actions=list(actions), resources=[self._table.table_arn])

    def _disassociate(self) -> list[iam.PolicyStatement]:
        """The right to drain, where the owner opted in and nobody protects.

        Service Authorization Reference, Amazon EC2: the action is authorised on the gateway and on
        every Elastic IP, each separately, and may be on the gateway's network interface.
        """
        stack = Stack.of(self)

        def arn(kind: str) -> str:
            return stack.format_arn(service="ec2", resource=kind, resource_name="*")

        tagged = [arn("natgateway"), arn("elastic-ip")]
        return [
            iam.PolicyStatement(
                actions=[_DISASSOCIATE],
                resources=tagged,
                conditions={"StringEquals": {f"aws:ResourceTag/{OPT_IN_TAG}": OPT_IN_VALUE}},
            ),
            # The interface belongs to AWS and carries no tags: a condition on them would deny every drain.
            iam.PolicyStatement(actions=[_DISASSOCIATE], resources=[arn("network-interface")]),
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=[_DISASSOCIATE],
                resources=tagged,
                conditions={"Null": {f"aws:ResourceTag/{PROTECT_TAG}": "false"}},
            ),
        ]

    def _function(
        self,
        construct_id: str,
        module: str,
        statements: Sequence[iam.PolicyStatement],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> lambda_.IVersion:
        group = log_group(self, f"{construct_id}Logs", self._config)
        role = iam.Role(self, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for statement in statements:
            role.add_to_policy(statement)
        describes = any(statement.resources == ["*"] for statement in statements)
        acknowledge_wildcards(role, XRAY, *([DESCRIBE] if describes else []))
        group.grant_write(role)
        function = lambda_.Function(
            self,
            construct_id,
            description=f"natdrain: {module.replace('_', ' ')}",
            runtime=PYTHON,
            architecture=lambda_.Architecture.ARM_64,
            code=function_code(),
            handler=f"natdrain.functions.{module}.handler",
            memory_size=512,
            timeout=_TIMEOUT,
            role=role,
            environment={
                TABLE_ENV: self._table.table_name,
                "POWERTOOLS_SERVICE_NAME": SERVICE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **(environment or {}),
            },
            log_group=group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE if self._config.tracing else lambda_.Tracing.DISABLED,
            # But for a rollback, which would else leave a version that the next attempt stumbles over.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        return function.current_version


def _request_settings(config: Config) -> dict[str, str]:
    """What reading a request must know of the deployment."""
    policy = AlarmPolicy(
        limit_seconds=config.alarm_limit_seconds,
        name_prefixes=config.alarms.name_prefixes,
        dry_run=config.alarms.dry_run,
    )
    return {
        DRAIN_LIMIT_ENV: str(config.defaults.max_drain_duration_seconds),
        ALARM_POLICY_ENV: json.dumps(asdict(policy)),
    }
