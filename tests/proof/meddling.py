"""The meddler: it observes every call and state of the executions under proof, and disturbs some.

Calls are known by their *site*: the state that an execution is in, and the operation, whether the state makes
the call itself or its function does. Everything is counted from the moment of `watch`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from unittest.mock import patch

from botocore.exceptions import ReadTimeoutError
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField

from natdrain_sim.awslambda import functions
from natdrain_sim.calls import Call, Fault, Recorder

INVOKE = "lambda:Invoke"
ASSOCIATE, DISASSOCIATE = "ec2:AssociateNatGatewayAddress", "ec2:DisassociateNatGatewayAddress"
CHANGES = {ASSOCIATE, DISASSOCIATE}
"""The calls that change the addresses of a gateway."""
UNANSWERED = "no answer"
"""What is recorded as the error of a changing call that timed out."""


class Site(NamedTuple):
    """The state from which a call comes, and its operation."""

    state: str
    operation: str

    @property
    def service(self) -> str:
        return self.operation.partition(":")[0]

    @property
    def of_function(self) -> bool:
        """Return whether a function makes the call, and not the state itself."""
        return self.state in INVOKING and self.operation != INVOKE


INVOKING: set[str] = set()
"""The states that have invoked a function."""


class FunctionDiedError(BaseException):
    """The death of a function; no Exception, so that nothing in the function can catch it."""


class Where(NamedTuple):
    """The actor of a thread: a state of an execution with its role, or the function of that state."""

    execution: str
    state: str
    role: str
    in_function: bool = False


class Moment(NamedTuple):
    """The n-th call of a site, entry of a state, or invocation by a state."""

    site: Site
    number: int


class Meddling(Protocol):
    """The disturbances of a case; each method may return None."""

    def at_call(self, moment: Moment, call: Call) -> Fault | None: ...
    def at_entry(self, state: str, number: int) -> bool: ...
    def at_invocation(self, state: str, number: int) -> str | None: ...
    def after_invocation(self, state: str, number: int) -> str | None: ...


class Nothing:
    """A case without disturbances."""

    def at_call(self, moment: Moment, call: Call) -> Fault | None:
        """Return no fault."""

    def at_entry(self, state: str, number: int) -> bool:  # noqa: ARG002 - the signature of the protocol
        """Do not stop the execution."""
        return False

    def at_invocation(self, state: str, number: int) -> str | None:
        """Let the function begin."""

    def after_invocation(self, state: str, number: int) -> str | None:
        """Let the function answer."""


class Made(NamedTuple):
    """A call with its execution and moment."""

    execution: str
    moment: Moment
    call: Call
    fault: Fault | None
    owner: str | None
    """The holder of the gateway's lock at that moment, if the call asks EC2 to change the gateway."""


@dataclass
class Meddler(Recorder):
    """A recorder of an embedded cloud that also disturbs."""

    meddling: Meddling = field(default_factory=Nothing)
    stop: Callable[[str], object] = lambda _: None
    owner: Callable[[str], str | None] = lambda _: None
    made: list[Made] = field(default_factory=list)
    earlier: list[Made] = field(default_factory=list)
    """What was made before the last `watch`."""
    entered: list[tuple[str, str]] = field(default_factory=list)
    bystanders: set[str] = field(default_factory=set)
    machine: str = ""
    """The name of the Drain state machine; states of the other one get a prefix."""
    _counts: Counter[object] = field(default_factory=Counter)

    def watch(self, meddling: Meddling, bystanders: Iterable[str]) -> None:
        """Disturb every execution from now on, except these bystanders and all that were seen before."""
        self.bystanders |= {*bystanders, *(execution for execution, _ in self.entered)}
        self.meddling = meddling
        self.earlier, self.made, self.entered = self.made, [], []
        self._counts.clear()

    def begin(self, call: Call) -> Fault | None:
        always = super().begin(call)
        # EventBridge's own deliveries come from the same thread, with another role.
        if (where := _where.get()) is None or (call.role != where.role and not where.in_function):
            return always
        execution = where.execution
        site = Site(self._named(execution, where.state), call.name)
        if call.name == INVOKE:
            INVOKING.add(site.state)
        moment = Moment(site, 0 if execution in self.bystanders else self._count(site))
        try:
            fault = (self.meddling.at_call(moment, call) if moment.number else None) or always
        except ReadTimeoutError:
            if call.name in CHANGES:
                self._add(execution, moment, call, Fault(operation=call.name, error=UNANSWERED))
            raise
        self._add(execution, moment, call, fault)
        return fault

    def _add(self, execution: str, moment: Moment, call: Call, fault: Fault | None) -> None:
        owner = self.owner(call.parameters["NatGatewayId"]) if call.name in CHANGES else None
        self.made.append(Made(execution, moment, call, fault, owner))

    def enter(self, execution: str, state: str) -> None:
        state = self._named(execution, state)
        self.entered.append((execution, state))
        if execution not in self.bystanders and self.meddling.at_entry(state, self._count(state)):
            self.stop(execution)

    def invoke(self, run: Callable[..., tuple[str, bool]], *given: Any) -> tuple[str, bool]:
        where = _where.get()
        if where is None:
            return run(*given)
        _where.set(where._replace(in_function=True))
        try:
            return self._invoked(where, run, *given)
        finally:
            _where.set(where)

    def _invoked(self, where: Where, run: Callable[..., tuple[str, bool]], *given: Any) -> tuple[str, bool]:
        if where.execution in self.bystanders:
            return run(*given)
        state = self._named(where.execution, where.state)
        number = self._count(("invocation", state))
        if death := self.meddling.at_invocation(state, number):
            return _died(death)
        try:
            answer = run(*given)
        except FunctionDiedError as error:
            return _died(str(error))
        death = self.meddling.after_invocation(state, number)
        return _died(death) if death else answer

    def _named(self, execution: str, state: str) -> str:
        return state if execution.split(":")[6] == self.machine else f"Record: {state}"

    def _count(self, what: object) -> int:
        self._counts[what] += 1
        return self._counts[what]


def _died(name: str) -> tuple[str, bool]:
    """Return Lambda's answer for a function that died (Lambda developer guide, errors of invocations)."""
    return json.dumps({"errorType": name, "errorMessage": f"{name}: the function died"}), True


# The execution and the state of this thread: each attempt of a task has a thread of its own.
_where: ContextVar[Where | None] = ContextVar("where", default=None)


@contextmanager
def seeing_states(meddler: Meddler) -> Iterator[None]:
    """Show the meddler the state of each execution, and each invocation of a function."""
    eval_input, run = CommonStateField._eval_state_input, functions._run

    def eval_state_input(self: CommonStateField, env: Any) -> None:
        meddler.enter(_execution_of(env), self.name)
        eval_input(self, env)

    def eval_execution(evaluate: Callable[..., None]) -> Callable[..., None]:
        def evaluated(self: Any, env: Any) -> None:
            _where.set(Where(_execution_of(env), self.name, env.aws_execution_details.role_arn))
            evaluate(self, env)

        return evaluated

    with ExitStack() as stack:
        stack.enter_context(patch.object(CommonStateField, "_eval_state_input", eval_state_input))
        for task in (StateTaskService, StateTaskLambda):
            evaluated = eval_execution(task._eval_execution)
            stack.enter_context(patch.object(task, "_eval_execution", evaluated))
        stack.enter_context(patch.object(functions, "_run", lambda *given: meddler.invoke(run, *given)))
        yield


def _execution_of(env: Any) -> str:
    return str(env.states.context_object.context_object_data["Execution"]["Id"])
