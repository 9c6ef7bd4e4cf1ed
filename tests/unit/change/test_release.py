"""One row for each situation that a release can meet; times are seconds after the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from natdrain.change.after import release
from natdrain.change.after.release import answered
from natdrain.change.conclude import conclude
from natdrain.change.decide import decide
from natdrain.change.failure import Failure
from natdrain.change.known import Known
from natdrain.change.step import Disassociate, Finish, Refuse, Release, Step, Wait
from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.gateway import Gateway
from natdrain.model.look import ChangeCalendar, ElasticIp, Hold, Unread
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import AfterDrain, Request, Trigger, TriggerKind
from support import builders
from support.builders import GATEWAY, MANAGED, START, address, allocation, association, gateway, ip, look

FREE = ElasticIp(tags=MANAGED)
HELD = Hold(held=GATEWAY, why="alice, incident 4711", table="natdrain")
RELEASED: dict[str, Any] = {"outcome": AddressOutcome.RELEASED, "confirmed_at": START}


def request(*names: str, after_drain: AfterDrain = AfterDrain.RELEASE) -> Request:
    return Request(
        gateway_id=GATEWAY, association_ids=tuple(map(association, names)), after_drain=after_drain
    )


def drain(name: str, **known: object) -> Drain:
    """An address that has left 100 s after the start; the look that found so is the first one."""
    fields: dict[str, object] = {
        "requested_at": START,
        "limit_seconds": 60,
        "outcome": AddressOutcome.DRAINED,
        "gone_by": START + timedelta(seconds=100),
        "absent_at": START + timedelta(seconds=100),
    }
    return builders.drain(name, **(fields | known))


def draining(name: str, **known: object) -> Drain:
    return drain(name, **{"outcome": None, "gone_by": None, "absent_at": None, **known})


def decided(
    *drains: Drain,
    at: float,
    seen: Gateway | None = None,
    eips: Mapping[str, ElasticIp] | Unread | None = None,
    holds: tuple[Hold, ...] = (),
) -> Step:
    """Decide; by default the gateway has none of them any more, and all EIPs are free."""
    named = Request(
        gateway_id=GATEWAY,
        association_ids=tuple(drain.association_id for drain in drains),
        after_drain=AfterDrain.RELEASE,
    )
    free = {str(drain.allocation_id): FREE for drain in drains}
    what = look(seen or gateway(), at=at, elastic_ips=free if eips is None else eips, holds=holds)
    return decide(named, what, Known(drains=drains))


def kept(decision: object) -> str:
    """Return why the one allocation is kept for good."""
    assert isinstance(decision, Finish)
    (one,) = decision.drains
    assert one.outcome is AddressOutcome.RELEASE_FAILED
    return str(one.detail).removeprefix("its allocation is kept: ")


def seconds(decision: object) -> float:
    assert isinstance(decision, Wait)
    return (decision.until - START).total_seconds()


# Two looks


def test_release_is_not_thought_of_where_the_request_keeps_the_allocation() -> None:
    asked = request("a", after_drain=AfterDrain.KEEP)
    decision = decide(asked, look(gateway(), at=500), Known(drains=(drain("a"),)))
    assert isinstance(decision, Finish)


def test_release_waits_for_a_second_look_half_a_minute_after_the_first() -> None:
    assert seconds(decided(draining("a"), at=100)) == 131


@pytest.mark.parametrize("at", [101, 130])
def test_release_waits_when_the_second_look_comes_too_early(at: float) -> None:
    assert seconds(decided(drain("a"), at=at)) == 131


def test_release_follows_the_second_look() -> None:
    decision = decided(drain("a"), at=131)
    assert isinstance(decision, Release)
    assert decision.allocation_ids == (allocation("a"),)


def test_release_of_what_left_before_takes_two_looks_of_its_own() -> None:
    record = drain("a", gone_by=START - timedelta(days=1), absent_at=None)
    known = Known(remembered={association("a"): record})
    assert seconds(decide(request("a"), look(gateway()), known)) == 31


def test_release_goes_back_to_draining_when_the_first_look_was_stale() -> None:
    decision = decided(drain("a"), at=131, seen=gateway(address("a", "disassociating")))
    assert isinstance(decision, Wait)
    (again,) = decision.drains
    assert (again.outcome, again.progress.gone_by, again.release.absent_at) == (None, None, None)


def test_release_of_what_is_back_after_its_deadline_ends_as_overdue() -> None:
    decision = decided(drain("a"), at=500, seen=gateway(address("a", "disassociating")))
    assert isinstance(decision, Finish)
    assert decision.drains[0].outcome is AddressOutcome.OVERDUE


def test_release_begins_anew_for_an_address_that_was_back_while_another_one_drained() -> None:
    seen = gateway(address("a", "disassociating"), address("b", "disassociating"))
    decision = decided(drain("a"), draining("b", limit_seconds=4000), at=131, seen=seen)
    assert isinstance(decision, Wait)
    assert decision.drains[0].release.absent_at is None


@pytest.mark.parametrize("others", [(), (draining("b"),)])
def test_release_is_given_up_when_somebody_has_put_the_address_back(others: tuple[Drain, ...]) -> None:
    back = address("a", association_id=association("f"))
    decision = decided(drain("a"), *others, at=131, seen=gateway(back))
    assert isinstance(decision, Finish)
    assert decision.drains[0].outcome is AddressOutcome.PUT_BACK
    assert association("f") in str(decision.drains[0].detail)


@pytest.mark.parametrize("state", ["deleting", "deleted", "failed"])
def test_release_is_given_up_when_the_gateway_goes_before_the_second_look(state: str) -> None:
    assert kept(decided(drain("a"), at=131, seen=gateway(state=state))).startswith("the gateway was deleted")


def test_release_is_given_up_when_ec2_knows_the_gateway_no_longer() -> None:
    decision = decide(request("a"), look(None, at=131), Known(drains=(drain("a"),)))
    assert kept(decision).startswith("the gateway was deleted")


def test_release_waits_while_the_gateway_is_not_available() -> None:
    assert seconds(decided(drain("a"), at=131, seen=gateway(state="pending"))) == 160


def test_release_does_not_wait_for_ever_for_a_gateway_that_is_not_available() -> None:
    assert kept(decided(drain("a"), at=400, seen=gateway(state="pending"))).startswith(
        "the gateway is pending"
    )


# What DescribeAddresses shows


IN_USE = {allocation("a"): ElasticIp(tags=MANAGED, association_id=association("a"))}


@pytest.mark.parametrize(("at", "until"), [(131, 160), (160, 220), (220, 340), (340, 400)])
def test_release_waits_while_the_allocation_is_shown_in_use(at: float, until: float) -> None:
    assert seconds(decided(drain("a"), at=at, eips=IN_USE)) == until


def test_release_follows_when_the_allocation_is_shown_free_at_last() -> None:
    assert isinstance(decided(drain("a"), at=400), Release)


def test_release_is_given_up_when_the_allocation_is_shown_in_use_for_five_minutes() -> None:
    why = kept(decided(drain("a"), at=400, eips=IN_USE))
    assert why == f"EC2 shows it associated as {association('a')}"


def test_release_is_taken_for_done_when_ec2_knows_the_allocation_no_longer_twice() -> None:
    once = decided(drain("a"), at=131, eips={})
    assert isinstance(once, Wait)
    decision = decided(*once.drains, at=160, eips={})
    assert isinstance(decision, Finish)
    (gone,) = decision.drains
    assert (gone.outcome, gone.released_now) == (AddressOutcome.RELEASED, False)
    assert gone.detail == f"EC2 no longer knows its allocation {allocation('a')}"


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({}, "does not carry the tag natdrain:managed=true"),
        ({**MANAGED, "natdrain:protect": ""}, "carries the tag natdrain:protect"),
        ({**MANAGED, "Natdrain:Protect": ""}, "carries the tag Natdrain:Protect"),
    ],
)
def test_release_is_given_up_for_the_tags_of_by_then(tags: dict[str, str], why: str) -> None:
    decision = decided(drain("a"), at=131, eips={allocation("a"): ElasticIp(tags=tags)})
    assert f"{ip('a')} ({allocation('a')}) {why}" in kept(decision)


def test_release_is_given_up_for_a_hold_of_by_then() -> None:
    assert "is held (alice, incident 4711)" in kept(decided(drain("a"), at=131, holds=(HELD,)))


def test_release_is_given_up_when_the_allocation_cannot_be_looked_at() -> None:
    why = kept(decided(drain("a"), at=131, eips=Unread("UnauthorizedOperation: no")))
    assert why == "it could not be looked at (UnauthorizedOperation: no)"


# What the other guards say, of releasing as of draining

OWNED = GuardPolicy(owner_tags={"terraform": "the next apply makes another one"})
CLOSED = GuardPolicy(change_calendars=["freeze"])
OF_TERRAFORM = {allocation("a"): ElasticIp(tags={**MANAGED, "terraform": ""})}
ALARM = Trigger(kind=TriggerKind.ALARM, name="Blocked", at="now")


def automatic(**more: Any) -> Request:
    fields = {"gateway_id": GATEWAY, "association_ids": (association("a"),), "trigger": ALARM}
    return Request(**(fields | {"after_drain": AfterDrain.RELEASE} | more))


def test_release_is_refused_at_once_when_another_tool_owns_what_left_before() -> None:
    record = drain("a", absent_at=None)
    known = Known(remembered={association("a"): record}, policy=OWNED)
    decision = decide(automatic(), look(gateway(), elastic_ips=OF_TERRAFORM), known)
    assert isinstance(decision, Refuse)
    assert decision.problems[0].guard == "owner"


def test_release_is_given_up_when_another_tool_owns_the_allocation_by_then() -> None:
    seen = look(gateway(), at=131, elastic_ips=OF_TERRAFORM)
    decision = decide(automatic(), seen, Known(drains=(drain("a"),), policy=OWNED))
    assert kept(decision).startswith("owner: ")


def test_release_by_hand_of_what_another_tool_owns_takes_more_than_a_warning() -> None:
    seen = look(gateway(), at=131, elastic_ips=OF_TERRAFORM)
    decision = decide(automatic(trigger=None), seen, Known(drains=(drain("a"),), policy=OWNED))
    assert 'Override: ["owner"]' in kept(decision)
    lifted = decide(
        automatic(trigger=None, override=("owner",)), seen, Known(drains=(drain("a"),), policy=OWNED)
    )
    assert isinstance(lifted, Release)


def test_release_is_given_up_when_the_calendar_is_closed_by_then() -> None:
    seen = look(gateway(), at=131, elastic_ips={allocation("a"): FREE}, calendar=ChangeCalendar(closed=True))
    decision = decide(automatic(), seen, Known(drains=(drain("a"),), policy=CLOSED))
    assert kept(decision).startswith("calendar: The change calendar (freeze) is closed.")


def test_release_warns_of_what_an_override_lifts() -> None:
    seen = look(gateway(), at=131, elastic_ips={allocation("a"): FREE}, calendar=ChangeCalendar(closed=True))
    decision = decide(automatic(override=("calendar",)), seen, Known(drains=(drain("a"),), policy=CLOSED))
    assert isinstance(decision, Release)
    assert decision.warnings[0].guard == "calendar"


def test_release_of_an_allocation_that_our_record_does_not_name_is_given_up() -> None:
    assert kept(decided(drain("a", allocation_id=None), at=131)) == "our record does not say which it is"


@pytest.mark.parametrize(("seconds_old", "stale"), [(30, False), (31, True)])
def test_release_is_not_asked_for_on_a_look_that_is_old(seconds_old: int, stale: bool) -> None:  # noqa: FBT001 - the outcome
    confirmed_then = drain("a", confirmed_at=START)
    assert release.is_stale(confirmed_then, START + timedelta(seconds=seconds_old)) is stale


# Several addresses


def test_release_begins_anew_for_all_when_one_of_them_is_back() -> None:
    seen = gateway(address("b", "disassociating"))
    decision = decided(drain("a"), drain("b", limit_seconds=4000), at=120, seen=seen)
    assert isinstance(decision, Wait)
    assert [one.release.absent_at for one in decision.drains] == [None, None]


def test_release_forgets_what_it_found_out_of_an_address_that_is_back() -> None:
    known = {"missing_at": START, "release_refusal": "InvalidAddress.PtrSet: no", "release_final": True}
    back = decided(drain("a", **known), at=131, seen=gateway(address("a", "disassociating")))
    assert isinstance(back, Wait)
    gone = decided(*back.drains, at=200)
    assert isinstance(gone, Wait)
    missing_once = decided(*gone.drains, at=240, eips={})
    assert isinstance(missing_once, Wait)
    assert isinstance(decided(*gone.drains, at=240), Release)


def test_release_waits_until_all_are_ready() -> None:
    eips = {allocation("a"): FREE, allocation("b"): ElasticIp(tags=MANAGED, association_id=association("b"))}
    decision = decided(drain("a"), drain("b"), at=131, eips=eips)
    assert seconds(decision) == 160
    assert isinstance(decision, Wait)
    later = decided(*decision.drains, at=160)
    assert isinstance(later, Release)
    assert later.allocation_ids == (allocation("a"), allocation("b"))


def test_release_waits_for_the_address_that_still_drains() -> None:
    seen = gateway(address("b", "disassociating"))
    decision = decided(drain("a"), draining("b", limit_seconds=350), at=200, seen=seen)
    assert seconds(decision) == 347


@pytest.mark.parametrize(
    "outcome",
    [
        AddressOutcome.FAILED,
        AddressOutcome.NOT_ASKED,
        AddressOutcome.BLOCKED,
        AddressOutcome.OVERDUE,
        AddressOutcome.PUT_BACK,
        AddressOutcome.GATEWAY_GONE,
    ],
)
def test_release_takes_none_when_one_address_has_not_left(outcome: AddressOutcome) -> None:
    decision = decided(drain("a"), draining("b", outcome=outcome), at=500)
    assert isinstance(decision, Finish)
    assert [one.outcome for one in decision.drains] == [AddressOutcome.DRAINED, outcome]


def test_release_goes_on_when_the_allocation_of_another_address_is_kept() -> None:
    decision = decided(drain("a"), drain("b", outcome=AddressOutcome.RELEASE_FAILED), at=131)
    assert isinstance(decision, Release)
    assert decision.allocation_ids == (allocation("a"),)


# What EC2 answers to ReleaseAddress


def confirmed(**known: object) -> Drain:
    return drain("a", confirmed_at=START + timedelta(seconds=131), **known)


def test_release_is_over_when_ec2_has_taken_everything() -> None:
    decision = answered([release.released(confirmed())], at=START + timedelta(seconds=131))
    assert isinstance(decision, Finish)
    assert decision.drains[0].released_now


@pytest.mark.parametrize("code", ["InvalidIPAddress.InUse", "AuthFailure"])
def test_release_is_tried_again_after_another_look_when_ec2_says_in_use(code: str) -> None:
    said = release.refused(confirmed(), f"{code}: ...", final=False)
    assert seconds(answered([said], at=START + timedelta(seconds=131))) == 160
    assert isinstance(decided(said, at=160), Release)


def test_release_is_given_up_when_ec2_says_in_use_for_five_minutes() -> None:
    said = release.refused(confirmed(), "AuthFailure: ...", final=False)
    assert kept(decided(said, at=400)) == "it was refused until the end (AuthFailure: ...)"


@pytest.mark.parametrize(
    "code", ["InvalidAddress.PtrSet", "InvalidAddress.Locked", "UnauthorizedOperation", "NeverHeardOf"]
)
def test_release_is_given_up_at_the_next_look_for_whatever_else_ec2_answers(code: str) -> None:
    said = release.refused(confirmed(), f"{code}: no", final=True)
    assert seconds(answered([said], at=START + timedelta(seconds=131))) == 160
    assert kept(decided(said, at=160)) == f"EC2 answers {code}: no"


def test_release_is_done_when_a_refusal_follows_on_a_lost_answer() -> None:
    said = release.refused(confirmed(), "UnauthorizedOperation: no", final=True)
    missing = decided(said, at=160, eips={})
    assert isinstance(missing, Wait)
    decision = decided(*missing.drains, at=220, eips={})
    assert isinstance(decision, Finish)
    assert (decision.drains[0].outcome, decision.drains[0].released_now) == (AddressOutcome.RELEASED, True)


# Asking again


def asked_again(outcome: AddressOutcome, **known: object) -> Step:
    record = drain("a", outcome=outcome, gone_by=START - timedelta(days=1), **known)
    return decide(request("a"), look(gateway()), Known(remembered={association("a"): record}))


def test_release_finds_what_it_has_released_before() -> None:
    decision = asked_again(AddressOutcome.RELEASED)
    assert isinstance(decision, Finish)
    assert decision.drains[0].outcome is AddressOutcome.ALREADY_RELEASED


@pytest.mark.parametrize(
    "before",
    [
        AddressOutcome.DRAINED,
        AddressOutcome.RELEASE_FAILED,
        # An execution that was stopped has left this one behind.
        AddressOutcome.ALREADY_DRAINED,
    ],
)
def test_release_goes_on_from_where_an_earlier_request_got(before: AddressOutcome) -> None:
    decision = asked_again(before, release_refusal="AuthFailure", confirmed_at=START, detail="kept")
    assert seconds(decision) == 31
    assert isinstance(decision, Wait)
    (one,) = decision.drains
    assert (one.outcome, one.progress.left_before) == (AddressOutcome.ALREADY_DRAINED, True)
    assert (one.release.refusal, one.release.confirmed_at, one.detail) == (None, None, None)


def test_release_of_what_left_before_is_asked_together_with_the_next_address() -> None:
    record = {association("a"): drain("a", gone_by=START - timedelta(days=1))}
    decision = decide(request("a", "b"), look(gateway(address("b"))), Known(remembered=record))
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("b"),)


# The conclusion


FAILED_TO: dict[str, Any] = {"outcome": AddressOutcome.RELEASE_FAILED, "detail": "its allocation is kept: no"}
BEFORE: dict[str, Any] = {"left_before": True}
ALREADY: dict[str, Any] = {**BEFORE, "outcome": AddressOutcome.ALREADY_DRAINED}
FOUND_RELEASED: dict[str, Any] = {**BEFORE, "outcome": AddressOutcome.ALREADY_RELEASED}


@pytest.mark.parametrize(
    ("known", "error", "outcome", "changed"),
    [
        ([RELEASED], None, "released", "all"),
        ([RELEASED | BEFORE], None, "released", "all"),
        ([{"outcome": AddressOutcome.RELEASED} | BEFORE], None, "released", "none"),
        ([FOUND_RELEASED], None, "released", "none"),
        ([FAILED_TO], "ReleaseFailed", "release_failed", "some"),
        ([FAILED_TO | BEFORE], "ReleaseFailed", "release_failed", "none"),
        ([RELEASED, FAILED_TO], "ReleaseFailed", "release_failed", "some"),
        ([RELEASED | BEFORE, FAILED_TO | BEFORE], "ReleaseFailed", "release_failed", "some"),
        ([{}, {"outcome": AddressOutcome.FAILED}], "DrainFailed", "failed", "some"),
    ],
)
def test_conclusion_of_a_release_follows_from_the_addresses(
    known: list[dict[str, Any]], error: str | None, outcome: str, changed: str
) -> None:
    drains = [drain(one, **fields) for one, fields in zip("ab", known, strict=False)]
    end = conclude(request(*"ab"[: len(drains)]), drains)
    assert (end.error, end.outcome, end.changed) == (error, outcome, changed)


@pytest.mark.parametrize(
    ("known", "asking", "changed", "became"),
    [
        ({}, (), "some", "drained"),
        (ALREADY, (), "none", "already_drained"),
        ({}, (allocation("a"),), "unknown", "unknown"),
        (ALREADY, (allocation("a"),), "unknown", "unknown"),
    ],
)
def test_conclusion_of_a_release_that_trouble_ended_claims_no_more_than_is_known(
    known: dict[str, Any], asking: tuple[str, ...], changed: str, became: str
) -> None:
    failure = Failure(error="TransientFailure", problems=(Problem(text="RequestLimitExceeded: no"),))
    one = drain("a", **known)
    end = conclude(request("a"), [one], failure=failure, asking=asking)
    assert (end.error, end.changed, end.of(one)) == ("ReleaseFailed", changed, became)


def test_conclusion_of_a_dry_run_by_a_schedule_is_a_plan_when_only_the_release_is_left_to_do() -> None:
    monthly = Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-11-01T03:00:00Z")
    asked = replace(request("a"), dry_run=True, trigger=monthly)
    assert conclude(asked, [drain("a", **ALREADY)]).outcome == "planned"
