"""The states that publish events on the account's default event bus."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.workflows.jsonata import condition, jsonata
from infra.workflows.retries import AWS_ERRORS, TASK_TIMEOUT, retry
from natdrain.contract import CHANGE_ENDED, EVENT_SOURCE, Answer
from natdrain.contract import GatewayRecord as R

# Step Functions itself adds them to each event that it puts (recorded from AWS), and the rule that notifies
# people matches them.
_OWN_RESOURCES = [jsonata("$states.context.StateMachine.Id"), jsonata("$states.context.Execution.Id")]


class PublishEvent(Construct):
    """States that lead from `publish` to `then`, whether or not the event could be published.

    An event that the bus does not take is parked in the dead-letter queue. If that fails too, the result and
    the history still hold it, and `if_lost` is assigned. An impatient one is retried for a few seconds only.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        what: str,
        detail_type: str,
        detail: str,
        dead_letters: sqs.IQueue,
        then: sfn.State,
        assign: Mapping[str, Any] | None = None,
        if_lost: Mapping[str, Any] | None = None,
        patient: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        timeout = TASK_TIMEOUT if patient else sfn.Timeout.duration(Duration.seconds(5))
        self.publish = tasks.EventBridgePutEvents.jsonata(
            self,
            f"Publish the {what}",
            comment="An event on the default bus. A rule on it notifies people.",
            entries=[
                tasks.EventBridgePutEventsEntry(
                    source=EVENT_SOURCE, detail_type=detail_type, detail=sfn.TaskInput.from_text(detail)
                )
            ],
            assign=assign,
            outputs={},
            task_timeout=timeout,
        )
        park = tasks.SqsSendMessage.jsonata(
            self,
            f"Park the undelivered {what}",
            comment="In the dead-letter queue, on which there is an alarm.",
            queue=dead_letters,
            message_body=sfn.TaskInput.from_object(
                {
                    "Source": EVENT_SOURCE,
                    "DetailType": detail_type,
                    "Resources": _OWN_RESOURCES,
                    "Detail": detail,
                }
            ),
            assign=assign,
            outputs={},
            task_timeout=timeout,
        )
        for state in (self.publish, park):
            if patient:
                retry(state, AWS_ERRORS)
            else:
                state.add_retry(
                    errors=AWS_ERRORS, interval=Duration.seconds(1), backoff_rate=2, max_attempts=3
                )
            state.next(then)
        self.publish.add_catch(park, errors=["States.ALL"], outputs={})
        lost = {**(assign or {}), **(if_lost or {})}
        park.add_catch(then, errors=["States.ALL"], assign=lost, outputs={})


def publish_end(
    scope: Construct, *, comment: str, dead_letters: sqs.IQueue, then: sfn.State, otherwise: sfn.State
) -> sfn.Choice:
    """Return the choice that publishes the end and goes on to `then`, or without an event to `otherwise`.

    The variable `published` becomes false if neither bus nor queue took the event.
    """
    event = f"$outcome.{Answer.EVENT}"
    publishing = PublishEvent(
        scope,
        "End",
        what="end",
        detail_type=CHANGE_ENDED,
        detail=jsonata(event),
        dead_letters=dead_letters,
        then=then,
        if_lost={"published": False},
    )
    choice = sfn.Choice.jsonata(scope, "Is there an event to publish?", comment=comment)
    choice.when(condition(f"$exists({event}.Title)"), publishing.publish)
    return choice.otherwise(otherwise)


def record_published(
    scope: Construct, *, table: dynamodb.ITable, execution: str, then: sfn.State
) -> tasks.DynamoUpdateItem:
    """Return a state that records of an execution that its end was published, and goes on to `then`."""
    text = tasks.DynamoAttributeValue.from_string
    record = tasks.DynamoUpdateItem.jsonata(
        scope,
        "Record that the end was published",
        comment="Otherwise the Record workflow would publish the end of a failed execution a second time.",
        table=table,
        key={R.GATEWAY: text(R.EXECUTIONS), R.SORT: text(execution)},
        update_expression="SET #at = :now",
        expression_attribute_names={"#at": R.TOLD_AT},
        expression_attribute_values={":now": text(jsonata("$states.context.State.EnteredTime"))},
        outputs={},
        task_timeout=TASK_TIMEOUT,
    )
    retry(record, AWS_ERRORS)
    record.add_catch(then, errors=["States.ALL"], outputs={})
    record.next(then)
    return record
