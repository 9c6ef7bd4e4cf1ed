"""The calls to EC2, and the meaning of its refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from natdrain.aws import clock, errors
from natdrain.aws import ec2 as calls
from natdrain.model.errors import AssociateFailed, DrainFailed, RequestRefused, TransientFailure
from natdrain.model.look import ElasticIp
from natdrain.model.request import Association
from support.builders import GATEWAY, START, allocation, association, ip

CALL = Association(allocation_ids=(allocation("a"), allocation("b")))
ZONED = replace(CALL, private_ips=("10.0.0.7", "10.0.0.8"), zone_id="use1-az1")
ASKED = {"NatGatewayId": GATEWAY, "AllocationIds": [allocation("a"), allocation("b")]}
DENIAL = "You are not authorized. Encoded authorization failure message: abc"


def refused(ec2: Stubber, code: str, message: str = "") -> calls.Refused:
    """Return the answer to a request to associate that EC2 refuses with this code."""
    ec2.add_client_error("associate_nat_gateway_address", code, message, http_status_code=400)
    said = calls.associate(GATEWAY, CALL)
    assert isinstance(said, calls.Refused)
    return said


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


def test_request_to_associate_is_in_ec2s_own_parameters(ec2: Stubber) -> None:
    zone = {"PrivateIpAddresses": ["10.0.0.7", "10.0.0.8"], "AvailabilityZoneId": "use1-az1"}
    ec2.add_response("associate_nat_gateway_address", {"NatGatewayId": GATEWAY}, ASKED | zone)
    assert isinstance(calls.associate(GATEWAY, ZONED), calls.Accepted)


def test_request_to_associate_names_neither_zone_nor_private_ips_when_it_has_none(ec2: Stubber) -> None:
    ec2.add_response("associate_nat_gateway_address", {}, ASKED)
    calls.associate(GATEWAY, CALL)


def test_request_to_associate_was_accepted_between_two_instants(
    ec2: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    instants = iter([START, START + timedelta(seconds=2)])
    monkeypatch.setattr(clock, "now", lambda: next(instants))
    ec2.add_response("associate_nat_gateway_address", {}, ASKED)
    assert calls.associate(GATEWAY, CALL) == calls.Accepted(START, START + timedelta(seconds=2))


@pytest.mark.parametrize(
    ("code", "busy", "denied", "unknown"),
    [
        ("OperationInProgress", True, False, False),
        ("UnauthorizedOperation", False, True, False),
        ("InvalidAllocationID.NotFound", False, False, True),
        ("InvalidParameter", False, False, False),
        ("NatGatewayNotFound", False, False, False),
        ("AuthFailure", False, False, False),
        ("PrivateIpAddressLimitExceeded", False, False, False),
        ("NeverHeardOf", False, False, False),
    ],
)
def test_request_to_associate_that_is_refused_says_what_would_help(
    ec2: Stubber, code: str, *, busy: bool, denied: bool, unknown: bool
) -> None:
    said = refused(ec2, code)
    assert (said.busy, said.denied, said.unknown) == (busy, denied, unknown)


def test_request_to_associate_that_is_refused_keeps_ec2s_own_words(ec2: Stubber) -> None:
    assert refused(ec2, "NeverHeardOf", "No more.").text == "NeverHeardOf: No more."


def test_request_to_associate_that_is_denied_names_the_right_and_what_it_was_for(ec2: Stubber) -> None:
    text = refused(ec2, "UnauthorizedOperation", DENIAL).text
    for part in ("ec2:AssociateNatGatewayAddress", GATEWAY, allocation("a"), allocation("b"), "opt-in tag"):
        assert part in text
    assert "Encoded" not in text


@pytest.mark.parametrize(("code", "throttled"), [("RequestLimitExceeded", True), ("InternalError", False)])
def test_request_to_associate_that_ec2_throttled_is_known_not_to_be_accepted(
    ec2: Stubber, code: str, *, throttled: bool
) -> None:
    ec2.add_client_error("associate_nat_gateway_address", code, http_status_code=503)
    with pytest.raises(TransientFailure) as failure:
        calls.associate(GATEWAY, CALL)
    assert failure.value.throttled is throttled


def test_right_to_associate_is_proven_by_ec2s_own_dry_run(ec2: Stubber) -> None:
    zone = {"PrivateIpAddresses": ["10.0.0.7", "10.0.0.8"], "AvailabilityZoneId": "use1-az1"}
    ec2.add_client_error(
        "associate_nat_gateway_address",
        "DryRunOperation",
        http_status_code=412,
        expected_params=ASKED | zone | {"DryRun": True},
    )
    calls.prove_right_to_associate(GATEWAY, ZONED)


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("UnauthorizedOperation", 403, "EC2 denies ec2:AssociateNatGatewayAddress on nat-"),
        ("InvalidAllocationID.NotFound", 400, "EC2 answered the dry run with InvalidAllocationID.NotFound"),
    ],
)
def test_right_to_associate_that_is_missing_is_a_refusal(
    ec2: Stubber, code: str, status: int, says: str
) -> None:
    ec2.add_client_error("associate_nat_gateway_address", code, http_status_code=status)
    with pytest.raises(RequestRefused, match=says):
        calls.prove_right_to_associate(GATEWAY, CALL)


def test_right_to_associate_that_ec2_refuses_to_authenticate_is_worth_a_retry(ec2: Stubber) -> None:
    ec2.add_client_error("associate_nat_gateway_address", "AuthFailure", http_status_code=401)
    with pytest.raises(TransientFailure, match="AuthFailure"):
        calls.prove_right_to_associate(GATEWAY, CALL)


@pytest.mark.parametrize(
    ("operation", "prove", "failure"),
    [
        (
            "associate_nat_gateway_address",
            lambda: calls.prove_right_to_associate(GATEWAY, CALL),
            AssociateFailed,
        ),
        (
            "disassociate_nat_gateway_address",
            lambda: calls.prove_permission(GATEWAY, [association("a")], 350),
            DrainFailed,
        ),
    ],
    ids=["associate", "disassociate"],
)
def test_dry_run_that_ec2_carries_out_is_a_failure_of_its_direction(
    ec2: Stubber, operation: str, prove: Callable[[], None], failure: type[Exception]
) -> None:
    ec2.add_response(operation, {"NatGatewayId": GATEWAY})
    with pytest.raises(failure, match="EC2 carried out a dry run"):
        prove()


IN_USE: dict[str, Any] = {
    "AllocationId": allocation("a"),
    "PublicIp": ip("a"),
    "AssociationId": association("a"),
    "NetworkInterfaceId": "eni-0a1b2c3d4e5f60718",
    "ServiceManaged": "rnat",
    "NetworkBorderGroup": "us-east-1",
    "Tags": [{"Key": "natdrain:managed", "Value": "true"}],
}


def test_elastic_ip_says_what_has_it_and_where_it_serves(ec2: Stubber) -> None:
    ec2.add_response("describe_addresses", {"Addresses": [IN_USE]})
    assert calls.describe_elastic_ips([allocation("a")]) == {
        allocation("a"): ElasticIp(
            tags={"natdrain:managed": "true"},
            public_ip=ip("a"),
            association_id=association("a"),
            network_interface_id="eni-0a1b2c3d4e5f60718",
            service_managed="rnat",
            border_group="us-east-1",
        )
    }


def test_elastic_ip_that_is_free_says_nothing_of_a_use(ec2: Stubber) -> None:
    ec2.add_response("describe_addresses", {"Addresses": [{"AllocationId": allocation("a")}]})
    assert calls.describe_elastic_ips([allocation("a")]) == {allocation("a"): ElasticIp(tags={})}


def test_elastic_ips_are_asked_for_so_that_one_that_does_not_exist_fails_nothing(ec2: Stubber) -> None:
    both = [allocation("a"), allocation("b")]
    wanted = {"Filters": [{"Name": "allocation-id", "Values": both}]}
    ec2.add_response("describe_addresses", {"Addresses": [IN_USE]}, wanted)
    assert calls.describe_elastic_ips(both).keys() == {allocation("a")}


@pytest.mark.usefixtures("ec2")
def test_elastic_ips_are_not_asked_for_when_there_are_none() -> None:
    assert calls.describe_elastic_ips([]) == {}
