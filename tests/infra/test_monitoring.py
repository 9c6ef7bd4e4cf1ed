"""Alarms and dashboard: they use metrics that exist, and each alarm says what to do."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from natdrain.report.metrics import METRICS, VALUES
from natdrain_sim.synthesis import PROJECT
from support.synthesised import FUNCTIONS, Template, TemplateOf, function, of_type, only

OURS = "natdrain/AWS::StackName"
TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
PAGING = {
    "Failed",
    "Overdue",
    "ReleaseFailed",
    "JoinFailed",
    "Missed",
    "TimedOut",
    "NotRecorded",
    "DeadLetters",
    "Throttled",
    "FunctionErrors",
}


class Watched(NamedTuple):
    """A metric that a widget or an alarm names."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Return the properties of every alarm, by the name of its construct."""
    return {
        re.sub("^Alarms|[0-9A-F]{8}$", "", key): found["Properties"]
        for key, found in of_type(template, "AWS::CloudWatch::Alarm").items()
    }


def text(value: Any) -> str:
    """Return a joined text, with the name of each reference in place of its value."""
    if isinstance(value, str):
        return value
    [(operation, operand)] = value.items()
    if operation == "Fn::Join":
        return str(operand[0]).join(map(text, operand[1]))
    return str(operand if operation == "Ref" else operand[0])


def widgets(template: Template) -> list[dict[str, Any]]:
    body = only(template, "AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]
    return list(json.loads(text(body))["widgets"])


def watched_by_alarm(alarm: dict[str, Any]) -> Iterator[Watched]:
    simple = [alarm] if "MetricName" in alarm else []
    for one in [*simple, *(m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m)]:
        dimensions = frozenset((d["Name"], text(d["Value"])) for d in one["Dimensions"])
        yield Watched(text(one["Namespace"]), one["MetricName"], dimensions)


def watched_by_widget(widget: dict[str, Any]) -> Iterator[Watched]:
    """Yield the metrics of rows `[namespace, name, dimension, value, ..., options]` and of searches.

    CloudWatch API reference, dashboard body structure; user guide, search expression syntax. A dimension
    that a search leaves open has the value `*`.
    """
    for row in widget["properties"].get("metrics", []):
        words = [word for word in row if isinstance(word, str)]
        if words:
            yield Watched(words[0], words[1], frozenset(zip(words[2::2], words[3::2], strict=True)))
        for schema, terms in re.findall(r"SEARCH\('\{([^}]*)\} ([^']*)'", row[-1].get("expression", "")):
            namespace, *names = (part.strip('"') for part in schema.split(","))
            terms_by_name = dict(re.findall(r'(\w+)="([^"]*)"', terms))
            yield Watched(
                namespace,
                terms_by_name["MetricName"],
                frozenset((name, terms_by_name.get(name, "*")) for name in names),
            )


@pytest.fixture(scope="module")
def watched(template: Template) -> list[Watched]:
    by_alarms = [watched_by_alarm(alarm) for alarm in alarms(template).values()]
    return [*itertools.chain(*by_alarms, *map(watched_by_widget, widgets(template)))]


def test_own_metrics_are_declared_with_the_dimensions_that_alarms_and_widgets_use(
    watched: list[Watched],
) -> None:
    declared = {(metric.name, frozenset(names)) for metric in METRICS for names in metric.dimension_sets}
    ours = {(one.name, frozenset(dict(one.dimensions))) for one in watched if one.namespace == OURS}
    assert ours - declared == set()


def test_own_metrics_are_in_the_namespace_of_the_stack(template: Template, watched: list[Watched]) -> None:
    names = {metric.name for metric in METRICS}
    assert {one.namespace for one in watched if one.name in names} == {OURS}
    for name in FUNCTIONS:
        variables = function(template, name)["Properties"]["Environment"]["Variables"]
        assert text(variables["POWERTOOLS_METRICS_NAMESPACE"]) == OURS


def test_own_metrics_are_used_with_existing_values_only(watched: list[Watched]) -> None:
    values = {pair for one in watched if one.namespace == OURS for pair in one.dimensions}
    assert {(name, value) for name, value in values if value not in (*VALUES[name], "*")} == set()


def test_own_metrics_are_all_on_the_dashboard_by_all_their_dimensions(template: Template) -> None:
    shown = {
        (one.name, frozenset(dict(one.dimensions)))
        for widget in widgets(template)
        for one in watched_by_widget(widget)
    }
    assert {(m.name, frozenset(names)) for m in METRICS for names in m.dimension_sets} <= shown


def test_dashboard_shows_every_value_of_a_dimension(template: Template) -> None:
    [rows] = [w["properties"]["metrics"] for w in widgets(template) if "outcome" in w["properties"]["title"]]
    assert [row[3] for row in rows] == [*VALUES["Outcome"]]


def test_dashboard_shows_the_state_of_every_alarm(template: Template) -> None:
    [status] = [widget for widget in widgets(template) if widget["type"] == "alarm"]
    assert set(status["properties"]["alarms"]) == {*of_type(template, "AWS::CloudWatch::Alarm")}


def test_dashboard_is_there_when_nothing_is_configured(template: Template, silent: Template) -> None:
    assert len(widgets(silent)) == len(widgets(template))


def test_alarms_are_those_that_need_a_person(template: Template) -> None:
    assert set(alarms(template)) == PAGING


def test_alarms_ignore_refused_and_busy_requests_by_hand(template: Template) -> None:
    watched = [dict(one[2]) for alarm in alarms(template).values() for one in watched_by_alarm(alarm)]
    by_anyone = {one["Outcome"] for one in watched if "Outcome" in one and "Trigger" not in one}
    assert by_anyone == {"failed", "overdue", "release_failed", "join_failed"}


def test_alarm_watches_automatic_starts_that_were_refused_or_found_the_gateway_busy(
    template: Template,
) -> None:
    missed = [dict(one[2]) for one in watched_by_alarm(alarms(template)["Missed"])]
    assert {(one["Outcome"], one["Trigger"]) for one in missed} == {
        (outcome, trigger) for outcome in ("refused", "busy") for trigger in ("alarm", "schedule")
    }


@pytest.mark.parametrize("name", sorted(PAGING))
def test_alarm_says_what_happened_what_to_do_and_where_to_read_more(template: Template, name: str) -> None:
    description = alarms(template)[name]["AlarmDescription"]
    what, *do, page = re.split(r"(?<=[.]) ", description.removeprefix("natdrain: "))
    assert (len(what.split()) > 4, len(" ".join(do).split()) > 4) == (True, True)
    assert re.fullmatch(r"See docs/oncall/[a-z-]+[.]md[.]", page), description
    # CloudWatch API reference, PutMetricAlarm: AlarmDescription.
    assert len(description) <= 1024


@pytest.mark.parametrize("name", sorted(PAGING))
def test_alarm_names_a_page_that_exists_and_names_the_alarm(template: Template, name: str) -> None:
    [page] = re.findall(r"docs/oncall/[a-z-]+[.]md", alarms(template)[name]["AlarmDescription"])
    assert f"`…Alarms{name}…`" in (PROJECT / page).read_text()
    overview = (PROJECT / "docs/oncall/index.md").read_text()
    assert re.search(rf"`…Alarms{name}…`.*[(]{Path(page).name}[)]", overview)


def test_alarms_notify_the_topics_that_are_configured(template: Template) -> None:
    assert [alarm["AlarmActions"] for alarm in alarms(template).values()] == [[TOPIC]] * len(PAGING)


def test_alarms_are_there_without_actions_when_no_topic_is_configured(silent: Template) -> None:
    assert [alarm.get("AlarmActions", []) for alarm in alarms(silent).values()] == [[]] * len(PAGING)


def test_alarms_treat_missing_data_as_good_except_for_dead_letters(template: Template) -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms(template).items()}
    assert missing == {**dict.fromkeys(PAGING, "notBreaching"), "DeadLetters": "ignore"}


def test_alarms_on_retried_failures_have_a_threshold_of_several_and_others_of_one(template: Template) -> None:
    assert {name: alarm["Threshold"] for name, alarm in alarms(template).items()} == {
        **dict.fromkeys(PAGING, 1),
        "Throttled": 4,
        "FunctionErrors": 4,
    }


def test_alarms_on_functions_sum_over_all_functions(template: Template) -> None:
    found = alarms(template)
    functions = set(of_type(template, "AWS::Lambda::Function"))
    for name in ("FunctionErrors", "Throttled"):
        watched = {value for one in watched_by_alarm(found[name]) for _, value in one.dimensions}
        assert watched >= functions
        expressions = [one["Expression"] for one in found[name]["Metrics"] if one.get("ReturnData")]
        assert expressions == ["SUM(FILL(METRICS(), 0))"]
    assert len(functions) == len(FUNCTIONS)


def test_alarm_on_throttles_watches_both_workflows(template: Template) -> None:
    watched = {
        value for one in watched_by_alarm(alarms(template)["Throttled"]) for _, value in one.dimensions
    }
    assert watched >= set(of_type(template, "AWS::StepFunctions::StateMachine"))


@pytest.mark.parametrize(
    ("alarm", "metrics", "workflow"),
    [
        ("TimedOut", {"ExecutionsTimedOut"}, "Drain"),
        ("NotRecorded", {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}, "Record"),
    ],
)
def test_alarm_on_a_workflow_watches_only_that_one(
    template: Template, alarm: str, metrics: set[str], workflow: str
) -> None:
    watched = [*watched_by_alarm(alarms(template)[alarm])]
    assert {one.name for one in watched} == metrics
    for one in watched:
        [(name, value)] = one.dimensions
        assert (one.namespace, name) == ("AWS/States", "StateMachineArn")
        assert value.startswith(f"{workflow}StateMachine")


@pytest.fixture(scope="module")
def silent(template_of: TemplateOf) -> Template:
    """Return the template of a deployment that configures nothing."""
    return template_of("")
