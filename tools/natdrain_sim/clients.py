"""Clients of the embedded cloud, kept for the whole process: creating one costs more than using it."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def client_of(service: str, region: str, *, retry: bool = False, validate: bool = True) -> Any:
    """Return the client of a service, which is named as boto3 names it.

    With `retry` it retries as often as the SDK does by default; with `validate` it checks parameters itself.
    """
    retries: Any = None if retry else {"total_max_attempts": 1}
    session = boto3.Session("any", "any", region_name=region)  # not shared: a session is not thread-safe
    return session.client(service, config=Config(retries=retries, parameter_validation=validate))  # type: ignore[call-overload]  # the service is any
