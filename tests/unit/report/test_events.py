"""The published events, compared with the schemas that partners read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from moto.events.models import EventPattern

from natdrain.change.conclude import conclude
from natdrain.change.failure import Failure
from natdrain.contract import CHANGE_ENDED, CHANGE_STARTED, EVENT_SOURCE
from natdrain.model.conclusion import Conclusion, Quiet
from natdrain.model.errors import EXECUTION_ERRORS, RequestRefused
from natdrain.model.outcome import AddressOutcome, Changed, ExecutionOutcome, ExecutionStatus
from natdrain.model.problem import Guard, Problem
from natdrain.model.request import BY_HAND as HAND
from natdrain.model.request import AfterDrain, TriggerKind
from natdrain.report.event import ended, is_published
from natdrain.report.result import result
from natdrain.report.vocabulary import ENDINGS
from natdrain_sim.events import patterns
from natdrain_sim.seams import replaced
from support.builders import GATEWAY, START, association
from support.endings import (
    BY_ALARM,
    BY_HAND,
    BY_SCHEDULE,
    CASES,
    EXECUTION,
    JOIN_TWO,
    REGION,
    TO_RELEASE,
    asked,
    end,
    joined,
    start,
)
from support.places import PROJECT

MAX_ENTRY_BYTES = 256 * 1024  # EventBridge user guide, PutEvents event entry size
ROOT = PROJECT
DOCUMENT = ROOT / "docs" / "events.md"
SCHEMAS = {
    detail_type: json.loads((ROOT / "schemas" / name).read_text())
    for detail_type, name in {
        CHANGE_STARTED: "change-started.json",
        CHANGE_ENDED: "change-ended.json",
    }.items()
}
VALIDATORS = {
    detail_type: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for detail_type, schema in SCHEMAS.items()
}
RESULTS_ONLY = {AddressOutcome.PLANNED, AddressOutcome.UNKNOWN}
ENDED = CASES["drained and perhaps cut"]
STARTED = CASES["start of one address"]


def delivered(detail: dict[str, Any]) -> dict[str, Any]:
    """Return the event as EventBridge delivers it to a target."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": CHANGE_ENDED if "Status" in detail else CHANGE_STARTED,
        "source": EVENT_SOURCE,
        "account": "123456789012",
        "time": "2026-10-02T17:06:07Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }


def validate(event: dict[str, Any]) -> None:
    # As it travels.
    VALIDATORS[event["detail-type"]].validate(json.loads(json.dumps(event)))


def property_of(*path: str) -> dict[str, Any]:
    """Return the schema of a field of the detail of an end."""
    found: dict[str, Any] = SCHEMAS[CHANGE_ENDED]["properties"]["detail"]
    for name in path:
        found = found["properties"][name]
        found = found.get("items", found)
    return found


def rows_of(outcome: str) -> set[str]:
    """Return the outcomes of the rows of addresses that leave, or that join."""
    return {
        one
        for row in property_of("Addresses")["anyOf"]
        if outcome in row["properties"]["Outcome"]["enum"]
        for one in row["properties"]["Outcome"]["enum"]
    }


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


@pytest.mark.parametrize("detail_type", SCHEMAS)
def test_schema_is_one_itself_and_fits_its_examples(detail_type: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[detail_type])
    for example in SCHEMAS[detail_type]["examples"]:
        validate(example)


def test_examples_of_the_schemas_are_events_that_are_published() -> None:
    details = [example["detail"] for schema in SCHEMAS.values() for example in schema["examples"]]
    assert details == [STARTED, CASES["start of a join"], ENDED, CASES["refused by a hold"], CASES["joined"]]


@pytest.mark.parametrize("detail_type", SCHEMAS)
def test_schema_describes_every_field_and_allows_no_other(detail_type: str) -> None:
    detail = SCHEMAS[detail_type]["properties"]["detail"]
    assert all(part["additionalProperties"] is False for part in objects(detail))
    assert all("description" in field or "anyOf" in field for field in detail["properties"].values())
    assert set(detail["required"]) == set(detail["properties"])


@pytest.mark.parametrize("case", CASES)
def test_event_fits_its_schema(case: str) -> None:
    validate(delivered(CASES[case]))


def outcomes_of(outcome: str) -> st.SearchStrategy[AddressOutcome | None]:
    known = sorted(rows_of(outcome) - RESULTS_ONLY)
    return st.none() | st.sampled_from(list(map(AddressOutcome, known)))


times = st.none() | st.integers(0, 5_000).map(lambda seconds: START + timedelta(seconds=seconds))
drains = st.builds(
    asked,
    name=st.sampled_from("1abc"),
    public_ip=st.sampled_from(["203.0.113.7", None]),
    allocation_id=st.sampled_from(["eipalloc-0be6ecac95e8a3b10", None]),
    zone=st.sampled_from([None, "use1-az1", "us-east-1a"]),
    outcome=outcomes_of("drained"),
    detail=st.none() | st.text(max_size=2_000),
    adopted=st.booleans(),
    left_before=st.booleans(),
    requested_at=times,
    limit_seconds=st.none() | st.integers(1, 4_000),
    draining_seen_at=times,
    last_seen_at=times,
    gone_by=times,
)
joins = st.builds(
    joined,
    name=st.sampled_from("1abc"),
    public_ip=st.sampled_from(["203.0.113.7", None]),
    association_id=st.sampled_from([association("d"), None]),
    zone=st.sampled_from([None, "use1-az1", "us-east-1a"]),
    outcome=outcomes_of("joined"),
    detail=st.none() | st.text(max_size=2_000),
    adopted=st.booleans(),
    listed=st.booleans(),
    requested_at=times,
    last_seen_at=times,
    in_service_at=times,
)
several_joins = st.lists(joins, min_size=1, max_size=4, unique_by=lambda one: one.allocation_id)
several = st.lists(drains, max_size=8, unique_by=lambda one: one.association_id)
requests = st.sampled_from([BY_HAND, BY_ALARM, BY_SCHEDULE, TO_RELEASE])
problems = st.builds(
    Problem,
    guard=st.none() | st.sampled_from(Guard),
    subject=st.sampled_from([GATEWAY, None]),
    text=st.text(max_size=3_000),
    fix=st.none() | st.text(max_size=3_000),
)
failed = st.builds(
    Failure,
    error=st.sampled_from([*EXECUTION_ERRORS, "TransientFailure"]),
    problems=st.lists(problems, min_size=1, max_size=4).map(tuple),
)


@settings(deadline=None)
@given(request=requests, some=several.filter(bool))
def test_start_of_whatever_drains_fits_the_schema(request: Any, some: list[Any]) -> None:
    validate(delivered(start(request, *some)))


@settings(deadline=None)
@given(
    request=st.none() | requests,
    ending=st.tuples(several.filter(bool), st.none() | failed) | st.tuples(st.just([]), failed),
    status=st.sampled_from([None, ExecutionStatus.ABORTED]),
)
def test_end_of_whatever_happened_fits_the_schema(
    request: Any, ending: tuple[list[Any], Failure | None], status: ExecutionStatus | None
) -> None:
    some, failure = ending
    validate(delivered(end(request, *some, failure=failure, status=status)))


@settings(deadline=None)
@given(
    some=several_joins, failure=st.none() | failed, status=st.sampled_from([None, ExecutionStatus.ABORTED])
)
def test_start_and_end_of_whatever_joins_fit_the_schema(
    some: list[Any], failure: Failure | None, status: ExecutionStatus | None
) -> None:
    validate(delivered(start(JOIN_TWO, *some)))
    validate(delivered(end(JOIN_TWO, *some, failure=failure, status=status)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"Execution": "mine"},
        {"NatGatewayId": "nat-1"},
        {"Trigger": {"Kind": "hand", "Name": "me"}},
        {"Trigger": {"Kind": "alarm"}},
        {"AfterDrain": "sell"},
        {"Message": "two\nlines"},
        {"Message": 'a "quote"'},
        {"Outcome": "planned"},
        {"Changed": "perhaps"},
        {"Status": "RUNNING"},
        {"Status": "FAILED"},
        {"Error": "DrainFailed"},
        {"Addresses": [ENDED["Addresses"][0] | {"RequestedAt": "2026-13-02T17:00:00Z"}]},
        {"Addresses": [ENDED["Addresses"][0] | {"RequestedAt": "2026-10-02T17:00:00+02:00"}]},
        {"Addresses": [ENDED["Addresses"][0] | {"PublicIp": "203.0.113.256"}]},
        {"Addresses": [{}]},
        {"Problems": ["a text"]},
        {"Problems": [{"Guard": None, "Subject": None, "Text": "x" * 1_001, "Fix": None}]},
        {"Problems": [{"Text": "why"}]},
        {"More": 1},
    ],
    ids=str,
)
def test_schema_refuses_an_end_that_natdrain_never_publishes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate(delivered(ENDED | wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"NatGatewayId": None},
        {"Trigger": None},
        {"Addresses": []},
        {"Addresses": [STARTED["Addresses"][0] | {"MaxDrainDurationSeconds": 4_001}]},
        {"Addresses": [STARTED["Addresses"][0] | {"LeavesBy": "soon"}]},
        {"More": 1},
    ],
    ids=str,
)
def test_schema_refuses_a_start_that_natdrain_never_publishes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate(delivered(STARTED | wrong))


@pytest.mark.parametrize("detail", [STARTED, ENDED], ids=["start", "end"])
@pytest.mark.parametrize("field", ["Execution", "Trigger", "Reason", "Title", "Message", "Addresses"])
def test_schema_wants_every_field(detail: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError):
        validate(delivered({name: value for name, value in detail.items() if name != field}))


def test_schema_knows_every_value_that_the_code_does() -> None:
    trigger = property_of("Trigger")["anyOf"][0]["properties"]
    assert set(property_of("Outcome")["enum"]) == set(ENDINGS)
    assert set(property_of("Changed")["enum"]) == set(Changed)
    assert property_of("Error")["enum"] == [*EXECUTION_ERRORS, None]
    assert rows_of("drained") | rows_of("joined") == set(AddressOutcome) - {AddressOutcome.PLANNED}
    assert set(trigger["Kind"]["enum"]) == {HAND, *TriggerKind}
    assert set(property_of("AfterDrain")["anyOf"][0]["enum"]) == set(AfterDrain)
    assert property_of("Status")["enum"] == list(ExecutionStatus)


def test_start_says_by_when_an_address_leaves() -> None:
    assert [row["LeavesBy"] for row in STARTED["Addresses"]] == ["2026-10-02T17:05:50Z"]


def test_start_shows_no_limit_when_it_is_not_known() -> None:
    (row,) = CASES["start adopted with a limit that is not known"]["Addresses"]
    assert (row["MaxDrainDurationSeconds"], row["LeavesBy"], row["Adopted"]) == (None, None, True)


def test_end_has_the_whole_result() -> None:
    conclusion = conclude(BY_HAND, [asked("a")])
    document = result(conclusion, None, execution=EXECUTION, region=REGION)
    detail = ended(
        execution=EXECUTION,
        request=BY_HAND,
        end=conclusion,
        result=document,
        status=ExecutionStatus.SUCCEEDED,
        region=REGION,
    )
    assert detail | document == detail


def test_event_fits_into_one_entry_however_long_its_texts() -> None:
    # Of all characters these take the most bytes.
    longest = "\N{NARROW NO-BREAK SPACE}\N{GRINNING FACE}" * 16_000
    some = [asked(name, outcome=AddressOutcome.FAILED, detail=longest) for name in "12345678"]
    warnings = [Problem(guard="owner", text=longest)] * 100
    detail = end(replace(BY_ALARM, reason=longest[:500]), *some, warnings=warnings)
    assert len(json.dumps(delivered(detail), ensure_ascii=False).encode()) < MAX_ENTRY_BYTES * 0.7


def test_end_keeps_the_count_of_the_problems_that_were_left_out() -> None:
    refusal = RequestRefused(*(Problem(text=str(number)) for number in range(30)))
    detail = end(BY_HAND, failure=Failure(error="RequestRefused", problems=refusal.problems))
    assert [problem["Text"] for problem in detail["Problems"][-2:]] == ["24", "... and 5 more."]


def test_nothing_is_published_for_dry_runs_and_ignored_triggers() -> None:
    outcomes = (ExecutionOutcome.NOTHING_TO_DO, ExecutionOutcome.IGNORED)
    done, ignored = (Conclusion.quietly(GATEWAY, Quiet(outcome, "why")) for outcome in outcomes)
    assert is_published(BY_HAND, done)
    assert is_published(None, done)
    assert not is_published(replace(BY_HAND, dry_run=True), done)
    assert not is_published(BY_HAND, ignored)


PATTERNS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)]


def matching(pattern: dict[str, Any]) -> set[str]:
    """Return the cases that a rule with this pattern receives."""
    with replaced(patterns.seams()):
        rule = EventPattern("", pattern)  # type: ignore[arg-type]  # moto wants no text here
        return {case for case, detail in CASES.items() if rule.matches_event(delivered(detail))}  # type: ignore[arg-type]  # an event is any object


@pytest.mark.parametrize(
    ("pattern", "cases"),
    [
        *zip(
            PATTERNS,
            [
                {case for case in CASES if CASES[case].get("Outcome") == "refused"},
                {case for case in CASES if case.startswith(("drained", "released"))}
                - {"drained before", "released before"},
                {case for case in CASES if case.startswith("start") and "join" not in case},
            ],
            strict=True,
        )
    ],
)
def test_documented_pattern_gets_what_the_document_says(pattern: dict[str, Any], cases: set[str]) -> None:
    assert matching(pattern) == cases


def test_document_quotes_a_message_that_is_published() -> None:
    quoted = " ".join(
        line.removeprefix("> ") for line in DOCUMENT.read_text().splitlines() if line[:2] == "> "
    )
    assert quoted == STARTED["Message"]
