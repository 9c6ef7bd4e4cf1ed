"""The measures of an execution, and how they leave a function."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import natdrain.handlers
from natdrain.change.conclude import conclude
from natdrain.change.failure import ENDS_WITHOUT_CLOSE, OUTCOMES, Failure
from natdrain.guards.policy import RULES
from natdrain.intake.request import parse_request
from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.errors import EXECUTION_ERRORS, GatewayBusy, RequestRefused
from natdrain.model.outcome import AddressOutcome, ExecutionOutcome
from natdrain.model.problem import Problem, bounded
from natdrain.model.request import BY_HAND as HAND
from natdrain.model.request import Request
from natdrain.report import metrics
from natdrain.report.measures import measure_end, measure_retry
from natdrain.report.metrics import METRICS, VALUES, Measure
from natdrain.steps.emit import emit
from support.builders import GATEWAY, START, association, drain

BY_HAND = Request(gateway_id=GATEWAY)
BY_ALARM = parse_request(
    {
        "NatGatewayId": GATEWAY,
        "AssociationIds": [association("a")],
        "Trigger": {"Kind": "alarm", "Name": "Blocked", "At": "2026-10-02T17:00:00Z"},
    }
)
LEFT = drain(
    "a",
    outcome=AddressOutcome.DRAINED,
    requested_at=START,
    limit_seconds=400,
    last_seen_at=START + timedelta(seconds=240),
    gone_by=START + timedelta(seconds=300),
)


NO = Problem(text="no")


def ended(*drains: Drain, error: str | None = None, problems: Sequence[Problem] = (NO,)) -> Conclusion:
    failure = Failure(error=error, problems=tuple(problems)) if error else None
    return conclude(BY_HAND, drains, failure=failure)


def values(measured: list[Measure]) -> dict[str, float]:
    """Return the value of each metric that was measured, none of them twice."""
    found = {one.metric.name: one.value for one in measured}
    assert len(found) == len(measured)
    return found


def refused_by(*problems: Problem) -> list[str]:
    measured = measure_end(ended(error=RequestRefused.__name__, problems=problems), BY_HAND)
    return [one.dimensions["Guard"] for one in measured if one.metric is metrics.REFUSALS]


def test_end_counts_by_outcome_and_trigger() -> None:
    [executed, *_] = measure_end(ended(LEFT), BY_ALARM)
    assert executed == Measure(metrics.EXECUTIONS, 1, {"Outcome": "drained", "Trigger": "alarm"})


def test_end_counts_as_by_hand_when_its_input_was_no_request() -> None:
    [executed, *_] = measure_end(ended(error=RequestRefused.__name__), None)
    assert executed.dimensions == {"Outcome": "refused", "Trigger": "hand"}


def test_end_counts_by_the_trigger_of_an_input_that_made_no_request() -> None:
    refused = replace(ended(error=RequestRefused.__name__), trigger=BY_ALARM.trigger)
    [executed, *_] = measure_end(refused, None)
    assert executed.dimensions == {"Outcome": "refused", "Trigger": "alarm"}


def test_end_of_a_drain_has_its_duration_and_how_late_it_was_noticed() -> None:
    assert values(measure_end(ended(LEFT), BY_HAND)) == {
        "Executions": 1,
        "DetectionLag": 60,
        "DrainDuration": 300,
        "DrainDurationOfLimit": 75,
    }


def test_lag_counts_from_the_request_when_no_look_showed_the_address() -> None:
    unseen = LEFT.noted(last_seen_at=None)
    assert values(measure_end(ended(unseen), BY_HAND))["DetectionLag"] == 300


def test_end_of_an_adopted_drain_has_no_times_since_nobody_may_have_watched() -> None:
    adopted = LEFT.noted(adopted=True)
    assert values(measure_end(ended(adopted), BY_HAND)) == {"Executions": 1, "Adopted": 1}


@pytest.mark.parametrize(
    "other",
    [
        LEFT.noted(left_before=True),
        LEFT.ended(AddressOutcome.ALREADY_DRAINED),
        LEFT.noted(gone_by=None).ended(AddressOutcome.OVERDUE),
        LEFT.noted(last_seen_at=None, requested_at=None),
    ],
    ids=["left before", "found gone", "still there", "never seen"],
)
def test_end_has_no_duration_of_what_was_not_seen_to_leave(other: Drain) -> None:
    assert [*values(measure_end(ended(other), BY_HAND))] == ["Executions"]


def test_refusal_counts_once_for_each_guard_that_refused() -> None:
    problems = [
        Problem(guard=guard, text=text) for guard, text in (("ports", "a"), ("owner", "b"), ("owner", "c"))
    ]
    assert refused_by(*problems) == ["owner", "ports"]


@pytest.mark.parametrize(
    "problem", ["NatGatewayId is missing.", "Unknown field: x", "203.0.113.7: denied", "ports: x"]
)
def test_refusal_counts_as_one_of_the_request_when_no_guard_refused(problem: str) -> None:
    assert refused_by(Problem(text=problem)) == ["request"]


def test_refusal_counts_no_guard_for_the_note_that_more_were_left_out() -> None:
    problems = bounded(Problem(guard="owner", text=str(number)) for number in range(30))
    assert refused_by(*problems) == ["owner"]


def test_busy_gateway_is_no_refusal() -> None:
    busy = ended(error=GatewayBusy.__name__, problems=[Problem(guard="ports", text="a")])
    assert [*values(measure_end(busy, BY_HAND))] == ["Executions"]


def test_retry_counts_by_function() -> None:
    assert measure_retry("confirm") == Measure(metrics.RETRIES, 1, {"Function": "confirm"})


def test_values_of_the_outcome_are_all_that_an_execution_can_have() -> None:
    possible = {
        *(OUTCOMES[error] for error in EXECUTION_ERRORS),
        *ENDS_WITHOUT_CLOSE.values(),
        *(ExecutionOutcome.IGNORED, ExecutionOutcome.NOTHING_TO_DO, ExecutionOutcome.PLANNED),
        *(ExecutionOutcome.DRAINED, ExecutionOutcome.RELEASED, ExecutionOutcome.JOINED),
    }
    assert set(VALUES["Outcome"]) == possible


def test_values_of_the_guard_are_the_guards_and_the_request() -> None:
    assert VALUES["Guard"] == (*(rule.name for rule in RULES), "request")


def test_values_of_the_trigger_are_those_of_events() -> None:
    assert VALUES["Trigger"] == (HAND, "alarm", "schedule")


def test_values_of_the_function_are_the_modules_with_a_handler() -> None:
    [folder] = natdrain.handlers.__path__
    handlers = {
        path.stem
        for path in Path(folder).glob("*.py")
        if re.search(r"^(def handler|handler =)", path.read_text(), re.MULTILINE)
    }
    assert set(VALUES["Function"]) == handlers


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_line_has_the_declared_dimensions_and_no_others(
    metric: metrics.Metric, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "natdrain")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "natdrain/edge")
    dimensions = {name: VALUES[name][0] for names in metric.dimension_sets for name in names}
    emit([Measure(metric, 7, dimensions)])
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    [directive] = line.pop("_aws")["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "natdrain/edge",
        "Dimensions": [list(names) for names in metric.dimension_sets],
        "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
    }
    assert line == {metric.name: [7.0], **dimensions}


def test_lines_do_not_mix_when_several_metrics_are_emitted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "natdrain/edge")
    emit([measure_retry("close"), Measure(metrics.ADOPTED, 2, {"Trigger": "hand"})])
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ("Adopted" in first, "Retries" in second, "Function" in second) == (False, False, False)


def test_end_of_a_refused_dry_run_is_not_measured() -> None:
    request = Request(gateway_id=GATEWAY, association_ids=(association("a"),), dry_run=True)
    failure = Failure(error="RequestRefused", problems=(Problem(guard="hold", text="It is held."),))
    assert measure_end(conclude(request, (), failure=failure), request) == []
