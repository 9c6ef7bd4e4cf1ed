"""The result of an execution, in words and in its bounds."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from typing import Any

import pytest

from natdrain.change.conclude import conclude
from natdrain.change.failure import Failure
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import AfterDrain, Request, Trigger, TriggerKind
from natdrain.report.result import MAX_CAUSE_CHARACTERS, result
from support.builders import GATEWAY, START, allocation, association, drain, ip

LEFT: dict[str, Any] = {
    "private_ip": "10.0.0.9",
    "outcome": AddressOutcome.DRAINED,
    "requested_at": START,
    "limit_seconds": 350,
    "last_seen_at": START + timedelta(seconds=357),
    "gone_by": START + timedelta(seconds=366),
}
DRAINING: dict[str, Any] = {"requested_at": START, "limit_seconds": 350}
FAILED: dict[str, Any] = {**DRAINING, "outcome": AddressOutcome.FAILED, "detail": "EC2 says: no luck"}
ALREADY: dict[str, Any] = {**LEFT, "left_before": True, "outcome": AddressOutcome.ALREADY_DRAINED}
RELEASED: dict[str, Any] = {
    "outcome": AddressOutcome.RELEASED,
    "requested_at": START,
    "limit_seconds": 60,
    "gone_by": START + timedelta(seconds=100),
    "confirmed_at": START,
}
KEPT: dict[str, Any] = {"outcome": AddressOutcome.RELEASE_FAILED, "detail": "its allocation is kept: no"}
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:natdrain:0123"
MONTHLY = Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-11-01T03:00:00Z")


def written(
    *known: dict[str, Any],
    failure: Failure | None = None,
    asking: tuple[str, ...] = (),
    warnings: tuple[Problem, ...] = (),
    **of_request: Any,
) -> dict[str, Any]:
    """The result of a request for addresses of which this is known."""
    request = Request(**({"gateway_id": GATEWAY} | of_request))
    drains = [drain(name, **fields) for name, fields in zip("abcdef", known, strict=False)]
    end = conclude(request, drains, failure=failure, asking=asking, warnings=warnings)
    return result(end, request, execution=EXECUTION, region="eu-west-1")


def failed(text: str) -> Failure:
    return Failure(error="TransientFailure", problems=(Problem(text=text),))


def test_result_has_every_fact_of_an_address() -> None:
    assert written(LEFT)["Addresses"] == [
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


@pytest.mark.parametrize(
    ("last_seen", "gone_by", "limit_reached", "says"),
    [
        (179, 300, False, "before its limit, so nothing was cut"),
        (353, 366, True, "was still there 3 s after its limit of 350 s, and has left"),
        (347, 353, None, "stayed at least until 347 of 350 s, and has left"),
        (-10, 357, None, "whether anything was cut is not known"),
    ],
)
def test_result_says_about_the_limit_what_the_looks_prove(
    last_seen: int, gone_by: int, *, limit_reached: bool | None, says: str
) -> None:
    seen = {
        "last_seen_at": START + timedelta(seconds=last_seen),
        "gone_by": START + timedelta(seconds=gone_by),
    }
    document = written(LEFT | seen)
    assert document["Addresses"][0]["LimitReached"] is limit_reached
    assert says in document["Summary"]


@pytest.mark.parametrize(("last_seen", "gone_by", "warned"), [(179, 300, 0), (357, 366, 1), (179, 357, 1)])
def test_result_warns_unless_the_looks_prove_that_nothing_was_cut(
    last_seen: int, gone_by: int, warned: int
) -> None:
    seen = {
        "last_seen_at": START + timedelta(seconds=last_seen),
        "gone_by": START + timedelta(seconds=gone_by),
    }
    assert len(written(LEFT | seen)["Warnings"]) == warned


def test_result_of_a_failure_says_that_the_drain_goes_on() -> None:
    document = written(DRAINING, failure=failed("Throttled"))
    assert document["Summary"] == f"Failed: {GATEWAY}: Throttled"
    assert "goes on without us and ends at 2026-10-02T17:05:50Z at the latest" in document["Warnings"][0]


def test_result_of_a_refusal_counts_the_problems_after_the_first() -> None:
    problems = (Problem(text="One."), Problem(guard="hold", subject=GATEWAY, text="Two."))
    document = written(failure=Failure(error="RequestRefused", problems=problems))
    assert document["Summary"] == f"Refused: {GATEWAY}: One. (and 1 more)"
    assert document["Problems"] == [
        {"Guard": None, "Subject": None, "Text": "One.", "Fix": None},
        {"Guard": "hold", "Subject": GATEWAY, "Text": "Two.", "Fix": None},
    ]


def test_result_warns_of_cut_connections_first_and_then_as_the_guards_do() -> None:
    warning = Problem(guard="owner", subject=GATEWAY, text="A stack owns it.")
    cut, owner = written(LEFT, warnings=(warning,))["Warnings"]
    assert "EC2 cuts what is still open at the limit" in cut
    assert owner == "owner: A stack owns it."


def test_result_of_a_dry_run_says_how_many_connections_are_at_stake() -> None:
    document = written({"connections": 1201, "addresses": 3}, dry_run=True)
    [row], [_, stake] = document["Addresses"], document["Warnings"]
    assert (row["GatewayConnections"], row["ConnectionsEstimate"]) == (1201, 401)
    assert "1,201 connections at the last count" in stake
    assert "401, which is an estimate" in stake


@pytest.mark.parametrize(
    ("connections", "limit", "advised"), [(300, 350, True), (297, 350, False), (300, 351, False)]
)
def test_result_of_a_dry_run_advises_a_longer_limit_where_the_default_would_cut_many(
    connections: int, limit: int, *, advised: bool
) -> None:
    known = {"connections": connections, "addresses": 3}
    [_, stake] = written(known, dry_run=True, limit_seconds=limit)["Warnings"]
    assert ("a longer MaxDrainDurationSeconds, up to 4000" in stake) is advised


def test_result_offers_to_put_back_only_what_has_left() -> None:
    request = {"NatGatewayId": GATEWAY, "Associate": [{"AllocationIds": [allocation("a")]}]}
    assert written(LEFT, FAILED)["PutBack"] == {
        "Request": request,
        "Command": "aws stepfunctions start-execution --region eu-west-1 --state-machine-arn "
        f"arn:aws:states:eu-west-1:123456789012:stateMachine:natdrain --input '{json.dumps(request)}'",
    }


def test_result_offers_to_put_back_nothing_that_may_be_released() -> None:
    document = written(
        LEFT, failure=failed("no answer"), asking=(allocation("a"),), after_drain=AfterDrain.RELEASE
    )
    assert (document["Changed"], document["PutBack"]) == ("unknown", None)


def test_result_of_a_release_offers_to_put_back_only_what_is_still_there() -> None:
    put_back = written(RELEASED, KEPT, after_drain=AfterDrain.RELEASE)["PutBack"]["Request"]
    assert put_back["Associate"] == [{"AllocationIds": [allocation("b")]}]


def test_result_offers_to_go_on_with_what_was_begun_and_is_not_done() -> None:
    by_alarm = {"association_ids": (association("a"),), "reason": "it's old", "trigger": MONTHLY}
    go_on = written(DRAINING, failure=failed("no answer"), **by_alarm)["GoOn"]
    assert go_on["Request"].keys() >= {"NatGatewayId", "AssociationIds", "Reason"}
    assert "Trigger" not in go_on["Request"]
    *_, document = shlex.split(go_on["Command"])
    assert json.loads(document) == go_on["Request"]


@pytest.mark.parametrize("known", [LEFT, {"outcome": AddressOutcome.NOT_ASKED}], ids=["done", "untouched"])
def test_result_offers_to_go_on_with_nothing_that_is_done_or_was_not_begun(known: dict[str, Any]) -> None:
    assert written(known)["GoOn"] is None


@pytest.mark.parametrize(
    ("known", "asking", "says"),
    [
        (LEFT, (), "its allocation is kept."),
        (ALREADY, (), "its allocation is kept."),
        (LEFT, (allocation("a"),), "it is not known whether EC2 released its allocation"),
        (ALREADY, (allocation("a"),), "it is not known whether EC2 released its allocation"),
    ],
)
def test_result_of_a_release_that_trouble_ended_says_what_became_of_the_allocation(
    known: dict[str, Any], asking: tuple[str, ...], says: str
) -> None:
    failure = failed("RequestLimitExceeded: no")
    document = written(known, failure=failure, asking=asking, after_drain=AfterDrain.RELEASE)
    assert says in document["Warnings"][-1]


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({}, "has left, and whether anything was cut is not known, and its allocation {} is released"),
        ({"left_before": True}, "had left already, and its allocation {} is released"),
        (KEPT, "has left (its allocation is kept: no)"),
        ({"outcome": AddressOutcome.ALREADY_RELEASED}, "had left already, and its allocation was released"),
    ],
)
def test_result_of_a_release_says_so_in_its_summary(known: dict[str, Any], says: str) -> None:
    summary = written(RELEASED | known, after_drain=AfterDrain.RELEASE)["Summary"]
    assert summary == f"{GATEWAY}: {ip('a')} ({association('a')}) {says.format(allocation('a'))}."


def test_result_of_a_dry_run_announces_the_cut() -> None:
    document = written({}, dry_run=True)
    assert (document["Outcome"], document["Changed"]) == ("planned", "none")
    assert "still open 350 s after EC2 accepts the request is cut by EC2" in document["Warnings"][0]


def test_result_of_a_dry_run_announces_that_the_public_ip_would_be_lost() -> None:
    document = written({}, dry_run=True, after_drain=AfterDrain.RELEASE)
    assert "would be taken off, and its allocation would be released" in document["Summary"]
    assert "the public IP lost for good" in document["Warnings"][-1]


def test_result_of_a_schedule_names_what_was_not_there_beside_what_left() -> None:
    document = written(LEFT, public_ips=(ip("a"), ip("b")), trigger=MONTHLY)
    assert document["Outcome"] == "drained"
    assert f"{GATEWAY} does not have {ip('b')}: nothing was to do for it." in document["Warnings"]


def test_result_cuts_a_problem_that_alone_would_not_fit() -> None:
    [problem] = written(failure=failed("x" * 2 * MAX_CAUSE_CHARACTERS))["Problems"]
    assert problem["Text"] == "x" * 1_000


@pytest.mark.parametrize("name", ["Problems", "Warnings"])
def test_result_fits_into_a_cause_whatever_others_have_written(name: str) -> None:
    flood = tuple(Problem(text=f"{number}{'ü' * 3000}") for number in range(100))
    failure = Failure(error="RequestRefused", problems=flood if name == "Problems" else flood[:1])
    document = written(*[FAILED] * 6, failure=failure, warnings=flood if name == "Warnings" else ())
    assert len(json.dumps(document, ensure_ascii=False)) <= MAX_CAUSE_CHARACTERS
    assert document["Outcome"] == "refused"
    assert document[name]
