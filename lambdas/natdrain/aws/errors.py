"""AWS's error codes, and the sorting of its errors into those worth a retry and the rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's name

from natdrain.model.errors import TransientFailure
from natdrain.model.look import Unread

T = TypeVar("T")

# EC2 API reference, error codes; which call answers which, seen in clients that run every day.
GATEWAY_NOT_FOUND = frozenset({"NatGatewayNotFound", "InvalidNatGatewayID.NotFound", "NatGatewayMalformed"})
OPERATION_IN_PROGRESS = "OperationInProgress"
UNAUTHORIZED = "UnauthorizedOperation"
DRY_RUN_PERMITTED = "DryRunOperation"
ALLOCATION_NOT_FOUND = "InvalidAllocationID.NotFound"
IN_USE = frozenset({"InvalidIPAddress.InUse", "AuthFailure"})
"""For an address that is in use, or was a moment ago."""

# DynamoDB developer guide, error handling.
CONDITION_FAILED = "ConditionalCheckFailedException"
INVALID_PATH = "ValidationException"
"""For an update of a path whose map is missing, among much else."""
# DynamoDB API reference, TransactWriteItems: the error, and a code of its reasons.
TRANSACTION_CANCELLED = "TransactionCanceledException"
CONDITION_FAILED_IN_TRANSACTION = "ConditionalCheckFailed"

TRANSIENT_CODES = frozenset(
    {
        # EC2 API reference, error codes.
        *("RequestLimitExceeded", "Throttling", "InternalError", "InternalFailure"),
        *("ServiceUnavailable", "Unavailable"),
        # CloudWatch API reference, GetMetricData.
        *("InternalServiceError", "InternalServiceFault"),
        # DynamoDB developer guide, error handling; SSM API reference, GetCalendarState.
        *("InternalServerError", "LimitExceededException", "ProvisionedThroughputExceededException"),
        *("ThrottlingException", "TransactionInProgressException"),
    }
)
_SERVER_ERROR_STATUS = 500


def code_of(error: ClientError) -> str:
    """Return AWS's error code."""
    return str(error.response["Error"].get("Code", "Unknown"))


def text_of(error: ClientError) -> str:
    """Return code and message, without the encoded blob that EC2 appends to denials."""
    message = str(error.response["Error"].get("Message", ""))
    return f"{code_of(error)}: {message.split('Encoded authorization failure message', 1)[0].strip()}"


@contextmanager
def transient_failures() -> Iterator[None]:
    """Raise `TransientFailure` for errors that are worth a retry; let the rest pass."""
    try:
        yield
    except ClientError as error:
        status: Any = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code_of(error) in TRANSIENT_CODES or status >= _SERVER_ERROR_STATUS:
            raise TransientFailure(text_of(error)) from error
        raise
    except (HTTPClientError, ConnectionError) as error:
        raise TransientFailure(str(error)) from error


def read(call: Callable[[], T], *, last_attempt: bool) -> T | Unread:
    """Return what a guard needs to know, or `Unread`, which is no reason to fail and none to go on.

    Raises:
        TransientFailure: AWS could not answer now, and the workflow has an attempt left.
    """
    try:
        with transient_failures():
            return call()
    except TransientFailure as failure:
        if not last_attempt:
            raise
        return Unread(str(failure))
    except ClientError as error:
        return Unread(text_of(error))
