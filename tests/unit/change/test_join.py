"""The decision about joins: each row is one look at what EC2 shows, with what is known by then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from natdrain.change.conclude import conclude
from natdrain.change.decide import decide
from natdrain.change.join.answers import accepted, recovered, refused, removal_accepted, removal_refused
from natdrain.change.join.poll_plan import deadline_at, next_look_at
from natdrain.change.known import Known
from natdrain.change.step import Associate, Disassociate, Finish, Reason, Refuse, Step, Wait
from natdrain.model.gateway import Address, Gateway
from natdrain.model.join import Join
from natdrain.model.look import ElasticIp, Hold, Look
from natdrain.model.outcome import AddressOutcome
from natdrain.model.request import Association, Request
from natdrain.report import details
from support.builders import (
    GATEWAY,
    MANAGED,
    START,
    address,
    allocation,
    association,
    gateway,
    ip,
    join,
    look,
)

A = AddressOutcome
ZONE, OTHER_ZONE = "use1-az1", "use1-az2"
HELD = (Hold(held=GATEWAY, why="alice", table="table"),)
EIPS = {allocation(name): ElasticIp(tags=MANAGED, public_ip=ip(name)) for name in "1abcd"}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def to_join(*calls: str, zones: tuple[str | None, ...] = (None, None), **more: Any) -> Request:
    """Return a request to associate allocations: each call has the names of those of its zone."""
    made = (
        Association(allocation_ids=tuple(map(allocation, names)), zone_id=zone)
        for names, zone in zip(calls, zones, strict=False)
    )
    return Request(gateway_id=GATEWAY, associate=tuple(made), **more)


def seen(shown: Gateway | None, seconds: float = 0, **more: Any) -> Look:
    return look(shown, seconds, **{"elastic_ips": EIPS, "quota": 8} | more)


def regional(*addresses: Address) -> Gateway:
    return gateway(*addresses, primary=False, availability_mode="regional")


ASKED: dict[str, Any] = {
    "asked_by": "arn:me",
    "asked_at": START,
    "public_ip": ip("c"),
    "patience_seconds": 600,
}
LOST = join("c", pending=True, **ASKED)
ACCEPTED = join("c", requested_at=START, **ASKED)
SEEN = ACCEPTED.noted(seen_at=at(5), last_seen_at=at(5))
HERE = replace(SEEN, association_id=association("c"))
THERE = HERE.ended(A.JOINED).noted(in_service_at=at(33))
FAILED = HERE.noted(failed_at=at(33))
ONE = to_join("c")
EMPTY = gateway(address("a"))


def step_of(
    known: Join | None, shown: Gateway | None, seconds: float, request: Request = ONE, **more: Any
) -> Step:
    """Return the decision about one allocation at this look."""
    joins = (known,) if known else ()
    return decide(request, seen(shown, seconds, **more), Known(joins=joins))


def outcome_of(step: Step) -> tuple[A | None, bool]:
    [one] = step.joins
    return one.outcome, one.listed


# The first look


def test_decide_asks_at_the_first_look_for_what_is_free() -> None:
    step = step_of(None, EMPTY, 0)
    assert isinstance(step, Associate)
    assert (step.allocation_ids, step.joins[0].progress.seen_before) == ((allocation("c"),), ())


def test_decide_asks_for_all_of_a_call_at_once() -> None:
    step = decide(to_join("bcd"), seen(EMPTY), Known())
    assert isinstance(step, Associate)
    assert step.allocation_ids == tuple(map(allocation, "bcd"))


def test_decide_refuses_at_the_first_look_what_a_guard_finds() -> None:
    step = step_of(None, EMPTY, 0, holds=HELD)
    assert isinstance(step, Refuse)
    assert [problem.guard for problem in step.problems] == ["hold"]


def test_decide_refuses_if_there_is_no_gateway() -> None:
    assert step_of(None, None, 0).reason is Reason.NO_GATEWAY


@pytest.mark.parametrize("state", ["deleting", "deleted", "failed"])
def test_decide_refuses_a_gateway_that_goes(state: str) -> None:
    assert isinstance(step_of(None, gateway(address("a"), state=state), 0), Refuse)


def test_decide_finds_done_what_is_in_service_already() -> None:
    step = step_of(None, gateway(address("c")), 0)
    assert isinstance(step, Finish)
    assert outcome_of(step) == (A.ALREADY_JOINED, False)


def test_decide_adopts_what_somebody_else_is_associating_and_never_takes_it_off() -> None:
    step = step_of(None, gateway(address("c", "associating")), 0)
    assert isinstance(step, Wait)
    [adopted] = step.joins
    assert (adopted.progress.adopted, adopted.progress.requested_at) == (True, None)
    failed = decide(ONE, seen(gateway(address("c", "failed")), 60), Known(joins=step.joins))
    assert isinstance(failed, Wait)
    ended = decide(ONE, seen(gateway(address("c", "failed")), 601), Known(joins=failed.joins))
    assert outcome_of(ended) == (A.JOIN_FAILED, True)


def test_decide_waits_at_the_first_look_while_ec2_is_busy_with_another_address() -> None:
    step = step_of(None, gateway(address("a", "disassociating")), 0)
    assert (type(step), step.reason) == (Wait, Reason.EC2_BUSY)
    assert details.EC2_BUSY.text.rpartition(":")[2] in step.warnings[0].text


def test_decide_asks_when_ec2_is_idle_again() -> None:
    waits = step_of(None, gateway(address("a", "disassociating")), 0)
    assert isinstance(decide(ONE, seen(EMPTY, 400), Known(joins=waits.joins)), Associate)


# What EC2 does not show yet


def test_decide_waits_two_minutes_for_an_allocation_that_ec2_does_not_show() -> None:
    unknown = {"elastic_ips": {}}
    waits = step_of(None, EMPTY, 0, **unknown)
    assert (type(waits), waits.reason) == (Wait, Reason.NOT_YET)
    still = decide(ONE, seen(EMPTY, 119, **unknown), Known(joins=waits.joins))
    assert still.reason is Reason.NOT_YET
    refuses = decide(ONE, seen(EMPTY, 120, **unknown), Known(joins=still.joins))
    assert (type(refuses), outcome_of(refuses)) == (Finish, (A.NOT_ASKED, False))


def test_decide_refuses_a_dry_run_of_what_ec2_does_not_show() -> None:
    assert isinstance(step_of(None, EMPTY, 0, replace(ONE, dry_run=True), elastic_ips={}), Refuse)


def test_decide_waits_for_an_association_that_natdrain_has_seen_to_leave() -> None:
    stale = {allocation("c"): ElasticIp(tags=MANAGED, association_id=association("d"))}
    known = Known(departed={association("d")})
    assert decide(ONE, seen(EMPTY, elastic_ips=stale), known).reason is Reason.NOT_YET
    assert isinstance(decide(ONE, seen(EMPTY, elastic_ips=stale), Known()), Refuse)


# From the request to service


@pytest.mark.parametrize("known", [LOST, ACCEPTED, SEEN], ids=["lost", "accepted", "seen"])
def test_decide_finds_the_address_in_service_by_its_new_association(known: Join) -> None:
    step = step_of(known, gateway(address("c")), 33)
    [one] = step.joins
    assert (type(step), one.outcome, one.association_id) == (Finish, A.JOINED, association("c"))
    assert (one.progress.in_service_at, one.progress.requested_at) == (at(33), START)


@pytest.mark.parametrize("status", ["associating", "assigning"])
def test_decide_waits_while_ec2_associates(status: str) -> None:
    step = step_of(ACCEPTED, gateway(address("c", status)), 5)
    assert (type(step), step.reason, step.joins[0].progress.seen_at) == (Wait, Reason.JOINING, at(5))


@pytest.mark.parametrize("known", [LOST, ACCEPTED], ids=["lost", "accepted"])
@pytest.mark.parametrize("seconds", [1, 30, 59])
def test_decide_does_not_ask_again_while_reads_may_be_stale(known: Join, seconds: int) -> None:
    assert isinstance(step_of(known, EMPTY, seconds), Wait)


def test_decide_asks_again_when_the_request_was_lost_on_its_way() -> None:
    assert isinstance(step_of(LOST, EMPTY, 105), Associate)


def test_decide_takes_an_entry_without_an_association_for_ours() -> None:
    step = step_of(LOST, gateway(address("c", "associating", association_id=None)), 5)
    assert step.joins[0].progress.requested_at == START


def test_decide_does_not_take_an_old_failed_entry_for_ours() -> None:
    known = ACCEPTED.noted(seen_before=(association("c"),))
    assert step_of(known, gateway(address("c", "failed")), 5).reason is Reason.JOINING
    unnamed = ACCEPTED.noted(seen_before=("",))
    shown = gateway(address("c", "failed", association_id=None))
    assert step_of(unnamed, shown, 5).joins[0].progress.failed_at is None


def test_decide_prefers_the_entry_in_service_to_an_old_failed_one() -> None:
    known = ACCEPTED.noted(seen_before=(association("e"),))
    shown = gateway(address("c", "failed", association_id=association("e")), address("c"))
    assert outcome_of(step_of(known, shown, 33)) == (A.JOINED, False)


def test_decide_reports_what_ec2_accepted_and_never_listed() -> None:
    assert isinstance(step_of(ACCEPTED, EMPTY, 599), Wait)
    last = step_of(ACCEPTED, EMPTY, 600)
    assert outcome_of(last) == (A.UNKNOWN, False)
    assert last.joins[0].unfinished


# Failing


def test_decide_takes_off_again_what_has_failed() -> None:
    step = step_of(HERE, gateway(address("c", "failed", failure_message="no luck")), 33)
    assert isinstance(step, Disassociate)
    assert (step.association_ids, step.reason) == ((association("c"),), Reason.FAILED_TO_JOIN)


@pytest.mark.parametrize(
    "more",
    [
        {"elastic_ips": {}},
        {"elastic_ips": {allocation("c"): ElasticIp(tags={})}},
        {"elastic_ips": {allocation("c"): ElasticIp(tags=MANAGED | {"natdrain:protect": ""})}},
        {"holds": HELD},
    ],
    ids=["its tags are unknown", "it was opted out", "it was protected", "the gateway was held"],
)
def test_decide_leaves_what_has_failed_while(more: dict[str, Any]) -> None:
    step = step_of(FAILED, gateway(address("c", "failed")), 40, **more)
    assert (type(step), step.joins[0].outcome) == (Wait, None)


def test_decide_leaves_what_has_failed_on_a_gateway_that_was_protected() -> None:
    shown = gateway(address("c", "failed"), tags=MANAGED | {"natdrain:protect": ""})
    assert isinstance(step_of(FAILED, shown, 40), Wait)


def test_decide_waits_with_that_until_ec2_is_idle() -> None:
    shown = gateway(address("c", "failed"), address("b", "associating"))
    assert isinstance(step_of(HERE, shown, 33), Wait)


def test_decide_believes_that_it_is_off_again_after_two_looks() -> None:
    known = FAILED.noted(removal_at=at(34))
    first = step_of(known, EMPTY, 40)
    assert outcome_of(first) == (None, False)
    stale = decide(ONE, seen(EMPTY, 93), Known(joins=first.joins))
    assert outcome_of(stale) == (None, False)
    second = decide(ONE, seen(EMPTY, 94), Known(joins=stale.joins))
    assert outcome_of(second) == (A.JOIN_FAILED, False)


@pytest.mark.parametrize("named", [True, False], ids=["with its id", "without its id"])
def test_decide_waits_for_a_failed_one_that_stays_listed_until_the_bound(*, named: bool) -> None:
    shown = gateway(address("c", "failed", **({} if named else {"association_id": None})))
    known = FAILED.noted(removal_refusals=3) if named else replace(FAILED, association_id=None)
    assert isinstance(step_of(known, shown, 599), Wait)
    assert outcome_of(step_of(known, shown, 600)) == (A.JOIN_FAILED, True)


def test_decide_gives_a_removal_a_minute_after_the_bound() -> None:
    known = FAILED.noted(removal_at=at(590))
    assert isinstance(step_of(known, gateway(address("c", "failed")), 640), Wait)
    assert outcome_of(step_of(known, gateway(address("c", "failed")), 650)) == (A.JOIN_FAILED, True)


def test_decide_never_takes_off_what_was_in_service_and_failed_then() -> None:
    step = decide(
        to_join("cd"),
        seen(gateway(address("c", "failed")), 60),
        Known(joins=(THERE, join("d", **ASKED, pending=True))),
    )
    assert not isinstance(step, Disassociate)
    assert (step.joins[0].outcome, step.joins[0].listed) == (A.JOIN_FAILED, True)


@pytest.mark.parametrize(("patience", "zone"), [(600, None), (4500, ZONE)])
def test_decide_says_overdue_after_the_bound(patience: int, zone: str | None) -> None:
    known = replace(HERE, zone=zone).noted(patience_seconds=patience)
    shown = gateway(address("c", "associating"))
    assert isinstance(step_of(known, shown, patience - 1), Wait)
    assert outcome_of(step_of(known, shown, patience)) == (A.JOIN_OVERDUE, True)


@pytest.mark.parametrize(
    ("there", "patience"),
    [((), 4500), ((ZONE,), 600), ((OTHER_ZONE,), 4500)],
    ids=["empty", "served", "other"],
)
def test_decide_has_more_patience_where_a_zone_has_nothing_in_service(
    there: tuple[str, ...], patience: int
) -> None:
    shown = regional(
        address("b", primary=None, zone="use1-az9"), *(address("a", primary=None, zone=z) for z in there)
    )
    step = decide(to_join("c", zones=(ZONE,)), seen(shown), Known())
    assert step.joins[0].progress.patience_seconds == patience


def test_decide_knows_a_zone_by_its_name_too() -> None:
    shown = regional(address("a", primary=None, zone=ZONE, zone_name="us-east-1a"))
    request = Request(
        gateway_id=GATEWAY,
        associate=(Association(allocation_ids=(allocation("c"),), zone_name="us-east-1a"),),
    )
    assert decide(request, seen(shown), Known()).joins[0].progress.patience_seconds == 600


# Others


@pytest.mark.parametrize("status", ["disassociating", "unassigning"])
def test_decide_says_taken_away_when_somebody_takes_off_what_joins(status: str) -> None:
    assert outcome_of(step_of(HERE, gateway(address("c", status)), 20)) == (A.TAKEN_AWAY, True)


def test_decide_says_taken_away_after_two_looks_that_miss_what_was_in_service() -> None:
    pending = join("d", **ASKED | {"public_ip": ip("d")}, requested_at=START, seen_at=at(5))
    both, shown = to_join("cd"), gateway(address("d", "associating"))
    first = decide(both, seen(shown, 40), Known(joins=(THERE, pending)))
    assert first.joins[0].outcome is A.JOINED
    stale = decide(both, seen(shown, 60), Known(joins=first.joins))
    assert stale.joins[0].outcome is A.JOINED
    second = decide(both, seen(shown, 100), Known(joins=stale.joins))
    assert second.joins[0].outcome is A.TAKEN_AWAY


def test_decide_takes_another_look_at_what_is_missing_when_all_else_has_ended() -> None:
    first = step_of(THERE, EMPTY, 40)
    assert isinstance(first, Wait)
    back = decide(ONE, seen(gateway(address("c")), 45), Known(joins=first.joins))
    assert (type(back), outcome_of(back)) == (Finish, (A.JOINED, False))


@pytest.mark.parametrize("shown", [None, gateway(state="deleting")], ids=["unknown", "deleting"])
def test_decide_says_that_the_gateway_has_gone(shown: Gateway | None) -> None:
    assert outcome_of(step_of(HERE, shown, 20)) == (A.GATEWAY_GONE, False)


# Several calls


TWO_ZONES = to_join("c", "d", zones=(ZONE, OTHER_ZONE))


def test_decide_asks_for_one_zone_after_the_other() -> None:
    shown = regional(address("a", primary=None, zone=ZONE))
    first = decide(TWO_ZONES, seen(shown), Known())
    assert isinstance(first, Associate)
    assert first.allocation_ids == (allocation("c"),)
    known = (replace(THERE, zone=ZONE), first.joins[1])
    there = regional(address("c", primary=None, zone=ZONE))
    second = decide(TWO_ZONES, seen(there, 60), Known(joins=known))
    assert isinstance(second, Associate)
    assert second.allocation_ids == (allocation("d"),)


def test_decide_asks_for_nothing_more_when_one_has_failed() -> None:
    failed = replace(FAILED, zone=ZONE).ended(A.JOIN_FAILED, "no luck")
    step = decide(TWO_ZONES, seen(regional(), 60), Known(joins=(failed, join("d", zone=OTHER_ZONE))))
    assert [one.outcome for one in step.joins] == [A.JOIN_FAILED, A.NOT_ASKED]


def test_decide_judges_the_guards_again_before_each_call() -> None:
    there = regional(address("c", primary=None, zone=ZONE))
    known = Known(joins=(replace(THERE, zone=ZONE), join("d", zone=OTHER_ZONE)))
    step = decide(TWO_ZONES, seen(there, 60, holds=HELD), known)
    assert [one.outcome for one in step.joins] == [A.JOINED, A.NOT_ASKED]
    assert [problem.guard for problem in step.joins[1].problems] == ["hold"]


# What an earlier execution has left


@pytest.mark.parametrize("before", [LOST, ACCEPTED, HERE], ids=["lost", "accepted", "seen"])
@pytest.mark.parametrize("status", ["associating", "succeeded"])
def test_decide_goes_on_with_what_an_earlier_execution_asked(before: Join, status: str) -> None:
    step = decide(ONE, seen(gateway(address("c", status)), 20), Known(intended={allocation("c"): before}))
    [one] = step.joins
    assert not isinstance(step, Associate)
    assert (one.progress.adopted, one.progress.asked_by) == (True, "arn:me")
    assert one.outcome in {None, A.ALREADY_JOINED}


def test_decide_waits_for_an_earlier_request_whose_answer_was_lost() -> None:
    known = Known(intended={allocation("c"): LOST})
    waits = decide(ONE, seen(EMPTY, 104), known)
    assert isinstance(waits, Wait)
    assert isinstance(decide(ONE, seen(EMPTY, 105), known), Associate)


def test_decide_takes_off_what_an_earlier_execution_asked_for_and_has_failed() -> None:
    known = Known(intended={allocation("c"): HERE})
    assert isinstance(decide(ONE, seen(gateway(address("c", "failed")), 600), known), Disassociate)


# Answers


def test_answers_of_ec2_are_recorded_as_they_came() -> None:
    ids = [allocation("c")]
    asked = [LOST]
    yes = accepted(asked, ids, at=at(1), answered_at=at(2)).joins[0].progress
    assert (yes.pending, yes.requested_at, yes.answered_at) == (False, at(1), at(2))
    no = refused(asked, ids, at=at(1), refusal="no").joins[0]
    assert (no.to_ask, no.progress.refusals, no.progress.refusal) == (True, 1, "no")
    busy = refused(asked, ids, at=at(1), refusal="busy", busy=True).joins[0]
    assert (busy.to_ask, busy.progress.refusals) == (True, 0)
    lost = recovered([join("c")], asked, at(3))
    assert (lost.joins[0].progress.pending, lost.reason) == (True, Reason.ANSWER_LOST)


def test_answers_to_a_removal_are_recorded_as_they_came() -> None:
    ids = [association("c")]
    assert removal_accepted([FAILED], ids, at=at(40)).joins[0].progress.removal_at == at(40)
    no = removal_refused([FAILED], ids, at=at(40), refusal="no", busy=False).joins[0].progress
    assert (no.removal_at, no.removal_refusals) == (None, 1)
    busy = removal_refused([FAILED], ids, at=at(40), refusal="no", busy=True).joins[0].progress
    assert busy.removal_refusals == 0


@pytest.mark.parametrize(("denied", "outcome"), [(False, A.JOIN_FAILED), (True, A.NOT_ASKED)])
def test_decide_believes_ec2_when_it_keeps_refusing(denied: bool, outcome: A) -> None:  # noqa: FBT001 - a row
    known = join("c", asked_at=START, refusals=3, refusal="NotAllowed: no", denied=denied)
    step = step_of(known, EMPTY, 30)
    assert (type(step), outcome_of(step)) == (Finish, (outcome, False))


def test_decide_gives_up_when_ec2_is_busy_for_longer_than_any_drain() -> None:
    busy = gateway(address("a", "disassociating"))
    assert isinstance(step_of(join("c"), busy, 4299), Wait)
    assert outcome_of(step_of(join("c"), busy, 4300)) == (A.BLOCKED, False)


# The poll plan


def test_poll_plan_of_a_join_ends_at_its_bound_after_a_few_looks() -> None:
    for patience, most in ((600, 20), (4500, 60)):
        known, now, looks = ACCEPTED.noted(patience_seconds=patience), START, 0
        while now < deadline_at(known):
            now, looks = next_look_at(known, now), looks + 1
        assert (now, looks <= most) == (at(patience), True)


def test_poll_plan_of_a_join_looks_often_in_the_first_minute() -> None:
    now, looks = START, []
    while now < at(60):
        now = next_look_at(ACCEPTED, now)
        looks.append((now - START).total_seconds())
    assert looks[:4] == [5, 10, 15, 23]


# Conclusions


@pytest.mark.parametrize(
    ("joins", "error", "changed"),
    [
        ([THERE], None, "all"),
        ([THERE.ended(A.ALREADY_JOINED)], None, "none"),
        ([THERE, join("d").ended(A.ALREADY_JOINED)], None, "all"),
        ([FAILED.ended(A.JOIN_FAILED, "no luck")], "AssociateFailed", "none"),
        ([FAILED.ended(A.JOIN_FAILED, "no luck", listed=True)], "AssociateFailed", "some"),
        ([THERE, join("d").ended(A.JOIN_FAILED, "no luck")], "AssociateFailed", "some"),
        ([THERE, join("d").ended(A.NOT_ASKED, "held")], "AssociateFailed", "some"),
        ([join("c").ended(A.NOT_ASKED, "held")], "RequestRefused", "none"),
        ([join("c").ended(A.BLOCKED, "busy")], "AssociateFailed", "none"),
        ([HERE.ended(A.JOIN_OVERDUE, "slow", listed=True)], "AssociateFailed", "some"),
        ([HERE.ended(A.TAKEN_AWAY, "by others")], "AssociateFailed", "some"),
        ([HERE.ended(A.GATEWAY_GONE, "deleted")], "AssociateFailed", "unknown"),
    ],
    ids=lambda value: (
        str(value) if not isinstance(value, list) else ", ".join(str(one.outcome) for one in value)
    ),
)
def test_conclusion_says_what_was_changed(joins: list[Join], error: str | None, changed: str) -> None:
    end = conclude(ONE, [], joins)
    assert (end.error, end.changed) == (error, changed)


# What the next zone, another tool and stale reads may do


TWO_ZONES = to_join("c", "d", zones=(ZONE, OTHER_ZONE))


def test_decide_gives_a_zone_its_full_time_after_the_one_before_it() -> None:
    first = join("c", zone=ZONE, **ASKED | {"patience_seconds": 4500}, requested_at=START)
    waits = join("d", public_ip=ip("d"), zone=OTHER_ZONE)
    slow = regional(address("c", "associating", zone=ZONE))
    step = decide(TWO_ZONES, seen(slow, 4320), Known(joins=(first, waits)))
    assert [one.outcome for one in step.joins] == [None, None]
    after = decide(TWO_ZONES, seen(regional(address("c", zone=ZONE)), 4400), Known(joins=step.joins))
    assert isinstance(after, Associate)
    assert after.allocation_ids == (allocation("d"),)


def test_decide_asks_for_no_zone_while_a_stale_look_hides_the_one_before_it() -> None:
    first = join("c", zone=ZONE, **ASKED, requested_at=START)
    waits = join("d", public_ip=ip("d"), zone=OTHER_ZONE)
    step = decide(TWO_ZONES, seen(regional(address("a", zone=ZONE)), 5), Known(joins=(first, waits)))
    assert isinstance(step, Wait)


@pytest.mark.parametrize("status", ["succeeded", "associating", "failed"])
def test_decide_does_not_take_another_association_for_ours_once_the_id_is_known(status: str) -> None:
    other = gateway(address("c", status, association_id=association("e")))
    absent = step_of(HERE, other, 40)
    assert (type(absent), absent.joins[0].association_id) == (Wait, association("c"))
    gone = decide(ONE, seen(other, 70), Known(joins=absent.joins))
    assert outcome_of(gone) == (A.TAKEN_AWAY, False)


@pytest.mark.parametrize("status", ["succeeded", "associating", "failed"])
def test_decide_does_not_take_a_late_association_for_that_of_an_old_request(status: str) -> None:
    known = Known(intended={allocation("c"): LOST})
    step = decide(ONE, seen(gateway(address("c", status)), 86_400), known)
    assert not isinstance(step, Disassociate)
    assert all(one.progress.asked_by is None for one in step.joins)


def test_decide_knows_an_old_association_by_its_id() -> None:
    overdue = HERE.ended(A.JOIN_OVERDUE, "late", listed=True)
    known = Known(intended={allocation("c"): overdue})
    again = decide(ONE, seen(gateway(address("c", "associating")), 86_400), known)
    assert (type(again), again.joins[0].progress.requested_at) == (Wait, START)
    failed = decide(ONE, seen(gateway(address("c", "failed")), 86_400), known)
    assert isinstance(failed, Disassociate)


def test_decide_tries_again_to_take_off_what_has_failed_and_stayed() -> None:
    stayed = FAILED.ended(A.JOIN_FAILED, "no luck", listed=True)
    assert stayed.unfinished
    step = decide(ONE, seen(gateway(address("c", "failed")), 900), Known(intended={allocation("c"): stayed}))
    assert isinstance(step, Disassociate)


def test_decide_does_not_believe_a_stale_look_that_something_was_taken_away() -> None:
    first = step_of(SEEN, EMPTY, 12)
    second = decide(ONE, seen(EMPTY, 18), Known(joins=first.joins))
    assert outcome_of(second) == (None, False)
    third = decide(ONE, seen(gateway(address("c")), 33), Known(joins=second.joins))
    assert outcome_of(third) == (A.JOINED, False)


REFUSED = join("c", **ASKED, refusal="busy", refusals=1)


@pytest.mark.parametrize("known", [join("c", public_ip=ip("c")), REFUSED], ids=["not asked", "refused"])
def test_decide_finds_what_something_else_has_associated_while_it_waited(known: Join) -> None:
    assert outcome_of(step_of(known, gateway(address("c")), 30)) == (A.ALREADY_JOINED, False)
    joining = step_of(known, gateway(address("c", "associating")), 30)
    assert (joining.reason, joining.joins[0].progress.adopted) == (Reason.JOINING, True)


def test_decide_waits_for_ec2_to_show_as_free_what_it_has_seen_leaving() -> None:
    leaving = step_of(None, gateway(address("a"), address("c", "disassociating")), 0)
    assert leaving.reason is Reason.EC2_BUSY
    used = {**EIPS, allocation("c"): replace(EIPS[allocation("c")], association_id=association("c"))}
    assert (
        decide(ONE, seen(EMPTY, 350, elastic_ips=used), Known(joins=leaving.joins)).reason is Reason.NOT_YET
    )


def test_decide_stops_waiting_for_a_removal_that_never_ends() -> None:
    known = FAILED.noted(removal_at=at(34))
    leaving = gateway(address("c", "disassociating"))
    assert isinstance(step_of(known, leaving, 599), Wait)
    assert outcome_of(step_of(known, leaving, 600)) == (A.JOIN_FAILED, True)


def test_decide_says_why_a_failed_one_was_not_taken_off() -> None:
    shown = gateway(address("c", "failed", failure_message="no luck"))
    [one] = step_of(
        FAILED.noted(removal_refusal="UnauthorizedOperation", removal_refusals=3), shown, 600
    ).joins
    assert "no luck" in str(one.detail)
    assert "refused to take it off (UnauthorizedOperation)" in str(one.detail)


def test_decide_does_not_wait_for_a_gateway_that_goes() -> None:
    going = gateway(address("a", "disassociating"), state="deleting")
    assert outcome_of(step_of(join("c", public_ip=ip("c")), going, 60)) == (A.NOT_ASKED, False)


def test_decide_takes_an_unknown_status_for_one_that_tells_least() -> None:
    shown = gateway(address("c", "pondering", association_id=association("e")), address("c", "associating"))
    assert step_of(ACCEPTED, shown, 30).joins[0].association_id == association("c")


def test_decide_gives_a_new_allocation_two_minutes_of_an_idle_gateway() -> None:
    hindered = join("c", hindered_at=START)
    busy = step_of(hindered, gateway(address("a", "disassociating")), 60)
    assert busy.joins[0].progress.hindered_at is None
