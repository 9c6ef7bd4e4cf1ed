"""AWS's answers when a call fails: one small table for each service, with real codes.

EC2: API reference, error codes, and what clients that run every day have seen. The others: the API reference
of each service, the errors of the operation and the common errors.
"""

from __future__ import annotations

from botocore.exceptions import ReadTimeoutError

from natdrain_sim.calls import Fault
from proof.meddling import FunctionDiedError, Site

THROTTLED, INTERNAL, DENIED, NOT_FOUND = "throttled", "internal error", "access denied", "not found"
IN_PROGRESS, UNKNOWN, TIMEOUT, LOST = "operation in progress", "unknown code", "timeout", "answer lost"
ODD = "odd credentials"
DIES_BEFORE, DIES_AFTER = "dies before", "dies after"

Answer = tuple[str, int]
CODES: dict[str, dict[str, Answer]] = {
    "ec2": {
        THROTTLED: ("RequestLimitExceeded", 503),
        INTERNAL: ("InternalError", 500),
        DENIED: ("UnauthorizedOperation", 403),
        NOT_FOUND: ("NatGatewayNotFound", 400),
        ODD: ("AuthFailure", 401),
        IN_PROGRESS: ("OperationInProgress", 400),
    },
    "dynamodb": {
        THROTTLED: ("ThrottlingException", 400),
        INTERNAL: ("InternalServerError", 500),
        DENIED: ("AccessDeniedException", 400),
        NOT_FOUND: ("ResourceNotFoundException", 400),
        IN_PROGRESS: ("TransactionConflictException", 400),
        ODD: ("UnrecognizedClientException", 400),
    },
    "lambda": {
        THROTTLED: ("TooManyRequestsException", 429),
        INTERNAL: ("ServiceException", 500),
        DENIED: ("AccessDeniedException", 403),
        NOT_FOUND: ("ResourceNotFoundException", 404),
        IN_PROGRESS: ("ResourceConflictException", 409),
    },
    "cloudwatch": {
        THROTTLED: ("ThrottlingException", 400),
        INTERNAL: ("InternalServiceFault", 500),
        DENIED: ("AccessDenied", 403),
        NOT_FOUND: ("ResourceNotFound", 404),
        ODD: ("InvalidClientTokenId", 403),
    },
    "ssm": {
        THROTTLED: ("ThrottlingException", 400),
        INTERNAL: ("InternalServerError", 500),
        DENIED: ("AccessDeniedException", 400),
        NOT_FOUND: ("InvalidDocument", 400),
        ODD: ("ExpiredTokenException", 400),
    },
    "service-quotas": {
        THROTTLED: ("TooManyRequestsException", 400),
        INTERNAL: ("ServiceException", 500),
        DENIED: ("AccessDeniedException", 400),
        NOT_FOUND: ("NoSuchResourceException", 400),
        ODD: ("UnrecognizedClientException", 400),
    },
    "stepfunctions": {
        THROTTLED: ("ThrottlingException", 400),
        INTERNAL: ("InternalFailure", 500),
        DENIED: ("AccessDeniedException", 400),
        NOT_FOUND: ("ExecutionDoesNotExist", 400),
    },
    "events": {
        THROTTLED: ("ThrottlingException", 400),
        INTERNAL: ("InternalException", 500),
        DENIED: ("AccessDeniedException", 400),
        NOT_FOUND: ("ResourceNotFoundException", 400),
    },
    "sqs": {
        THROTTLED: ("RequestThrottled", 403),
        INTERNAL: ("InternalFailure", 500),
        DENIED: ("AccessDenied", 403),
        NOT_FOUND: ("AWS.SimpleQueueService.NonExistentQueue", 400),
    },
}
OF_OPERATION: dict[tuple[str, str], Answer] = {
    ("ec2:AssociateNatGatewayAddress", NOT_FOUND): ("InvalidAllocationID.NotFound", 400),
    ("ec2:DescribeAddresses", NOT_FOUND): ("InvalidAllocationID.NotFound", 400),
    ("ec2:ReleaseAddress", NOT_FOUND): ("InvalidAllocationID.NotFound", 400),
}
DEATHS = ("Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError")
"""The errors of functions that died (Step Functions developer guide, error handling; Lambda, Invoke)."""

_SERVER_ERROR = 500
_SDK: Answer = ("SdkClientException", 500)
"""The error of Step Functions' own calls that got no answer: `DynamoDB.SdkClientException`."""


def kinds_of(site: Site) -> list[str]:
    """Return what can go wrong with this call, apart from throttling, which has durations."""
    kinds = [INTERNAL, TIMEOUT, DENIED, NOT_FOUND, UNKNOWN]
    if IN_PROGRESS in CODES[site.service]:
        kinds.append(IN_PROGRESS)
    if ODD in CODES[site.service] and not changes(site):
        kinds.append(ODD)
    if changes(site):
        kinds.append(LOST)
    if site.of_function:
        kinds.append(DIES_BEFORE)
    return kinds


def changes(site: Site) -> bool:
    """Return whether the call has an effect that stays when its answer is lost."""
    return not site.operation.partition(":")[2].startswith(("Describe", "Get", "BatchGet"))


def leaves_open(fault: Fault | None) -> bool:
    """Return whether EC2 may have carried out a call that was answered so."""
    return fault is not None and fault.status >= _SERVER_ERROR and fault.error != CODES["ec2"][THROTTLED][0]


def answer(site: Site, kind: str) -> Fault:
    """Return the error that the cloud answers to this call; a trouble without an answer is raised at once.

    Raises:
        ReadTimeoutError, FunctionDiedError: there is no answer, or the function is dead.
    """
    if kind == DIES_BEFORE:
        raise FunctionDiedError(DEATHS[1])
    if kind == TIMEOUT and site.of_function:
        raise ReadTimeoutError(endpoint_url=f"https://{site.service}")
    if kind in {TIMEOUT, LOST}:
        code, status = CODES[site.service][INTERNAL] if site.of_function else _SDK
    elif kind == UNKNOWN:
        code, status = "NeverHeardOf", 400
    else:
        code, status = OF_OPERATION.get((site.operation, kind)) or CODES[site.service][kind]
    return Fault(operation=site.operation, error=code, status=status, after_effect=kind == LOST)
