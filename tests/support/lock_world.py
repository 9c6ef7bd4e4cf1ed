"""One gateway that several executions want to change, and everything that can happen to them.

Nothing of the workflow is copied here: its states are walked as the template defines them, and its functions
are the real ones. Instants are seconds since the start.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from natdrain.aws import errors
from natdrain.change.step import Associate, Disassociate, Reason, Release, Step, to_json
from natdrain.contract import GatewayRecord as R
from natdrain.handlers import associate, close, disassociate, release
from natdrain.model.outcome import AddressOutcome
from natdrain.model.request import AfterDrain, Association, Request, WhenBusy
from support.builders import START, allocation, association, drain, join
from support.in_flight import InFlight
from support.walking import Walk, instant

States = dict[str, Any]

TABLE = "StorageTable"
ALICE = "alice"
RUNNING = "RUNNING"
CHANGES = {"associate_nat_gateway_address", "disassociate_nat_gateway_address", "release_address"}
"""The calls to EC2 that need the lock."""
HANDLERS = {
    "Associate": associate.handler,
    "Disassociate": disassociate.handler,
    "Release": release.handler,
    "Close": close.handler,
}
OUTDATED_SECONDS = 30
"""The time for which DescribeExecution may return outdated answers."""

_MACHINE = "ChangeWorkflowStateMachine"
_EXECUTIONS = f"arn:aws:states:us-east-1:123456789012:execution:{_MACHINE}:"
_numbers = itertools.count()
_context = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="id"
)


class Start(NamedTuple):
    """The function that is to change the gateway, and whether its execution waits in line for the lock."""

    changes: str
    when_busy: WhenBusy


class Template(NamedTuple):
    """Facts from the template: the states, and the timeout of a function."""

    states: States
    timeout_seconds: int


@dataclass
class Execution:
    """An execution whose function `changes` is to change the gateway now, and in `later` steps again."""

    walk: Walk
    changes: str
    later: list[dict[str, Any]]
    status: str = RUNNING
    ended_at: float | None = None
    function: InFlight | None = None
    overtaken: bool = False
    """A person has replaced its lock."""

    @property
    def arn(self) -> str:
        return self.walk.execution_arn

    def may_stride(self, now: float) -> bool:
        """Return whether its next step is due and changes nothing."""
        if self.function:
            return self.function.next_call not in {"update_item", *CHANGES}
        writes = str(self.walk.state.get("Resource")).endswith("updateItem")
        return self.status == RUNNING and self.walk.due_at <= now and not writes

    @property
    def changing(self) -> bool:
        """Return whether it has the lock, and has not begun to free it."""
        return self.status == RUNNING and self.walk.at == self.changes


Asked = Callable[[InFlight, Execution | None], None]


class LockWorld:
    """The table, the executions, their functions in flight, and Alice, who may take the lock by hand.

    `asked` receives every change requested from EC2: the function, and the execution that waits for it.
    """

    def __init__(self, dynamodb: Any, template: Template, asked: Asked) -> None:
        self._dynamodb, self._asked = dynamodb, asked
        self._states, self._timeout_seconds = template
        self._gateway_id = f"nat-{next(_numbers):017x}"
        self._key = {R.GATEWAY: {"S": self._gateway_id}, R.SORT: {"S": R.LOCK}}
        self._late: list[Callable[[], object]] = []
        """Calls that were given up, and may still arrive."""
        self._flights: dict[InFlight, float] = {}
        """Everything in flight, and when it began."""
        self.now = 0.0
        self.executions: list[Execution] = []
        self.overtaken: set[InFlight] = set()
        """Functions that continue after their execution stopped waiting, or after a person took the lock."""
        self.alice_since: float | None = None
        self.owner: str | None = None
        """The owner of the lock in the table."""

    @property
    def running(self) -> list[Execution]:
        return [execution for execution in self.executions if execution.status == RUNNING]

    def what_was_given_up_happens(self, which: int) -> None:
        """Continue a function for which no execution waits; deliver a call that was given up."""
        orphans = [one for one in self._flights if one not in {e.function for e in self.executions}]
        if orphans:
            for _ in range(3):
                self._let_go(orphans[which % len(orphans)], None)
        if self._late:
            self._quietly(self._late.pop(which % len(self._late)))

    def alice_takes_the_lock(self) -> None:
        """Put Alice in as the owner, no matter who holds the lock."""
        text = {R.OWNER: ALICE, R.SINCE: instant(self.now), R.GATEWAY: self._gateway_id, R.SORT: R.LOCK}
        self._dynamodb.put_item(TableName=TABLE, Item={key: {"S": value} for key, value in text.items()})
        self._see_owner()
        self.alice_since = self.now
        self.overtaken.update(self._flights)
        for execution in self.running:
            execution.overtaken |= execution.changing

    def alice_frees_the_lock(self) -> None:
        """Free the lock, once no function that began before she took it can be in flight."""
        self.move_to(max(self.now, float(self.alice_since or 0) + self._timeout_seconds))
        self._dynamodb.update_item(
            TableName=TABLE,
            Key=self._key,
            UpdateExpression="REMOVE #owner",
            ExpressionAttributeNames={"#owner": R.OWNER},
        )
        self._see_owner()
        self.alice_since = None

    def start(self, start: Start) -> Execution:
        """Begin an execution at the state that takes the lock."""
        number = len(self.executions)
        names = [f"{2 * number + each:x}"[-1] for each in range(2)]
        first, *later = [_step(start, name, number) for name in names]
        joins = [Association(allocation_ids=(allocation(name),)) for name in names]
        request = Request(
            gateway_id=self._gateway_id,
            association_ids=tuple(d["AssociationId"] for d in first["Drains"]),
            associate=tuple(joins) if start.changes == "Associate" else (),
            after_drain=AfterDrain.RELEASE if start.changes == "Release" else AfterDrain.KEEP,
            when_busy=start.when_busy,
        )
        known = {"request": request.to_json(), "quiet": {}, "failure": {}, "start": {}, "step": first}
        walk = Walk(self._states, _MACHINE, f"{_EXECUTIONS}{number}", known, self.now)
        walk.enter("Take the lock", self.now)
        self.executions.append(Execution(walk, start.changes, later))
        return self.executions[-1]

    def cut_off(self, execution: Execution, cause: str) -> None:
        """Stop the execution, let its function die, or lose its function's answer."""
        if cause == "stopped":
            self._end(execution, "ABORTED")
        elif execution.function and cause == "dies":
            self._kill(execution.function)
            self._fails(execution, "Runtime.ExitError")
        elif execution.function:
            self.overtaken.add(execution.function)
            self._fails(execution, "Lambda.SdkClientException")

    def _end(self, execution: Execution, status: str) -> None:
        execution.status, execution.ended_at = status, self.now
        if execution.function:
            self.overtaken.add(execution.function)
            execution.function = None

    def move_to(self, instant: float) -> None:
        """Let time pass; a function dies at its timeout."""
        self.now = instant
        for flight, since in list(self._flights.items()):
            if self.now >= since + self._timeout_seconds:
                self._kill(flight)
        for execution in self.running:
            if execution.function and execution.function not in self._flights:
                self._fails(execution, "Sandbox.Timedout")

    def stop_all(self) -> None:
        """Stop all executions, and wait until nothing is in flight or outdated."""
        for execution in self.running:
            self._end(execution, "ABORTED")
        self.move_to(self.now + max(self._timeout_seconds, OUTDATED_SECONDS))

    def kill_all(self) -> None:
        """Leave no thread behind."""
        for flight in list(self._flights):
            self._kill(flight)

    def _kill(self, flight: InFlight) -> None:
        flight.kill()
        self._flights.pop(flight, None)

    def _fails(self, execution: Execution, error: str, cause: str = "") -> None:
        execution.function = None
        execution.walk.failed(error, cause, self.now)
        self._follow(execution)

    def step(self, execution: Execution, answer: str, *, outdated: bool) -> None:
        """Make one call of the current state, or one choice."""
        walk = execution.walk
        self.move_to(max(self.now, walk.due_at))
        if walk.state["Type"] != "Task":
            walk.choose(self.now)
        elif walk.at in HANDLERS:
            self._function_goes_on(execution, answer_lost=answer == "answer lost")
        else:
            self._call(walk, answer, outdated=outdated)
        self._follow(execution)

    def _follow(self, execution: Execution) -> None:
        """Skip the states in between, which neither take nor need the lock."""
        walk = execution.walk
        if walk.at == "Validate":
            walk.enter(execution.changes, self.now)
        elif walk.at == "Choose the next step":
            goes_on = execution.later and not walk.variables["failure"]
            walk.enter(execution.changes if goes_on else "Close", self.now)
            walk.variables["step"] = execution.later.pop() if goes_on else walk.variables["step"]
        elif walk.at in {"Is there an event to publish?", "Fail"}:
            self._end(execution, "FAILED")

    def _function_goes_on(self, execution: Execution, *, answer_lost: bool) -> None:
        if execution.function is None:
            handler, event = HANDLERS[execution.walk.at], execution.walk.arguments["Payload"]
            execution.function = InFlight(lambda: handler(event, _context))
            self._flights[execution.function] = self.now
        elif execution.function.next_call:
            self._let_go(execution.function, execution, answer_lost=answer_lost)
        else:
            answer = execution.function.answer
            self._flights.pop(execution.function)
            if failure := answer.exception():
                cause = json.dumps({"errorMessage": str(failure)})
                self._fails(execution, type(failure).__name__, cause)
            else:
                execution.function = None
                execution.walk.answered({"Payload": answer.result()}, self.now)

    def _let_go(self, flight: InFlight, execution: Execution | None, *, answer_lost: bool = False) -> None:
        made = flight.go_on(answer_lost=answer_lost)
        if made in CHANGES:
            self._asked(flight, execution)
        if made == "update_item":
            self._see_owner()
        if execution is None and flight.next_call is None:
            self._flights.pop(flight, None)

    def _call(self, walk: Walk, answer: str, *, outdated: bool) -> None:
        """Make the call of a state that needs no function."""
        arguments = walk.arguments
        calls: dict[str, Callable[[], Mapping[str, Any]]] = {
            "updateItem": lambda: self._update(arguments),
            "getItem": lambda: self._dynamodb.get_item(**arguments),
            "describeExecution": lambda: self._describe(arguments["ExecutionArn"], outdated=outdated),
        }
        call = calls[walk.state["Resource"].rsplit(":", 1)[-1]]
        if answer == "late":
            self._late.append(call)
        if answer == "answer lost":
            self._quietly(call)
        if answer != "answered":
            walk.failed(
                "States.Timeout" if answer == "late" else "DynamoDB.InternalServerError", "", self.now
            )
            return
        try:
            result = call()
        except ClientError as error:
            service = "Sfn" if error.operation_name == "DescribeExecution" else "DynamoDB"
            code = errors.code_of(error).removesuffix("Exception")
            walk.failed(f"{service}.{code}Exception", str(error), self.now)
        else:
            walk.answered(result, self.now)

    def _update(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return dict(self._dynamodb.update_item(**arguments))
        finally:
            self._see_owner()

    def _quietly(self, call: Callable[[], object]) -> None:
        """Let the call take effect, and lose its answer."""
        with suppress(ClientError):
            call()

    def _describe(self, arn: str, *, outdated: bool) -> Mapping[str, Any]:
        execution = self.executions[int(arn.removeprefix(_EXECUTIONS))]
        if outdated and self.now < execution.walk.began_at + OUTDATED_SECONDS:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        if outdated and execution.ended_at is not None and self.now < execution.ended_at + OUTDATED_SECONDS:
            return {"Status": RUNNING}
        return {"Status": execution.status}

    def _see_owner(self) -> None:
        item = self._dynamodb.get_item(TableName=TABLE, Key=self._key).get("Item", {})
        self.owner = item[R.OWNER]["S"] if R.OWNER in item else None


def _step(start: Start, name: str, number: int) -> dict[str, Any]:
    """Return a look's decision to change the address with this name."""
    known: dict[str, Any] = {"public_ip": None, "since_at": START + timedelta(seconds=number)}
    if start.changes == "Associate":
        wanted = join(name, **known)
        step: Step = Associate(
            joins=(wanted,), allocation_ids=(allocation(name),), reason=Reason.GUARDS_ALLOW
        )
    elif start.changes == "Release":
        left = {"outcome": AddressOutcome.DRAINED, "gone_by": START, "confirmed_at": START}
        one = drain(name, **known, **left)
        step = Release(drains=(one,), allocation_ids=(allocation(name),), reason=Reason.ALLOCATION_CONFIRMED)
    else:
        one = drain(name, **known)
        step = Disassociate(drains=(one,), association_ids=(association(name),), reason=Reason.GUARDS_ALLOW)
    return to_json(step)
