"""AWS's error codes, and the sorting of its errors into those worth a retry and the rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's name
from botocore.parsers import ResponseParserError

from natdrain.model.errors import TransientFailure
from natdrain.model.look import Unread

T = TypeVar("T")

# EC2 API reference, error codes; which call answers which, seen in clients that run every day.
GATEWAY_NOT_FOUND = frozenset({"NatGatewayNotFound", "InvalidNatGatewayID.NotFound", "NatGatewayMalformed"})
OPERATION_IN_PROGRESS = "OperationInProgress"
UNAUTHORIZED = "UnauthorizedOperation"
DRY_RUN_PERMITTED = "DryRunOperation"
NO_SUCH_QUOTA = "NoSuchResourceException"
"""Service Quotas API reference, GetServiceQuota."""
ALLOCATION_NOT_FOUND = "InvalidAllocationID.NotFound"
IN_USE = frozenset({"InvalidIPAddress.InUse", "AuthFailure", "InvalidNetworkInterfaceID.NotFound"})
"""For an address that is in use, or was a moment ago (the last: hashicorp/terraform-provider-aws#49299)."""

# DynamoDB developer guide, error handling.
CONDITION_FAILED = "ConditionalCheckFailedException"
INVALID_PATH = "ValidationException"
"""For an update of a path whose map is missing, among much else."""
# DynamoDB API reference, TransactWriteItems: the error, and a code of its reasons.
TRANSACTION_CANCELLED = "TransactionCanceledException"
CONDITION_FAILED_IN_TRANSACTION = "ConditionalCheckFailed"

THROTTLED_CODES = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
"""EC2 API reference, error codes: it has not begun with the request."""
TRANSIENT_CODES = frozenset(
    {
        # EC2 API reference, error codes.
        *("RequestLimitExceeded", "Throttling", "InternalError", "InternalFailure"),
        *("ServiceUnavailable", "Unavailable"),
        # CloudWatch API reference, GetMetricData.
        *("InternalServiceError", "InternalServiceFault"),
        # Service Quotas API reference, GetServiceQuota.
        "ServiceException",
        # DynamoDB developer guide, error handling; SSM API reference, GetCalendarState.
        *("InternalServerError", "LimitExceededException", "ProvisionedThroughputExceededException"),
        *("ThrottlingException", "TransactionInProgressException"),
        # DynamoDB API reference, PutItem: another write to the same item runs, here or in another Region.
        *("TransactionConflictException", "ReplicatedWriteConflictException"),
        # AWS SDKs reference guide, retry behavior: what the standard mode retries of any service.
        *("RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "TooManyRequestsException"),
        *("ThrottledException", "RequestThrottled", "RequestThrottledException", "EC2ThrottledException"),
        *("BandwidthLimitExceeded", "SlowDown"),
    }
)
DOUBTED_CODES = frozenset(
    {
        # Clocks that disagree (aws/aws-sdk-js-v3, service-error-classification: to be retried). EC2 then says
        # AuthFailure (aws/aws-sdk-java#519), and at times for no known reason (hashicorp/terraform#6566).
        *("AuthFailure", "InvalidSignatureException", "RequestExpired", "RequestInTheFuture"),
        *("RequestTimeTooSkewed", "SignatureDoesNotMatch"),
        # Credentials that were renewed a moment ago (EC2 API reference, error codes; the common errors).
        *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"),
    }
)
"""Answers about clock or credentials, which come singly among good ones: worth a retry where that is safe."""
_TOO_MANY_REQUESTS_STATUS = 429
_SERVER_ERROR_STATUS = 500


def code_of(error: ClientError) -> str:
    """Return AWS's error code."""
    return str(error.response["Error"].get("Code", "Unknown"))


def text_of(error: ClientError) -> str:
    """Return code and message, without the encoded blob that EC2 appends to denials."""
    message = str(error.response["Error"].get("Message", ""))
    return f"{code_of(error)}: {message.split('Encoded authorization failure message', 1)[0].strip()}"


@contextmanager
def transient_failures(*, repeatable: bool = False) -> Iterator[None]:
    """Raise `TransientFailure` for errors that are worth a retry; let the rest pass.

    `repeatable`: the call changes nothing, or has the same effect when it is made again. For any other one
    the doubted codes are answers; EC2's AuthFailure even means that an address is in use.
    """
    try:
        yield
    except ClientError as error:
        status: Any = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        transient = TRANSIENT_CODES | DOUBTED_CODES if repeatable else TRANSIENT_CODES
        failed = status == _TOO_MANY_REQUESTS_STATUS or status >= _SERVER_ERROR_STATUS
        if failed or code_of(error) in transient:
            raise TransientFailure(text_of(error), throttled=code_of(error) in THROTTLED_CODES) from error
        raise
    except (HTTPClientError, ConnectionError, ResponseParserError) as error:
        raise TransientFailure(str(error)) from error


def read(call: Callable[[], T], *, last_attempt: bool) -> T | Unread:
    """Return what a guard needs to know, or `Unread`, which is no reason to fail and none to go on.

    Raises:
        TransientFailure: AWS could not answer now, and the workflow has an attempt left.
    """
    try:
        with transient_failures(repeatable=True):
            return call()
    except TransientFailure as failure:
        if not last_attempt:
            raise
        return Unread(str(failure))
    except ClientError as error:
        return Unread(text_of(error))
