"""The Drain workflow: look, decide, act, look again, and one exit.

Functions decide; taking the lock and asking after its holder are Step Functions' own calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from aws_cdk import ArnFormat, Aws, CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct, IConstruct
from natdrain.errors import DrainFailed, GatewayBusy, TransientFailure
from natdrain.names import GatewayRecord as R

from infra.acknowledged import (
    LOG_DELIVERY,
    NOT_TRACED,
    OWN_EXECUTIONS,
    OWN_VERSIONS,
    XRAY,
    acknowledge,
    acknowledge_wildcards,
)
from infra.config import Config
from infra.functions import Functions

__all__ = ["DrainWorkflow"]

# Step Functions developer guide, error handling with Lambda; the Lambda API reference, Invoke, for functions
# that were idle for long; and what functions that died report.
_TRANSIENT_LAMBDA_ERRORS = [
    TransientFailure.__name__,
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ResourceNotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "States.Timeout",
]
_LOCK_IS_HELD = "DynamoDB.ConditionalCheckFailedException"
_NO_SUCH_EXECUTION = "Sfn.ExecutionDoesNotExistException"

_TASK_SECONDS = 60
"""Longer than a function's own timeout, so that no state gives up on a function that still runs."""
_TASK_TIMEOUT = sfn.Timeout.duration(Duration.seconds(_TASK_SECONDS))

_EXECUTION = "{% $states.context.Execution.Id %}"
_HELD_BY = (
    f"{{% $request.NatGatewayId & ' is held by ' & $holder.{R.OWNER}.S & ' since ' & $holder.{R.SINCE}.S"
    f" & ($length($holder.{R.REASON}.S) > 0 ? ' (' & $holder.{R.REASON}.S & ')' : '')"
    f" & '. Ask again when it has ended.' %}}"
)
# An execution's ARN has its state machine's name in seventh place; who else holds is never taken over.
# ($not, since JSONata finds neither = nor != true of an owner that has no seventh place.)
_HOLDER_IS_FOREIGN = f"{{% $not($split($holder.{R.OWNER}.S, ':')[6] = $states.context.StateMachine.Name) %}}"
_LONGEST = Duration.hours(6)
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
    ) -> None:
        super().__init__(scope, construct_id)
        self._functions = functions
        self._table = table
        self._close = self._closing()
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            comment="Takes Elastic IPs off one NAT gateway with care.",
            query_language=sfn.QueryLanguage.JSONATA,
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            timeout=_LONGEST,
            tracing_enabled=config.tracing,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self, "Logs", retention=config.log_retention, removal_policy=RemovalPolicy.DESTROY
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        acknowledge_wildcards(self.state_machine, XRAY, LOG_DELIVERY)
        if not config.tracing:
            acknowledge(self.state_machine, "SF2", NOT_TRACED)
        self._allow_earlier_versions()
        self._allow_asking_after_holders()

    def _allow_earlier_versions(self) -> None:
        """Let executions that began before an upgrade go on with the versions that they began with."""
        functions = [version.lambda_ for version in self._functions.versions]
        self.state_machine.add_to_role_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                resources=[f"{function.function_arn}:*" for function in functions],
            )
        )
        for function in functions:
            arn = f"<{_logical_id(function)}.Arn>"
            acknowledge(self.state_machine, f"IAM5[Resource::{arn}:*]", OWN_VERSIONS)

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
            f"<{_logical_id(self.state_machine)}.Name>:*"
        )
        acknowledge(policy, f"IAM5[Resource::{shown}]", OWN_EXECUTIONS)

    def _definition(self) -> sfn.IChainable:
        validate = self._decide(
            "Validate", self._functions.validate, "The first look, every guard, and the plan."
        )
        next_step = sfn.Choice.jsonata(
            self, "Choose the next step", comment="The decision of the last function."
        )
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
        wait.next(confirm)
        next_step.when(sfn.Condition.jsonata("{% $step.Do = 'disassociate' %}"), disassociate)
        next_step.when(sfn.Condition.jsonata("{% $step.Do = 'wait' %}"), wait)
        next_step.otherwise(self._close)

        read = self._invoke(
            "Read the request",
            self._functions.read_request,
            comment="The execution input, strictly; every problem of it at once.",
            payload={"Execution": _EXECUTION, "Input": "{% $states.context.Execution.Input %}"},
            assign={"request": "{% $states.result.Payload.Request %}"},
        )
        dry_run = sfn.Choice.jsonata(
            self, "Is it a dry run?", comment="A dry run changes nothing and needs no lock."
        )
        dry_run.when(sfn.Condition.jsonata("{% $request.DryRun %}"), validate)
        dry_run.otherwise(self._locking(validate))
        begin = sfn.Pass.jsonata(
            self,
            "Begin",
            comment="Nothing is known yet.",
            assign={
                "request": {},
                "failure": {},
                "step": {"Do": "finish", "Drains": [], "AssociationIds": []},
            },
            outputs={},
        )
        return begin.next(read).next(dry_run)

    def _locking(self, locked: sfn.State) -> sfn.State:
        """Take the gateway's lock, from a holder that no longer runs if need be."""
        take = self._lock(
            "Take the lock",
            comment="At most one running execution changes a gateway.",
            condition="attribute_not_exists(#owner) OR #owner = :me",
        )
        see = tasks.DynamoGetItem.jsonata(
            self,
            "See who holds the lock",
            comment="Somebody does, or did just now.",
            table=self._table,
            key=self._lock_key(),
            consistent_read=True,
            task_timeout=_TASK_TIMEOUT,
            assign={"holder": "{% $exists($states.result.Item) ? $states.result.Item : {} %}"},
            outputs={},
        )
        held = sfn.Choice.jsonata(
            self, "Is the lock still held?", comment="It may have been freed meanwhile."
        )
        # A custom state, since CallAwsService would put its right into the policy that the state machine
        # depends on, where the state machine cannot be named.
        ask = sfn.CustomState(
            self,
            "Ask whether the holder still runs",
            state_json={
                "Type": "Task",
                "Comment": "However the holder ended, it never blocks the next.",
                "Resource": f"arn:{Aws.PARTITION}:states:::aws-sdk:sfn:describeExecution",
                "Arguments": {"ExecutionArn": f"{{% $holder.{R.OWNER}.S %}}"},
                "Assign": {"holderStatus": "{% $states.result.Status %}"},
                "Output": {},
                "TimeoutSeconds": _TASK_SECONDS,
            },
        )
        runs = sfn.Choice.jsonata(
            self, "Does the holder still run?", comment="If not, its lock is taken over."
        )
        take_over = self._lock(
            "Take over the lock",
            comment="On condition that the owner is still the one that no longer runs.",
            # Or we are it already, and only the answer to an earlier attempt got lost.
            condition="#owner = :them OR #owner = :me",
            values={":them": tasks.DynamoAttributeValue.from_string(f"{{% $holder.{R.OWNER}.S %}}")},
        )
        busy = {"failure": {"Error": GatewayBusy.__name__, "Cause": _HELD_BY}}
        for locking in (take, take_over):
            locking.add_catch(see, errors=[_LOCK_IS_HELD], outputs={})
        # DescribeExecution is eventually consistent: a holder is believed gone only after half a minute.
        ask.add_retry(
            errors=[_NO_SUCH_EXECUTION], interval=Duration.seconds(5), backoff_rate=2, max_attempts=3
        )
        ask.add_catch(take_over, errors=[_NO_SUCH_EXECUTION], outputs={})
        for call in (take, see, ask, take_over):
            self._persist(call, errors=["States.TaskFailed", "States.Timeout"])
        held.when(sfn.Condition.jsonata(f"{{% $not($exists($holder.{R.OWNER})) %}}"), take)
        held.when(sfn.Condition.jsonata(_HOLDER_IS_FOREIGN), self._close, assign=busy).otherwise(ask)
        runs.when(sfn.Condition.jsonata("{% $holderStatus = 'RUNNING' %}"), self._close, assign=busy)
        runs.otherwise(take_over)
        see.next(held)
        ask.next(runs)
        take_over.next(locked)
        take.next(locked)
        return take

    def _closing(self) -> tasks.LambdaInvoke:
        close = tasks.LambdaInvoke.jsonata(
            self,
            "Close",
            comment="The one exit: record, free the lock, say how it ended.",
            lambda_function=self._functions.close,
            payload=sfn.TaskInput.from_object(
                {
                    "Execution": _EXECUTION,
                    "Request": "{% $request %}",
                    "Failure": "{% $failure %}",
                    "Drains": "{% $step.Drains %}",
                    "AssociationIds": "{% $step.AssociationIds %}",
                }
            ),
            assign={"outcome": "{% $states.result.Payload %}"},
            outputs={},
            retry_on_service_exceptions=False,
            task_timeout=_TASK_TIMEOUT,
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
        ended.when(sfn.Condition.jsonata("{% $exists($outcome.Error) %}"), failed).otherwise(succeeded)
        close.next(ended)
        _retry(close, errors=_TRANSIENT_LAMBDA_ERRORS)
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
        return self._invoke(
            name,
            function,
            comment=comment,
            payload={
                "Execution": _EXECUTION,
                "Request": "{% $request %}",
                "Drains": "{% $step.Drains %}",
                "AssociationIds": "{% $step.AssociationIds %}",
            },
            assign={"step": "{% $states.result.Payload %}"},
        )

    def _invoke(
        self,
        name: str,
        function: lambda_.IFunction,
        *,
        comment: str,
        payload: Mapping[str, Any],
        assign: Mapping[str, Any],
    ) -> tasks.LambdaInvoke:
        state = tasks.LambdaInvoke.jsonata(
            self,
            name,
            comment=comment,
            lambda_function=function,
            payload=sfn.TaskInput.from_object(payload),
            assign=assign,
            outputs={},
            retry_on_service_exceptions=False,
            task_timeout=_TASK_TIMEOUT,
        )
        self._persist(state, errors=_TRANSIENT_LAMBDA_ERRORS)
        return state

    def _persist(self, state: sfn.TaskStateBase | sfn.CustomState, *, errors: list[str]) -> None:
        """Retry what is transient, and lead every failure to the one exit."""
        if "States.TaskFailed" in errors:
            # This is an answer, not trouble.
            state.add_retry(errors=[_LOCK_IS_HELD], max_attempts=0)
        _retry(state, errors=errors)
        state.add_catch(
            self._close, errors=["States.ALL"], assign={"failure": "{% $states.errorOutput %}"}, outputs={}
        )

    def _lock_key(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {
            R.GATEWAY: tasks.DynamoAttributeValue.from_string("{% $request.NatGatewayId %}"),
            R.SORT: tasks.DynamoAttributeValue.from_string(R.LOCK),
        }

    def _lock(
        self,
        name: str,
        *,
        comment: str,
        condition: str,
        values: Mapping[str, tasks.DynamoAttributeValue] | None = None,
    ) -> tasks.DynamoUpdateItem:
        text = tasks.DynamoAttributeValue.from_string
        return tasks.DynamoUpdateItem.jsonata(
            self,
            name,
            comment=comment,
            table=self._table,
            key=self._lock_key(),
            condition_expression=condition,
            update_expression=(
                "SET #owner = :me, #since = :now, #reason = :reason, #drains = if_not_exists(#drains, :none)"
            ),
            expression_attribute_names={
                "#owner": R.OWNER,
                "#since": R.SINCE,
                "#reason": R.REASON,
                "#drains": R.DRAINS,
            },
            expression_attribute_values={
                ":me": text(_EXECUTION),
                ":now": text("{% $states.context.State.EnteredTime %}"),
                ":reason": text("{% $exists($request.Reason) ? $request.Reason : '' %}"),
                ":none": tasks.DynamoAttributeValue.from_map({}),
                **(values or {}),
            },
            outputs={},
            task_timeout=_TASK_TIMEOUT,
        )


def _logical_id(construct: IConstruct) -> str:
    return Stack.of(construct).get_logical_id(cast("CfnElement", construct.node.default_child))


def _retry(state: sfn.TaskStateBase | sfn.CustomState, *, errors: list[str]) -> None:
    # 2 + 4 + 8 + 16 + 30 + 30 + 30 = 120 s; the clients in the functions add jitter of their own.
    state.add_retry(
        errors=errors,
        interval=Duration.seconds(2),
        backoff_rate=2,
        max_delay=Duration.seconds(30),
        max_attempts=7,
    )
