"""Error names: a misspelt one would match nothing without notice, so each must exist."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

from natdrain.model.errors import NatdrainError

# Lambda developer guide, "Handling errors in Step Functions"; `Runtime` and `Sandbox` as Lambda reports them
# for functions that died.
OF_LAMBDA = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
}
# Step Functions developer guide, "Error names".
OF_STEP_FUNCTIONS = {"States.ALL", "States.TaskFailed", "States.Timeout"}
OF_NATDRAIN = {error.__name__ for error in NatdrainError.__subclasses__()}
# Step Functions' names of services, in its error names and in the resource of a task.
SERVICES = {"DynamoDB": "dynamodb", "Sfn": "stepfunctions"}


def named_in(task: dict[str, Any]) -> set[str]:
    return {name for way in ("Retry", "Catch") for entry in task[way] for name in entry["ErrorEquals"]}


def of_service(name: str, service: str) -> bool:
    """Return whether the service has such an error; Step Functions ends all names in `Exception`."""
    shapes = get_session().get_service_model(service).error_shapes
    known = {shape.name.removesuffix("Exception") + "Exception" for shape in shapes}
    return name in known


def exists(name: str) -> bool:
    family, _, error = name.rpartition(".")
    if family in SERVICES:
        return of_service(error, SERVICES[family])
    return name in OF_LAMBDA | OF_STEP_FUNCTIONS | OF_NATDRAIN


def test_error_names_of_the_workflow_all_exist(tasks: dict[str, Any]) -> None:
    assert {name for task in tasks.values() for name in named_in(task) if not exists(name)} == set()


def test_error_names_of_natdrain_are_those_of_functions_only(tasks: dict[str, Any]) -> None:
    others = [task for task in tasks.values() if not task["Resource"].endswith("lambda:invoke")]
    assert {name for task in others for name in named_in(task)} & OF_NATDRAIN == set()


@pytest.mark.parametrize(
    "name",
    [
        "DynamoDB.ConditionalCheckFailed",
        "DynamoDb.ConditionalCheckFailedException",
        "Lambda.Timedout",
        "TransientFailed",
    ],
)
def test_error_name_is_noticed_when_misspelt(name: str) -> None:
    assert not exists(name)
