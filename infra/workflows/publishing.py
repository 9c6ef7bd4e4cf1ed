"""The states that tell the world: an event on the account's default event bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.workflows.retries import AWS_ERRORS, TASK_TIMEOUT, retry
from natdrain.contract import EVENT_SOURCE
from natdrain.contract import GatewayRecord as R

__all__ = ["Telling", "note_told"]


class Telling(Construct):
    """From the state `tell` to the state `then`, whether the event could be told or had to be kept.

    While addresses leave, it is tried for a few seconds only. What cannot be told becomes a dead letter;
    if that fails too, execution and history have it still, and `untold` is assigned.
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
        untold: Mapping[str, Any] | None = None,
        patient: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        timeout = TASK_TIMEOUT if patient else sfn.Timeout.duration(Duration.seconds(5))
        self.tell = tasks.EventBridgePutEvents.jsonata(
            self,
            f"Tell of {what}",
            comment="An event on the default bus; messages for people are a rule on it.",
            entries=[
                tasks.EventBridgePutEventsEntry(
                    source=EVENT_SOURCE, detail_type=detail_type, detail=sfn.TaskInput.from_text(detail)
                )
            ],
            assign=assign,
            outputs={},
            task_timeout=timeout,
        )
        keep = tasks.SqsSendMessage.jsonata(
            self,
            f"Keep the news of {what}",
            comment="As a dead letter, of which an alarm tells.",
            queue=dead_letters,
            message_body=sfn.TaskInput.from_object(
                {"Source": EVENT_SOURCE, "DetailType": detail_type, "Detail": detail}
            ),
            assign=assign,
            outputs={},
            task_timeout=timeout,
        )
        for state in (self.tell, keep):
            if patient:
                retry(state, AWS_ERRORS)
            else:
                state.add_retry(
                    errors=AWS_ERRORS, interval=Duration.seconds(1), backoff_rate=2, max_attempts=3
                )
        self.tell.next(then)
        keep.next(then)
        self.tell.add_catch(keep, errors=["States.ALL"], outputs={})
        lost = {**(assign or {}), **(untold or {})}
        keep.add_catch(then, errors=["States.ALL"], assign=lost, outputs={})


def note_told(
    scope: Construct, *, table: dynamodb.ITable, execution: str, then: sfn.State
) -> tasks.DynamoUpdateItem:
    """A state that notes, in the record of an execution, that its end was told: nobody tells it again."""
    text = tasks.DynamoAttributeValue.from_string
    noted = tasks.DynamoUpdateItem.jsonata(
        scope,
        "Note that it was told",
        comment="Or it would be told once more, by whoever records executions that have failed.",
        table=table,
        key={R.GATEWAY: text(R.EXECUTIONS), R.SORT: text(execution)},
        update_expression="SET #at = :now",
        expression_attribute_names={"#at": R.TOLD_AT},
        expression_attribute_values={":now": text("{% $states.context.State.EnteredTime %}")},
        outputs={},
        task_timeout=TASK_TIMEOUT,
    )
    retry(noted, AWS_ERRORS)
    noted.add_catch(then, errors=["States.ALL"], outputs={})
    noted.next(then)
    return noted
