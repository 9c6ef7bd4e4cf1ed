"""The calls to Service Quotas, and the meaning of its answers."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from natdrain.aws import errors
from natdrain.aws.quotas import read_addresses_quota
from natdrain.model.errors import TransientFailure
from natdrain.model.look import Unread

# VPC user guide, quotas: Elastic IP addresses per public NAT gateway.
ASKED = {"ServiceCode": "vpc", "QuotaCode": "L-5F53652F"}


def test_quota_is_the_one_that_is_applied(service_quotas: Stubber) -> None:
    service_quotas.add_response("get_service_quota", {"Quota": {"Value": 8.0}}, ASKED)
    assert read_addresses_quota() == 8


def test_quota_that_was_never_raised_is_awss_default(service_quotas: Stubber) -> None:
    service_quotas.add_client_error("get_service_quota", "NoSuchResourceException", http_status_code=400)
    service_quotas.add_response("get_aws_default_service_quota", {"Quota": {"Value": 2.0}}, ASKED)
    assert read_addresses_quota() == 2


@pytest.mark.parametrize("code", ["AccessDeniedException", "IllegalArgumentException"])
def test_quota_is_not_taken_for_the_default_when_it_must_not_be_read(
    service_quotas: Stubber, code: str
) -> None:
    service_quotas.add_client_error("get_service_quota", code, http_status_code=400)
    with pytest.raises(ClientError, match=code):
        read_addresses_quota()


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ServiceException"])
def test_quota_that_cannot_be_read_now_is_worth_a_retry(service_quotas: Stubber, code: str) -> None:
    service_quotas.add_client_error("get_service_quota", code, http_status_code=400)
    with pytest.raises(TransientFailure, match=code):
        read_addresses_quota()


@pytest.mark.parametrize(
    ("code", "last_attempt"), [("AccessDeniedException", False), ("TooManyRequestsException", True)]
)
def test_quota_that_stays_unread_says_why(service_quotas: Stubber, code: str, *, last_attempt: bool) -> None:
    service_quotas.add_client_error("get_service_quota", code, "why", http_status_code=400)
    assert errors.read(read_addresses_quota, last_attempt=last_attempt) == Unread(f"{code}: why")


def test_default_that_cannot_be_read_now_is_worth_a_retry(service_quotas: Stubber) -> None:
    service_quotas.add_client_error("get_service_quota", "NoSuchResourceException", http_status_code=400)
    service_quotas.add_client_error(
        "get_aws_default_service_quota", "TooManyRequestsException", http_status_code=429
    )
    with pytest.raises(TransientFailure, match="TooManyRequestsException"):
        errors.read(read_addresses_quota, last_attempt=False)


@pytest.mark.parametrize("code", ["AccessDeniedException", "NoSuchResourceException"])
def test_default_that_stays_unread_says_why(service_quotas: Stubber, code: str) -> None:
    service_quotas.add_client_error("get_service_quota", "NoSuchResourceException", http_status_code=400)
    service_quotas.add_client_error("get_aws_default_service_quota", code, "why", http_status_code=400)
    assert errors.read(read_addresses_quota, last_attempt=True) == Unread(f"{code}: why")
