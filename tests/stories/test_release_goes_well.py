"""Stories of allocations that are released."""

from __future__ import annotations

from datetime import timedelta

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.release_stories import (
    LIMIT_SECONDS,
    RELEASE,
    allocation,
    asked,
    gone_by,
    kept,
    ours,
    outcomes,
    refusing,
    released,
    to_release,
)
from support.stories import BuildGateway, NatGateway, items, log_lines, problems


def test_release_releases_the_allocation_when_its_address_has_left(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    released(run)
    assert outcomes(run) == ["released"]
    assert f"its allocation {allocation(gateway)} is released" in run.result["Summary"]
    assert run.result["PutBack"] is None
    assert ours(gateway, 0, 1, 2) == [True, False, True]


def test_release_is_asked_for_once_and_half_a_minute_after_the_first_look_without_the_address(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    (call,) = asked(gateway)
    assert call.at - gone_by(run) >= timedelta(seconds=30)
    assert run.seconds <= LIMIT_SECONDS + 50 + 31


def test_release_is_asked_for_after_a_look_at_everything_that_could_forbid_it(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    (last,) = asked(gateway)
    since = [call for call in cloud.recorder.calls if call.at >= gone_by(run) and call.role]
    names = [call.name for call in since if not call.name.startswith(("lambda:", "logs:"))]
    assert names[: names.index(last.name) + 1] == [
        # The look that no longer found it.
        "ec2:DescribeNatGateways",
        "dynamodb:BatchGetItem",  # what is remembered
        "dynamodb:TransactWriteItems",  # the history
        # The second one.
        "ec2:DescribeNatGateways",
        "dynamodb:BatchGetItem",  # what is remembered
        "ec2:DescribeAddresses",
        "dynamodb:BatchGetItem",  # holds
        "ssm:GetCalendarState",
        # The release itself.
        "dynamodb:BatchGetItem",  # holds
        "dynamodb:UpdateItem",  # the lock is still ours
        RELEASE,
    ]


def test_release_is_recorded(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    run = cloud.run(to_release(gateway, 1, Reason="contract ended"))
    kept_items = items(cloud, gateway.gateway_id)
    for record in (f"association#{gateway.addresses[1]['AssociationId']}", f"address#{allocation(gateway)}"):
        item = kept_items[record]
        assert (item["Outcome"]["S"], item["Reason"]["S"]) == ("released", "contract ended")
        assert item["Execution"]["S"] == run.execution_arn
    assert kept_items["lock"]["Drains"] == {"M": {}}
    assert "Owner" not in kept_items["lock"]


def test_release_counts_in_the_metric_of_how_long_drains_take(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.run(to_release(nat(), 1))
    *_, (seconds,) = [line["DrainDuration"] for line in log_lines(cloud) if "DrainDuration" in line]
    assert LIMIT_SECONDS <= seconds <= LIMIT_SECONDS + 50


def test_release_of_several_that_leave_one_after_the_other_reports_what_was_seen_of_each(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=30)
    cloud.clock.advance(5)
    run = cloud.run(to_release(gateway, 1, 2))
    released(run)
    assert gone_by(run, 0) < gone_by(run, 1)
    assert ours(gateway, 0, 1, 2, 3) == [True, False, False, True]
    assert "had left already" not in run.result["Summary"]
    assert [
        f"{address['PublicIp']} " in warning
        for address, warning in zip(run.result["Addresses"], run.result["Warnings"], strict=True)
    ] == [True, True]


def test_release_waits_until_describe_addresses_agrees(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.simulation.configure(lags=Lags(describe_addresses=100))
    gateway = nat()
    cloud.clock.advance(100)
    run = cloud.run(to_release(gateway, 1))
    released(run)
    (call,) = asked(gateway)
    assert call.at - gone_by(run) >= timedelta(seconds=90)


@pytest.mark.parametrize(
    "code", ["InvalidIPAddress.InUse", "AuthFailure", "InvalidNetworkInterfaceID.NotFound"]
)
def test_release_waits_while_ec2_thinks_the_allocation_in_use(
    cloud: EmbeddedCloud, nat: BuildGateway, code: str
) -> None:
    cloud.recorder.faults = [refusing(code, calls=frozenset({1, 2}))]
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    released(run)
    assert [call.error for call in asked(gateway)] == [code, code, None]


@pytest.mark.parametrize(
    ("operation", "error", "role"),
    [
        (RELEASE, "RequestLimitExceeded", "Release"),
        ("ec2:DescribeAddresses", "RequestLimitExceeded", "Confirm"),
        ("dynamodb:UpdateItem", "ThrottlingException", "Release"),
    ],
)
def test_release_survives_trouble_that_passes(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str, error: str, role: str
) -> None:
    # More than the clients in the functions retry by themselves.
    few = frozenset(range(1, 5))
    cloud.recorder.faults = [Fault(operation=operation, error=error, calls=few, role_contains=role)]
    gateway = nat()
    released(cloud.run(to_release(gateway, 1)))
    assert (operation, error) in {(call.name, call.error) for call in cloud.recorder.calls}
    assert ours(gateway, 1) == [False]


def test_release_whose_answer_got_lost_is_found_done(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.recorder.faults = [
        Fault(operation=RELEASE, error="InternalError", calls=frozenset({1}), after_effect=True)
    ]
    gateway = nat()
    released(cloud.run(to_release(gateway, 1)))
    assert [call.error for call in asked(gateway)] == ["InternalError", "InvalidAllocationID.NotFound"]


# Dry runs


def proofs(cloud: EmbeddedCloud) -> list[str]:
    """Return the allocations of the last permission probe."""
    calls = [c for c in cloud.recorder.calls if c.name == RELEASE and c.parameters.get("DryRun") is True]
    return [call.parameters["AllocationId"] for call in calls]


def test_dry_run_of_a_release_proves_both_rights_and_changes_nothing(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    before = len(proofs(cloud))
    run = cloud.run(to_release(gateway, 1, 2, DryRun=True))
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "planned", "none")
    assert "would be taken off, and its allocation would be released" in run.result["Summary"]
    assert sum("the public IP lost for good" in warning for warning in run.result["Warnings"]) == 2
    assert run.calls["ec2:DisassociateNatGatewayAddress"] == 1
    assert sorted(proofs(cloud)[before:]) == sorted(allocation(gateway, number) for number in (1, 2))
    assert (run.seconds, gateway.changes(), asked(gateway)) == (0, [], [])


@pytest.mark.parametrize("already", ["draining", "drained"])
def test_dry_run_of_a_release_proves_the_right_that_will_be_needed_later(
    cloud: EmbeddedCloud, nat: BuildGateway, already: str
) -> None:
    gateway = nat()
    if already == "draining":
        cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1))
        cloud.clock.advance(5)
    else:
        cloud.run(gateway.named(1, MaxDrainDurationSeconds=1))
    before = len(proofs(cloud))
    run = cloud.run(to_release(gateway, 1, DryRun=True))
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "planned", "none")
    assert "and its allocation would be released" in run.result["Summary"]
    assert proofs(cloud)[before:] == [allocation(gateway)]


def test_dry_run_of_a_release_is_refused_where_the_right_is_missing(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.recorder.faults = [Fault(operation=RELEASE, error="UnauthorizedOperation", status=403)]
    gateway = nat()
    run = cloud.run(to_release(gateway, 1, DryRun=True))
    assert (run.error, run.result["Changed"]) == ("RequestRefused", "none")
    assert f"EC2 denies ec2:ReleaseAddress on {allocation(gateway)}" in problems(run.result)[0]


# Repeated requests


def test_release_is_completed_by_a_later_request_when_its_obstacle_has_gone(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.recorder.faults = [refusing("InvalidAddress.PtrSet")]
    kept(cloud.run(to_release(gateway, 1)))
    cloud.recorder.faults = []
    again = cloud.run(to_release(gateway, 1))
    released(again)
    assert "had left already, and its allocation" in again.result["Summary"]
    assert again.seconds == 31
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]
    assert ours(gateway, 1) == [False]


def test_release_can_follow_a_drain_that_kept_the_allocation(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    cloud.run(gateway.named(1, MaxDrainDurationSeconds=1))
    released(cloud.run(to_release(gateway, 1)))
    assert ours(gateway, 1) == [False]


@pytest.mark.parametrize("way", ["AssociationIds", "AllocationIds"])
def test_release_that_was_done_before_is_found_done(
    cloud: EmbeddedCloud, nat: BuildGateway, way: str
) -> None:
    gateway = nat()
    cloud.run(to_release(gateway, 1))
    again = cloud.run(gateway.called(way, 1, AfterDrain="release"))
    assert (again.status, again.result["Outcome"], again.result["Changed"]) == (
        "SUCCEEDED",
        "released",
        "none",
    )
    assert outcomes(again) == ["already_released"]
    assert again.seconds == 0
    assert len(asked(gateway)) == 1


def stopped(cloud: EmbeddedCloud, gateway: NatGateway, *, after: float) -> None:
    """Begin to drain address 1 and release its allocation, and stop the execution after this time."""
    execution = cloud.start(to_release(gateway, 1))
    cloud.clock.advance(after)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)


def test_release_follows_a_drain_that_was_adopted_from_a_stopped_execution(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    stopped(cloud, gateway, after=30)
    run = cloud.run(to_release(gateway, 1))
    released(run)
    assert run.result["Addresses"][0]["Adopted"] is True
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]
    assert ours(gateway, 1) == [False]


def test_release_takes_two_new_looks_when_the_earlier_execution_was_stopped(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.simulation.configure(lags=Lags(leave_after_limit=(0, 0)))
    gateway = nat()
    stopped(cloud, gateway, after=LIMIT_SECONDS + 30)
    assert asked(gateway) == []
    run = cloud.run(to_release(gateway, 1))
    released(run)
    assert run.seconds == 31
