"""How states of the workflow persist: what they retry, for how long, and how long one attempt may take."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from natdrain.errors import TransientFailure

__all__ = [
    "AWS_ERRORS",
    "FUNCTION_ERRORS",
    "LAST_ATTEMPT",
    "TASK_SECONDS",
    "TASK_TIMEOUT",
    "Task",
    "catch_all",
    "retry",
]

# Step Functions developer guide, error handling with Lambda; the Lambda API reference, Invoke, for functions
# that were idle for long; and what functions that died report.
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
"""The errors of a state that calls AWS itself: all of them, since its answers are caught before."""

TASK_SECONDS = 60
"""Longer than a function's own timeout, so that no state gives up on a function that still runs."""
TASK_TIMEOUT = sfn.Timeout.duration(Duration.seconds(TASK_SECONDS))

_MAX_RETRIES = 7
LAST_ATTEMPT = f"{{% $states.context.State.RetryCount >= {_MAX_RETRIES} %}}"
"""Whether a state will not be tried again (Step Functions developer guide, the context object).

That arguments are evaluated anew for each attempt is inferred; if not, the last failure ends the execution as
any other does, and nothing is asked of EC2.
"""

Task = sfn.TaskStateBase | sfn.CustomState


def retry(state: Task, errors: list[str]) -> None:
    """Retry for 2 + 4 + 8 + 16 + 30 + 30 + 30 = 120 s; clients in the functions add jitter of their own."""
    state.add_retry(
        errors=errors,
        interval=Duration.seconds(2),
        backoff_rate=2,
        max_delay=Duration.seconds(30),
        max_attempts=_MAX_RETRIES,
    )


def catch_all(state: Task, close: sfn.IChainable) -> None:
    """Lead every failure that nothing else catches to the one exit."""
    state.add_catch(close, errors=["States.ALL"], assign={"failure": "{% $states.errorOutput %}"}, outputs={})
