"""The states that take a gateway's lock: at most one running execution changes a gateway.

Taking it is a conditional write, and asking after its holder a call to Step Functions: there is nothing for
a function to decide. However a holder ended, it never blocks the next.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws, Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.workflows.retries import AWS_ERRORS, TASK_SECONDS, TASK_TIMEOUT, Task, catch_all, retry
from natdrain.contract import GatewayRecord as R
from natdrain.model.errors import GatewayBusy

__all__ = ["GatewayLock"]

_LOCK_IS_HELD = "DynamoDB.ConditionalCheckFailedException"
_NO_SUCH_EXECUTION = "Sfn.ExecutionDoesNotExistException"

_HOLDER = f"{{% $holder.{R.OWNER}.S %}}"
_IS_FREE = f"{{% $not($exists($holder.{R.OWNER})) %}}"
# An execution's ARN has its state machine's name in seventh place; who else holds is never taken over.
# ($not, since JSONata finds neither = nor != true of an owner that has no seventh place.)
_IS_FOREIGN = f"{{% $not($split($holder.{R.OWNER}.S, ':')[6] = $states.context.StateMachine.Name) %}}"
_RUNS = "$holderStatus = 'RUNNING'"
# In two hours 240 times, which takes some 4,000 of the 25,000 events that an execution may have.
_LOOKS_EVERY = Duration.seconds(30)
_WAITED_MILLIS = (
    "($toMillis($states.context.State.EnteredTime) - $toMillis($states.context.Execution.StartTime))"
)
# Nothing is sure of an item that a person has changed.
_LOCKED_BY = (
    f"$request.NatGatewayId & ' is locked by ' & ($exists($holder.{R.OWNER}.S) ? $holder.{R.OWNER}.S : "
    f"$string($holder.{R.OWNER})) & ($exists($holder.{R.SINCE}.S) ? ' since ' & $holder.{R.SINCE}.S : '') & "
    f"($length($holder.{R.REASON}.S) > 0 ? ' (' & $holder.{R.REASON}.S & ')' : '')"
)
_NOT_OURS = (
    "', which is no execution of this workflow. Whoever knows better removes the attribute "
    f"{R.OWNER} from the item lock of that gateway.'"
)
_AGAIN = (
    "($request.WhenBusy = 'wait' ? '. Waiting in line ended after BOUND s, wait_in_line_seconds of the '"
    " & 'configuration; ask again when that has ended.' : "
    """'. Ask again when that has ended, or wait in line for it: WhenBusy: "wait".')"""
)


def _busy(then: str) -> dict[str, dict[str, str]]:
    return {"failure": {"Error": GatewayBusy.__name__, "Cause": f"{{% {_LOCKED_BY} & {then} %}}"}}


class GatewayLock(Construct):
    """From the first attempt to the state `locked`, or with `GatewayBusy` to the state `close`."""

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
        see, ask = self._see(), self._ask()
        take_over = self._write(
            "Take over the lock",
            comment="On condition that the owner is still the one that no longer runs.",
            # Or we are it already, and only the answer to an earlier attempt got lost.
            condition="#owner = :them OR #owner = :me",
            values={":them": tasks.DynamoAttributeValue.from_string(_HOLDER)},
        )
        held = sfn.Choice.jsonata(
            self, "Is the lock still held?", comment="It may have been freed meanwhile."
        )
        runs = sfn.Choice.jsonata(
            self, "Does the holder still run?", comment="If not, its lock is taken over."
        )

        for write in (self.take, take_over):
            # An answer, not trouble.
            write.add_retry(errors=[_LOCK_IS_HELD], max_attempts=0)
            write.add_catch(see, errors=[_LOCK_IS_HELD], outputs={})
            write.next(locked)
        # DescribeExecution is eventually consistent: a holder is believed gone only after half a minute.
        ask.add_retry(
            errors=[_NO_SUCH_EXECUTION], interval=Duration.seconds(5), backoff_rate=2, max_attempts=3
        )
        ask.add_catch(take_over, errors=[_NO_SUCH_EXECUTION], outputs={})
        every: list[Task] = [self.take, see, ask, take_over]
        for call in every:
            retry(call, AWS_ERRORS)
            catch_all(call, close)

        see.next(held)
        held.when(sfn.Condition.jsonata(_IS_FREE), self.take)
        held.when(sfn.Condition.jsonata(_IS_FOREIGN), close, assign=_busy(_NOT_OURS)).otherwise(ask)
        ask.next(runs)
        line = sfn.Wait.jsonata(
            self,
            "Wait in line",
            comment="For whoever asked to, within a bound; the guards are asked when the lock is taken.",
            time=sfn.WaitTime.duration(_LOOKS_EVERY),
        )
        line.next(see)
        may_wait = f"$request.WhenBusy = 'wait' and {_WAITED_MILLIS} < {wait_in_line_seconds * 1000}"
        runs.when(sfn.Condition.jsonata(f"{{% {_RUNS} and {may_wait} %}}"), line)
        runs.when(
            sfn.Condition.jsonata(f"{{% {_RUNS} %}}"),
            close,
            assign=_busy(_AGAIN.replace("BOUND", str(wait_in_line_seconds))),
        ).otherwise(take_over)

    def _key(self) -> dict[str, tasks.DynamoAttributeValue]:
        return {
            R.GATEWAY: tasks.DynamoAttributeValue.from_string("{% $request.NatGatewayId %}"),
            R.SORT: tasks.DynamoAttributeValue.from_string(R.LOCK),
        }

    def _see(self) -> tasks.DynamoGetItem:
        return tasks.DynamoGetItem.jsonata(
            self,
            "See who holds the lock",
            comment="Somebody does, or did just now.",
            table=self._table,
            key=self._key(),
            consistent_read=True,
            task_timeout=TASK_TIMEOUT,
            assign={"holder": "{% $exists($states.result.Item) ? $states.result.Item : {} %}"},
            outputs={},
        )

    def _ask(self) -> sfn.CustomState:
        # A custom state, since CallAwsService would put its right into the policy that the state machine
        # depends on, where the state machine cannot be named.
        return sfn.CustomState(
            self,
            "Ask whether the holder still runs",
            state_json={
                "Type": "Task",
                "Comment": "However the holder ended, it never blocks the next.",
                "Resource": f"arn:{Aws.PARTITION}:states:::aws-sdk:sfn:describeExecution",
                "Arguments": {"ExecutionArn": _HOLDER},
                "Assign": {"holderStatus": "{% $states.result.Status %}"},
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
                "SET #owner = :me, #since = :now, #reason = :reason, #drains = if_not_exists(#drains, :none)"
            ),
            expression_attribute_names={
                "#owner": R.OWNER,
                "#since": R.SINCE,
                "#reason": R.REASON,
                "#drains": R.DRAINS,
            },
            expression_attribute_values={
                ":me": text("{% $states.context.Execution.Id %}"),
                ":now": text("{% $states.context.State.EnteredTime %}"),
                ":reason": text("{% $exists($request.Reason) ? $request.Reason : '' %}"),
                ":none": tasks.DynamoAttributeValue.from_map({}),
                **(values or {}),
            },
            outputs={},
            task_timeout=TASK_TIMEOUT,
        )
