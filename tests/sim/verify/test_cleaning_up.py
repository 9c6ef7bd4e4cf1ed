"""`verify-aws` on the embedded cloud: it always removes its resources."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from natdrain_sim.calls import Fault

pytestmark = pytest.mark.deep

if TYPE_CHECKING:
    from conftest import Account


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_run_leaves_nothing_when_it_is_interrupted(account: Account, signals: list[signal.Signals]) -> None:
    before = account.holdings()
    with account.begun() as process:
        for one in signals:
            process.send_signal(one)
        run = account.end(process)
    assert run.status == 130, run.errors
    assert "everything is cleaned up" in run.output
    assert account.holdings() == before


def test_run_reports_an_exceeded_quota_and_leaves_nothing(account: Account) -> None:
    before = account.holdings()
    second = frozenset({2})
    account.cloud.recorder.faults = (
        Fault(operation="ec2:AllocateAddress", error="AddressLimitExceeded", status=400, calls=second),
    )
    run = account.run("--yes", *account.one_fact)
    assert "No fact could be checked" in run.output
    assert "AddressLimitExceeded" in run.output
    assert run.status == 1
    assert account.holdings() == before


def test_run_prints_the_command_for_resources_that_cannot_be_removed(account: Account) -> None:
    before = account.holdings()["vpcs"]
    account.cloud.recorder.faults = (
        Fault(operation="ec2:DeleteVpc", error="DependencyViolation", message="no", status=400),
    )
    run = account.run("--yes", *account.one_fact)
    left = [vpc["VpcId"] for vpc in account.holdings()["vpcs"] if vpc not in before]
    assert len(left) == 2
    assert all(f"aws ec2 delete-vpc --vpc-id {one} --region us-east-1" in run.output for one in left)
    assert run.status == 1
    account.cloud.recorder.faults = ()
    for one in left:
        account.cloud.client("ec2").delete_vpc(VpcId=one)


def test_run_removes_the_resources_of_a_killed_run_with_consent(account: Account) -> None:
    before = account.holdings()
    with account.begun() as process:
        process.kill()
        process.wait()
    known = before["addresses"]
    left = [one["AllocationId"] for one in account.holdings()["addresses"] if one not in known]
    assert left
    run = account.run(*account.one_fact, answer="yes")
    assert all(f"removed Elastic IP {one}" in run.output for one in left)
    assert run.status == 0, run.output
    assert account.holdings() == before
