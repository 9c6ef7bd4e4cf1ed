"""The settings of every state machine: query language, logs, traces, timeout."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledged import LOG_DELIVERY, NOT_TRACED, XRAY, acknowledge, acknowledge_wildcards
from infra.config.file import Config
from infra.monitoring.logs import log_group


def state_machine(
    scope: Construct, *, config: Config, comment: str, definition: sfn.IChainable, timeout: Duration
) -> sfn.StateMachine:
    """Return a state machine in JSONata that Step Functions ends after `timeout`."""
    machine = sfn.StateMachine(
        scope,
        "StateMachine",
        comment=comment,
        query_language=sfn.QueryLanguage.JSONATA,
        definition_body=sfn.DefinitionBody.from_chainable(definition),
        timeout=timeout,
        tracing_enabled=config.tracing,
        logs=sfn.LogOptions(
            destination=log_group(scope, "Logs", config), level=sfn.LogLevel.ALL, include_execution_data=True
        ),
    )
    acknowledge_wildcards(machine, XRAY, LOG_DELIVERY)
    if not config.tracing:
        acknowledge(machine, "SF2", NOT_TRACED)
    return machine
