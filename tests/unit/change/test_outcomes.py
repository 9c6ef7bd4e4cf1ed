from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from natdrain.change.conclude import MAX_CAUSE_CHARACTERS, Failure, Outcome, conclude
from natdrain.model.drain import AddressOutcome, Drain
from support.builders import GATEWAY, START, allocation, association, ip

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


def drain(name: str, known: dict[str, Any]) -> Drain:
    return Drain(
        association_id=association(name),
        allocation_id=allocation(name),
        public_ip=ip(name),
        private_ip="10.0.0.9",
        since_at=START,
        **known,
    )


def concluded(*known: dict[str, Any], **more: Any) -> Outcome:
    drains = [drain(name, fields) for name, fields in zip("abcdef", known, strict=False)]
    return conclude(gateway_id=GATEWAY, drains=drains, region="eu-west-1", **more)


@pytest.mark.parametrize(
    ("known", "error", "name", "changed"),
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
def test_outcome_follows_from_the_addresses(
    known: list[dict[str, Any]], error: str | None, name: str, changed: str
) -> None:
    outcome = concluded(*known)
    assert (outcome.error, outcome.name, outcome.changed) == (error, name, changed)


@pytest.mark.parametrize(
    ("known", "failed_with", "error", "changed", "words"),
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
def test_outcome_of_a_failure_while_asking_claims_no_more_than_is_known(
    known: list[dict[str, Any]], failed_with: str, error: str, changed: str, words: list[str]
) -> None:
    asking = [association(name) for name, fields in zip("ab", known, strict=False) if not fields]
    outcome = concluded(*known, failure=Failure(error=failed_with, message="why"), asking=asking)
    assert (outcome.error, outcome.changed) == (error, changed)
    assert [row["Outcome"] for row in outcome.addresses] == words


def test_outcome_puts_back_only_what_has_left() -> None:
    assert concluded(LEFT, FAILED).put_back == (
        f"aws ec2 associate-nat-gateway-address --region eu-west-1 --nat-gateway-id {GATEWAY} "
        f"--allocation-ids {allocation('a')}"
    )


@pytest.mark.parametrize(
    ("last_seen", "gone_by", "limit_reached", "told"),
    [
        (179, 300, False, "before its limit, so nothing was cut"),
        (357, 366, True, "stayed past its limit of 350 s"),
        (179, 357, None, "whether anything was cut is not known"),
    ],
)
def test_outcome_says_of_the_limit_what_the_looks_prove(
    last_seen: int, gone_by: int, *, limit_reached: bool | None, told: str
) -> None:
    seen = {
        "last_seen_at": START + timedelta(seconds=last_seen),
        "gone_by": START + timedelta(seconds=gone_by),
    }
    outcome = concluded(LEFT | seen)
    assert outcome.addresses[0]["LimitReached"] is limit_reached
    assert told in outcome.summary


@pytest.mark.parametrize(("last_seen", "gone_by", "warned"), [(179, 300, 0), (357, 366, 1), (179, 357, 1)])
def test_outcome_warns_unless_the_looks_prove_that_nothing_was_cut(
    last_seen: int, gone_by: int, warned: int
) -> None:
    seen = {
        "last_seen_at": START + timedelta(seconds=last_seen),
        "gone_by": START + timedelta(seconds=gone_by),
    }
    assert len(concluded(LEFT | seen).warnings) == warned


def test_outcome_of_a_failure_says_that_the_drain_goes_on() -> None:
    outcome = concluded(DRAINING, failure=Failure(error="TransientFailure", message="Throttled"))
    assert outcome.summary == f"Failed: {GATEWAY}: Throttled"
    assert "goes on without us and ends at 2026-10-02T17:05:50Z at the latest" in outcome.warnings[0]


def test_outcome_gives_the_reason_of_every_failed_address_as_a_problem() -> None:
    assert [problem.rsplit(": ", 1)[1] for problem in concluded(LEFT, FAILED).problems] == ["no luck"]


def test_outcome_of_a_dry_run_has_changed_nothing_whatever_has_happened() -> None:
    outcome = concluded(PUT_BACK, dry_run=True)
    assert outcome.changed == "none"


def test_outcome_of_a_dry_run_that_failed_asked_for_nothing() -> None:
    died = Failure(error="TransientFailure", message="no answer")
    outcome = concluded(ALREADY, dry_run=True, releases=True, failure=died, asking=[allocation("a")])
    assert (outcome.changed, outcome.error) == ("none", "DrainFailed")
    assert outcome.addresses[0]["Outcome"] == "already_drained"


def test_outcome_puts_back_nothing_of_which_nobody_knows_whether_it_is_released() -> None:
    died = Failure(error="TransientFailure", message="no answer")
    outcome = concluded(LEFT, releases=True, failure=died, asking=[allocation("a")])
    assert (outcome.changed, outcome.put_back) == ("unknown", None)


def test_outcome_of_a_dry_run_announces_the_cut() -> None:
    outcome = concluded({}, dry_run=True, limit_seconds=350)
    assert (outcome.name, outcome.error, outcome.changed) == ("planned", None, "none")
    assert "still open 350 s after EC2 accepts the request is cut by EC2" in outcome.warnings[0]


def test_outcome_tells_the_row_of_every_address() -> None:
    assert concluded(LEFT).to_result()["Addresses"] == [
        {
            "AllocationId": allocation("a"),
            "AssociationId": association("a"),
            "PublicIp": ip("a"),
            "PrivateIp": "10.0.0.9",
            "Outcome": "drained",
            "Adopted": False,
            "RequestedAt": "2026-10-02T17:00:00Z",
            "LastSeenAt": "2026-10-02T17:05:57Z",
            "GoneBy": "2026-10-02T17:06:06Z",
            "LimitReached": True,
        }
    ]


def test_outcome_keeps_its_cause_within_step_functions_limit() -> None:
    failure = Failure(error="RequestRefused", message="\n".join("ü" * 3000 for _ in range(100)))
    cause = concluded(*[FAILED] * 6, failure=failure).to_cause()
    assert len(cause) <= MAX_CAUSE_CHARACTERS
    assert json.loads(cause)["Outcome"] == "refused"


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (json.dumps({"errorMessage": "one\ntwo", "errorType": "RequestRefused"}), "one\ntwo"),
        ("plain text", "plain text"),
        ('{"cut off', '{"cut off'),
        ("[1]", "[1]"),
        ("", "RequestRefused"),
    ],
)
def test_failure_reads_every_kind_of_cause(cause: str, message: str) -> None:
    assert Failure.from_catch({"Error": "RequestRefused", "Cause": cause}).message == message
