"""The errors that the pinned SDK declares for natdrain's calls: each is transient or an answer, on purpose.

If a newer SDK makes one of these fail, sort the new error: into `TRANSIENT_CODES`, or into `ANSWERS` here.
"""

from __future__ import annotations

import re
from pathlib import Path

from botocore import xform_name
from botocore.model import ServiceModel
from botocore.retries import standard
from botocore.session import get_session

import natdrain
from natdrain.aws import errors

# The call in natdrain's own code, by method or paginator; `ec2_once` is a client of EC2 too.
CALL = re.compile(r"clients\.([a-z0-9]+(?:_quotas)?)(?:_once)?\(\)\.(?:get_paginator\(\"(\w+)\"\)|(\w+))")

_OF_A_WRITE = {
    "ConditionalCheckFailedException",
    "ResourceNotFoundException",  # the table
    "ItemCollectionSizeLimitExceededException",  # only with local indexes, and there is none
}
ANSWERS = {
    "BatchGetItem": {"ResourceNotFoundException"},
    "PutItem": _OF_A_WRITE,
    "UpdateItem": _OF_A_WRITE,
    "DeleteItem": _OF_A_WRITE,
    # Cancelled: `store.table` reads the reasons. The token's parameters differ: the SDK makes a new token.
    "TransactWriteItems": {
        "ResourceNotFoundException",
        "TransactionCanceledException",
        "IdempotentParameterMismatchException",
    },
    "GetMetricData": {"InvalidNextToken"},
    "GetServiceQuota": {"AccessDeniedException", "IllegalArgumentException", "NoSuchResourceException"},
    "GetAWSDefaultServiceQuota": {
        "AccessDeniedException",
        "IllegalArgumentException",
        "NoSuchResourceException",
    },
    "GetCalendarState": {"InvalidDocument", "InvalidDocumentType", "UnsupportedCalendarException"},
}
"""The declared errors that no retry changes, by operation; EC2's model declares none."""


def operations() -> set[tuple[str, str]]:
    """Return service and operation of each call."""
    [folder] = natdrain.__path__
    calls = {found for file in Path(folder).rglob("*.py") for found in CALL.findall(file.read_text())}
    named = {(service, paginated or method) for service, paginated, method in calls}
    return {(service, operation_of(service, name)) for service, name in named}


def operation_of(service: str, method: str) -> str:
    """Return the operation of a client's method."""
    names = get_session().get_service_model(service.replace("_", "-")).operation_names
    return next(name for name in names if xform_name(name) == method)


def declared(service: str, operation: str) -> set[str]:
    model: ServiceModel = get_session().get_service_model(service.replace("_", "-"))
    return {shape.error_code for shape in model.operation_model(operation).error_shapes}


def test_calls_of_natdrain_are_found_in_its_code() -> None:
    assert {operation for _, operation in operations()} - ANSWERS.keys() == {
        "AssociateNatGatewayAddress",
        "DescribeAddresses",
        "DescribeNatGateways",
        "DisassociateNatGatewayAddress",
        "ReleaseAddress",
    }


def test_declared_error_of_every_call_is_transient_or_an_answer() -> None:
    answers = {
        operation: found
        for service, operation in operations()
        if (found := declared(service, operation) - errors.TRANSIENT_CODES)
    }
    assert answers == ANSWERS, "sort the error that differs"


def test_error_that_the_sdk_itself_retries_is_transient() -> None:
    retried = {
        *standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        *standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
    }
    assert retried <= errors.TRANSIENT_CODES, "sort the error that is missing"
