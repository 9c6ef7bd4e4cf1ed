"""Lambda functions, run in the calling thread as Lambda runs them.

A function has only the environment variables that the template and Lambda set. Its calls are recorded with
its own role (see :mod:`natdrain_sim.calls`), and its output goes to its log group. Its handler is imported
from the packages installed here, not from the asset.
"""

import importlib
import io
import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.endpoint
from moto.awslambda.models import LambdaFunction
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends
from moto.moto_api._internal import mock_random

from natdrain_sim import calls
from natdrain_sim.seams import Seam

# The environment and standard output belong to the process, so one function runs at a time.
_one_at_a_time = threading.Lock()
_FIELDS_IN_ENVIRONMENT = ("function_name", "function_version", "log_group_name", "log_stream_name")


def seams() -> Iterator[Seam]:
    """Yield the seams in moto and in botocore."""
    yield LambdaSimpleBackend, "invoke", _invoke
    # The SDK's back-off takes no time, because time stands still while a function is busy.
    yield botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None)


def _invoke(
    backend: LambdaSimpleBackend,
    function_name: str,
    qualifier: str | None,
    body: Any,
    _headers: Any,
    response_headers: dict[str, Any],
) -> bytes:
    function = backend.get_function(function_name, qualifier)
    response_headers["x-amz-executed-version"] = str(function.version)
    context = _context_of(function)
    with (
        _one_at_a_time,
        calls.acting_as(function.role),
        redirect_stdout(io.StringIO()) as printed,
        patch.dict(os.environ, _environment_of(function, context), clear=True),
    ):
        payload, failed = _run(str(function.handler), json.loads(body or "{}"), context)
    if failed:
        response_headers["x-amz-function-error"] = "Unhandled"
    _log(backend, context, printed.getvalue())
    return payload.encode()


def _run(handler: str, event: Any, context: Any) -> tuple[str, bool]:
    """Call the handler; return Lambda's response, and whether it is an error."""
    try:
        module, _, name = handler.rpartition(".")
        call = getattr(importlib.import_module(module), name)
        _redirect_loggers()
        return json.dumps(call(event, context), ensure_ascii=False), False
    except Exception as error:  # noqa: BLE001 - Lambda returns any exception
        failure = {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": context.aws_request_id,
            "stackTrace": traceback.format_tb(error.__traceback__)[1:],
        }
        return json.dumps(failure, ensure_ascii=False), True


def _redirect_loggers() -> None:
    """Set the output stream of this invocation on loggers, which keep the one of their creation."""
    for logger in list(logging.root.manager.loggerDict.values()):
        for handler in getattr(logger, "handlers", ()):
            if type(handler) is logging.StreamHandler and handler.stream not in {sys.stderr, sys.__stderr__}:
                handler.setStream(sys.stdout)


def _context_of(function: LambdaFunction) -> Any:
    """Return the context object of one invocation, with the fields that Lambda documents for Python."""
    return SimpleNamespace(
        function_name=function.function_name,
        function_version=str(function.version),
        invoked_function_arn=function.function_arn,
        memory_limit_in_mb=int(function.memory_size),
        aws_request_id=str(mock_random.uuid4()),
        log_group_name=function.logs_group_name,
        log_stream_name=f"{function.function_name}[{function.version}]",
        # Always the whole time-out, because time stands still while a function runs.
        get_remaining_time_in_millis=lambda: int(function.timeout) * 1000,
    )


def _environment_of(function: LambdaFunction, context: Any) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_SESSION_TOKEN": "example",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        **{f"AWS_LAMBDA_{field.upper()}": getattr(context, field) for field in _FIELDS_IN_ENVIRONMENT},
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(context.memory_limit_in_mb),
        "TZ": "UTC",
        **function.environment_vars,
    }


def _log(backend: LambdaSimpleBackend, context: Any, printed: str) -> None:
    logs = logs_backends[backend.account_id][backend.region_name]
    logs.ensure_log_group(context.log_group_name)
    logs.ensure_log_stream(context.log_group_name, context.log_stream_name)
    at = int(unix_time_millis())
    if events := [{"timestamp": at, "message": line} for line in printed.splitlines() if line]:
        logs.put_log_events(context.log_group_name, context.log_stream_name, events)
