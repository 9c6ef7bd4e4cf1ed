"""What a schedule asks for may have left long ago: that is no mistake of a request that comes every month."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natdrain.change.conclude import IGNORED, NOTHING_TO_DO, Failure, Quiet, conclude, quiet
from natdrain.change.leave.decide import Disassociate, Finished, Known, Refuse, decide
from natdrain.intake.request import Request, Trigger, TriggerKind
from natdrain.model.drain import AddressOutcome, Drain
from support.builders import GATEWAY, START, address, allocation, association, gateway, ip, look

MONTHLY = Request(
    gateway_id=GATEWAY,
    public_ips=(ip("a"),),
    trigger=Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-11-01T03:00:00Z"),
)
BY_ALARM = replace(MONTHLY, trigger=Trigger(kind=TriggerKind.ALARM, name="Blocked", at="now"))
LEFT = Drain(
    association_id=association("a"),
    allocation_id=allocation("a"),
    public_ip=ip("a"),
    private_ip=None,
    since_at=START,
    outcome=AddressOutcome.ALREADY_DRAINED,
)


def test_schedule_finds_nothing_to_do_when_its_address_is_not_on_the_gateway() -> None:
    assert decide(MONTHLY, look(gateway(address("b"))), Known()) == Finished(())


def test_schedule_finds_nothing_to_do_even_on_a_gateway_that_it_may_not_touch() -> None:
    assert decide(MONTHLY, look(gateway(address("b"), tags={})), Known()) == Finished(())


def test_schedule_asks_for_those_of_its_addresses_that_are_there() -> None:
    both = replace(MONTHLY, public_ips=(ip("a"), ip("b")))
    decision = decide(both, look(gateway(address("b"), address("c"))), Known())
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("b"),)


@pytest.mark.parametrize("state", ["pending", "deleting", "deleted", "failed"])
def test_schedule_is_refused_when_the_gateway_cannot_tell_what_it_has(state: str) -> None:
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
    assert f"{ip('a')} is not on {GATEWAY}" in decision.problems[0]


def test_outcome_of_a_schedule_is_nothing_to_do_when_no_address_was_there() -> None:
    outcome = conclude(gateway_id=GATEWAY, drains=[], absent=[ip("a")], region="eu-west-1")
    assert (outcome.name, outcome.error, outcome.changed) == ("nothing to do", None, "none")
    assert outcome.summary == f"{GATEWAY} does not have {ip('a')}: nothing to do."


def test_outcome_of_a_schedule_is_nothing_to_do_when_our_record_shows_that_it_left() -> None:
    outcome = conclude(gateway_id=GATEWAY, drains=[LEFT], absent=[], region="eu-west-1")
    assert (outcome.name, outcome.error) == ("nothing to do", None)
    assert LEFT.label in outcome.summary


def test_outcome_of_a_schedule_tells_what_was_not_there_beside_what_left() -> None:
    left = replace(LEFT, outcome=AddressOutcome.DRAINED)
    outcome = conclude(gateway_id=GATEWAY, drains=[left], absent=[ip("b")], region="eu-west-1")
    assert outcome.name == "drained"
    assert f"{GATEWAY} does not have {ip('b')}: nothing was to do for it." in outcome.warnings


def test_outcome_of_a_schedule_that_failed_is_its_failure() -> None:
    failure = Failure(error="GatewayBusy", message="held by somebody")
    outcome = conclude(gateway_id=GATEWAY, drains=[], failure=failure, absent=[ip("a")], region="eu-west-1")
    assert (outcome.name, outcome.error, outcome.warnings) == ("busy", "GatewayBusy", ())


@pytest.mark.parametrize("name", [IGNORED, NOTHING_TO_DO])
def test_outcome_of_a_quiet_end_is_a_success_that_changed_nothing(name: str) -> None:
    end = Quiet.from_json(Quiet(name, "because").to_json())
    result = quiet(None, end).to_result()
    assert (result["Outcome"], result["Changed"], result["Summary"]) == (name, "none", "because")
    assert quiet(None, end).error is None
