"""Tasks that call other services, with the role of the state machine and the error names of Step Functions.

In moto a refused PutEvents fails as `States.Runtime`, which on AWS cannot be caught, and SendMessage always
as `SQS.SdkClientException`. Inferred from the error names that Step Functions documents for Lambda and
DynamoDB: an error that the API declares has its own name, any other the service's (`SQS.AmazonSQSException`).
"""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from moto.core.utils import get_service_model
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
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
    """Yield the seams of tasks."""
    yield StateTaskService, "_eval_execution", _with_role(StateTaskService)
    yield StateTaskLambda, "_eval_execution", _with_role(StateTaskLambda)
    yield boto_client, "boto3", SimpleNamespace(client=_client)
    yield StateTaskServiceEvents, "_from_error", _with_error_name(StateTaskServiceEvents, "EventBridge")
    yield StateTaskServiceSqs, "_from_error", _with_error_name(StateTaskServiceSqs, "SQS")
    yield from _sdk_names()


def _with_role(task: type) -> Callable[..., None]:
    evaluate = private(task, "_eval_execution")

    def eval_execution(self: Any, env: Environment) -> None:
        with calls.acting_as(env.aws_execution_details.role_arn):
            evaluate(self, env)

    return eval_execution


def _client(*, service_name: str, region_name: str, **_: Any) -> Any:
    """Return a client that all tasks share; moto creates one for each task."""
    return client_of(service_name, region_name, validate=False)


def _with_error_name(task: type, service: str) -> Callable[..., FailureEvent]:
    moto_from_error = private(task, "_from_error")

    def from_error(self: Any, env: Environment, ex: Exception) -> FailureEvent:
        match ex:
            case ClientError():
                error, cause = f"{service}.{_exception_name(ex, service)}", _cause(ex, service)
            case SfnFailedEntryCountException():
                error, cause = "EventBridge.FailedEntry", json.dumps(ex.cause)  # an object in moto
            case _:
                return moto_from_error(self, env, ex)  # type: ignore[no-any-return]  # untyped in moto
        failed = TaskFailedEventDetails(
            error=error,
            cause=cause,
            resource=private(self, "_get_sfn_resource")(),
            resourceType=private(self, "_get_sfn_resource_type")(),
        )
        details: Any = {"taskFailedEventDetails": failed}
        return FailureEvent(env, CustomErrorName(error), HistoryEventType.TaskFailed, details)

    return from_error


def _exception_name(error: ClientError, service: str) -> str:
    declared = type(error).__name__.removesuffix("Exception")
    return f"{declared if type(error) is not ClientError else f'Amazon{service}'}Exception"


def _cause(error: ClientError, service: str) -> str:
    details, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    source = f"Service: Amazon{service}; Status Code: {status}; Error Code: {details['Code']}"
    return f"{details['Message']} ({source})"


def _sdk_names() -> Iterator[Seam]:
    """Yield the seams that convert names to and from ``PascalCase`` by the API's own service model."""

    def operation_of(task: StateTaskServiceAwsSdk) -> Any:
        action = task.resource.api_action
        model = get_service_model(private(task, "_get_boto_service_name")())
        return model.operation_model(action[0].upper() + action[1:])

    def normalise_parameters(self: StateTaskServiceAwsSdk, parameters: Any, *_: Any) -> None:
        private(self, "_to_boto_request")(parameters, operation_of(self).input_shape)

    def normalise_response(self: StateTaskServiceAwsSdk, response: Any, *_: Any) -> None:
        private(self, "_from_boto_response")(response, operation_of(self).output_shape)

    yield StateTaskServiceAwsSdk, "_normalise_parameters", normalise_parameters
    yield StateTaskServiceAwsSdk, "_normalise_response", normalise_response
