"""moto's Step Functions interpreter on the simulated clock, with JSONata and with immediate stops.

This covers executions of standard workflows with Task, Wait, Retry, Choice, Pass, Succeed and Fail, and their
time-out. ``Parallel``, ``Map``, task tokens and time-outs of states still use real time.
"""

import json
import random
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.stepfunctions.exceptions import InvalidExecutionInput
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from natdrain_sim.clock import Clock
from natdrain_sim.seams import Seam, private
from natdrain_sim.stepfunctions import integrations, jsonata

# The ARN of the execution that this thread evaluates, which Retry is not passed.
_execution: ContextVar[str] = ContextVar("execution")
# Without this cache each execution would parse its definition, which takes longer than the rest of it. An
# execution's state is in its environment, never in the parsed program.
_parse = lru_cache(maxsize=16)(AmazonStateLanguageParser.parse)


def seams(clock: Clock) -> Iterator[Seam]:
    """Yield the seams of the interpreter."""
    yield from integrations.seams()
    yield from jsonata.seams()
    yield from _programs(clock)
    yield from _waits(clock)
    yield from _workers(clock)
    yield from _stops(clock)
    yield from _api(clock)


def _programs(clock: Clock) -> Iterator[Seam]:
    """Yield the seams that time out an execution on the clock, and parse its definition once."""

    def evaluate(self: Program, env: Environment) -> None:
        _execution.set(arn := env.states.context_object.context_object_data["Execution"]["Id"])

        def time_out() -> None:
            if env.is_running():
                env.set_timed_out()
                clock.interrupt(arn)

        if self.timeout_seconds:
            clock.call_at(clock.now + timedelta(seconds=self.timeout_seconds.timeout_seconds), time_out)
        env.next_state_name = self.start_at.start_at_name
        EvalComponent.eval(self, env)  # moto does this in another thread and waits for it in real time

    yield Program, "eval", evaluate
    yield AmazonStateLanguageParser, "parse", _parse


def _waits(clock: Clock) -> Iterator[Seam]:
    """Yield the seams of Wait and Retry, which sleep on the clock until they are interrupted."""

    def wait_interval(_self: WaitFunction, env: Environment, wait_seconds: float) -> None:
        del env
        clock.sleep(wait_seconds, key=_execution.get())

    def get_wait_seconds(self: Timestamp, env: Environment) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        if self._from_timestamp_string(text) is None:
            raise FailureEventException(self._create_failure_event(env, text))
        # moto drops the fraction of the second and so would wake too early.
        return (datetime.fromisoformat(text) - clock.now).total_seconds()

    retry_time = SimpleNamespace(sleep=lambda seconds: clock.sleep(seconds, key=_execution.get()))

    yield WaitFunction, "_wait_interval", wait_interval
    yield Timestamp, "_get_wait_seconds", get_wait_seconds
    yield retrier_decl, "time", retry_time
    # The same jitter in every run.
    yield jitter_strategy_decl, "random", random.Random(0)  # noqa: S311 - a simulation


def _workers(clock: Clock) -> Iterator[Seam]:
    """Yield the seams of the worker of an execution, which is busy or asleep on the clock."""
    start_worker = private(ExecutionWorker, "start")
    run_worker = private(ExecutionWorker, "_execution_logic")
    make_environment = private(ExecutionWorker, "_get_evaluation_environment")

    def start(self: Any) -> None:
        self.env = make_environment(self)
        self.env.next_state_name = ""  # counts as running, so that it can be stopped
        self.turn = clock.register(key=self._evaluation_details.execution_details.arn)
        start_worker(self)

    def execution_logic(self: Any) -> None:
        self.turn.wait()
        try:
            if self.env.is_running():
                run_worker(self)
        finally:
            clock.end_busy()

    yield ExecutionWorker, "start", start
    yield ExecutionWorker, "_execution_logic", execution_logic
    yield ExecutionWorker, "_get_evaluation_environment", lambda self: self.env


def _stops(clock: Clock) -> Iterator[Seam]:
    """Yield the seams that end a stopped execution at once and keep its status."""
    stop_execution, set_error = Execution.stop, Environment.set_error
    next_state_name: Any = Environment.next_state_name

    def stop(self: Execution, stop_date: datetime, error: str | None, cause: str | None) -> None:
        if self.exec_status != ExecutionStatus.RUNNING:
            return
        stop_execution(self, stop_date=stop_date, error=error, cause=cause)
        worker: Any = self.exec_worker
        if isinstance(worker.env.program_state(), ProgramStopped):  # otherwise it has just ended
            self.exec_status, self.stop_date = ExecutionStatus.ABORTED, stop_date
            self.error, self.cause = error, cause
            clock.interrupt(self.exec_arn)

    def set_error_unless_stopped(self: Environment, error: Any) -> None:
        # An interrupted state may end with an error, which is not the execution's.
        if not isinstance(self.program_state(), ProgramStopped | ProgramTimedOut):
            set_error(self, error)

    def set_next_state_name(self: Environment, name: str) -> None:
        # It may have been stopped since the worker's last check; moto would raise in the worker's thread.
        with private(self, "_state_mutex"):
            if not isinstance(self.program_state(), ProgramStopped | ProgramTimedOut):
                next_state_name.fset(self, name)

    yield Execution, "stop", stop
    yield Environment, "set_error", set_error_unless_stopped
    yield Environment, "next_state_name", next_state_name.setter(set_next_state_name)


def _api(clock: Clock) -> Iterator[Seam]:
    """Yield the seams of the API of executions.

    StartExecution generates a missing name and has an error code for an input that is not JSON; StopExecution
    keeps the error and the cause; DescribeExecution shows the end of a time-out, and
    only what is asked for; every output is JSON.
    """
    terminate = BaseExecutionWorkerCommunication.terminated
    start_named = StepFunctionsParserBackend.start_execution
    describe: Any = StepFunctionResponse.describe_execution

    def start_execution(
        self: StepFunctionsParserBackend, state_machine_arn: str, name: str | None = None, *rest: Any
    ) -> Execution:
        return start_named(self, state_machine_arn, name or str(mock_random.uuid4()), *rest)

    def stop_execution(self: StepFunctionResponse) -> ActionResult:
        execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        execution.stop(stop_date=clock.now, error=self._get_param("error"), cause=self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    def describe_execution(self: StepFunctionResponse) -> Any:
        described = describe(self)
        execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.exec_status == ExecutionStatus.TIMED_OUT:
            described.result["stopDate"] = execution.stop_date
        if self._get_param("includedData") == "METADATA_ONLY":
            for name in ("input", "output"):
                if described.result.pop(name, None) is not None:
                    described.result[f"{name}Details"] = {"included": False}
        return described

    def terminated(self: Any) -> None:
        terminate(self)
        if self.execution.exec_status == ExecutionStatus.SUCCEEDED:
            # moto returns text and null unencoded.
            self.execution.output = json.dumps(self.execution.output, default=str)

    yield BaseExecutionWorkerCommunication, "terminated", terminated
    yield models, "InvalidExecutionInput", InvalidExecutionInput
    yield StepFunctionsParserBackend, "start_execution", start_execution
    yield StepFunctionResponse, "describe_execution", describe_execution
    yield StepFunctionResponse, "stop_execution", stop_execution
