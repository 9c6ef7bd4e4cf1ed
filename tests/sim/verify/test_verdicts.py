"""`verify-aws` on the embedded cloud: its report, and its question before it creates anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from natdrain_sim.calls import Fault

pytestmark = pytest.mark.deep

if TYPE_CHECKING:
    from conftest import Account, Unanswered


def test_run_finds_that_every_fact_holds_and_leaves_nothing(account: Account) -> None:
    before = account.holdings()
    run = account.run("--yes")
    assert set(run.verdicts) == {"holds"}, run.output
    assert f"{len(run.verdicts)} facts: {len(run.verdicts)} hold, 0 do not" in run.output
    assert run.status == 0
    assert account.holdings() == before


def test_fact_that_does_not_hold_is_reported_with_the_error(account: Account) -> None:
    account.cloud.recorder.faults = (
        Fault(operation="ec2:AssociateNatGatewayAddress", error="IncorrectState", message="no", status=400),
    )
    run = account.run("--yes", *account.one_fact)
    assert run.verdicts == ["DOES NOT HOLD"]
    assert re.search(r"^ +seen: .*IncorrectState.* no$", run.output, re.MULTILINE)
    assert run.status == 1


def test_fact_is_not_checked_without_permission(account: Account) -> None:
    account.cloud.recorder.faults = (
        Fault(operation="ec2:AssociateNatGatewayAddress", error="UnauthorizedOperation", status=403),
    )
    run = account.run("--yes", *account.one_fact)
    assert run.verdicts == ["could not be checked"]
    assert re.search(r"^ +why: .*UnauthorizedOperation", run.output, re.MULTILINE)
    assert run.status == 1


def test_nothing_is_created_when_there_is_no_answer(unanswered: Unanswered) -> None:
    assert "--yes" in unanswered.run.output
    assert unanswered.run.status == 2
    assert not unanswered.changed


def test_nothing_is_created_when_the_answer_is_no(account: Account) -> None:
    made = len(account.cloud.recorder.calls)
    run = account.run(answer="no")
    assert "Type yes to continue" in run.output
    assert run.status == 2
    assert not account.changed_since(made)


def test_plan_shows_the_account_the_resources_and_the_cost(unanswered: Unanswered) -> None:
    assert "Account 123456789012, region us-east-1" in unanswered.run.output
    assert re.search(r"NAT gateway.*Elastic IP.*\$0\.\d+", unanswered.run.output, re.DOTALL)


def test_time_of_the_embedded_cloud_is_measured(account: Account, unanswered: Unanswered) -> None:
    [speed] = re.findall(r"its time passes (\d+) times as fast", unanswered.run.output)
    assert 2 < int(speed) < 1.2 * account.speed


def test_nothing_is_created_when_no_fact_is_selected(account: Account) -> None:
    made = len(account.cloud.recorder.calls)
    run = account.run("--yes", "--only", "nosuch")
    assert "no fact has a test name that matches 'nosuch'" in run.output
    assert run.status == 2
    assert not account.changed_since(made)
