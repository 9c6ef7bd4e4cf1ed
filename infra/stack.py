"""The stack that a team deploys."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack, Tags
from constructs import Construct

from infra.config import Config
from infra.drain_workflow import DrainWorkflow
from infra.functions import Functions
from infra.storage import Storage
from infra.triggers import Triggers

__all__ = ["NatdrainStack"]


class NatdrainStack(Stack):
    """Storage, functions, the Drain workflow, and what starts it."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id, description="natdrain: takes Elastic IPs off NAT gateways")
        for key, value in config.tags.items():
            Tags.of(self).add(key, value)
        storage = Storage(self, "Storage", config=config)
        functions = Functions(self, "Functions", config=config, table=storage.table)
        drain = DrainWorkflow(self, "Drain", config=config, functions=functions, table=storage.table)
        triggers = Triggers(self, "Triggers", config=config, state_machine=drain.state_machine)
        CfnOutput(
            self,
            "DrainStateMachineArn",
            description="Start an execution of it to drain addresses off a NAT gateway.",
            value=drain.state_machine.state_machine_arn,
        )
        CfnOutput(
            self, "TableName", description="Locks, holds, history, triggers.", value=storage.table.table_name
        )
        if triggers.dead_letters:
            CfnOutput(
                self,
                "DeadLetterQueueUrl",
                description="What alarms and schedules asked for and could not be started.",
                value=triggers.dead_letters.queue_url,
            )
