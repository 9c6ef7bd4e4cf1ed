"""Stories of allocations that were to be released, and are kept."""

from __future__ import annotations

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.release_stories import (
    LIMIT_SECONDS,
    RELEASE,
    allocation,
    asked,
    kept,
    ours,
    outcomes,
    refusing,
    released,
    to_release,
)
from support.stories import BuildGateway, NatGateway, items, table, to_put_back

# Addresses leave at their limit, and the look that comes first after it is 10 s late.
PUNCTUAL = Lags(leave_after_limit=(0, 0))
BETWEEN_THE_LOOKS_SECONDS = LIMIT_SECONDS + 10


def begun(cloud: EmbeddedCloud, gateway: NatGateway, *, after: float) -> str:
    """Start an execution that is to release address 1, and let this many seconds pass."""
    execution = cloud.start(to_release(gateway, 1))
    cloud.clock.advance(after)
    return execution


def associate(gateway: NatGateway, allocation_id: str) -> None:
    """Associate an allocation with this gateway, as somebody else."""
    gateway.cloud.client("ec2").associate_nat_gateway_address(
        NatGatewayId=gateway.gateway_id, AllocationIds=[allocation_id]
    )


def write(cloud: EmbeddedCloud, gateway: NatGateway, record: str, **texts: str) -> None:
    """Write an item about the gateway, as somebody else."""
    item = {"NatGatewayId": gateway.gateway_id, "Record": record, **texts}
    cloud.client("dynamodb").put_item(
        TableName=table(cloud), Item={name: {"S": text} for name, text in item.items()}
    )


@pytest.mark.parametrize(
    "code", ["InvalidAddress.PtrSet", "InvalidAddress.Locked", "UnauthorizedOperation", "NeverHeardOf"]
)
def test_allocation_is_kept_at_once_when_ec2_refuses_it_for_good(
    cloud: EmbeddedCloud, nat: BuildGateway, code: str
) -> None:
    cloud.recorder.faults = [refusing(code)]
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    assert kept(run) == f"EC2 answers {code}: Not now."
    assert outcomes(run) == ["release_failed"]
    assert f"has left (its allocation is kept: EC2 answers {code}" in run.result["Summary"]
    assert to_put_back(run.result) == [allocation(gateway)]
    assert (len(asked(gateway)), ours(gateway, 1)) == (1, [True])


@pytest.mark.parametrize(
    "code", ["InvalidIPAddress.InUse", "AuthFailure", "InvalidNetworkInterfaceID.NotFound"]
)
def test_allocation_is_kept_when_ec2_thinks_it_in_use_for_five_minutes(
    cloud: EmbeddedCloud, nat: BuildGateway, code: str
) -> None:
    cloud.recorder.faults = [refusing(code)]
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    assert kept(run) == f"it was refused until the end ({code}: Not now.)"
    assert len(asked(gateway)) == 4
    assert run.seconds <= LIMIT_SECONDS + 50 + 300


def test_allocation_is_kept_and_the_gateway_freed_when_ec2_does_not_answer(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.recorder.faults = [Fault(operation=RELEASE, error="RequestLimitExceeded")]
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    assert (run.error, run.result["Changed"]) == ("ReleaseFailed", "some")
    assert kept(run) == "it was refused until the end (no answer of EC2's came in time)"
    assert "Owner" not in items(cloud, gateway.gateway_id)["lock"]
    cloud.recorder.faults = []
    released(cloud.run(to_release(gateway, 1)))


def test_allocation_that_was_released_without_an_answer_is_found_gone(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    # Every answer is lost: that the release was accepted, and later that EC2 no longer knows the allocation.
    cloud.recorder.faults = [Fault(operation=RELEASE, error="ServiceUnavailable", after_effect=True)]
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    assert (run.status, run.result["Changed"], outcomes(run)) == ("SUCCEEDED", "all", ["released"])
    assert f"EC2 no longer knows its allocation {allocation(gateway)}" in run.result["Summary"]


def test_allocation_is_kept_when_the_looks_fail_for_good(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.simulation.configure(lags=PUNCTUAL)
    gateway = nat()
    execution = begun(cloud, gateway, after=BETWEEN_THE_LOOKS_SECONDS)
    cloud.recorder.faults = [Fault(operation="ec2:DescribeNatGateways", error="RequestLimitExceeded")]
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"], outcomes(run)) == ("ReleaseFailed", "some", ["drained"])
    assert run.result["Warnings"][-1].endswith("its allocation is kept.")
    assert asked(gateway) == []


@pytest.mark.parametrize(("error", "status"), [("UnauthorizedOperation", 403), ("RequestLimitExceeded", 503)])
def test_allocation_is_kept_when_describe_addresses_does_not_show_it(
    cloud: EmbeddedCloud, nat: BuildGateway, error: str, status: int
) -> None:
    cloud.recorder.faults = [
        Fault(operation="ec2:DescribeAddresses", error=error, status=status, role_contains="Confirm")
    ]
    gateway = nat()
    run = cloud.run(to_release(gateway, 1))
    assert kept(run) == f"it could not be looked at ({error}: injected fault)"
    assert asked(gateway) == []


def test_allocation_is_kept_when_a_hold_was_set_while_its_address_drained(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    execution = begun(cloud, gateway, after=30)
    write(cloud, gateway, "hold", Hold="alice, incident 4711")
    run = cloud.wait(execution)
    assert kept(run).startswith(f"hold: {gateway.gateway_id} is held (alice, incident 4711)")
    assert gateway.addresses[1]["PublicIp"] not in gateway.public_ips()
    assert asked(gateway) == []


def test_allocation_is_kept_when_a_hold_was_set_after_the_last_look(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    # EC2 makes the function retry, and a retry first reads the holds.
    once = frozenset({1})
    cloud.recorder.faults = [Fault(operation=RELEASE, error="RequestLimitExceeded", calls=once)]
    gateway = nat()
    execution = cloud.start(to_release(gateway, 1))
    cloud.clock.run_until(lambda: len(asked(gateway)) == 1)
    write(cloud, gateway, "hold", Hold="alice")
    run = cloud.wait(execution)
    assert kept(run).startswith(f"hold: {gateway.gateway_id} is held (alice)")
    assert (len(asked(gateway)), ours(gateway, 1)) == (1, [True])


def test_allocation_is_kept_when_its_elastic_ip_was_protected_while_its_address_drained(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    execution = begun(cloud, gateway, after=30)
    cloud.client("ec2").create_tags(
        Resources=[allocation(gateway)], Tags=[{"Key": "natdrain:protect", "Value": "now"}]
    )
    assert "carries the tag natdrain:protect, which no request can lift" in kept(cloud.wait(execution))
    assert asked(gateway) == []


def test_allocation_is_kept_when_another_gateway_has_it_by_now(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.simulation.configure(lags=PUNCTUAL)
    gateway, other = nat(), nat()
    execution = begun(cloud, gateway, after=BETWEEN_THE_LOOKS_SECONDS)
    associate(other, allocation(gateway))
    run = cloud.wait(execution)
    taken_as = other.shown()[-1]["AssociationId"]
    assert kept(run) == f"EC2 shows it associated as {taken_as}"
    assert gateway.addresses[1]["PublicIp"] in other.public_ips()


def test_allocation_is_kept_when_its_own_gateway_has_it_back(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.simulation.configure(lags=PUNCTUAL)
    gateway = nat()
    execution = begun(cloud, gateway, after=BETWEEN_THE_LOOKS_SECONDS)
    associate(gateway, allocation(gateway))
    run = cloud.wait(execution)
    assert (run.error, outcomes(run), run.result["PutBack"]) == ("DrainFailed", ["put_back"], None)
    assert asked(gateway) == []


def test_allocation_is_kept_when_the_gateway_goes_before_the_second_look(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.simulation.configure(lags=PUNCTUAL)
    gateway = nat()
    execution = begun(cloud, gateway, after=BETWEEN_THE_LOOKS_SECONDS)
    cloud.client("ec2").delete_nat_gateway(NatGatewayId=gateway.gateway_id)
    assert kept(cloud.wait(execution)).startswith(
        "the gateway was deleted, so that no second look can confirm"
    )
    assert asked(gateway) == []


def test_allocation_is_kept_when_the_lock_was_taken_over(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.simulation.configure(lags=PUNCTUAL)
    gateway = nat()
    execution = begun(cloud, gateway, after=BETWEEN_THE_LOOKS_SECONDS)
    write(cloud, gateway, "lock", Owner="alice")
    assert kept(cloud.wait(execution)) == "the lock was taken over from this execution"
    assert asked(gateway) == []
    assert items(cloud, gateway.gateway_id)["lock"]["Owner"]["S"] == "alice"


def test_no_allocation_is_released_when_one_address_of_the_request_does_not_leave(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    cloud.simulation.fail_when_drained(gateway.addresses[2]["AssociationId"], "The interface is broken.")
    run = cloud.run(to_release(gateway, 1, 2))
    assert (run.error, run.result["Changed"], outcomes(run)) == ("DrainFailed", "some", ["drained", "failed"])
    assert run.result["Warnings"][-1].endswith("its allocation is kept.")
    assert (asked(gateway), ours(gateway, 1, 2)) == ([], [True, True])


def test_one_allocation_is_released_and_the_other_kept(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.recorder.faults = [refusing("InvalidAddress.Locked", calls=frozenset({1}))]
    gateway = nat(4)
    run = cloud.run(to_release(gateway, 1, 2))
    assert kept(run) == "EC2 answers InvalidAddress.Locked: Not now."
    assert outcomes(run) == ["release_failed", "released"]
    assert ours(gateway, 1, 2) == [True, False]
    assert to_put_back(run.result) == [allocation(gateway, 1)]
