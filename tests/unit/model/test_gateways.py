from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from natdrain.model.gateway import Address, Gateway, zone_option
from support.builders import address, allocation, association, gateway, sample


def read(name: str) -> Gateway:
    return Gateway.from_ec2(sample(f"describe-nat-gateways.{name}.json")["NatGateways"][0])


def test_gateway_reads_a_zonal_one() -> None:
    seen = read("zonal")
    assert (seen.gateway_id, seen.state, seen.connectivity, seen.availability_mode) == (
        "nat-1234567890abcdef0",
        "available",
        "public",
        "zonal",
    )
    assert [a.is_primary for a in seen.addresses] == [True, False, False]


def test_gateway_reads_a_draining_address() -> None:
    assert [a.status for a in read("draining").addresses] == ["succeeded", "disassociating", "succeeded"]


def test_gateway_reads_a_failed_address_with_its_message() -> None:
    assert (
        read("failed-address").addresses[1].failure_message == "The network interface could not be updated."
    )


def test_gateway_reads_a_private_one_without_associations() -> None:
    assert [a.association_id for a in read("private").addresses] == [None, None]


def test_gateway_reads_a_regional_one_with_zones_and_without_primaries() -> None:
    seen = read("regional-manual")
    assert [(a.zone, a.is_primary) for a in seen.addresses] == [
        ("use1-az1", None),
        ("use1-az1", None),
        ("use1-az2", None),
    ]
    assert not any(seen.may_be_primary(a) for a in seen.addresses)


def test_gateway_takes_silence_for_a_primary_when_zonal() -> None:
    silent = address("a", primary=None)
    assert gateway(silent).may_be_primary(silent)


@pytest.mark.parametrize(
    "status", ["assigning", "unassigning", "associating", "disassociating", "something-new"]
)
def test_address_is_in_transition_with_every_unsettled_status(status: str) -> None:
    assert address("a", status).in_transition


def test_gateway_reads_what_older_ones_leave_out() -> None:
    old: dict[str, Any] = {"NatGatewayId": "nat-1", "State": "available", "NatGatewayAddresses": [{}]}
    seen = Gateway.from_ec2(old)
    assert (seen.connectivity, seen.availability_mode, seen.addresses[0].status) == (
        "public",
        "zonal",
        "succeeded",
    )


def test_gateway_that_is_zonal_has_addresses_without_a_zone_whatever_ec2_says() -> None:
    shape = sample("describe-nat-gateways.zonal.json")["NatGateways"][0]
    for entry in shape["NatGatewayAddresses"]:
        entry |= {"AvailabilityZone": "us-east-1a", "AvailabilityZoneId": "use1-az1"}
    assert {address.zone for address in Gateway.from_ec2(shape).addresses} == {None}


def test_gateway_that_is_zonal_is_its_owners() -> None:
    assert not read("zonal").aws_managed


def test_gateway_that_is_regional_names_a_zone_where_ec2_gives_no_id() -> None:
    shape = sample("describe-nat-gateways.regional-manual.json")["NatGateways"][0]
    for entry in shape["NatGatewayAddresses"]:
        entry |= {"AvailabilityZone": "us-east-1a", "AvailabilityZoneId": None}
    assert {address.zone for address in Gateway.from_ec2(shape).addresses} == {"us-east-1a"}


@pytest.mark.parametrize("said", ["enabled", None])
@pytest.mark.parametrize("managed", ["AutoScalingIps", "AutoProvisionZones"])
def test_gateway_is_managed_by_aws_unless_ec2_says_otherwise(managed: str, said: str | None) -> None:
    shape = sample("describe-nat-gateways.regional-manual.json")["NatGateways"][0]
    assert not Gateway.from_ec2(shape).aws_managed
    assert Gateway.from_ec2(shape | {managed: said}).aws_managed


KNOWN: dict[str | None, str] = {allocation("a"): association("a")}


def unnamed(name: str, status: str = "disassociating") -> Address:
    return address(name, status, association_id=None)


def ids(seen: Gateway) -> list[str | None]:
    return [a.association_id for a in seen.addresses]


def test_gateway_is_given_the_association_of_an_entry_that_leaves_without_one() -> None:
    assert ids(gateway(unnamed("a"), primary=False).identified(KNOWN)) == [association("a")]


@pytest.mark.parametrize("status", ["associating", "failed", "succeeded"])
def test_gateway_is_given_no_association_of_an_entry_that_does_not_leave(status: str) -> None:
    assert ids(gateway(unnamed("a", status), primary=False).identified(KNOWN)) == [None]


def test_gateway_keeps_the_associations_that_ec2_shows() -> None:
    other = address("a", "disassociating", association_id=association("f"))
    assert ids(gateway(other, primary=False).identified(KNOWN)) == [association("f")]


def test_gateway_is_given_each_association_once() -> None:
    seen = gateway(unnamed("a"), unnamed("a"), primary=False).identified(KNOWN)
    assert ids(seen) == [association("a"), None]
    assert ids(gateway(address("a"), unnamed("a"), primary=False).identified(KNOWN))[1] is None


def test_entry_of_an_association_is_also_one_that_leaves_or_has_no_id() -> None:
    for entry in (unnamed("a"), address("a", "unassigning", association_id=association("f"))):
        assert gateway(entry).entry_of(association("a"), allocation("a")) == entry


def test_entry_of_an_association_is_none_that_stays_under_another_id_or_has_no_allocation() -> None:
    again = address("a", association_id=association("f"))
    assert gateway(again).entry_of(association("a"), allocation("a")) is None
    assert gateway(replace(unnamed("a"), allocation_id=None)).entry_of(association("a"), None) is None


def test_gateway_shows_every_entry_of_an_allocation_and_none_of_an_unknown_one() -> None:
    failed, again = address("a", "failed"), address("a", association_id=association("f"))
    seen = gateway(failed, again, address("b"))
    assert seen.with_allocation(allocation("a")) == [failed, again]
    assert seen.with_allocation(None) == seen.with_allocation(allocation("c")) == []


@pytest.mark.parametrize(
    ("zone", "option"),
    [
        ("use1-az1", " --availability-zone-id use1-az1"),
        ("usw2-lax1-az1", " --availability-zone-id usw2-lax1-az1"),
        ("us-east-1a", " --availability-zone us-east-1a"),
        ("us-west-2-lax-1a", " --availability-zone us-west-2-lax-1a"),
    ],
)
def test_zone_is_written_by_the_option_for_ids_or_for_names(zone: str, option: str) -> None:
    assert zone_option(zone) == option
