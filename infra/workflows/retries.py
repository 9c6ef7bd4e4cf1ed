"""Retries and timeouts of workflow states, and what happens when retrying does not help."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.workflows.jsonata import jsonata
from natdrain.contract import MAX_RETRIES
from natdrain.model.errors import TransientFailure

# Step Functions developer guide, error handling with Lambda; Lambda API reference, Invoke, for functions that
# were idle for long; and the errors that functions which died report.
FUNCTION_ERRORS = [
    TransientFailure.__name__,
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ResourceNotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "States.Timeout",
]
"""The transient errors of a state that invokes a function."""

AWS_ERRORS = ["States.TaskFailed", "States.Timeout"]
"""The errors of a state that calls AWS itself: all, since those that are answers are caught before."""

TASK_SECONDS = 60
"""More than a function's own timeout, so that no state gives up on a function that still runs."""
TASK_TIMEOUT = sfn.Timeout.duration(Duration.seconds(TASK_SECONDS))

Task = sfn.TaskStateBase | sfn.CustomState


def retry(state: Task, errors: list[str]) -> None:
    """Retry for 2 + 4 + 8 + 16 + 30 + 30 + 30 = 120 s; the functions' clients add jitter of their own."""
    state.add_retry(
        errors=errors,
        interval=Duration.seconds(2),
        backoff_rate=2,
        max_delay=Duration.seconds(30),
        max_attempts=MAX_RETRIES,
    )


def catch_all(state: Task, close: sfn.IChainable) -> None:
    """Lead every failure that nothing else catches to the one exit."""
    caught = {"failure": jsonata("$states.errorOutput")}
    state.add_catch(close, errors=["States.ALL"], assign=caught, outputs={})


def invoke(
    scope: Construct,
    name: str,
    function: lambda_.IFunction,
    *,
    comment: str,
    payload: Mapping[str, Any],
    assign: Mapping[str, Any],
) -> tasks.LambdaInvoke:
    """Return a state that invokes a function and retries it.

    The function gets the number of retries (Step Functions developer guide, the context object). That
    arguments are evaluated anew for each attempt is inferred; if they are not, the last failure ends the
    execution as any other does, and EC2 is not called.
    """
    state = tasks.LambdaInvoke.jsonata(
        scope,
        name,
        comment=comment,
        lambda_function=function,
        payload=sfn.TaskInput.from_object(
            {**payload, "RetryCount": jsonata("$states.context.State.RetryCount")}
        ),
        assign=assign,
        outputs={},
        retry_on_service_exceptions=False,
        task_timeout=TASK_TIMEOUT,
    )
    retry(state, FUNCTION_ERRORS)
    return state
