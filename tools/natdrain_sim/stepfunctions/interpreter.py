"""moto's Step Functions interpreter on the simulated clock, with JSONata and with stops that stop.

Covered are executions of standard workflows with Task, Wait, Retry, Choice, Pass, Succeed and Fail, and their
own time-out; ``Parallel``, ``Map``, task tokens and time-outs of states still count real time.
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
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random
from moto.stepfunctions.exceptions import InvalidExecutionInput
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
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

# The ARN of the execution that this thread evaluates; Retry has no other way to know.
_execution: ContextVar[str] = ContextVar("execution")
# Each execution would read its definition anew, which takes longer than all else that it does. What one
# execution has come to stands in its environment, never in the program that comes of the reading.
_parse = lru_cache(maxsize=16)(AmazonStateLanguageParser.parse)


def seams(clock: Clock) -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    yield from integrations.seams()
    yield from jsonata.seams()
    yield from _waits(clock)
    yield from _workers(clock)
    yield from _ends(clock)
    yield from _requests(clock)


def _waits(clock: Clock) -> Iterator[Seam]:
    """Wait, Retry and the time-out of an execution, on the clock; a stop ends every sleep."""

    def evaluate(self: Program, env: Environment) -> None:
        _execution.set(arn := env.states.context_object.context_object_data["Execution"]["Id"])

        def time_out() -> None:
            if env.is_running():
                env.set_timed_out()
                clock.interrupt(arn)

        if self.timeout_seconds:
            clock.call_at(clock.now + timedelta(seconds=self.timeout_seconds.timeout_seconds), time_out)
        env.next_state_name = self.start_at.start_at_name
        EvalComponent.eval(self, env)  # moto does so in one more thread, for which it waits in real time

    def wait_interval(_self: WaitFunction, env: Environment, wait_seconds: float) -> None:
        del env
        clock.sleep(wait_seconds, key=_execution.get())

    def get_wait_seconds(self: Timestamp, env: Environment) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        if self._from_timestamp_string(text) is None:
            raise FailureEventException(self._create_failure_event(env, text))
        # moto cuts off the fraction of the second and then wakes too early.
        return (datetime.fromisoformat(text) - clock.now).total_seconds()

    retry_time = SimpleNamespace(sleep=lambda seconds: clock.sleep(seconds, key=_execution.get()))

    yield Program, "eval", evaluate
    yield WaitFunction, "_wait_interval", wait_interval
    yield Timestamp, "_get_wait_seconds", get_wait_seconds
    yield retrier_decl, "time", retry_time
    # The same jitter in every run.
    yield jitter_strategy_decl, "random", random.Random(0)  # noqa: S311 - no secret hangs on it


def _workers(clock: Clock) -> Iterator[Seam]:
    """Executions take their turn on the clock, and are read but once."""
    start_worker = private(ExecutionWorker, "start")
    run_worker = private(ExecutionWorker, "_execution_logic")
    make_environment = private(ExecutionWorker, "_get_evaluation_environment")

    def start(self: Any) -> None:
        self.env = make_environment(self)
        self.env.next_state_name = ""  # only what is running can be stopped
        self.turn = clock.line_up(key=self._evaluation_details.execution_details.arn)
        start_worker(self)

    def execution_logic(self: Any) -> None:
        self.turn.wait()
        try:
            if self.env.is_running():
                run_worker(self)
        finally:
            clock.release()

    yield ExecutionWorker, "start", start
    yield ExecutionWorker, "_execution_logic", execution_logic
    yield ExecutionWorker, "_get_evaluation_environment", lambda self: self.env
    yield AmazonStateLanguageParser, "parse", _parse


def _ends(clock: Clock) -> Iterator[Seam]:
    """Executions end at once when they are stopped, and nothing that they still do tells otherwise."""
    stop_execution, set_error = Execution.stop, Environment.set_error
    next_state_name: Any = Environment.next_state_name

    def stop(self: Execution, stop_date: datetime, error: str | None, cause: str | None) -> None:
        if self.exec_status != ExecutionStatus.RUNNING:
            return
        stop_execution(self, stop_date=stop_date, error=error, cause=cause)
        worker: Any = self.exec_worker
        if isinstance(worker.env.program_state(), ProgramStopped):  # or else it just ends by itself
            self.exec_status, self.stop_date = ExecutionStatus.ABORTED, stop_date
            self.error, self.cause = error, cause
            clock.interrupt(self.exec_arn)

    def set_error_unless_stopped(self: Environment, error: Any) -> None:
        # A state that is cut short ends in confusion, which must not pass for a failure.
        if not isinstance(self.program_state(), ProgramStopped | ProgramTimedOut):
            set_error(self, error)

    def set_next_state_name(self: Environment, name: str) -> None:
        # It may have been stopped since the worker last looked; moto would raise in the worker's thread.
        with private(self, "_state_mutex"):
            if not isinstance(self.program_state(), ProgramStopped | ProgramTimedOut):
                next_state_name.fset(self, name)

    yield Execution, "stop", stop
    yield Environment, "set_error", set_error_unless_stopped
    yield Environment, "next_state_name", next_state_name.setter(set_next_state_name)


def _requests(clock: Clock) -> Iterator[Seam]:
    """What requests and answers lack.

    StartExecution makes up a missing name, and has an error code for an input that is no JSON;
    StopExecution keeps the error and the cause it is given; DescribeExecution tells when one was timed out;
    an SDK integration takes and gives ``PascalCase`` names whatever the API's own are; every output is JSON.
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
        return described

    def terminated(self: Any) -> None:
        terminate(self)
        if self.execution.exec_status == ExecutionStatus.SUCCEEDED:
            # moto would hand out a string, or null, as it is.
            self.execution.output = json.dumps(self.execution.output, default=str)

    def operation_of(task: StateTaskServiceAwsSdk) -> Any:
        action = task.resource.api_action
        model = get_service_model(private(task, "_get_boto_service_name")())
        return model.operation_model(action[0].upper() + action[1:])

    def normalise_parameters(self: StateTaskServiceAwsSdk, parameters: Any, *_: Any) -> None:
        private(self, "_to_boto_request")(parameters, operation_of(self).input_shape)

    def normalise_response(self: StateTaskServiceAwsSdk, response: Any, *_: Any) -> None:
        private(self, "_from_boto_response")(response, operation_of(self).output_shape)

    yield BaseExecutionWorkerCommunication, "terminated", terminated
    yield StateTaskServiceAwsSdk, "_normalise_parameters", normalise_parameters
    yield StateTaskServiceAwsSdk, "_normalise_response", normalise_response
    yield models, "InvalidExecutionInput", InvalidExecutionInput
    yield StepFunctionsParserBackend, "start_execution", start_execution
    yield StepFunctionResponse, "describe_execution", describe_execution
    yield StepFunctionResponse, "stop_execution", stop_execution
