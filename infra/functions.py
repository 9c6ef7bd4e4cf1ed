"""The functions, each with a role of its own; `infra.rights` has what each role may do."""

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

from infra import acknowledged
from infra.asset.bytecode import find_interpreter
from infra.asset.code import PYTHON, function_code
from infra.config.file import Config
from infra.monitoring.alarms import NAMESPACE
from infra.monitoring.logs import log_group
from infra.rights import Rights, for_this_account
from natdrain import contract
from natdrain.intake.alarms import AlarmPolicy

NO_BYTECODE = (
    "There is no Python 3.13 on this machine, so the functions carry no byte code: they work, and take about "
    "twice as long to start. docs/install.md says where Python 3.13 is looked for."
)

_TIMEOUT = Duration.seconds(45)
"""Short, since a function still runs after its execution was stopped."""


class Functions(Construct):
    """The functions that the workflows call, as published versions that outlast the next deployment."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: Config, table: dynamodb.ITable
    ) -> None:
        super().__init__(scope, construct_id)
        acknowledged.acknowledge(self, "L1", acknowledged.TESTED_RUNTIME)
        if find_interpreter() is None:
            Annotations.of(self).add_warning_v2("natdrain:byte-code", NO_BYTECODE)
        self._config = config
        self._table = table
        rights = Rights(Stack.of(self), table=table, calendars=config.guards.change_calendars)
        guards = {contract.GUARD_POLICY_ENV: config.guards.policy.to_text()}
        self.read_request = self._function(
            "ReadRequest", "read_request", rights.read_request, environment=_request_settings(config)
        )
        self.validate = self._function("Validate", "validate", rights.look, environment=guards)
        self.confirm = self._function("Confirm", "confirm", rights.look, environment=guards)
        self.disassociate = self._function("Disassociate", "disassociate", rights.disassociate)
        self.associate = self._function("Associate", "associate", rights.associate)
        tagged = ("natgateway", "elastic-ip", "network-interface")
        for role in ("AssociateRole", "DisassociateRole"):
            acknowledged.acknowledge_tagged_resources(self.node.find_child(role), *tagged)
        self.release: lambda_.IVersion | None = None
        if config.after_drain.release:
            self.release = self._function("Release", "release", rights.release)
            acknowledged.acknowledge_tagged_resources(self.node.find_child("ReleaseRole"), "elastic-ip")
        self.close = self._function("Close", "close", rights.close)
        self.record = self._function("Record", "record", rights.record)

    @property
    def versions(self) -> list[lambda_.IVersion]:
        """The published versions that new executions of the Change workflow call."""
        always = [self.read_request, self.validate, self.associate, self.disassociate, self.confirm]
        always.append(self.close)
        return [*always, self.release] if self.release else always

    def _function(
        self,
        construct_id: str,
        module: str,
        statements: Sequence[iam.PolicyStatement],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> lambda_.IVersion:
        group = log_group(self, f"{construct_id}Logs", self._config)
        role = iam.Role(self, f"{construct_id}Role", assumed_by=for_this_account("lambda.amazonaws.com"))
        for statement in statements:
            role.add_to_policy(statement)
        everywhere = {action for one in statements if one.resources == ["*"] for action in one.actions}
        reasons = {
            "ec2:DescribeNatGateways": acknowledged.DESCRIBE,
            "cloudwatch:GetMetricData": acknowledged.METRICS,
            "servicequotas:GetServiceQuota": acknowledged.QUOTAS,
        }
        acknowledged.acknowledge_wildcards(
            role, acknowledged.XRAY, *(why for action, why in reasons.items() if action in everywhere)
        )
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
                contract.TABLE_ENV: self._table.table_name,
                "POWERTOOLS_SERVICE_NAME": contract.SERVICE,
                "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **(environment or {}),
            },
            log_group=group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE if self._config.tracing else lambda_.Tracing.DISABLED,
            # Except on a rollback, whose leftover version would make the next attempt fail.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            ),
        )
        return function.current_version


def allow_earlier_versions(state_machine: sfn.StateMachine, versions: Sequence[lambda_.IVersion]) -> None:
    """Let running executions call the versions that they began with, after an upgrade too."""
    functions = [version.lambda_ for version in versions]
    state_machine.add_to_role_policy(
        iam.PolicyStatement(
            actions=["lambda:InvokeFunction"],
            resources=[f"{function.function_arn}:*" for function in functions],
        )
    )
    for function in functions:
        acknowledged.acknowledge(
            state_machine, f"IAM5[Resource::<{logical_id(function)}.Arn>:*]", acknowledged.OWN_VERSIONS
        )


def logical_id(construct: IConstruct) -> str:
    """Return the name in the template, which cdk-nag uses in findings."""
    return Stack.of(construct).get_logical_id(cast("CfnElement", construct.node.default_child))


def _request_settings(config: Config) -> dict[str, str]:
    """Return the settings of *Read the request*."""
    policy = AlarmPolicy(
        limit_seconds=config.alarm_limit_seconds,
        name_prefixes=config.alarms.name_prefixes,
        dry_run=config.alarms.dry_run,
        max_age_minutes=config.alarms.max_age_minutes,
        act_without_data=config.alarms.act_without_data,
    )
    return {
        contract.DRAIN_LIMIT_ENV: str(config.defaults.max_drain_duration_seconds),
        contract.RELEASE_ENV: str(config.after_drain.release).lower(),
        contract.ALARM_POLICY_ENV: json.dumps(asdict(policy)),
    }
