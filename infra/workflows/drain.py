"""The Drain workflow: look, decide, act, look again, and one exit.

Functions decide; see `infra.gateway_lock` for the states that need none.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.acknowledged import (
    OWN_EXECUTIONS,
    acknowledge,
)
from infra.config.file import Config
from infra.functions import Functions, allow_earlier_versions, logical_id
from infra.workflows.lock import GatewayLock
from infra.workflows.publishing import Telling, note_told
from infra.workflows.retries import catch_all, invoke
from infra.workflows.state_machine import state_machine
from natdrain.contract import DRAIN_ENDED, DRAIN_STARTED
from natdrain.model.errors import DrainFailed

__all__ = ["DrainWorkflow"]

_EXECUTION = "{% $states.context.Execution.Id %}"
_REFUSED = "{% $exists($failure.Error) %}"
_LONGEST_SECONDS = 6 * 3600
"""Two drains of the longest limit one after the other, each with its margin, and room."""


class DrainWorkflow(Construct):
    """Takes addresses off one NAT gateway."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        functions: Functions,
        table: dynamodb.ITable,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._dead_letters = dead_letters
        self._functions = functions
        self._table = table
        self._close = self._closing()
        self.state_machine = state_machine(
            self,
            config=config,
            comment="Takes Elastic IPs off one NAT gateway with care.",
            definition=self._definition(),
            timeout=Duration.seconds(_LONGEST_SECONDS + config.defaults.wait_in_line_seconds),
        )
        allow_earlier_versions(self.state_machine, self._functions.versions)
        self._allow_asking_after_holders()

    def _allow_asking_after_holders(self) -> None:
        # A policy of its own, since the default one comes before the state machine and cannot name it.
        resource_name = f"{self.state_machine.state_machine_name}:*"
        arn = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=resource_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        policy = iam.Policy(
            self,
            "AskAfterHolders",
            roles=[self.state_machine.role],
            statements=[iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[arn])],
        )
        shown = (
            "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
            f"<{logical_id(self.state_machine)}.Name>:*"
        )
        acknowledge(policy, f"IAM5[Resource::{shown}]", OWN_EXECUTIONS)

    def _definition(self) -> sfn.IChainable:
        validate = self._decide(
            "Validate", self._functions.validate, "The first look, every guard, and the plan."
        )
        next_step = sfn.Choice.jsonata(
            self, "Choose the next step", comment="The decision of the last function."
        )
        started = Telling(
            self,
            "Start",
            what="the start",
            detail_type=DRAIN_STARTED,
            detail="{% $start %}",
            dead_letters=self._dead_letters,
            assign={"start": {}},
            then=next_step,
            patient=False,
        )
        next_step.when(sfn.Condition.jsonata(_REFUSED), self._close)
        next_step.when(sfn.Condition.jsonata("{% $exists($start.Title) %}"), started.tell)
        wait = sfn.Wait.jsonata(
            self,
            "Wait",
            comment="Until the next offset of the poll plan; an instant, so that delays do not add up.",
            time=sfn.WaitTime.timestamp("{% $step.WaitUntil %}"),
        )
        confirm = self._decide("Confirm", self._functions.confirm, "Look again, and decide what is next.")
        disassociate = self._decide(
            "Disassociate", self._functions.disassociate, "Ask EC2, if the lock is still ours."
        )
        for decided in (validate, confirm, disassociate):
            decided.next(next_step)
        if self._functions.release:
            release = self._decide(
                "Release", self._functions.release, "Give allocations back to AWS, if the lock is still ours."
            )
            release.next(next_step)
            next_step.when(sfn.Condition.jsonata("{% $step.Do = 'release' %}"), release)
        wait.next(confirm)
        next_step.when(sfn.Condition.jsonata("{% $step.Do = 'disassociate' %}"), disassociate)
        next_step.when(sfn.Condition.jsonata("{% $step.Do = 'wait' %}"), wait)
        next_step.otherwise(self._close)

        read = invoke(
            self,
            "Read the request",
            self._functions.read_request,
            comment="The execution input, strictly; every problem of it at once.",
            payload={"Execution": _EXECUTION, "Input": "{% $states.context.Execution.Input %}"},
            assign={
                "request": "{% $states.result.Payload.Request %}",
                "quiet": "{% $states.result.Payload.Quiet %}",
                "failure": "{% $states.result.Payload.Failure %}",
            },
        )
        catch_all(read, self._close)
        asked = sfn.Choice.jsonata(
            self,
            "What is asked?",
            comment="Perhaps nothing; and a dry run changes nothing and needs no lock.",
        )
        asked.when(sfn.Condition.jsonata(_REFUSED), self._close)
        asked.when(sfn.Condition.jsonata("{% $exists($quiet.Outcome) %}"), self._close)
        asked.when(sfn.Condition.jsonata("{% $request.DryRun %}"), validate)
        lock = GatewayLock(
            self,
            "Lock",
            table=self._table,
            wait_in_line_seconds=self._config.defaults.wait_in_line_seconds,
            locked=validate,
            close=self._close,
        )
        asked.otherwise(lock.take)
        begin = sfn.Pass.jsonata(
            self,
            "Begin",
            comment="Nothing is known yet.",
            assign={
                "request": {},
                "quiet": {},
                "failure": {},
                "step": {"Do": "finish", "Drains": []},
                "start": {},
                "told": True,
            },
            outputs={},
        )
        return begin.next(read).next(asked)

    def _closing(self) -> tasks.LambdaInvoke:
        close = invoke(
            self,
            "Close",
            self._functions.close,
            comment="The one exit: record, free the lock, say how it ended.",
            payload={
                "Execution": _EXECUTION,
                "Request": "{% $request %}",
                "Quiet": "{% $quiet %}",
                "Failure": "{% $failure %}",
                "Step": "{% $step %}",
            },
            assign={"outcome": "{% $states.result.Payload %}"},
        )
        failed = sfn.Fail.jsonata(
            self,
            "Fail",
            comment="With the error's own name; the cause is the result.",
            error="{% $outcome.Error %}",
            cause="{% $outcome.Cause %}",
        )
        succeeded = sfn.Succeed.jsonata(
            self, "Succeed", comment="The output is the result.", outputs="{% $outcome.Result %}"
        )
        ended = sfn.Choice.jsonata(self, "Did it succeed?", comment="Close has the verdict.")
        noted = note_told(self, table=self._table, execution=_EXECUTION, then=failed)
        ended.when(sfn.Condition.jsonata("{% $exists($outcome.Error) and $told %}"), noted)
        ended.when(sfn.Condition.jsonata("{% $exists($outcome.Error) %}"), failed).otherwise(succeeded)
        told = Telling(
            self,
            "End",
            what="the end",
            detail_type=DRAIN_ENDED,
            detail="{% $outcome.Event %}",
            dead_letters=self._dead_letters,
            then=ended,
            untold={"told": False},
        )
        anything = sfn.Choice.jsonata(
            self, "Is there anything to tell?", comment="Not of a dry run, nor of a trigger that came twice."
        )
        anything.when(sfn.Condition.jsonata("{% $exists($outcome.Event.Title) %}"), told.tell)
        anything.otherwise(ended)
        close.next(anything)
        close.add_catch(
            failed,
            errors=["States.ALL"],
            assign={
                "outcome": {
                    "Error": DrainFailed.__name__,
                    "Cause": "{% 'The end of this execution could not be recorded; look at the gateway. ' & "
                    "$substring($states.errorOutput.Cause, 0, 30000) %}",
                }
            },
            outputs={},
        )
        return close

    def _decide(self, name: str, function: lambda_.IFunction, comment: str) -> tasks.LambdaInvoke:
        """A state whose function answers with the next step."""
        state = invoke(
            self,
            name,
            function,
            comment=comment,
            payload={
                "Execution": _EXECUTION,
                "Request": "{% $request %}",
                "Step": "{% $step %}",
            },
            assign={
                "step": "{% $states.result.Payload.Step %}",
                "start": "{% $states.result.Payload.Start %}",
                "failure": "{% $states.result.Payload.Failure %}",
            },
        )
        catch_all(state, self._close)
        return state
