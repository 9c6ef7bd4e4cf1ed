"""The end of an execution, for any outcomes of its addresses and any failure."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from natdrain.change.conclude import conclude
from natdrain.change.failure import Failure
from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.outcome import AddressOutcome, ExecutionStatus
from natdrain.model.problem import Problem
from natdrain.model.request import AfterDrain, Request, Trigger, TriggerKind
from natdrain.report.refusals import locked
from support.builders import GATEWAY, START, allocation, association, drain, ip

LEFT: dict[str, Any] = {
    "outcome": AddressOutcome.DRAINED,
    "requested_at": START,
    "limit_seconds": 350,
    "last_seen_at": START + timedelta(seconds=357),
    "gone_by": START + timedelta(seconds=366),
}
DRAINING: dict[str, Any] = {"requested_at": START, "limit_seconds": 350}
FAILED: dict[str, Any] = {**DRAINING, "outcome": AddressOutcome.FAILED, "detail": "EC2 says: no luck"}
OVERDUE: dict[str, Any] = {**DRAINING, "outcome": AddressOutcome.OVERDUE}
GONE: dict[str, Any] = {**DRAINING, "outcome": AddressOutcome.GATEWAY_GONE}
NOT_ASKED: dict[str, Any] = {"outcome": AddressOutcome.NOT_ASKED}
ALREADY: dict[str, Any] = {**LEFT, "outcome": AddressOutcome.ALREADY_DRAINED}
PUT_BACK: dict[str, Any] = {**LEFT, "outcome": AddressOutcome.PUT_BACK}


def drains_of(*known: dict[str, Any]) -> list[Drain]:
    return [drain(name, **fields) for name, fields in zip("abcdef", known, strict=False)]


def concluded(
    *known: dict[str, Any], request: Request | None = None, failed_with: str | None = None, **more: Any
) -> Conclusion:
    """The end of a request for addresses of which this is known, after a failure with that name."""
    failure = Failure(error=failed_with, problems=(Problem(text="why"),)) if failed_with else None
    return conclude(request or REQUEST, drains_of(*known), failure=failure, **more)


REQUEST = Request(gateway_id=GATEWAY, allocation_ids=(allocation("a"),))
DRY_RUN = Request(gateway_id=GATEWAY, allocation_ids=(allocation("a"),), dry_run=True)


@pytest.mark.parametrize(
    ("known", "error", "outcome", "changed"),
    [
        ([LEFT], None, "drained", "all"),
        ([LEFT, LEFT], None, "drained", "all"),
        ([ALREADY], None, "drained", "none"),
        ([LEFT, ALREADY], None, "drained", "all"),
        ([FAILED], "DrainFailed", "failed", "none"),
        ([LEFT, FAILED], "DrainFailed", "failed", "some"),
        ([LEFT, NOT_ASKED], "DrainFailed", "failed", "some"),
        ([PUT_BACK], "DrainFailed", "failed", "all"),
        ([GONE], "DrainFailed", "failed", "unknown"),
        ([OVERDUE], "DrainOverdue", "overdue", "some"),
        ([LEFT, OVERDUE], "DrainFailed", "failed", "some"),
        ([NOT_ASKED], "RequestRefused", "refused", "none"),
        ([NOT_ASKED, ALREADY], "RequestRefused", "refused", "none"),
        ([PUT_BACK | {"left_before": True}], "DrainFailed", "failed", "none"),
    ],
)
def test_conclusion_follows_from_the_addresses(
    known: list[dict[str, Any]], error: str | None, outcome: str, changed: str
) -> None:
    end = concluded(*known)
    assert (end.error, end.outcome, end.changed) == (error, outcome, changed)


@pytest.mark.parametrize(
    ("known", "failed_with", "error", "changed", "became"),
    [
        ([], "RequestRefused", "RequestRefused", "none", []),
        ([], "GatewayBusy", "GatewayBusy", "none", []),
        ([], "TransientFailure", "DrainFailed", "none", []),
        ([{}], "TransientFailure", "DrainFailed", "unknown", ["unknown"]),
        ([{}], "RequestRefused", "RequestRefused", "none", ["not_asked"]),
        ([DRAINING], "TransientFailure", "DrainFailed", "unknown", ["unknown"]),
        ([LEFT], "States.Runtime", "DrainFailed", "all", ["drained"]),
        ([LEFT, {}], "RequestRefused", "DrainFailed", "some", ["drained", "not_asked"]),
    ],
)
def test_conclusion_of_a_failure_while_asking_claims_no_more_than_is_known(
    known: list[dict[str, Any]], failed_with: str, error: str, changed: str, became: list[str]
) -> None:
    asking = [association(name) for name, fields in zip("ab", known, strict=False) if not fields]
    end = concluded(*known, failed_with=failed_with, asking=asking)
    assert (end.error, end.changed) == (error, changed)
    assert [end.of(one) for one in end.drains] == became


@pytest.mark.parametrize(
    ("last_seen", "gone_by", "limit_reached"), [(179, 300, False), (357, 366, True), (179, 357, None)]
)
def test_limit_is_reached_where_the_looks_prove_it(
    last_seen: int, gone_by: int, *, limit_reached: bool | None
) -> None:
    seen = {
        "last_seen_at": START + timedelta(seconds=last_seen),
        "gone_by": START + timedelta(seconds=gone_by),
    }
    (one,) = concluded(LEFT | seen).drains
    assert one.limit_reached is limit_reached


def test_conclusion_has_the_reason_of_every_failed_address_as_a_problem() -> None:
    [problem] = concluded(LEFT, FAILED).problems
    assert (problem.subject, problem.text) == (association("b"), f"{ip('b')}: EC2 says: no luck")


def test_conclusion_has_the_findings_of_the_guards_as_they_are() -> None:
    finding = Problem(guard="hold", subject=GATEWAY, text="It is held.")
    end = concluded(NOT_ASKED | {"detail": str(finding), "problems": (finding,)})
    assert end.problems == (finding,)


def test_conclusion_names_a_problem_of_several_addresses_once() -> None:
    finding = Problem(guard="hold", subject=GATEWAY, text="It is held.")
    end = concluded(*[NOT_ASKED | {"detail": str(finding), "problems": (finding,)}] * 2)
    assert end.problems == (finding,)


def test_conclusion_of_a_dry_run_has_changed_nothing_whatever_has_happened() -> None:
    assert concluded(PUT_BACK, request=DRY_RUN).changed == "none"


def test_conclusion_of_a_dry_run_is_a_plan() -> None:
    end = concluded({}, request=DRY_RUN)
    assert (end.outcome, end.error, end.changed) == ("planned", None, "none")
    assert (end.of(end.drains[0]), end.planned_limit_seconds) == ("planned", 350)


def test_conclusion_of_a_dry_run_that_failed_plans_no_address() -> None:
    end = concluded({}, request=DRY_RUN, failed_with="RequestRefused")
    assert end.of(end.drains[0]) == "not_asked"


def test_conclusion_of_a_change_plans_no_limit() -> None:
    assert concluded(LEFT).planned_limit_seconds is None


def test_conclusion_has_no_problem_where_all_is_well_or_nothing_is_known() -> None:
    assert concluded(LEFT | {"detail": "late"}, OVERDUE).problems == ()


ALL_GOOD = [
    {**LEFT, "outcome": outcome}
    for outcome in (
        AddressOutcome.DRAINED,
        AddressOutcome.RELEASED,
        AddressOutcome.ALREADY_DRAINED,
        AddressOutcome.ALREADY_RELEASED,
    )
]
RELEASE_FAILED: dict[str, Any] = {**LEFT, "outcome": AddressOutcome.RELEASE_FAILED}


@pytest.mark.parametrize(
    ("known", "failed_with", "error", "changed"),
    [
        (ALL_GOOD, None, None, "some"),
        ([*ALL_GOOD, RELEASE_FAILED], None, "ReleaseFailed", "some"),
        ([ALL_GOOD[1], ALL_GOOD[3]], None, None, "all"),
        ([], "TransientFailure", "DrainFailed", "none"),
        ([LEFT], "TransientFailure", "ReleaseFailed", "some"),
        ([LEFT, FAILED], "TransientFailure", "DrainFailed", "some"),
    ],
)
def test_conclusion_of_a_release_follows_from_the_allocations(
    known: list[dict[str, Any]], failed_with: str | None, error: str | None, changed: str
) -> None:
    releasing = Request(gateway_id=GATEWAY, after_drain=AfterDrain.RELEASE)
    end = concluded(*known, request=releasing, failed_with=failed_with)
    assert (end.error, end.changed) == (error, changed)


def test_conclusion_of_a_dry_run_is_a_success_whatever_of_it_is_done_already() -> None:
    assert concluded({}, *ALL_GOOD, request=DRY_RUN).error is None


def test_conclusion_of_an_input_that_is_no_request_names_no_gateway() -> None:
    failure = Failure(error="RequestRefused", problems=(Problem(text="why"),))
    end = conclude(None, [], failure=failure)
    assert (end.gateway_id, end.outcome, end.changed, end.absent) == (None, "refused", "none", ())


def test_conclusion_of_a_request_by_hand_has_no_names_that_are_merely_absent() -> None:
    assert concluded(failed_with="RequestRefused").absent == ()


@pytest.mark.parametrize(
    ("after_drain", "done"),
    [
        (AfterDrain.KEEP, [AddressOutcome.ALREADY_DRAINED, AddressOutcome.ALREADY_RELEASED]),
        (AfterDrain.RELEASE, [AddressOutcome.ALREADY_RELEASED]),
    ],
)
def test_conclusion_of_a_schedule_that_finds_everything_done_is_quiet(
    after_drain: AfterDrain, done: list[AddressOutcome]
) -> None:
    trigger = Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-10-02T17:00:00Z")
    request = Request(gateway_id=GATEWAY, after_drain=after_drain, trigger=trigger)
    end = concluded(*({"outcome": outcome} for outcome in done), request=request)
    assert (end.outcome, end.quiet is not None) == ("nothing_to_do", True)


def test_conclusion_of_a_dry_run_that_failed_asked_for_nothing() -> None:
    releasing = Request(gateway_id=GATEWAY, dry_run=True, after_drain=AfterDrain.RELEASE)
    end = concluded(ALREADY, request=releasing, failed_with="TransientFailure", asking=[allocation("a")])
    assert (end.changed, end.error) == ("none", "DrainFailed")
    assert [end.of(one) for one in end.drains] == ["already_drained"]


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [
        (ExecutionStatus.ABORTED, "stopped", None),
        (ExecutionStatus.TIMED_OUT, "timed_out", None),
        (ExecutionStatus.FAILED, "failed", "DrainFailed"),
    ],
)
def test_conclusion_of_an_execution_that_something_else_ended_says_so(
    status: ExecutionStatus, outcome: str, error: str | None
) -> None:
    end = concluded(DRAINING, failed_with="Unknown", status=status)
    assert (end.outcome, end.error, end.changed) == (outcome, error, "unknown")


@pytest.mark.parametrize(
    ("cause", "texts"),
    [
        (json.dumps({"errorMessage": "one\ntwo", "errorType": "RequestRefused"}), ["one", "two"]),
        ("plain text", ["plain text"]),
        ('{"cut off', ['{"cut off']),
        ("[1]", ["[1]"]),
        ("", ["RequestRefused"]),
    ],
)
def test_failure_reads_every_kind_of_cause(cause: str, texts: list[str]) -> None:
    failure = Failure.from_json({"Error": "RequestRefused", "Cause": cause})
    assert failure == Failure(error="RequestRefused", problems=tuple(Problem(text=text) for text in texts))


def test_failure_reads_who_holds_the_lock_if_the_gateway_is_known() -> None:
    facts = {"Owner": "alice", "Since": None, "Reason": None, "Foreign": True, "WaitedSeconds": 0}
    answer = {"Error": "GatewayBusy", "Lock": facts, "Cause": "why"}
    assert Failure.from_json(answer, GATEWAY).problems == (locked(GATEWAY, facts),)
    assert Failure.from_json(answer).problems == (Problem(text="why"),)


def test_failure_without_a_lock_reads_its_cause_whatever_the_gateway() -> None:
    assert Failure.from_json({"Error": "Unknown", "Cause": "why"}, GATEWAY).problems == (Problem(text="why"),)


def test_failure_reads_the_problems_of_a_refusal() -> None:
    problem = Problem(guard="hold", subject=GATEWAY, text="It is held.", fix="Lift it.")
    answer = {"Error": "RequestRefused", "Problems": [problem.to_json()]}
    assert Failure.from_json(answer) == Failure(error="RequestRefused", problems=(problem,))


def test_failure_of_an_input_without_a_request_still_says_what_asked() -> None:
    trigger = Trigger(kind=TriggerKind.ALARM, name="Blocked", at="now")
    answer = {"Error": "RequestRefused", "Problems": ["no"], "Trigger": trigger.to_json()}
    assert conclude(None, [], failure=Failure.from_json(answer)).trigger_of(None) == trigger
