"""A schedule may name an address that left long ago, which is no mistake: it comes every month."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natdrain.change.conclude import conclude
from natdrain.change.decide import decide
from natdrain.change.failure import Failure
from natdrain.change.known import Known
from natdrain.change.step import Disassociate, Finish, Reason, Refuse
from natdrain.model.conclusion import Conclusion, Quiet
from natdrain.model.outcome import AddressOutcome, ExecutionOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Request, Trigger, TriggerKind
from natdrain.report.result import result, summary
from natdrain.report.wording import label_of
from support.builders import GATEWAY, address, association, drain, gateway, ip, look

MONTHLY = Request(
    gateway_id=GATEWAY,
    public_ips=(ip("a"),),
    trigger=Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-11-01T03:00:00Z"),
)
BY_ALARM = replace(MONTHLY, trigger=Trigger(kind=TriggerKind.ALARM, name="Blocked", at="now"))
LEFT = drain("a", outcome=AddressOutcome.ALREADY_DRAINED)
NOTHING_THERE = Finish(reason=Reason.ABSENT_AS_SCHEDULED)


def test_schedule_finds_nothing_to_do_when_its_address_is_not_on_the_gateway() -> None:
    assert decide(MONTHLY, look(gateway(address("b"))), Known()) == NOTHING_THERE


def test_schedule_finds_nothing_to_do_even_on_a_gateway_that_it_may_not_touch() -> None:
    assert decide(MONTHLY, look(gateway(address("b"), tags={})), Known()) == NOTHING_THERE


def test_schedule_asks_for_those_of_its_addresses_that_are_there() -> None:
    both = replace(MONTHLY, public_ips=(ip("a"), ip("b")))
    decision = decide(both, look(gateway(address("b"), address("c"))), Known())
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("b"),)


@pytest.mark.parametrize("state", ["pending", "deleting", "deleted", "failed"])
def test_schedule_is_refused_when_the_gateway_does_not_show_what_it_has(state: str) -> None:
    assert isinstance(decide(MONTHLY, look(gateway(state=state)), Known()), Refuse)


def test_schedule_is_refused_when_there_is_no_such_gateway() -> None:
    assert isinstance(decide(MONTHLY, look(None), Known()), Refuse)


def test_schedule_is_refused_like_everybody_when_its_address_may_not_be_touched() -> None:
    decision = decide(MONTHLY, look(gateway(address("a"), address("b"), tags={})), Known())
    assert isinstance(decision, Refuse)


@pytest.mark.parametrize("request_", [BY_ALARM, replace(MONTHLY, trigger=None)])
def test_alarm_and_person_are_refused_when_the_address_is_not_on_the_gateway(request_: Request) -> None:
    decision = decide(request_, look(gateway(address("b"))), Known())
    assert isinstance(decision, Refuse)
    assert f"{ip('a')} is not on {GATEWAY}" in decision.problems[0].text


def test_conclusion_of_a_schedule_is_nothing_to_do_when_no_address_was_there() -> None:
    end = conclude(MONTHLY, [])
    assert (end.outcome, end.error, end.changed) == ("nothing_to_do", None, "none")
    assert summary(end) == f"{GATEWAY} does not have {ip('a')}: nothing to do."


def test_conclusion_of_a_schedule_is_nothing_to_do_when_our_record_shows_that_it_left() -> None:
    end = conclude(MONTHLY, [LEFT])
    assert (end.outcome, end.error) == ("nothing_to_do", None)
    assert label_of(LEFT) in summary(end)


def test_conclusion_of_a_schedule_has_what_was_not_there_beside_what_left() -> None:
    both = replace(MONTHLY, public_ips=(ip("a"), ip("b")))
    end = conclude(both, [LEFT.ended(AddressOutcome.DRAINED)])
    assert (end.outcome, end.absent) == ("drained", (ip("b"),))


def test_conclusion_of_a_schedule_that_failed_is_its_failure() -> None:
    failure = Failure(error="GatewayBusy", problems=(Problem(text="held by somebody"),))
    end = conclude(MONTHLY, [], failure=failure)
    assert (end.outcome, end.error) == ("busy", "GatewayBusy")
    assert result(end, None, execution="arn:a:b", region="eu-west-1")["Warnings"] == []


@pytest.mark.parametrize("outcome", [ExecutionOutcome.IGNORED, ExecutionOutcome.NOTHING_TO_DO])
def test_conclusion_of_a_quiet_end_is_a_success_that_changed_nothing(outcome: ExecutionOutcome) -> None:
    quiet = Quiet.from_json(Quiet(outcome, "because").to_json())
    end = Conclusion.quietly(None, quiet)
    document = result(end, None, execution="arn:a:b", region="eu-west-1")
    assert (document["Outcome"], document["Changed"], document["Summary"]) == (outcome, "none", "because")
    assert end.error is None


def test_conclusion_of_a_quiet_end_without_a_request_still_says_what_asked() -> None:
    trigger = Trigger(kind=TriggerKind.ALARM, name="Blocked", at="now")
    quiet = Quiet(ExecutionOutcome.IGNORED, "because", trigger)
    assert Conclusion.quietly(None, Quiet.from_json(quiet.to_json())).trigger_of(None) == trigger


def test_quiet_end_of_an_earlier_version_is_read() -> None:
    quiet = Quiet.from_json({"Outcome": "nothing to do", "Why": "because"})
    assert quiet == Quiet(ExecutionOutcome.NOTHING_TO_DO, "because")
