"""Clients of the embedded cloud, made once for the process: making one takes longer than what it does."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def client_of(service: str, region: str, *, patient: bool = False, strict: bool = True) -> Any:
    """A client, as boto3 names its service, with a session of its own, so that threads may make some at once.

    A `patient` one tries again as the SDK does by default; a `strict` one looks at parameters itself.
    """
    retries: Any = None if patient else {"total_max_attempts": 1}
    session = boto3.Session("any", "any", region_name=region)
    return session.client(service, config=Config(retries=retries, parameter_validation=strict))  # type: ignore[call-overload]  # the service is any
