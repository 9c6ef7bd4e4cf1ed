"""What is told, held against the schemas that partners read."""

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

from natdrain.change.conclude import (
    _WORDS,
    ENDS_WITHOUT_CLOSE,
    IGNORED,
    NOTHING_TO_DO,
    Failure,
    Quiet,
    conclude,
    quiet,
)
from natdrain.contract import DRAIN_ENDED, DRAIN_STARTED, EVENT_SOURCE
from natdrain.intake.request import BY_HAND as HAND
from natdrain.intake.request import AfterDrain, TriggerKind
from natdrain.model.drain import AddressOutcome
from natdrain.model.errors import EXECUTION_ERRORS
from natdrain.report.event import STATUSES, ended, is_told
from natdrain.report.telling import UNKNOWN
from natdrain_sim.events import patterns
from natdrain_sim.seams import replaced
from support.builders import GATEWAY, START
from support.places import PROJECT
from support.told import BY_ALARM, BY_HAND, BY_SCHEDULE, CASES, EXECUTION, TO_RELEASE, drain, end, start

MAX_ENTRY_BYTES = 256 * 1024  # EventBridge user guide, PutEvents event entry size
ROOT = PROJECT
DOCUMENT = ROOT / "docs" / "events.md"
SCHEMAS = {
    detail_type: json.loads((ROOT / "schemas" / name).read_text())
    for detail_type, name in {DRAIN_STARTED: "drain-started.json", DRAIN_ENDED: "drain-ended.json"}.items()
}
VALIDATORS = {
    detail_type: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for detail_type, schema in SCHEMAS.items()
}
ENDED = CASES["drained and perhaps cut"]
STARTED = CASES["start of one address"]


def delivered(detail: dict[str, Any]) -> dict[str, Any]:
    """The event as EventBridge hands it to a target."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": DRAIN_ENDED if "Status" in detail else DRAIN_STARTED,
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
    """What the schema of the end says of a field of the detail."""
    found: dict[str, Any] = SCHEMAS[DRAIN_ENDED]["properties"]["detail"]
    for name in path:
        found = found["properties"][name]
        found = found.get("items", found)
    return found


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that describes an object."""
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


@pytest.mark.parametrize("detail_type", SCHEMAS)
def test_schema_describes_every_field_and_allows_no_other(detail_type: str) -> None:
    detail = SCHEMAS[detail_type]["properties"]["detail"]
    assert all(part["additionalProperties"] is False for part in objects(detail))
    assert all("description" in field or "anyOf" in field for field in detail["properties"].values())
    assert set(detail["required"]) == set(detail["properties"])


@pytest.mark.parametrize("case", CASES)
def test_event_fits_its_schema(case: str) -> None:
    validate(delivered(CASES[case]))


times = st.none() | st.integers(0, 5_000).map(lambda seconds: START + timedelta(seconds=seconds))
drains = st.builds(
    drain,
    name=st.sampled_from("1abc"),
    public_ip=st.sampled_from(["203.0.113.7", None]),
    allocation_id=st.sampled_from(["eipalloc-0be6ecac95e8a3b10", None]),
    zone=st.sampled_from([None, "use1-az1", "us-east-1a"]),
    outcome=st.none() | st.sampled_from(AddressOutcome),
    detail=st.none() | st.text(max_size=2_000),
    adopted=st.booleans(),
    left_before=st.booleans(),
    requested_at=times,
    limit_seconds=st.none() | st.integers(1, 4_000),
    draining_seen_at=times,
    last_seen_at=times,
    gone_by=times,
)
several = st.lists(drains, max_size=8, unique_by=lambda one: one.association_id)
requests = st.sampled_from([BY_HAND, BY_ALARM, BY_SCHEDULE, TO_RELEASE])
failed = st.builds(
    Failure, error=st.sampled_from([*EXECUTION_ERRORS, "TransientFailure"]), message=st.text(max_size=3_000)
)


@settings(deadline=None)
@given(request=requests, some=several.filter(bool))
def test_start_of_whatever_drains_fits_the_schema(request: Any, some: list[Any]) -> None:
    validate(delivered(start(request, *some)))


@settings(deadline=None)
@given(
    request=st.none() | requests,
    ending=st.tuples(several.filter(bool), st.none() | failed) | st.tuples(st.just([]), failed),
    status=st.sampled_from([None, "ABORTED"]),
)
def test_end_of_whatever_happened_fits_the_schema(
    request: Any, ending: tuple[list[Any], Failure | None], status: str | None
) -> None:
    some, failure = ending
    validate(delivered(end(request, *some, failure=failure, status=status)))


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
        {"More": 1},
    ],
    ids=str,
)
def test_schema_refuses_an_end_that_natdrain_never_tells(wrong: dict[str, Any]) -> None:
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
def test_schema_refuses_a_start_that_natdrain_never_tells(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate(delivered(STARTED | wrong))


@pytest.mark.parametrize("detail", [STARTED, ENDED], ids=["start", "end"])
@pytest.mark.parametrize("field", ["Execution", "Trigger", "Reason", "Title", "Message", "Addresses"])
def test_schema_wants_every_field(detail: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError):
        validate(delivered({name: value for name, value in detail.items() if name != field}))


def test_schema_knows_every_value_that_the_code_does() -> None:
    successes = {AddressOutcome.DRAINED, AddressOutcome.RELEASED, NOTHING_TO_DO}
    trigger = property_of("Trigger")["anyOf"][0]["properties"]
    assert set(property_of("Outcome")["enum"]) == successes | {*_WORDS.values(), *ENDS_WITHOUT_CLOSE.values()}
    assert property_of("Error")["enum"] == [*EXECUTION_ERRORS, None]
    assert set(property_of("Addresses", "Outcome")["enum"]) == {*AddressOutcome, UNKNOWN}
    assert set(trigger["Kind"]["enum"]) == {HAND, *TriggerKind}
    assert set(property_of("AfterDrain")["anyOf"][0]["enum"]) == set(AfterDrain)
    assert tuple(property_of("Status")["enum"]) == STATUSES


def test_start_tells_by_when_an_address_leaves() -> None:
    assert [row["LeavesBy"] for row in STARTED["Addresses"]] == ["2026-10-02T17:05:50Z"]


def test_start_tells_of_a_limit_that_nobody_knows_that_it_is_not_known() -> None:
    (row,) = CASES["start adopted with a limit that is not known"]["Addresses"]
    assert (row["MaxDrainDurationSeconds"], row["LeavesBy"], row["Adopted"]) == (None, None, True)


def test_end_tells_the_whole_result() -> None:
    outcome = conclude(gateway_id=GATEWAY, drains=[drain("a")], region="eu-west-1")
    told = ended(execution=EXECUTION, request=BY_HAND, outcome=outcome, status="SUCCEEDED")
    assert told | outcome.to_result() == told


def test_event_fits_into_one_entry_however_long_its_texts() -> None:
    # Of all characters these take the most bytes.
    longest = "\N{NARROW NO-BREAK SPACE}\N{GRINNING FACE}" * 16_000
    some = [drain(name, outcome=AddressOutcome.FAILED, detail=longest) for name in "12345678"]
    told = [longest] * 100
    detail = end(replace(BY_ALARM, reason=longest[:500]), *some, told=told)
    assert len(json.dumps(delivered(detail), ensure_ascii=False).encode()) < MAX_ENTRY_BYTES * 0.7


def test_nothing_is_told_of_dry_runs_and_ignored_triggers() -> None:
    done, ignored = (quiet(GATEWAY, Quiet(name, "why")) for name in (NOTHING_TO_DO, IGNORED))
    assert is_told(BY_HAND, done)
    assert is_told(None, done)
    assert not is_told(replace(BY_HAND, dry_run=True), done)
    assert not is_told(BY_HAND, ignored)


PATTERNS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)]


def matching(pattern: dict[str, Any]) -> set[str]:
    """The cases that a rule with this pattern gets."""
    with replaced(patterns.seams()):
        rule = EventPattern("", pattern)  # type: ignore[arg-type]  # moto wants no text here
        return {case for case, detail in CASES.items() if rule.matches_event(delivered(detail))}  # type: ignore[arg-type]  # an event is any object


@pytest.mark.parametrize(
    ("pattern", "cases"),
    [
        *zip(
            PATTERNS,
            [
                {case for case in CASES if case.startswith("refused")},
                {case for case in CASES if case.startswith(("drained", "released"))}
                - {"drained before", "released before"},
                {case for case in CASES if case.startswith("start")},
            ],
            strict=True,
        )
    ],
)
def test_documented_pattern_gets_what_the_document_says(pattern: dict[str, Any], cases: set[str]) -> None:
    assert matching(pattern) == cases


def test_document_quotes_a_message_that_is_told() -> None:
    quoted = " ".join(
        line.removeprefix("> ") for line in DOCUMENT.read_text().splitlines() if line[:2] == "> "
    )
    assert quoted == STARTED["Message"]
