"""One row for each situation that a drain can meet; times are seconds after the start."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from natdrain.change.decide import decide
from natdrain.change.known import Known
from natdrain.change.leave.answers import accepted, recovered, refused
from natdrain.change.step import Disassociate, Finish, Refuse, Wait
from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.gateway import Address, Gateway
from natdrain.model.look import Load
from natdrain.model.outcome import AddressOutcome
from natdrain.model.pace import Pace
from natdrain.model.request import Request, Trigger, TriggerKind
from natdrain.report.wording import label_of
from support import builders
from support.builders import GATEWAY, MANAGED, START, address, allocation, association, gateway, ip, look

IN_SERVICE = "succeeded"
DRAINING = "disassociating"


def request(*names: str, limit: int = 350) -> Request:
    return Request(
        gateway_id=GATEWAY, association_ids=tuple(association(n) for n in names), limit_seconds=limit
    )


def drain(name: str, **known: object) -> Drain:
    """A drain whose request EC2 accepted at the start, unless the fields say otherwise."""
    return builders.drain(name, **({"requested_at": START, "limit_seconds": 350} | known))


def in_service(name: str, **known: object) -> Drain:
    return drain(name, requested_at=None, limit_seconds=None, **known)


def outcomes(decision: object) -> list[AddressOutcome | None]:
    assert isinstance(decision, Finish | Wait | Disassociate)
    return [d.outcome for d in decision.drains]


def seconds(decision: object) -> float:
    """Return when a decision to wait wants the next look."""
    assert isinstance(decision, Wait)
    return (decision.until - START).total_seconds()


# The first look


def test_decide_asks_for_an_address_in_service() -> None:
    decision = decide(request("a"), look(gateway(address("a"), address("b"))), Known())
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("a"),)


def test_decide_asks_for_several_in_one_call() -> None:
    decision = decide(request("a", "b"), look(gateway(address("a"), address("b"))), Known())
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("a"), association("b"))


@pytest.mark.parametrize(
    "named",
    [
        {"allocation_ids": (allocation("a"),)},
        {"public_ips": (ip("a"),)},
        {"association_ids": (association("a"),), "public_ips": (ip("a"),)},
    ],
)
def test_decide_finds_the_address_however_it_is_named(named: dict[str, tuple[str, ...]]) -> None:
    asked = Request(gateway_id=GATEWAY, **named)  # type: ignore[arg-type]  # the fields are Request's own
    decision = decide(asked, look(gateway(address("a"), address("b"))), Known())
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("a"),)


def test_decide_adopts_a_drain_that_runs_already() -> None:
    decision = decide(request("a"), look(gateway(address("a", DRAINING))), Known())
    assert isinstance(decision, Wait)
    assert decision.drains[0].progress.adopted


def test_decide_waits_for_a_foreign_drain_as_long_as_the_longest_limit() -> None:
    known = Known(drains=(in_service("a", adopted=True, draining_seen_at=START),))
    decision = decide(request("a"), look(gateway(address("a", DRAINING)), at=4200), known)
    assert outcomes(decision) == [None]


def test_decide_knows_the_limit_of_an_earlier_executions_drain() -> None:
    known = Known(remembered={association("a"): drain("a")})
    decision = decide(request("a"), look(gateway(address("a", DRAINING)), at=100), known)
    assert seconds(decision) == 174
    assert isinstance(decision, Wait)
    assert decision.drains[0].progress.adopted


def test_decide_trusts_an_acceptance_of_a_moment_ago_over_a_stale_read() -> None:
    known = Known(remembered={association("a"): drain("a")})
    decision = decide(request("a"), look(gateway(address("a")), at=2), known)
    assert seconds(decision) == 7


def test_decide_asks_again_for_what_an_earlier_execution_asked_long_ago() -> None:
    known = Known(remembered={association("a"): drain("a")})
    assert isinstance(decide(request("a"), look(gateway(address("a")), at=900), known), Disassociate)


def test_decide_finishes_what_left_while_nobody_watched() -> None:
    known = Known(remembered={association("a"): drain("a")})
    decision = decide(request("a"), look(gateway(), at=900), known)
    assert isinstance(decision, Finish)
    assert outcomes(decision) == [AddressOutcome.DRAINED]


def test_decide_finishes_at_once_what_history_shows_as_drained() -> None:
    known = Known(remembered={association("a"): drain("a", outcome=AddressOutcome.DRAINED)})
    decision = decide(request("a"), look(gateway()), known)
    assert isinstance(decision, Finish)
    assert outcomes(decision) == [AddressOutcome.ALREADY_DRAINED]


@pytest.mark.parametrize("recorded", [None, AddressOutcome.DRAINED])
def test_decide_reports_that_what_left_before_has_been_put_back(recorded: AddressOutcome | None) -> None:
    known = Known(remembered={association("a"): drain("a", outcome=recorded)})
    back = address("a", association_id=association("b"))
    assert outcomes(decide(request("a"), look(gateway(back)), known)) == [AddressOutcome.PUT_BACK]


def test_decide_keeps_the_times_of_what_left_before_and_has_been_put_back() -> None:
    record = drain("a", outcome=AddressOutcome.DRAINED, gone_by=START)
    back = address("a", association_id=association("b"))
    decision = decide(request("a"), look(gateway(back), at=900), Known(remembered={association("a"): record}))
    assert isinstance(decision, Finish)
    (one,) = decision.drains
    assert one.outcome is AddressOutcome.PUT_BACK
    assert (one.progress.gone_by, one.progress.left_before) == (START, True)


@pytest.mark.parametrize("recorded", [AddressOutcome.FAILED, AddressOutcome.NOT_ASKED])
def test_decide_believes_the_look_over_a_record_that_says_otherwise(recorded: AddressOutcome) -> None:
    known = Known(remembered={association("a"): drain("a", outcome=recorded)})
    decision = decide(request("a"), look(gateway()), known)
    assert isinstance(decision, Finish)
    assert (decision.drains[0].outcome, decision.drains[0].progress.adopted) == (AddressOutcome.DRAINED, True)


def test_decide_takes_no_times_from_a_record_that_is_closed() -> None:
    closed = drain("a", outcome=AddressOutcome.FAILED)
    known = Known(remembered={association("a"): closed})
    decision = decide(request("a"), look(gateway(address("a", DRAINING)), at=9000), known)
    assert isinstance(decision, Wait)
    assert decision.drains[0].progress.requested_at is None


@pytest.mark.parametrize("named", [{"allocation_ids": (allocation("a"),)}, {"public_ips": (ip("a"),)}])
def test_decide_finds_by_every_name_what_left_while_nobody_watched(named: dict[str, tuple[str, ...]]) -> None:
    asked = Request(gateway_id=GATEWAY, **named)  # type: ignore[arg-type]  # the fields are Request's own
    decision = decide(asked, look(gateway(), at=900), Known(remembered={association("a"): drain("a")}))
    assert isinstance(decision, Finish)
    assert outcomes(decision) == [AddressOutcome.DRAINED]


@pytest.mark.parametrize("status", ["associating", "failed", IN_SERVICE])
def test_decide_refuses_an_address_that_has_no_association_yet(status: str) -> None:
    asked = Request(gateway_id=GATEWAY, allocation_ids=(allocation("a"),))
    decision = decide(asked, look(gateway(address("a", status, association_id=None))), Known())
    assert isinstance(decision, Refuse)
    assert f"{allocation('a')} is {status} on {GATEWAY}" in decision.problems[0].text


def test_decide_waits_while_another_address_is_in_transition() -> None:
    decision = decide(request("a"), look(gateway(address("a"), address("b", DRAINING))), Known())
    assert seconds(decision) == 15
    assert isinstance(decision, Wait)
    assert decision.warnings[0].text.startswith(f"While EC2 works on {ip('b')} ({association('b')})")


def test_decide_waits_for_the_draining_one_before_it_asks_for_the_other() -> None:
    seen = gateway(address("a", DRAINING), address("b"))
    decision = decide(request("a", "b"), look(seen), Known())
    assert isinstance(decision, Wait)


@pytest.mark.parametrize(
    ("seen", "names", "problem"),
    [
        (None, "a", "There is no NAT gateway nat-1234567890abcdef0 here. Check the id"),
        (gateway(), "a", f"{association('a')} is not on {GATEWAY}: it may have left, be mistyped"),
        (gateway(address("a")), "1", "is the primary address of nat-1234567890abcdef0: EC2 forbids"),
        (gateway(address("a", primary=None)), "a", "is the primary address"),
        (gateway(address("a"), state="pending"), "a", "is pending; its addresses can change only while"),
        (gateway(address("a"), state="deleting"), "a", "is deleting;"),
        (gateway(address("a"), state="deleted"), "a", "is deleted;"),
        (gateway(address("a"), state="failed"), "a", "is failed;"),
        (gateway(address("a"), connectivity="private"), "a", "is a private NAT gateway"),
        (
            gateway(address("a"), tags={}),
            "a",
            f"--resources {GATEWAY} --tags Key=natdrain:managed,Value=true",
        ),
        (gateway(address("a"), tags={"natdrain:managed": "no"}), "a", f"{GATEWAY} does not carry the tag"),
        (gateway(address("a"), tags=MANAGED | {"natdrain:protect": ""}), "a", f"{GATEWAY} carries the tag"),
        (gateway(address("a"), primary=False), "a", "No address of nat-1234567890abcdef0 would stay"),
    ],
)
def test_decide_refuses_with_the_reason(seen: Gateway | None, names: str, problem: str) -> None:
    decision = decide(request(*names), look(seen), Known())
    assert isinstance(decision, Refuse)
    (found,) = decision.problems
    assert problem in str(found)


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({}, "does not carry the tag natdrain:managed=true"),
        (
            MANAGED | {"natdrain:protect": "false"},
            "carries the tag natdrain:protect, which no request can lift",
        ),
    ],
)
def test_decide_refuses_for_the_tags_of_the_elastic_ip(tags: dict[str, str], problem: str) -> None:
    decision = decide(request("a"), look(gateway(address("a")), tags={allocation("a"): tags}), Known())
    assert isinstance(decision, Refuse)
    (found,) = decision.problems
    assert f"{ip('a')} ({allocation('a')}) {problem}" in str(found)


def test_decide_refuses_when_the_tags_of_the_elastic_ip_are_not_to_be_had() -> None:
    seen = replace(look(gateway(address("a"))), elastic_ips={})
    decision = decide(request("a"), seen, Known())
    assert isinstance(decision, Refuse)
    assert "its tags are unknown" in decision.problems[0].text


def test_decide_reports_every_reason_at_once() -> None:
    seen = gateway(address("a"), tags={})
    decision = decide(request("1", "a", "f"), look(seen, tags={allocation("a"): {}}), Known())
    assert isinstance(decision, Refuse)
    for said in (
        f"{association('f')} is not on",
        f"{GATEWAY} does not carry",
        f"({allocation('a')}) does not",
    ):
        assert any(said in problem.text for problem in decision.problems)
    assert any("is the primary address" in problem.text for problem in decision.problems)


def test_decide_refuses_two_ways_of_naming_that_disagree() -> None:
    asked = Request(gateway_id=GATEWAY, association_ids=(association("a"),), public_ips=(ip("b"),))
    decision = decide(asked, look(gateway(address("a"), address("b"))), Known())
    assert isinstance(decision, Refuse)
    assert "in ways that disagree" in decision.problems[0].text


# Later looks


def test_decide_waits_while_the_address_drains() -> None:
    known = Known(drains=(drain("a"),))
    decision = decide(request("a"), look(gateway(address("a", DRAINING)), at=100), known)
    assert seconds(decision) == 174


def test_decide_waits_while_ec2s_reads_are_stale() -> None:
    known = Known(drains=(drain("a"),))
    assert isinstance(decide(request("a"), look(gateway(address("a")), at=5), known), Wait)


def test_decide_finishes_when_the_address_is_absent() -> None:
    known = Known(drains=(drain("a"),))
    decision = decide(request("a"), look(gateway(), at=360), known)
    assert isinstance(decision, Finish)
    assert decision.drains[0].outcome is AddressOutcome.DRAINED
    assert decision.drains[0].progress.gone_by == START + timedelta(seconds=360)


@pytest.mark.parametrize(
    ("known", "seen", "at", "outcome"),
    [
        (drain("a"), gateway(address("a", "failed")), 100, AddressOutcome.FAILED),
        (drain("a"), gateway(address("a", association_id=association("b"))), 100, AddressOutcome.PUT_BACK),
        (in_service("a"), gateway(address("a"), state="pending"), 9, AddressOutcome.NOT_ASKED),
        (drain("a"), gateway(state="deleting"), 100, AddressOutcome.GATEWAY_GONE),
        (drain("a"), gateway(state="deleted"), 100, AddressOutcome.GATEWAY_GONE),
        (drain("a"), None, 100, AddressOutcome.GATEWAY_GONE),
        (drain("a"), gateway(address("a", DRAINING)), 650, AddressOutcome.OVERDUE),
        (drain("a"), gateway(address("a", DRAINING), state="pending"), 650, AddressOutcome.OVERDUE),
        (in_service("a"), gateway(address("a", primary=True), primary=False), 9, AddressOutcome.NOT_ASKED),
        (in_service("a"), gateway(address("a"), address("b", DRAINING)), 4300, AddressOutcome.BLOCKED),
        (in_service("a", refusals=3, refusal="x"), gateway(address("a")), 9, AddressOutcome.FAILED),
        (in_service("a", refusals=3, denied=True), gateway(address("a")), 9, AddressOutcome.NOT_ASKED),
        (in_service("a", refusals=1), gateway(), 9, AddressOutcome.DRAINED),
    ],
)
def test_decide_gives_the_address_its_outcome(
    known: Drain, seen: Gateway | None, at: float, outcome: AddressOutcome
) -> None:
    decision = decide(request("a"), look(seen, at=at), Known(drains=(known,)))
    assert isinstance(decision, Finish)
    assert outcomes(decision) == [outcome]


def test_decide_claims_nothing_of_an_absent_address_while_the_gateway_is_not_available() -> None:
    known = Known(drains=(drain("a"),))
    assert outcomes(decide(request("a"), look(gateway(state="pending"), at=360), known)) == [None]


def test_decide_asks_for_the_second_when_the_first_has_left() -> None:
    known = Known(drains=(drain("a"), in_service("b")))
    decision = decide(request("a", "b"), look(gateway(address("b")), at=360), known)
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("b"),)


def test_decide_waits_at_the_pace_of_the_one_that_drains() -> None:
    known = Known(drains=(drain("a"), in_service("b")))
    seen = gateway(address("a", DRAINING), address("b"))
    assert seconds(decide(request("a", "b"), look(seen, at=100), known)) == 174


def test_decide_asks_again_after_ec2_was_busy() -> None:
    known = Known(drains=(in_service("a", refusal="OperationInProgress: ..."),))
    assert isinstance(decide(request("a"), look(gateway(address("a")), at=15), known), Disassociate)


def test_decide_does_not_ask_when_a_guard_speaks_up_meanwhile() -> None:
    known = Known(drains=(drain("a"), in_service("b")))
    seen = gateway(address("b"), tags=MANAGED | {"natdrain:protect": "now"})
    decision = decide(request("a", "b"), look(seen, at=360), known)
    assert isinstance(decision, Finish)
    assert outcomes(decision) == [AddressOutcome.DRAINED, AddressOutcome.NOT_ASKED]
    assert "natdrain:protect" in str(decision.drains[1].detail)


# What EC2 answered


def test_accepted_waits_for_the_first_offset_of_the_plan() -> None:
    step = accepted([in_service("a")], [association("a")], at=START, limit_seconds=4000)
    assert step.drains[0].progress.requested_at == START
    assert seconds(step) == 9


def test_refused_looks_again_soon_and_counts_only_what_waiting_does_not_fix() -> None:
    busy = refused([in_service("a")], [association("a")], at=START, refusal="OperationInProgress", busy=True)
    invalid = refused(busy.drains, [association("a")], at=START, refusal="InvalidParameter")
    assert seconds(busy) == 15
    assert [step.drains[0].progress.refusals for step in (busy, invalid)] == [0, 1]


def test_recovered_goes_on_with_what_an_earlier_attempt_got_accepted() -> None:
    step = recovered([in_service("a")], [association("a")], {association("a"): drain("a")})
    assert step is not None
    assert (step.drains[0].progress.requested_at, step.drains[0].progress.adopted) == (START, False)


@pytest.mark.parametrize("before", [in_service("a"), drain("a", since_at=START - timedelta(seconds=1))])
def test_recovered_takes_nothing_that_is_not_this_steps_own(before: Drain) -> None:
    assert recovered([in_service("a")], [association("a")], {association("a"): before}) is None


def test_label_of_an_address_is_its_ip_and_its_association() -> None:
    assert label_of(address("a")) == f"{ip('a')} ({association('a')})"


# Addresses that have failed


def failed(name: str, **more: object) -> Address:
    return address(name, "failed", failure_message="no luck", **more)


def test_decide_asks_for_an_address_that_has_failed() -> None:
    decision = decide(request("a"), look(gateway(failed("a"), address("b"))), Known())
    assert isinstance(decision, Disassociate)


def test_decide_asks_for_a_failed_address_in_a_call_of_its_own() -> None:
    decision = decide(request("a", "b"), look(gateway(failed("a"), address("b"))), Known())
    assert isinstance(decision, Disassociate)
    assert decision.association_ids == (association("b"),)


def test_decide_warns_of_another_address_that_has_failed() -> None:
    decision = decide(request("a"), look(gateway(address("a"), failed("b"))), Known())
    assert isinstance(decision, Disassociate)
    assert [warning.guard for warning in decision.warnings] == ["siblings"]


@pytest.mark.parametrize(
    ("at", "known", "ends"), [(12, {}, False), (60, {}, True), (12, {"draining_seen_at": START}, True)]
)
def test_decide_ends_as_failed_when_this_drain_has_failed_and_not_an_earlier_one(
    at: int, known: dict[str, object], *, ends: bool
) -> None:
    seen = look(gateway(failed("a"), address("b")), at=at)
    decision = decide(request("a"), seen, Known(drains=(drain("a", **known),)))
    assert outcomes(decision) == [AddressOutcome.FAILED if ends else None]


def test_decide_refuses_an_address_that_has_failed_without_an_association() -> None:
    ask = Request(gateway_id=GATEWAY, allocation_ids=(allocation("a"),))
    decision = decide(ask, look(gateway(failed("a", association_id=None), address("b"))), Known())
    assert isinstance(decision, Refuse)
    assert "EC2 shows no association" in str(decision.problems[0])


# Addresses that are being associated

JOINS = [address("a"), address("b", "associating")]


def test_decide_waits_for_another_address_to_come_into_service() -> None:
    decision = decide(request("a"), look(gateway(*JOINS)), Known())
    assert isinstance(decision, Wait)
    assert "the request waits for that" in str(decision.warnings[0])


def test_decide_waits_when_the_address_that_joins_will_be_the_one_that_stays() -> None:
    known = Known(policy=GuardPolicy(remaining_addresses=2))
    waits = decide(request("a"), look(gateway(*JOINS)), known)
    assert isinstance(waits, Wait)
    again = replace(known, drains=waits.drains)
    asks = decide(request("a"), look(gateway(address("a"), address("b")), at=15), again)
    assert isinstance(asks, Disassociate)


def test_decide_asks_the_guards_again_when_the_address_has_not_come_into_service() -> None:
    known = Known(policy=GuardPolicy(remaining_addresses=2))
    waits = decide(request("a"), look(gateway(*JOINS)), known)
    again = replace(known, drains=waits.drains)
    decision = decide(request("a"), look(gateway(address("a"), failed("b")), at=15), again)
    assert outcomes(decision) == [AddressOutcome.NOT_ASKED]


@pytest.mark.parametrize(
    ("seen", "remaining"),
    [(gateway(*JOINS), 3), (gateway(*JOINS, tags={}), 1), (gateway(address("a", "associating")), 2)],
    ids=["not enough", "another guard", "only itself"],
)
def test_decide_does_not_wait_for_an_address_that_would_not_help(seen: Gateway, remaining: int) -> None:
    known = Known(policy=GuardPolicy(remaining_addresses=remaining))
    assert isinstance(decide(request("a"), look(seen), known), Refuse)


def test_decide_says_in_a_dry_run_what_may_stand_in_the_way() -> None:
    known = Known(policy=GuardPolicy(remaining_addresses=2))
    dry_run = replace(request("a"), dry_run=True)
    decision = decide(dry_run, look(gateway(*JOINS)), known)
    assert [warning.guard for warning in decision.warnings] == ["remaining", None]


# Entries of draining addresses without their association, or with another


@pytest.mark.parametrize("status", ["disassociating", "unassigning", "associating"])
def test_decide_waits_while_the_allocation_is_listed_without_an_association(status: str) -> None:
    seen = gateway(address("a", status, association_id=None))
    decision = decide(request("a"), look(seen, at=100), Known(drains=(drain("a"),)))
    assert outcomes(decision) == [None]


def test_decide_waits_while_the_allocation_leaves_under_another_association() -> None:
    seen = gateway(address("a", DRAINING, association_id=association("f")))
    decision = decide(request("a"), look(seen, at=100), Known(drains=(drain("a"),)))
    assert outcomes(decision) == [None]


def test_decide_does_not_take_an_allocation_that_joins_again_for_one_that_stayed() -> None:
    seen = gateway(address("a", "associating", association_id=None))
    known = Known(drains=(drain("a", last_seen_at=START),))
    decision = decide(request("a"), look(seen, at=353), known)
    assert isinstance(decision, Wait)
    assert decision.drains[0].progress.last_seen_at == START


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (IN_SERVICE, AddressOutcome.PUT_BACK),
        ("associating", AddressOutcome.PUT_BACK),
        ("failed", AddressOutcome.DRAINED),
    ],
)
def test_decide_takes_an_address_for_put_back_when_it_is_in_service_or_coming(
    status: str, outcome: AddressOutcome
) -> None:
    seen = gateway(address("a", status, association_id=association("f")))
    decision = decide(request("a"), look(seen, at=360), Known(drains=(drain("a"),)))
    assert outcomes(decision) == [outcome]


def test_decide_watches_a_remembered_drain_that_is_listed_under_another_association() -> None:
    seen = gateway(address("a", DRAINING, association_id=association("f")))
    decision = decide(request("a"), look(seen, at=100), Known(remembered={association("a"): drain("a")}))
    assert outcomes(decision) == [None]


# What is at stake, and what is counted

LOAD = {None: Load(port_errors=0, peak_connections=900, connections=600)}


def test_decide_notes_the_connections_at_stake_before_it_asks() -> None:
    seen = look(gateway(address("a"), address("b")), load=LOAD)
    decision = decide(request("a"), seen, Known())
    [begun] = decision.drains
    assert (begun.progress.connections, begun.progress.addresses, begun.share) == (600, 3, 200)


@pytest.mark.parametrize("load", [None, {None: replace(LOAD[None], connections=None)}])
def test_decide_notes_no_share_of_connections_that_are_not_known(load: object) -> None:
    decision = decide(request("a"), look(gateway(address("a")), load=load), Known())
    assert decision.drains[0].share is None


@pytest.mark.parametrize("automatic", [True, False])
def test_decide_has_the_takes_of_an_automatic_request_counted(*, automatic: bool) -> None:
    trigger = Trigger(kind=TriggerKind.ALARM, name="blocked", at="now") if automatic else None
    seen = look(gateway(address("a"), address("b")), pace=Pace(version=7), load=LOAD)
    decision = decide(replace(request("a"), trigger=trigger), seen, Known())
    assert isinstance(decision, Disassociate)
    counted = [(take.association_id, take.until) for take in decision.takes]
    assert counted == ([(association("a"), START + timedelta(hours=1))] if automatic else [])
    assert decision.pace_version == (7 if automatic else 0)


def test_decide_notes_the_connections_at_stake_while_ec2_is_busy() -> None:
    decision = decide(request("a"), look(gateway(*JOINS), load=LOAD), Known())
    assert isinstance(decision, Wait)
    assert decision.drains[0].share == 300


def test_decide_ends_a_drain_whose_address_has_failed_without_an_association() -> None:
    seen = look(gateway(failed("a", association_id=None), address("b")), at=15)
    decision = decide(request("a"), seen, Known(drains=(in_service("a"),)))
    assert outcomes(decision) == [AddressOutcome.FAILED]


def test_decide_waits_for_an_address_that_ec2_shows_without_its_association() -> None:
    seen = look(gateway(address("a", association_id=None), address("b")), at=15)
    assert isinstance(decide(request("a"), seen, Known(drains=(in_service("a"),))), Wait)


def test_decide_repeats_no_warning_of_guards_that_are_judged_again_after_a_wait() -> None:
    waits = decide(request("a"), look(gateway(*JOINS, failed("c"))), Known())
    assert [warning.guard for warning in waits.warnings] == [None]
