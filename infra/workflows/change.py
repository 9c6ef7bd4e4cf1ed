"""The Change workflow: look, decide, act, look again, and one exit.

Functions decide. The states of the lock, which need none, are in `infra.workflows.lock`.
"""

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.acknowledged import OWN_EXECUTIONS, acknowledge
from infra.config.file import Config
from infra.functions import Functions, allow_earlier_versions, logical_id
from infra.rights import GATEWAYS, narrow_workflow
from infra.workflows.jsonata import answered, condition, jsonata
from infra.workflows.lock import GatewayLock
from infra.workflows.publishing import PublishEvent, publish_end, record_published
from infra.workflows.retries import catch_all, invoke
from infra.workflows.state_machine import state_machine
from natdrain.contract import CHANGE_STARTED, Answer, Do, StepField
from natdrain.contract import GatewayRecord as R
from natdrain.model.errors import AssociateFailed, DrainFailed

_EXECUTION = jsonata("$states.context.Execution.Id")
_HAS_FAILED = condition(f"$exists($failure.{Answer.ERROR})")
_DO = f"$step.{StepField.DO}"
_LONGEST_SECONDS = 6 * 3600
"""Two drains with the longest limit, one after the other, each with its margin, and some room.

Four zones of a regional gateway that each take the longest time to join fit in too.
"""


class ChangeWorkflow(Construct):
    """The workflow that changes the addresses of one NAT gateway.

    Its construct keeps the id that it had when it could only drain: with another logical id an upgrade would
    replace the state machine, and forget running executions, names and locks.
    """

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
        self._wait_in_line_seconds = config.defaults.wait_in_line_seconds
        self._dead_letters = dead_letters
        self._functions = functions
        self._table = table
        self._close = self._closing()
        self.state_machine = state_machine(
            self,
            config=config,
            comment="Changes the Elastic IPs of one NAT gateway with care.",
            definition=self._beginning(validate=self._changing()),
            timeout=Duration.seconds(_LONGEST_SECONDS + self._wait_in_line_seconds),
        )
        allow_earlier_versions(self.state_machine, self._functions.versions)
        narrow_workflow(self.state_machine, table, partitions=[GATEWAYS, R.EXECUTIONS])
        self._allow_checking_holders()

    def _allow_checking_holders(self) -> None:
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
            "CheckHolders",
            roles=[self.state_machine.role],
            statements=[iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[arn])],
        )
        shown = (
            "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
            f"<{logical_id(self.state_machine)}.Name>:*"
        )
        acknowledge(policy, f"IAM5[Resource::{shown}]", OWN_EXECUTIONS)

    def _beginning(self, *, validate: sfn.State) -> sfn.IChainable:
        """Return the states that read the request and take the lock."""
        begin = sfn.Pass.jsonata(
            self,
            "Begin",
            comment="Nothing is known yet.",
            assign={
                "request": {},
                "quiet": {},
                "failure": {},
                "step": {StepField.DO: Do.FINISH.value, StepField.DRAINS: [], StepField.JOINS: []},
                "start": {},
                "published": True,
            },
            outputs={},
        )
        read = invoke(
            self,
            "Read the request",
            self._functions.read_request,
            comment="Checks the execution input strictly, and reports all its problems at once.",
            payload={Answer.EXECUTION: _EXECUTION, "Input": jsonata("$states.context.Execution.Input")},
            assign={
                "request": answered(Answer.REQUEST),
                "quiet": answered(Answer.QUIET),
                "failure": answered(Answer.FAILURE),
            },
        )
        catch_all(read, self._close)
        lock = GatewayLock(
            self,
            "Lock",
            table=self._table,
            wait_in_line_seconds=self._wait_in_line_seconds,
            locked=validate,
            close=self._close,
        )
        requested = sfn.Choice.jsonata(
            self,
            "What was requested?",
            comment="Possibly nothing. A dry run changes nothing and needs no lock.",
        )
        requested.when(_HAS_FAILED, self._close)
        requested.when(condition("$exists($quiet.Outcome)"), self._close)
        requested.when(condition("$request.DryRun"), validate)
        requested.otherwise(lock.take)
        return begin.next(read).next(requested)

    def _changing(self) -> tasks.LambdaInvoke:
        """Return *Validate*, where the loop of looking, deciding and acting begins."""
        validate = self._decide(
            "Validate", self._functions.validate, "Looks for the first time, judges every guard, and plans."
        )
        confirm = self._decide("Confirm", self._functions.confirm, "Looks again and decides what is next.")
        disassociate = self._decide(
            "Disassociate", self._functions.disassociate, "Calls EC2 if the lock is still ours."
        )
        associate = self._decide(
            "Associate", self._functions.associate, "Calls EC2 if the lock is still ours."
        )
        wait = sfn.Wait.jsonata(
            self,
            "Wait",
            comment="Until the next instant of the poll plan; no duration, so that delays do not add up.",
            time=sfn.WaitTime.timestamp(jsonata(f"$step.{StepField.WAIT_UNTIL}")),
        )
        next_step = sfn.Choice.jsonata(self, "Choose the next step", comment="As the last function decided.")
        started = PublishEvent(
            self,
            "Start",
            what="start",
            detail_type=CHANGE_STARTED,
            detail=jsonata("$start"),
            dead_letters=self._dead_letters,
            assign={"start": {}},
            then=next_step,
            patient=False,
        )
        next_step.when(_HAS_FAILED, self._close)
        next_step.when(condition("$exists($start.Title)"), started.publish)
        if self._functions.release:
            release = self._decide(
                "Release", self._functions.release, "Releases allocations if the lock is still ours."
            )
            release.next(next_step)
            next_step.when(condition(f"{_DO} = '{Do.RELEASE}'"), release)
        next_step.when(condition(f"{_DO} = '{Do.ASSOCIATE}'"), associate)
        next_step.when(condition(f"{_DO} = '{Do.DISASSOCIATE}'"), disassociate)
        next_step.when(condition(f"{_DO} = '{Do.WAIT}'"), wait)
        next_step.otherwise(self._close)
        for decided in (validate, confirm, associate, disassociate):
            decided.next(next_step)
        wait.next(confirm)
        return validate

    def _closing(self) -> tasks.LambdaInvoke:
        """Return *Close*, the one exit, with the states that end the execution."""
        close = invoke(
            self,
            "Close",
            self._functions.close,
            comment="The one exit: records the end, frees the lock, and returns result and event.",
            payload={
                Answer.EXECUTION: _EXECUTION,
                Answer.REQUEST: jsonata("$request"),
                Answer.QUIET: jsonata("$quiet"),
                Answer.FAILURE: jsonata("$failure"),
                Answer.STEP: jsonata("$step"),
            },
            assign={"outcome": jsonata("$states.result.Payload")},
        )
        failed = sfn.Fail.jsonata(
            self,
            "Fail",
            comment="With the error's own name. The cause is the result.",
            error=jsonata(f"$outcome.{Answer.ERROR}"),
            cause=jsonata(f"$outcome.{Answer.CAUSE}"),
        )
        succeeded = sfn.Succeed.jsonata(
            self, "Succeed", comment="The output is the result.", outputs=jsonata(f"$outcome.{Answer.RESULT}")
        )
        ended = sfn.Choice.jsonata(self, "Did it succeed?", comment="As Close concluded.")
        has_error = f"$exists($outcome.{Answer.ERROR})"
        record = record_published(self, table=self._table, execution=_EXECUTION, then=failed)
        ended.when(condition(f"{has_error} and $published"), record)
        ended.when(condition(has_error), failed).otherwise(succeeded)
        close.next(
            publish_end(
                self,
                comment="None after a dry run, nor for a trigger that another execution handles.",
                dead_letters=self._dead_letters,
                then=ended,
                otherwise=ended,
            )
        )
        cause = (
            "'The end of this execution could not be recorded; look at the gateway. ' & "
            "$substring($states.errorOutput.Cause, 0, 30000)"
        )
        error = f"$exists($request.Associate) ? '{AssociateFailed.__name__}' : '{DrainFailed.__name__}'"
        close.add_catch(
            failed,
            errors=["States.ALL"],
            assign={"outcome": {Answer.ERROR: jsonata(error), Answer.CAUSE: jsonata(cause)}},
            outputs={},
        )
        return close

    def _decide(self, name: str, function: lambda_.IFunction, comment: str) -> tasks.LambdaInvoke:
        """Return a state whose function answers with the next step."""
        state = invoke(
            self,
            name,
            function,
            comment=comment,
            payload={
                Answer.EXECUTION: _EXECUTION,
                Answer.REQUEST: jsonata("$request"),
                Answer.STEP: jsonata("$step"),
            },
            assign={
                "step": answered(Answer.STEP),
                "start": answered(Answer.START),
                "failure": answered(Answer.FAILURE),
            },
        )
        catch_all(state, self._close)
        return state
