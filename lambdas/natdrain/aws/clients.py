"""Clients, and the sorting of AWS's errors into those worth a retry and the rest."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's name

from natdrain.model.errors import TransientFailure
from natdrain.model.look import Unread

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

__all__ = [
    "cloudwatch",
    "code_of",
    "dynamodb",
    "ec2",
    "ec2_once",
    "read",
    "ssm",
    "text_of",
    "transient_failures",
]

T = TypeVar("T")

# Short, so that a function in flight is over soon; the workflow's retries have the patience.
_CONFIG = Config(connect_timeout=2, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 3})
# Where several calls come one after the other, so that all of them fit into a function's timeout.
_BRIEF = _CONFIG.merge(Config(read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}))
# A call that changes something is made once: whoever repeats it must look first.
_ONCE = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

TRANSIENT_CODES = frozenset(
    {
        # EC2 API reference, error codes.
        "RequestLimitExceeded",
        "Throttling",
        "InternalError",
        "InternalFailure",
        "ServiceUnavailable",
        "Unavailable",
        # CloudWatch API reference, GetMetricData.
        "InternalServiceError",
        "InternalServiceFault",
        # DynamoDB developer guide, error handling; SSM API reference, GetCalendarState.
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
_SERVER_ERROR_STATUS = 500


@functools.cache
def ec2() -> EC2Client:
    """The EC2 client, made once for each execution environment."""
    return boto3.client("ec2", config=_CONFIG)


@functools.cache
def ec2_once() -> EC2Client:
    """The EC2 client for calls that change something: it never repeats one."""
    return boto3.client("ec2", config=_ONCE)


@functools.cache
def dynamodb() -> DynamoDBClient:
    """The DynamoDB client, made once for each execution environment."""
    return boto3.client("dynamodb", config=_CONFIG)


@functools.cache
def cloudwatch() -> CloudWatchClient:
    """The CloudWatch client, made once for each execution environment."""
    return boto3.client("cloudwatch", config=_BRIEF)


@functools.cache
def ssm() -> SSMClient:
    """The Systems Manager client, made once for each execution environment."""
    return boto3.client("ssm", config=_BRIEF)


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return str(error.response["Error"].get("Code", "Unknown"))


def text_of(error: ClientError) -> str:
    """Code and message, without the encoded blob that EC2 appends to denials."""
    message = str(error.response["Error"].get("Message", "")).split(
        "Encoded authorization failure message", 1
    )[0]
    return f"{code_of(error)}: {message.strip()}"


@contextmanager
def transient_failures() -> Iterator[None]:
    """Raise `TransientFailure` for what AWS may answer another time; let the rest pass."""
    try:
        yield
    except ClientError as error:
        status: Any = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code_of(error) in TRANSIENT_CODES or status >= _SERVER_ERROR_STATUS:
            raise TransientFailure(text_of(error)) from error
        raise
    except (HTTPClientError, ConnectionError) as error:
        raise TransientFailure(str(error)) from error


def read(what: Callable[[], T], *, last_attempt: bool) -> T | Unread:
    """Read what a guard wants to know; what cannot be read is no reason to fail, and none to go on.

    Raises:
        TransientFailure: AWS may answer another time, and the workflow will ask again.
    """
    try:
        with transient_failures():
            return what()
    except TransientFailure as failure:
        if not last_attempt:
            raise
        return Unread(str(failure))
    except ClientError as error:
        return Unread(text_of(error))
