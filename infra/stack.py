"""The stack that a team deploys."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.config import Config
from infra.drain_workflow import DrainWorkflow
from infra.functions import Functions
from infra.storage import Storage

__all__ = ["NatdrainStack"]


class NatdrainStack(Stack):
    """Storage, functions and the Drain workflow."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id, description="natdrain: takes Elastic IPs off NAT gateways")
        storage = Storage(self, "Storage")
        functions = Functions(self, "Functions", config=config, table=storage.table)
        drain = DrainWorkflow(self, "Drain", config=config, functions=functions, table=storage.table)
        CfnOutput(
            self,
            "DrainStateMachineArn",
            description="Start an execution of it to drain addresses off a NAT gateway.",
            value=drain.state_machine.state_machine_arn,
        )
