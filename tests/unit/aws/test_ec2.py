"""The calls to EC2, and the meaning of its refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.stub import Stubber

from natdrain.aws import ec2 as calls
from natdrain.aws import errors
from natdrain.model.errors import TransientFailure
from support.builders import GATEWAY, allocation, association, ip


@pytest.mark.parametrize(
    ("operation", "read"),
    [
        ("describe_nat_gateways", lambda: calls.describe_gateway(GATEWAY)),
        ("describe_nat_gateways", lambda: calls.find_gateways([ip("a")])),
        ("describe_addresses", lambda: calls.describe_elastic_ips([allocation("a")])),
    ],
    ids=["gateway", "gateways", "elastic ips"],
)
def test_look_that_ec2_refuses_to_authenticate_is_worth_a_retry(
    ec2: Stubber, operation: str, read: Callable[[], object]
) -> None:
    ec2.add_client_error(operation, "AuthFailure", http_status_code=401)
    with pytest.raises(TransientFailure, match="AuthFailure"):
        read()


def test_dry_run_that_ec2_refuses_to_authenticate_is_worth_a_retry(ec2: Stubber) -> None:
    ec2.add_client_error("disassociate_nat_gateway_address", "AuthFailure", http_status_code=401)
    with pytest.raises(TransientFailure, match="AuthFailure"):
        calls.prove_permission(GATEWAY, [association("a")], 350)


@pytest.mark.parametrize(("code", "throttled"), [("RequestLimitExceeded", True), ("InternalError", False)])
def test_request_that_ec2_throttled_is_known_not_to_be_accepted(
    ec2: Stubber, code: str, *, throttled: bool
) -> None:
    ec2.add_client_error("disassociate_nat_gateway_address", code, http_status_code=503)
    with pytest.raises(TransientFailure) as failure:
        calls.disassociate(GATEWAY, [association("a")], 350)
    assert failure.value.throttled is throttled


@pytest.mark.parametrize(
    "code", ["AuthFailure", "InvalidIPAddress.InUse", "InvalidNetworkInterfaceID.NotFound", "RequestExpired"]
)
def test_release_of_an_allocation_in_use_or_in_doubt_is_refused_for_now(ec2: Stubber, code: str) -> None:
    ec2.add_client_error("release_address", code, http_status_code=400)
    said = calls.release(allocation("a"))
    assert isinstance(said, calls.Refused)
    assert (said.busy, said.denied) == (True, False)


def test_release_that_is_refused_otherwise_is_refused_for_good(ec2: Stubber) -> None:
    ec2.add_client_error("release_address", "InvalidAddress.Locked", http_status_code=400)
    said = calls.release(allocation("a"))
    assert isinstance(said, calls.Refused)
    assert (said.busy, said.denied) == (False, False)


def test_release_of_an_allocation_that_is_gone_is_accepted(ec2: Stubber) -> None:
    ec2.add_client_error("release_address", errors.ALLOCATION_NOT_FOUND, http_status_code=400)
    assert isinstance(calls.release(allocation("a")), calls.Accepted)


@pytest.mark.parametrize(
    ("code", "busy", "denied"),
    [
        ("AuthFailure", False, False),
        ("OperationInProgress", True, False),
        ("UnauthorizedOperation", False, True),
    ],
)
def test_request_that_ec2_refuses_says_if_waiting_helps_and_if_a_right_is_missing(
    ec2: Stubber, code: str, *, busy: bool, denied: bool
) -> None:
    ec2.add_client_error("disassociate_nat_gateway_address", code, http_status_code=400)
    said = calls.disassociate(GATEWAY, [association("a")], 350)
    assert isinstance(said, calls.Refused)
    assert (said.busy, said.denied) == (busy, denied)
