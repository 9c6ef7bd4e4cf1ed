"""The states that take a gateway's lock: at most one running execution changes a gateway.

They need no function: taking the lock is a conditional write, and whether its holder still runs is a call to
Step Functions. However a holder ended, it never blocks the next execution.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.workflows.jsonata import condition, jsonata
from infra.workflows.retries import AWS_ERRORS, TASK_SECONDS, TASK_TIMEOUT, Task, catch_all, retry
from natdrain.contract import Answer, Busy
from natdrain.contract import GatewayRecord as R
from natdrain.model.errors import GatewayBusy

_LOCK_IS_HELD = "DynamoDB.ConditionalCheckFailedException"
_NO_SUCH_EXECUTION = "Sfn.ExecutionDoesNotExistException"

_OWNER = f"$holder.{R.OWNER}"
# An execution's ARN has its state machine's name in seventh place. Nobody else's lock is taken over.
# ($not, since in JSONata both = and != are false of an owner that has no seventh place.)
_IS_FOREIGN = f"$not($split({_OWNER}.S, ':')[6] = $states.context.StateMachine.Name)"
_HOLDER_RUNS = "$holderStatus = 'RUNNING'"
_WAITS = "$request.WhenBusy = 'wait'"
_WAITED_MILLIS = (
    "($toMillis($states.context.State.EnteredTime) - $toMillis($states.context.Execution.StartTime))"
)
# In two hours that is 240 times, for some 4,000 of the 25,000 events that an execution may have.
_CHECK_EVERY = Duration.seconds(30)


def _busy(*, foreign: bool, waited_seconds: str = "null") -> dict[str, Any]:
    """Return the variables of an execution that does not get the lock.

    A person may have edited the item: an attribute may be missing or of any type.
    """
    lock = {
        Busy.OWNER: jsonata(f"$exists({_OWNER}.S) ? {_OWNER}.S : $string({_OWNER})"),
        Busy.SINCE: jsonata(f"$exists($holder.{R.SINCE}.S) ? $holder.{R.SINCE}.S : null"),
        Busy.REASON: jsonata(f"$exists($holder.{R.REASON}.S) ? $holder.{R.REASON}.S : null"),
        Busy.FOREIGN: foreign,
        Busy.WAITED_SECONDS: jsonata(waited_seconds),
    }
    return {"failure": {Answer.ERROR: GatewayBusy.__name__, Busy.LOCK: lock}}


class GatewayLock(Construct):
    """States that lead from `take` to `locked`, or with `GatewayBusy` to `close`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.ITable,
        wait_in_line_seconds: int,
        locked: sfn.State,
        close: sfn.State,
    ) -> None:
        super().__init__(scope, construct_id)
        self._table = table
        self.take = self._write(
            "Take the lock",
            comment="At most one running execution changes a gateway.",
            condition="attribute_not_exists(#owner) OR #owner = :me",
        )
        take_over = self._write(
            "Take over the lock",
            comment="If its owner is still the one that no longer runs.",
            # Or this execution: the answer to an earlier attempt may have been lost.
            condition="#owner = :them OR #owner = :me",
            values={":them": tasks.DynamoAttributeValue.from_string(jsonata(f"{_OWNER}.S"))},
        )
        read, check = self._read(), self._check_holder()
        for write in (self.take, take_over):
            # A held lock is an answer and no failure.
            write.add_retry(errors=[_LOCK_IS_HELD], max_attempts=0)
            write.add_catch(read, errors=[_LOCK_IS_HELD], outputs={})
            write.next(locked)
        # DescribeExecution is eventually consistent: a holder counts as gone only after half a minute.
        check.add_retry(
            errors=[_NO_SUCH_EXECUTION], interval=Duration.seconds(5), backoff_rate=2, max_attempts=3
        )
        check.add_catch(take_over, errors=[_NO_SUCH_EXECUTION], outputs={})
        every: list[Task] = [self.take, read, check, take_over]
        for call in every:
            retry(call, AWS_ERRORS)
            catch_all(call, close)
        held = sfn.Choice.jsonata(self, "Is the lock still held?", comment="It may have been freed since.")
        held.when(condition(f"$not($exists({_OWNER}))"), self.take)
        held.when(condition(_IS_FOREIGN), close, assign=_busy(foreign=True)).otherwise(check)
        read.next(held)
        wait = sfn.Wait.jsonata(
            self,
            "Wait in line",
            comment="If the request says so, within a bound. Guards are judged once the lock is taken.",
            time=sfn.WaitTime.duration(_CHECK_EVERY),
        )
        wait.next(read)
        runs = sfn.Choice.jsonata(
            self, "Does the holder still run?", comment="If not, its lock is taken over."
        )
        may_wait = f"{_WAITS} and {_WAITED_MILLIS} < {wait_in_line_seconds * 1000}"
        runs.when(condition(f"{_HOLDER_RUNS} and {may_wait}"), wait)
        busy = _busy(foreign=False, waited_seconds=f"{_WAITS} ? {wait_in_line_seconds} : null")
        runs.when(condition(_HOLDER_RUNS), close, assign=busy).otherwise(take_over)
        check.next(runs)

    def _key(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {
            R.GATEWAY: tasks.DynamoAttributeValue.from_string(jsonata("$request.NatGatewayId")),
            R.SORT: tasks.DynamoAttributeValue.from_string(R.LOCK),
        }

    def _read(self) -> tasks.DynamoGetItem:
        return tasks.DynamoGetItem.jsonata(
            self,
            "Read the lock",
            comment="Another execution holds it, or did a moment ago.",
            table=self._table,
            key=self._key(),
            consistent_read=True,
            task_timeout=TASK_TIMEOUT,
            assign={"holder": jsonata("$exists($states.result.Item) ? $states.result.Item : {}")},
            outputs={},
        )

    def _check_holder(self) -> sfn.CustomState:
        # A custom state, since CallAwsService would add its right to the policy on which the state machine
        # depends, where the state machine cannot be named.
        return sfn.CustomState(
            self,
            "Check whether the holder still runs",
            state_json={
                "Type": "Task",
                "Comment": "A holder that has ended never blocks the next execution.",
                "Resource": f"arn:{Aws.PARTITION}:states:::aws-sdk:sfn:describeExecution",
                # Without input and output, which may be too large for a state (Step Functions API reference).
                "Arguments": {"ExecutionArn": jsonata(f"{_OWNER}.S"), "IncludedData": "METADATA_ONLY"},
                "Assign": {"holderStatus": jsonata("$states.result.Status")},
                "Output": {},
                "TimeoutSeconds": TASK_SECONDS,
            },
        )

    def _write(
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
            key=self._key(),
            condition_expression=condition,
            update_expression=(
                "SET #owner = :me, #since = :now, #reason = :reason, "
                "#drains = if_not_exists(#drains, :none), #joins = if_not_exists(#joins, :none)"
            ),
            expression_attribute_names={
                "#owner": R.OWNER,
                "#since": R.SINCE,
                "#reason": R.REASON,
                "#drains": R.DRAINS,
                "#joins": R.JOINS,
            },
            expression_attribute_values={
                ":me": text(jsonata("$states.context.Execution.Id")),
                ":now": text(jsonata("$states.context.State.EnteredTime")),
                ":reason": text(jsonata("$exists($request.Reason) ? $request.Reason : ''")),
                ":none": tasks.DynamoAttributeValue.from_map({}),
                **(values or {}),
            },
            outputs={},
            task_timeout=TASK_TIMEOUT,
        )
