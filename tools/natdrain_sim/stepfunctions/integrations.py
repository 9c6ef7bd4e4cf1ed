"""The interpreter's tasks: they act as the state machine's role, and fail as Step Functions tells it.

moto calls a refused PutEvents `States.Runtime`, which on AWS nothing can catch, and a refused SendMessage
always `SQS.SdkClientException`. Inferred from the names that Step Functions documents of Lambda and DynamoDB:
an error that the API declares has its own name, any other that of the service (`SQS.AmazonSQSException`).
"""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_events import (
    SfnFailedEntryCountException,
    StateTaskServiceEvents,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sqs import (
    StateTaskServiceSqs,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.utils import boto_client

from natdrain_sim import calls
from natdrain_sim.clients import client_of
from natdrain_sim.seams import Seam, private


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    yield StateTaskService, "_eval_execution", _as_role(StateTaskService)
    yield StateTaskLambda, "_eval_execution", _as_role(StateTaskLambda)
    yield boto_client, "boto3", SimpleNamespace(client=_client)
    yield StateTaskServiceEvents, "_from_error", _named(StateTaskServiceEvents, "EventBridge")
    yield StateTaskServiceSqs, "_from_error", _named(StateTaskServiceSqs, "SQS")


def _as_role(task: type) -> Callable[..., None]:
    evaluate = private(task, "_eval_execution")

    def eval_execution(self: Any, env: Environment) -> None:
        with calls.acting_as(env.aws_execution_details.role_arn):
            evaluate(self, env)

    return eval_execution


def _client(*, service_name: str, region_name: str, **_: Any) -> Any:
    """One for all tasks, where moto makes another for each."""
    return client_of(service_name, region_name, strict=False)


def _named(task: type, service: str) -> Callable[..., FailureEvent]:
    fail_otherwise = private(task, "_from_error")

    def from_error(self: Any, env: Environment, ex: Exception) -> FailureEvent:
        match ex:
            case ClientError():
                error, cause = f"{service}.{_exception(ex, service)}", _cause(ex, service)
            case SfnFailedEntryCountException():
                error, cause = "EventBridge.FailedEntry", json.dumps(ex.cause)  # moto tells it as an object
            case _:
                return fail_otherwise(self, env, ex)  # type: ignore[no-any-return]  # moto's says nothing
        failed = TaskFailedEventDetails(
            error=error,
            cause=cause,
            resource=private(self, "_get_sfn_resource")(),
            resourceType=private(self, "_get_sfn_resource_type")(),
        )
        details: Any = {"taskFailedEventDetails": failed}
        return FailureEvent(env, CustomErrorName(error), HistoryEventType.TaskFailed, details)

    return from_error


def _exception(error: ClientError, service: str) -> str:
    declared = type(error).__name__.removesuffix("Exception")
    return f"{declared if type(error) is not ClientError else f'Amazon{service}'}Exception"


def _cause(error: ClientError, service: str) -> str:
    told, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return f"{told['Message']} (Service: Amazon{service}; Status Code: {status}; Error Code: {told['Code']})"
