"""Stories of joins that meet bad input or bad luck: nothing is lost, and nothing in service is taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.guard_stories import CALENDAR, hold, lift, names_of, set_calendar, tag
from support.join_stories import (
    ASSOCIATE,
    DISASSOCIATE,
    by_zone,
    in_service,
    joined,
    listed,
    outcomes,
    spares,
)
from support.stories import MANAGED, BuildGateway, NatGateway, problems, refused

Bad = Callable[[EmbeddedCloud, BuildGateway], tuple[NatGateway, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _open_calendar(cloud: EmbeddedCloud) -> Iterator[None]:
    set_calendar(cloud, "DEFAULT_OPEN")
    yield
    set_calendar(cloud, "DEFAULT_OPEN")
    cloud.simulation.set_quota(8)


def of_spare(**more: Any) -> Bad:
    def bad(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
        gateway = nat()
        return gateway, gateway.to_join(*spares(cloud, **more))

    return bad


def used_elsewhere(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway, other = nat(), nat()
    cloud.clock.advance(60)
    return gateway, gateway.to_join(other.addresses[1]["AllocationId"])


def on_an_interface(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway, [spare] = nat(), spares(cloud)
    ec2 = cloud.client("ec2")
    [subnet] = {
        shown["SubnetId"]
        for shown in ec2.describe_nat_gateways(NatGatewayIds=[gateway.gateway_id])["NatGateways"]
    }
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.associate_address(AllocationId=spare, NetworkInterfaceId=interface)
    return gateway, gateway.to_join(spare)


def of_a_zone(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway, [spare] = nat(), spares(cloud)
    return gateway, by_zone(gateway, **{"use1-az1": spare})


def of_no_zone(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat(2, zones=["us-east-1a", "us-east-1b"])
    return gateway, gateway.to_join(*spares(cloud))


def at_its_quota(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    cloud.simulation.set_quota(3)
    gateway = nat(3)
    return gateway, gateway.to_join(*spares(cloud))


def at_its_limit(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat(8)
    return gateway, gateway.to_join(*spares(cloud))


def managed_by_aws(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat(1, zones=["us-east-1a"], automatic=True)
    return gateway, by_zone(gateway, **{"use1-az6": spares(cloud)[0]})


def held(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat()
    hold(cloud, gateway.gateway_id)
    return gateway, gateway.to_join(*spares(cloud))


def not_opted_in(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat(tags={})
    return gateway, gateway.to_join(*spares(cloud))


def deleted(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat()
    cloud.client("ec2").delete_nat_gateway(NatGatewayId=gateway.gateway_id)
    cloud.clock.advance(10)
    return gateway, gateway.to_join(*spares(cloud))


def of_another_region(_cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    gateway = nat()
    return gateway, gateway.to_join("eipalloc-0123456789abcdef0")


def failed_and_listed(cloud: EmbeddedCloud, nat: BuildGateway) -> tuple[NatGateway, dict[str, Any]]:
    """Build a gateway on which somebody else's association has failed, and stays."""
    gateway, [spare] = nat(), spares(cloud)
    cloud.simulation.fail_when_associated(spare, "no luck")
    cloud.client("ec2").associate_nat_gateway_address(NatGatewayId=gateway.gateway_id, AllocationIds=[spare])
    cloud.clock.advance(60)
    return gateway, gateway.to_join(spare)


BAD_INPUT: dict[str, tuple[Bad, list[str], str]] = {
    "in use by another gateway": (
        used_elsewhere,
        ["free"],
        "is in use: EC2 shows it associated as eipassoc-",
    ),
    "on a network interface": (on_an_interface, ["free"], "is in use: EC2 shows it associated as eipassoc-"),
    "managed by AWS": (of_spare(service_managed="alb"), ["free"], "is managed by AWS (alb)"),
    "of another border group": (
        of_spare(border_group="us-east-1-bos-1"),
        ["free"],
        "is of the network border group us-east-1-bos-1",
    ),
    "failed before, and still listed": (
        failed_and_listed,
        ["free"],
        "aws ec2 disassociate-nat-gateway-address",
    ),
    "protected": (of_spare(tags={**MANAGED, "natdrain:protect": ""}), ["protect"], "natdrain:protect"),
    "not opted in": (of_spare(tags={}), ["opt_in"], "aws ec2 create-tags"),
    "gateway not opted in": (not_opted_in, ["opt_in"], "aws ec2 create-tags"),
    "of another region": (of_another_region, ["opt_in"], "Check the id, the account and the region."),
    "a zone for a zonal gateway": (of_a_zone, ["ec2"], "names a zone for it (use1-az1)"),
    "no zone for a regional one": (
        of_no_zone,
        ["ec2"],
        "Give each entry of Associate its AvailabilityZoneId.",
    ),
    "gateway deleted": (deleted, ["ec2"], "is deleting"),
    "addresses that AWS manages": (managed_by_aws, ["aws_managed"], "whose addresses AWS manages"),
    "held": (held, ["hold"], "is held"),
    "gateway at its quota": (at_its_quota, ["room"], "Drain another address first, or raise the quota"),
    "gateway at EC2's limit": (
        at_its_limit,
        ["room"],
        "Drain another address first: AWS documents no higher limit.",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_join_is_refused_and_changes_nothing(cloud: EmbeddedCloud, nat: BuildGateway, case: str) -> None:
    bad, guards, says = BAD_INPUT[case]
    gateway, request = bad(cloud, nat)
    found = refused(cloud.run(request))
    assert (names_of(found), gateway.changes()) == (guards, [])
    assert any(says in one for one in found), found


def test_join_refused_at_the_quota_names_both_ways_out(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, request = at_its_quota(cloud, nat)
    [problem] = refused(cloud.run(request))
    assert "Drain another address first" in problem
    assert "--service-code vpc --quota-code L-5F53652F --desired-value 4" in problem
    run = cloud.run(request | {"Override": ["room"]})
    assert (run.error, run.result["Changed"], gateway.changes()) == (
        "AssociateFailed",
        "none",
        [ASSOCIATE] * 3,
    )


def test_join_with_a_quota_that_cannot_be_read_goes_on_with_a_warning(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    denied = Fault(operation="service-quotas:GetServiceQuota", error="AccessDeniedException", status=400)
    cloud.recorder.faults = [denied]
    [warning] = joined(cloud.run(gateway.to_join(spare)))["Warnings"]
    assert warning.startswith("room: The quota of Elastic IPs for each NAT gateway could not be read")


def test_gateway_with_more_addresses_than_the_quota_disproves_it(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(4), spares(cloud)
    stale = Fault(operation="service-quotas:GetServiceQuota", error="NoSuchResourceException", status=400)
    cloud.recorder.faults = [stale]
    [warning] = joined(cloud.run(gateway.to_join(spare)))["Warnings"]
    assert "has 4 addresses, although Service Quotas says 2" in warning


def test_join_during_a_closed_calendar_warns_a_person_and_refuses_an_alarm(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    set_calendar(cloud, "DEFAULT_CLOSED")
    trigger = {"Kind": "alarm", "Name": "Ports", "At": "now"}
    [problem] = refused(cloud.run(gateway.to_join(spare, Trigger=trigger)))
    assert (problem.startswith("calendar:"), CALENDAR in problem) == (True, True)
    [warning] = joined(cloud.run(gateway.to_join(spare)))["Warnings"]
    assert warning.startswith("calendar:")


def test_join_of_what_another_tool_owns_warns(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    tag(gateway, spare, "terraform", "yes")
    [warning] = joined(cloud.run(gateway.to_join(spare)))["Warnings"]
    assert warning.startswith("owner:")


def test_join_without_a_free_private_ip_ends_with_the_words_of_ec2(cloud: EmbeddedCloud) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    small = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/28")["Subnet"]["SubnetId"]
    # Of sixteen addresses AWS reserves five; another gateway has eight.
    cloud.simulation.add_nat_gateway(small, spares(cloud, 8), tags=MANAGED)
    gateway_id = cloud.simulation.add_nat_gateway(small, spares(cloud, 3), tags=MANAGED)
    gateway, [spare] = NatGateway(cloud, gateway_id, []), spares(cloud)
    run = cloud.run(gateway.to_join(spare))
    assert (run.error, run.result["Changed"], outcomes(run)) == ("AssociateFailed", "none", ["join_failed"])
    assert "InsufficientFreeAddressesInSubnet" in problems(run.result)[0]


# What EC2 associates fails, hangs, or is taken away


def test_join_that_fails_is_taken_off_again(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    before = gateway.shown()
    cloud.simulation.fail_when_associated(spare, "The interface is broken.")
    run = cloud.run(gateway.to_join(spare))
    assert (run.error, run.result["Changed"], outcomes(run)) == ("AssociateFailed", "none", ["join_failed"])
    assert "The interface is broken." in problems(run.result)[0]
    assert (gateway.shown(), gateway.changes()) == (before, [ASSOCIATE, DISASSOCIATE])
    joined(cloud.run(gateway.to_join(spare)))


def test_join_of_which_one_fails_leaves_the_others_in_service(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, (good, bad) = nat(), spares(cloud, 2)
    cloud.simulation.fail_when_associated(bad, "no luck")
    run = cloud.run(gateway.to_join(good, bad))
    assert (run.error, run.result["Changed"], outcomes(run)) == (
        "AssociateFailed",
        "some",
        ["joined", "join_failed"],
    )
    assert in_service(gateway, good)
    assert listed(gateway, bad) == []
    assert run.result["PutBack"]["Request"]["AssociationIds"] == [run.result["Addresses"][0]["AssociationId"]]
    assert any("natdrain does not take it off again" in text for text in run.result["Warnings"])
    joined(cloud.run(run.result["GoOn"]["Request"]))
    assert in_service(gateway, bad)


@pytest.mark.parametrize("association", [True, False], ids=["with its id", "without its id"])
def test_failed_join_that_stays_listed_is_waited_for_and_takes_up_room(
    cloud: EmbeddedCloud, nat: BuildGateway, *, association: bool
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.simulation.fail_when_associated(spare, "no luck", association=association)
    stuck = Fault(operation=f"ec2:{DISASSOCIATE}", error="InvalidParameter", status=400)
    cloud.recorder.faults = [stuck] if association else []
    run = cloud.run(gateway.to_join(spare))
    [row] = run.result["Addresses"]
    assert (run.error, row["Outcome"], row["StillListed"]) == ("AssociateFailed", "join_failed", True)
    assert (run.result["Changed"], listed(gateway, spare)) == ("some", ["failed"])
    assert run.seconds >= 600
    cloud.simulation.set_quota(4)
    [problem] = refused(cloud.run(gateway.to_join(*spares(cloud))))
    assert "lists 4 addresses" in problem


def test_failed_join_that_leaves_by_itself_is_off_again(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.simulation.fail_when_associated(spare, "no luck", association=False, leaves_after_seconds=100)
    run = cloud.run(gateway.to_join(spare))
    assert (run.error, run.result["Changed"], listed(gateway, spare)) == ("AssociateFailed", "none", [])


def test_old_failed_entry_of_somebody_else_is_never_taken_off(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, request = failed_and_listed(cloud, nat)
    refused(cloud.run(request))
    assert gateway.changes() == []


def test_join_that_hangs_is_overdue_and_watched_again_by_the_same_request(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.simulation.hang_when_associated(spare)
    run = cloud.run(gateway.to_join(spare))
    assert (run.error, outcomes(run), run.result["Changed"]) == ("AssociateFailed", ["join_overdue"], "some")
    assert 600 <= run.seconds < 700
    again = cloud.run(run.result["GoOn"]["Request"])
    assert (outcomes(again), gateway.changes()) == (["join_overdue"], [ASSOCIATE])


def test_address_taken_away_while_another_one_joins_is_reported_and_not_fought_over(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, (first, second) = nat(2, zones=["us-east-1a", "us-east-1b"]), spares(cloud, 2)
    calls = [
        {"AllocationIds": [first], "AvailabilityZone": "us-east-1a"},
        {"AllocationIds": [second], "AvailabilityZone": "us-east-1c"},
    ]
    execution = cloud.start({"NatGatewayId": gateway.gateway_id, "Associate": calls})
    # Before the next look, since EC2 lets nobody take it off while it associates the second one.
    while not in_service(gateway, first):
        cloud.clock.advance(1)
    [ours] = [a["AssociationId"] for a in gateway.shown() if a["AllocationId"] == first]
    cloud.client("ec2").disassociate_nat_gateway_address(
        NatGatewayId=gateway.gateway_id, AssociationIds=[ours], MaxDrainDurationSeconds=1
    )
    run = cloud.wait(execution)
    assert (run.error, outcomes(run)[0]) == ("AssociateFailed", "taken_away")
    assert DISASSOCIATE not in gateway.changes()


def test_join_of_a_gateway_that_is_deleted_meanwhile_says_so(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    execution = cloud.start(gateway.to_join(spare))
    cloud.clock.advance(6)
    cloud.client("ec2").delete_nat_gateway(NatGatewayId=gateway.gateway_id)
    run = cloud.wait(execution)
    assert (run.error, outcomes(run), run.result["Changed"]) == (
        "AssociateFailed",
        ["gateway_gone"],
        "unknown",
    )


# What EC2 answers gets lost, and executions are stopped


@pytest.mark.parametrize("seconds", [0, 30, 70], ids="associating for {} s".format)
def test_answer_that_was_lost_is_found_again_and_ec2_asked_once(
    cloud: EmbeddedCloud, nat: BuildGateway, seconds: int
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.simulation.configure(lags=Lags(associate=seconds))
    lost = Fault(operation=f"ec2:{ASSOCIATE}", error="InternalError", status=500, after_effect=True)
    cloud.recorder.faults = [lost]
    [row] = joined(cloud.run(gateway.to_join(spare)))["Addresses"]
    assert (gateway.changes(), row["RequestedAt"] is not None) == ([ASSOCIATE], True)


def test_request_that_never_reached_ec2_is_made_again_after_a_minute(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    lost = Fault(operation=f"ec2:{ASSOCIATE}", error="InternalError", status=500, calls=frozenset({1}))
    cloud.recorder.faults = [lost]
    run = cloud.run(gateway.to_join(spare))
    assert joined(run)
    assert (gateway.changes(), run.seconds >= 60) == ([ASSOCIATE, ASSOCIATE], True)


def test_throttled_request_is_made_again_at_once(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    throttled = Fault(operation=f"ec2:{ASSOCIATE}", error="RequestLimitExceeded", calls=frozenset({1}))
    cloud.recorder.faults = [throttled]
    assert cloud.run(gateway.to_join(spare)).seconds < 60
    assert in_service(gateway, spare)


def test_function_that_dies_after_it_has_asked_does_not_ask_again(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    died = Fault(
        operation="lambda:Invoke",
        error="ServiceException",
        message=gateway.gateway_id,
        calls=frozenset({3}),  # after those of Read the request and Validate
        after_effect=True,
    )
    cloud.recorder.faults = [died]
    joined(cloud.run(gateway.to_join(spare)))
    assert gateway.changes() == [ASSOCIATE]


STATES = [
    "Read the request",
    "Take the lock",
    "Validate",
    "Associate",
    "Publish the start",
    "Wait",
    "Confirm",
    "Close",
]


@pytest.mark.parametrize("state", STATES)
def test_join_that_was_stopped_goes_on_with_the_same_request(
    cloud: EmbeddedCloud, nat: BuildGateway, state: str
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    execution = cloud.start(gateway.to_join(spare))
    cloud.clock.run_until(lambda: state in [name for _, name in cloud.states(execution)])
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    cloud.clock.advance(1)
    run = cloud.run(gateway.to_join(spare))
    assert (run.status, in_service(gateway, spare), gateway.changes()) == ("SUCCEEDED", True, [ASSOCIATE])


@pytest.mark.parametrize("seconds", [1, 10, 25, 31, 45, 600])
def test_join_stopped_in_the_middle_is_recorded_and_found_again(
    cloud: EmbeddedCloud, nat: BuildGateway, seconds: int
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.simulation.configure(lags=Lags(associate=40))
    execution = cloud.start(gateway.to_join(spare))
    cloud.clock.advance(min(seconds, 30))
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    cloud.clock.advance(max(1, seconds - 30))
    run = cloud.run(gateway.to_join(spare))
    assert (run.status, in_service(gateway, spare), gateway.changes()) == ("SUCCEEDED", True, [ASSOCIATE])


def test_failed_join_of_a_stopped_execution_is_taken_off_by_the_next_one(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.simulation.fail_when_associated(spare, "no luck")
    execution = cloud.start(gateway.to_join(spare))
    cloud.clock.advance(6)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    cloud.clock.advance(60)
    plan = cloud.run(gateway.to_join(spare, DryRun=True))
    assert (outcomes(plan), gateway.changes()) == (["planned"], [ASSOCIATE])
    assert "has failed, and would be taken off again" in plan.result["Summary"]
    assert outcomes(cloud.run(gateway.to_join(spare))) == ["join_failed"]
    assert gateway.changes() == [ASSOCIATE, DISASSOCIATE]
    joined(cloud.run(gateway.to_join(spare)))


# Two at once


def test_second_join_finds_the_gateway_busy_or_waits_in_line(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, (one, two, three) = nat(), spares(cloud, 3)
    first = cloud.start(gateway.to_join(one))
    cloud.clock.advance(3)
    busy = cloud.run(gateway.to_join(two))
    assert (busy.error, busy.result["Outcome"], busy.result["Changed"]) == ("GatewayBusy", "busy", "none")
    joined(cloud.run(gateway.to_join(three, WhenBusy="wait")))
    joined(cloud.wait(first))


def test_drain_and_join_of_one_gateway_take_turns(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    drain = cloud.start(gateway.named(1, MaxDrainDurationSeconds=60))
    cloud.clock.advance(3)
    assert cloud.run(gateway.to_join(spare)).error == "GatewayBusy"
    joined(cloud.run(gateway.to_join(spare, WhenBusy="wait")))
    assert cloud.wait(drain).result["Outcome"] == "drained"


def test_hold_set_while_ec2_is_busy_stops_the_join(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    execution = cloud.start(gateway.to_join(spare))
    cloud.clock.advance(10)
    hold(cloud, gateway.gateway_id)
    [problem] = refused(cloud.wait(execution))
    assert (problem.startswith("hold:"), gateway.changes()) == (True, [])
    lift(cloud, gateway.gateway_id)
