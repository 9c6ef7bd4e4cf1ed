"""The settings of every state machine, and the rule that starts one."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledged import LOG_DELIVERY, NOT_TRACED, XRAY, acknowledge, acknowledge_wildcards
from infra.config.file import Config
from infra.monitoring.logs import log_group
from infra.rights import rule_role


def state_machine(
    scope: Construct, *, config: Config, comment: str, definition: sfn.IChainable, timeout: Duration
) -> sfn.StateMachine:
    """Return a state machine in JSONata that Step Functions ends after `timeout`.

    The name of its log group spares the account's one policy of 5,120 characters: once that is full, no state
    machine with logs can be created (Step Functions developer guide, avoiding CloudWatch Logs resource policy
    size restrictions).
    """
    logs = f"/aws/vendedlogs/states/{Aws.STACK_NAME}-{scope.node.id}"
    machine = sfn.StateMachine(
        scope,
        "StateMachine",
        comment=comment,
        query_language=sfn.QueryLanguage.JSONATA,
        definition_body=sfn.DefinitionBody.from_chainable(definition),
        timeout=timeout,
        tracing_enabled=config.tracing,
        logs=sfn.LogOptions(
            destination=log_group(scope, "Logs", config, name=logs),
            level=sfn.LogLevel.ALL,
            include_execution_data=True,
        ),
    )
    acknowledge_wildcards(machine, XRAY, LOG_DELIVERY)
    if not config.tracing:
        acknowledge(machine, "SF2", NOT_TRACED)
    return machine


def start_on_events(
    scope: Construct,
    construct_id: str,
    machine: sfn.IStateMachine,
    *,
    description: str,
    source: str,
    detail_types: Sequence[str],
    detail: Mapping[str, Any],
    dead_letters: sqs.IQueue,
    max_event_age: Duration | None = None,
) -> None:
    """Start a state machine on matching events of this account and region, where its gateways are.

    EventBridge retries a start for `max_event_age`, by default for a day.
    """
    role = rule_role(scope, f"{construct_id}Role", machine)
    rule = events.Rule(
        scope,
        construct_id,
        description=f"natdrain: {description}",
        event_pattern=events.EventPattern(
            account=[Aws.ACCOUNT_ID],
            region=[Aws.REGION],
            source=[source],
            detail_type=[*detail_types],
            detail=detail,
        ),
        targets=[
            targets.SfnStateMachine(
                machine, dead_letter_queue=dead_letters, role=role, max_event_age=max_event_age
            )
        ],
    )
    leave_out_replays(rule)


def leave_out_replays(rule: events.Rule) -> None:
    """Let no event through that somebody replays from an archive: it may be months old.

    Only such events have a `replay-name` (EventBridge user guide, archives), a field that the CDK's
    EventPattern lacks.
    """
    pattern = cast("events.CfnRule", rule.node.default_child)
    pattern.add_property_override("EventPattern.replay-name", [{"exists": False}])
