"""The functions, each with a role of its own that has no more rights than the function uses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

from aws_cdk import Annotations, CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IConstruct

from infra.acknowledged import (
    DESCRIBE,
    METRICS,
    OWN_VERSIONS,
    TESTED_RUNTIME,
    XRAY,
    acknowledge,
    acknowledge_tagged_resources,
    acknowledge_wildcards,
)
from infra.asset.bytecode import find_interpreter
from infra.asset.code import PYTHON, function_code
from infra.config.file import Config
from infra.monitoring.logs import log_group
from natdrain.contract import (
    ALARM_POLICY_ENV,
    DRAIN_LIMIT_ENV,
    GUARD_POLICY_ENV,
    OPT_IN_TAG,
    OPT_IN_VALUE,
    PROTECT_TAG,
    RELEASE_ENV,
    SERVICE,
    TABLE_ENV,
)
from natdrain.intake.alarms import AlarmPolicy

__all__ = ["Functions", "allow_earlier_versions", "logical_id"]

NO_BYTECODE = (
    "There is no Python 3.13 on this machine, so the functions carry no byte code: they work, and take about "
    "twice as long to start. docs/deploying.md says where Python 3.13 is looked for."
)

_TIMEOUT = Duration.seconds(45)
"""Short, since a function in flight outlives an execution that is stopped."""

_DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"
_RELEASE = "ec2:ReleaseAddress"


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
        look = [
            iam.PolicyStatement(
                actions=["ec2:DescribeNatGateways", "ec2:DescribeAddresses", "cloudwatch:GetMetricData"],
                resources=["*"],
            ),
            self._on_table("dynamodb:BatchGetItem", "dynamodb:PutItem"),
            *self._calendars(),
        ]
        guards = {GUARD_POLICY_ENV: config.guards.policy.to_text()}
        self.read_request = self._function(
            "ReadRequest",
            "read_request",
            [
                iam.PolicyStatement(actions=["ec2:DescribeNatGateways"], resources=["*"]),
                self._on_table("dynamodb:PutItem"),
            ],
            environment=_request_settings(config),
        )
        self.validate = self._function("Validate", "validate", look, environment=guards)
        self.confirm = self._function("Confirm", "confirm", look, environment=guards)
        under_the_lock = self._on_table("dynamodb:BatchGetItem", "dynamodb:UpdateItem")
        self.disassociate = self._function(
            "Disassociate",
            "disassociate",
            [
                *self._where_tagged(_DISASSOCIATE, "natgateway", "elastic-ip"),
                # It belongs to AWS and carries no tags: a condition on them would deny every drain.
                iam.PolicyStatement(actions=[_DISASSOCIATE], resources=[self._ec2("network-interface")]),
                under_the_lock,
            ],
        )
        tagged = ("natgateway", "elastic-ip", "network-interface")
        acknowledge_tagged_resources(self.node.find_child("DisassociateRole"), *tagged)
        self.release: lambda_.IVersion | None = None
        if config.after_drain.release:
            rights = [*self._where_tagged(_RELEASE, "elastic-ip"), under_the_lock]
            self.release = self._function("Release", "release", rights)
            acknowledge_tagged_resources(self.node.find_child("ReleaseRole"), "elastic-ip")
        end = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
        self.close = self._function("Close", "close", [self._on_table(*end)])
        self.record = self._function("Record", "record", [self._on_table("dynamodb:BatchGetItem", *end)])

    @property
    def versions(self) -> list[lambda_.IVersion]:
        """The published version of each function that the Drain workflow calls from now on."""
        always = [self.read_request, self.validate, self.disassociate, self.confirm, self.close]
        return [*always, self.release] if self.release else always

    def _on_table(self, *actions: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(actions=list(actions), resources=[self._table.table_arn])

    def _calendars(self) -> list[iam.PolicyStatement]:
        """The right to ask the change calendars (Service Authorization Reference, AWS Systems Manager)."""
        documents = [
            name
            if name.startswith("arn:")
            else Stack.of(self).format_arn(service="ssm", resource="document", resource_name=name)
            for name in self._config.guards.change_calendars
        ]
        return (
            [iam.PolicyStatement(actions=["ssm:GetCalendarState"], resources=documents)] if documents else []
        )

    def _ec2(self, kind: str) -> str:
        return Stack.of(self).format_arn(service="ec2", resource=kind, resource_name="*")

    def _where_tagged(self, action: str, *kinds: str) -> list[iam.PolicyStatement]:
        """The right to change resources of EC2 where the owner opted in and nobody protects.

        Service Authorization Reference, Amazon EC2: an action is authorised on each resource of a call
        separately; those of NAT gateways on the gateway and on every Elastic IP.
        """
        tagged = [self._ec2(kind) for kind in kinds]
        return [
            iam.PolicyStatement(
                actions=[action],
                resources=tagged,
                conditions={"StringEquals": {f"aws:ResourceTag/{OPT_IN_TAG}": OPT_IN_VALUE}},
            ),
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=[action],
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
        everywhere = {action for one in statements if one.resources == ["*"] for action in one.actions}
        reasons = {"ec2:DescribeNatGateways": DESCRIBE, "cloudwatch:GetMetricData": METRICS}
        acknowledge_wildcards(role, XRAY, *(why for action, why in reasons.items() if action in everywhere))
        group.grant_write(role)
        function = lambda_.Function(
            self,
            construct_id,
            description=f"natdrain: {module.replace('_', ' ')}",
            runtime=PYTHON,
            architecture=lambda_.Architecture.ARM_64,
            code=function_code(),
            handler=f"natdrain.handlers.{module}.handler",
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


def allow_earlier_versions(state_machine: sfn.StateMachine, versions: Sequence[lambda_.IVersion]) -> None:
    """Let executions that began before an upgrade go on with the versions that they began with."""
    functions = [version.lambda_ for version in versions]
    state_machine.add_to_role_policy(
        iam.PolicyStatement(
            actions=["lambda:InvokeFunction"],
            resources=[f"{function.function_arn}:*" for function in functions],
        )
    )
    for function in functions:
        acknowledge(state_machine, f"IAM5[Resource::<{logical_id(function)}.Arn>:*]", OWN_VERSIONS)


def logical_id(construct: IConstruct) -> str:
    """Its name in the template, by which cdk-nag names it in findings."""
    return Stack.of(construct).get_logical_id(cast("CfnElement", construct.node.default_child))


def _request_settings(config: Config) -> dict[str, str]:
    """What reading a request must know of the deployment."""
    policy = AlarmPolicy(
        limit_seconds=config.alarm_limit_seconds,
        name_prefixes=config.alarms.name_prefixes,
        dry_run=config.alarms.dry_run,
    )
    return {
        DRAIN_LIMIT_ENV: str(config.defaults.max_drain_duration_seconds),
        RELEASE_ENV: str(config.after_drain.release).lower(),
        ALARM_POLICY_ENV: json.dumps(asdict(policy)),
    }
