"""The Record workflow: it records and publishes the end of an execution that did not reach *Close*.

A person stopped that execution, it timed out, or it failed where nothing caught the error. The next execution
does not depend on this record: it takes over the lock of one that no longer runs.
"""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config.file import Config
from infra.functions import Functions, allow_earlier_versions
from infra.rights import narrow_workflow
from infra.workflows.jsonata import condition, jsonata
from infra.workflows.publishing import publish_end, record_published
from infra.workflows.retries import invoke
from infra.workflows.state_machine import start_on_events, state_machine
from natdrain.contract import Answer
from natdrain.contract import GatewayRecord as R


class RecordWorkflow(Construct):
    """*Record* and the event of the end, started by Step Functions' own events."""

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
        recorded = sfn.Succeed.jsonata(self, "Recorded", comment="Once, however often this was started.")
        note = record_published(self, table=table, execution=jsonata("$execution"), then=recorded)
        published = sfn.Choice.jsonata(
            self,
            "Was the end published?",
            comment="If neither bus nor queue took the event, starting this again publishes it.",
        )
        published.when(condition("$published"), note).otherwise(recorded)
        ended = "$states.input.detail"
        record = invoke(
            self,
            "Record",
            functions.record,
            comment="In place of the execution that ended: record, free the lock, return the event.",
            payload={
                Answer.EXECUTION: jsonata(f"{ended}.executionArn"),
                "Status": jsonata(f"{ended}.status"),
                Answer.CAUSE: jsonata(f"$exists({ended}.cause) ? {ended}.cause : ''"),
            },
            assign={
                "outcome": jsonata("$states.result.Payload"),
                "execution": jsonata(f"{ended}.executionArn"),
                "published": True,
            },
        ).next(
            publish_end(
                self,
                comment="None if the execution reached Close, which published it.",
                dead_letters=dead_letters,
                then=published,
                otherwise=recorded,
            )
        )
        self.state_machine = state_machine(
            self,
            config=config,
            comment="Records the end of an execution that did not reach Close.",
            definition=record,
            timeout=Duration.hours(1),
        )
        allow_earlier_versions(self.state_machine, [functions.record])
        narrow_workflow(self.state_machine, table, partitions=[R.EXECUTIONS])
        start_on_events(
            self,
            "Ended",
            self.state_machine,
            description="executions of the Change workflow that were stopped, timed out or failed",
            source="aws.states",
            detail_types=["Step Functions Execution Status Change"],
            detail={
                "stateMachineArn": [drain.state_machine_arn],
                "status": ["ABORTED", "TIMED_OUT", "FAILED"],
            },
            dead_letters=dead_letters,
        )
