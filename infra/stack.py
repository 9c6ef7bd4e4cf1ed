"""The stack that a team deploys."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra.config.file import Config
from infra.functions import Functions
from infra.monitoring.alarms import Alarms
from infra.monitoring.dashboard import Dashboard
from infra.monitoring.dead_letters import DeadLetters
from infra.notifications import Messages
from infra.storage import Storage
from infra.triggers import Triggers
from infra.workflows.drain import DrainWorkflow
from infra.workflows.record import RecordWorkflow

__all__ = ["NatdrainStack"]


class NatdrainStack(Stack):
    """Storage, functions, the Drain workflow, and what starts it."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id, description="natdrain: takes Elastic IPs off NAT gateways")
        for key, value in config.tags.items():
            Tags.of(self).add(key, value)
        storage = Storage(self, "Storage", config=config)
        functions = Functions(self, "Functions", config=config, table=storage.table)
        dead_letters = DeadLetters(self, "DeadLetters").queue
        drain = DrainWorkflow(
            self,
            "Drain",
            config=config,
            functions=functions,
            table=storage.table,
            dead_letters=dead_letters,
        )
        record = RecordWorkflow(
            self,
            "Record",
            config=config,
            functions=functions,
            table=storage.table,
            drain=drain.state_machine,
            dead_letters=dead_letters,
        )
        Triggers(
            self, "Triggers", config=config, state_machine=drain.state_machine, dead_letters=dead_letters
        )
        messages = Messages(self, "Messages", config=config, dead_letters=dead_letters)
        watched = [version.lambda_ for version in [*functions.versions, functions.record]]
        alarms = Alarms(
            self,
            "Alarms",
            config=config,
            drain=drain.state_machine,
            record=record.state_machine,
            functions=watched,
            dead_letters=dead_letters,
        )
        Dashboard(self, "Dashboard", alarms=alarms.all, functions=watched, dead_letters=dead_letters)
        CfnOutput(
            self,
            "DrainStateMachineArn",
            description="Start an execution of it to drain addresses off a NAT gateway.",
            value=drain.state_machine.state_machine_arn,
        )
        CfnOutput(
            self,
            "RecordStateMachineArn",
            description="Started by itself when an execution of the other does not end well.",
            value=record.state_machine.state_machine_arn,
        )
        CfnOutput(
            self, "TableName", description="Locks, holds, history, triggers.", value=storage.table.table_name
        )
        CfnOutput(
            self,
            "DeadLetterQueueUrl",
            description="What could not be started, recorded or told.",
            value=dead_letters.queue_url,
        )
        if messages.chat_topic:
            CfnOutput(
                self,
                "ChatTopicArn",
                description="Add it to a channel of Amazon Q Developer in chat applications.",
                value=messages.chat_topic.topic_arn,
            )
