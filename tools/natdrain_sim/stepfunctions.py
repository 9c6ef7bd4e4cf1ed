"""moto's Step Functions interpreter on the simulated clock, with JSONata and with stops that stop.

Covered are executions of standard workflows with Task, Wait, Retry, Choice, Pass, Succeed and Fail;
``Parallel``, ``Map``, task tokens and time-outs still count real time.
"""

import json
import random
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from natdrain_sim import calls, jsonata
from natdrain_sim.clock import Clock
from natdrain_sim.seams import Seam, private

# The ARN of the execution that this thread evaluates; Retry has no other way to know.
_execution: ContextVar[str] = ContextVar("execution")


def seams(clock: Clock) -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    yield from jsonata.seams()
    yield from _waits(clock)
    yield from _workers(clock)
    yield from _requests(clock)


def _waits(clock: Clock) -> Iterator[Seam]:
    """Wait and Retry, which sleep on the clock until they are due or their execution is stopped."""
    evaluate_program = private(Program, "_eval_body")

    def eval_body(self: Program, env: Environment) -> None:
        _execution.set(env.states.context_object.context_object_data["Execution"]["Id"])
        evaluate_program(self, env)

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

    yield Program, "_eval_body", eval_body
    yield WaitFunction, "_wait_interval", wait_interval
    yield Timestamp, "_get_wait_seconds", get_wait_seconds
    yield retrier_decl, "time", retry_time
    # The same jitter in every run.
    yield jitter_strategy_decl, "random", random.Random(0)  # noqa: S311 - no secret hangs on it


def _workers(clock: Clock) -> Iterator[Seam]:
    """Executions take their turn on the clock, and end at once when they are stopped."""
    start_worker = private(ExecutionWorker, "start")
    run_worker = private(ExecutionWorker, "_execution_logic")
    make_environment = private(ExecutionWorker, "_get_evaluation_environment")
    stop_execution, set_error = Execution.stop, Environment.set_error

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

    def stop(self: Execution, stop_date: datetime, error: str | None, cause: str | None) -> None:
        if self.exec_status == ExecutionStatus.RUNNING:
            stop_execution(self, stop_date=stop_date, error=error, cause=cause)
            self.exec_status, self.stop_date = ExecutionStatus.ABORTED, stop_date
            self.error, self.cause = error, cause
            clock.interrupt(self.exec_arn)

    def set_error_unless_stopped(self: Environment, error: Any) -> None:
        # A state that is cut short by a stop ends in confusion, which must not pass for a failure.
        if not isinstance(self.program_state(), ProgramStopped):
            set_error(self, error)

    def as_role(task: type) -> Any:
        evaluate = private(task, "_eval_execution")

        def eval_execution(self: Any, env: Environment) -> None:
            with calls.acting_as(env.aws_execution_details.role_arn):
                evaluate(self, env)

        return eval_execution

    yield ExecutionWorker, "start", start
    yield ExecutionWorker, "_execution_logic", execution_logic
    yield ExecutionWorker, "_get_evaluation_environment", lambda self: self.env
    yield Execution, "stop", stop
    yield Environment, "set_error", set_error_unless_stopped
    # Each execution would read its definition anew, which takes longer than all else that it does. What one
    # execution has come to stands in its environment, never in the program that comes of the reading.
    yield AmazonStateLanguageParser, "parse", lru_cache(maxsize=16)(AmazonStateLanguageParser.parse)
    yield StateTaskService, "_eval_execution", as_role(StateTaskService)
    yield StateTaskLambda, "_eval_execution", as_role(StateTaskLambda)


def _requests(clock: Clock) -> Iterator[Seam]:
    """What requests and answers lack.

    StartExecution makes up a missing name; StopExecution keeps the error and the cause it is given; an
    SDK integration takes and gives ``PascalCase`` names whatever the API's own are; every output is JSON.
    """
    terminate = BaseExecutionWorkerCommunication.terminated
    start_named = StepFunctionsParserBackend.start_execution

    def start_execution(
        self: StepFunctionsParserBackend, state_machine_arn: str, name: str | None = None, *rest: Any
    ) -> Execution:
        return start_named(self, state_machine_arn, name or str(mock_random.uuid4()), *rest)

    def stop_execution(self: StepFunctionResponse) -> ActionResult:
        execution: Any = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        execution.stop(stop_date=clock.now, error=self._get_param("error"), cause=self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

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
    yield StepFunctionsParserBackend, "start_execution", start_execution
    yield StepFunctionResponse, "stop_execution", stop_execution
