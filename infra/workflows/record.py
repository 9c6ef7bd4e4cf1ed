"""The Record workflow: records and tells how a drain ended that something else ended.

Somebody stopped its execution, it took longer than it may, or it failed where nothing caught it. The next
execution does not depend on any of that: the lock of one that no longer runs is taken over.
"""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as events_targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config.file import Config
from infra.functions import Functions, allow_earlier_versions
from infra.rights import rule_role
from infra.workflows.publishing import Telling, note_told
from infra.workflows.retries import invoke
from infra.workflows.state_machine import state_machine
from natdrain.contract import DRAIN_ENDED

__all__ = ["RecordWorkflow"]


class RecordWorkflow(Construct):
    """*Record*, and what it tells, started by Step Functions' own events."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        functions: Functions,
        table: dynamodb.ITable,
        drain: sfn.IStateMachine,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        recorded = sfn.Succeed.jsonata(self, "Recorded", comment="Once, however often it was asked.")
        noted = note_told(self, table=table, execution="{% $execution %}", then=recorded)
        told = sfn.Choice.jsonata(
            self,
            "Was it told?",
            comment="If neither bus nor queue took it, whoever starts this again tells it.",
        )
        told.when(sfn.Condition.jsonata("{% $told %}"), noted).otherwise(recorded)
        telling = Telling(
            self,
            "End",
            what="the end",
            detail_type=DRAIN_ENDED,
            detail="{% $outcome.Event %}",
            dead_letters=dead_letters,
            then=told,
            untold={"told": False},
        )
        anything = sfn.Choice.jsonata(
            self, "Is there anything to tell?", comment="An execution that reached Close told of itself."
        )
        anything.when(sfn.Condition.jsonata("{% $exists($outcome.Event.Title) %}"), telling.tell)
        anything.otherwise(recorded)
        ended = "$states.input.detail"
        record = invoke(
            self,
            "Record",
            functions.record,
            comment="In place of the execution that ended: record, free the lock, say what to tell.",
            payload={
                "Execution": f"{{% {ended}.executionArn %}}",
                "Status": f"{{% {ended}.status %}}",
                "Cause": f"{{% $exists({ended}.cause) ? {ended}.cause : '' %}}",
            },
            assign={
                "outcome": "{% $states.result.Payload %}",
                "execution": f"{{% {ended}.executionArn %}}",
                "told": True,
            },
        ).next(anything)
        self.state_machine = state_machine(
            self,
            config=config,
            comment="Records how a drain ended that something else ended.",
            definition=record,
            timeout=Duration.hours(1),
        )
        allow_earlier_versions(self.state_machine, [functions.record])
        events.Rule(
            self,
            "Ended",
            description="natdrain: executions of the Drain workflow that did not end by themselves",
            event_pattern=events.EventPattern(
                account=[Aws.ACCOUNT_ID],
                region=[Aws.REGION],
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [drain.state_machine_arn],
                    "status": ["ABORTED", "TIMED_OUT", "FAILED"],
                },
            ),
            targets=[
                events_targets.SfnStateMachine(
                    self.state_machine,
                    dead_letter_queue=dead_letters,
                    role=rule_role(self, "EndedRole", self.state_machine),
                )
            ],
        )
