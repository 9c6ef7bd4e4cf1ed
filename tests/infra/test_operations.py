"""Alarms and dashboard: they ask for metrics that there are, and each alarm says what to do."""

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
from support.synthesised import FUNCTIONS, RunApplication, Template, of_type, only

TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
PAGING = {
    "Failed",
    "Overdue",
    "ReleaseFailed",
    "TimedOut",
    "NotRecorded",
    "DeadLetters",
    "Throttled",
    "FunctionErrors",
}


class Asked(NamedTuple):
    """A metric that a widget or an alarm names."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The properties of every alarm, by the name of its construct."""
    return {
        re.sub("^Alarms|[0-9A-F]{8}$", "", key): found["Properties"]
        for key, found in of_type(template, "AWS::CloudWatch::Alarm").items()
    }


def text(value: Any) -> str:
    """What CloudFormation joins, with the name of what it would look up in place of it."""
    if isinstance(value, str):
        return value
    [(operation, operand)] = value.items()
    if operation == "Fn::Join":
        return str(operand[0]).join(map(text, operand[1]))
    return str(operand if operation == "Ref" else operand[0])


def widgets(template: Template) -> list[dict[str, Any]]:
    body = only(template, "AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]
    return list(json.loads(text(body))["widgets"])


def asked_by_alarm(alarm: dict[str, Any]) -> Iterator[Asked]:
    simple = [alarm] if "MetricName" in alarm else []
    for one in [*simple, *(m["MetricStat"]["Metric"] for m in alarm.get("Metrics", []) if "MetricStat" in m)]:
        dimensions = frozenset((d["Name"], text(d["Value"])) for d in one["Dimensions"])
        yield Asked(one["Namespace"], one["MetricName"], dimensions)


def asked_by_widget(widget: dict[str, Any]) -> Iterator[Asked]:
    """Of a row `[namespace, name, dimension, value, ..., options]`, or of a search.

    CloudWatch API reference, dashboard body structure; user guide, search expression syntax. What a search
    leaves open is shown as `*`.
    """
    for row in widget["properties"].get("metrics", []):
        words = [word for word in row if isinstance(word, str)]
        if words:
            yield Asked(words[0], words[1], frozenset(zip(words[2::2], words[3::2], strict=True)))
        for schema, terms in re.findall(r"SEARCH\('\{([^}]*)\} ([^']*)'", row[-1].get("expression", "")):
            namespace, *names = schema.split(",")
            said = dict(re.findall(r'(\w+)="([^"]*)"', terms))
            yield Asked(
                namespace, said["MetricName"], frozenset((name, said.get(name, "*")) for name in names)
            )


@pytest.fixture(scope="module")
def asked(template: Template) -> list[Asked]:
    by_alarms = [asked_by_alarm(alarm) for alarm in alarms(template).values()]
    return [*itertools.chain(*by_alarms, *map(asked_by_widget, widgets(template)))]


def test_metrics_of_ours_are_declared_with_the_dimensions_by_which_they_are_asked_for(
    asked: list[Asked],
) -> None:
    declared = {(metric.name, frozenset(names)) for metric in METRICS for names in metric.dimension_sets}
    ours = {(one.name, frozenset(dict(one.dimensions))) for one in asked if one.namespace == "natdrain"}
    assert ours - declared == set()


def test_metrics_of_ours_are_asked_for_values_that_there_are(asked: list[Asked]) -> None:
    values = {pair for one in asked if one.namespace == "natdrain" for pair in one.dimensions}
    assert {(name, value) for name, value in values if value not in (*VALUES[name], "*")} == set()


def test_metrics_of_ours_all_are_on_the_dashboard_by_all_their_dimensions(template: Template) -> None:
    shown = {
        (one.name, frozenset(dict(one.dimensions)))
        for widget in widgets(template)
        for one in asked_by_widget(widget)
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


def test_alarms_are_for_what_a_person_must_see_to(template: Template) -> None:
    assert set(alarms(template)) == PAGING


def test_alarms_do_not_page_for_what_was_refused_or_is_busy(template: Template) -> None:
    paging = {
        value for alarm in alarms(template).values() for one in asked_by_alarm(alarm) for _, value in one[2]
    }
    assert paging & set(VALUES["Outcome"]) == {"failed", "overdue", "release failed"}


@pytest.mark.parametrize("name", sorted(PAGING))
def test_alarm_says_what_it_means_what_to_do_and_where_to_read_on(template: Template, name: str) -> None:
    said = alarms(template)[name]["AlarmDescription"]
    means, *do, section = re.split(r"(?<=[.]) ", said.removeprefix("natdrain: "))
    assert (len(means.split()) > 4, len(" ".join(do).split()) > 4) == (True, True)
    assert re.fullmatch(r"See docs/operations[.]md: [A-Z][a-z ]+[.]", " ".join([*do[1:], section])), said
    # CloudWatch API reference, PutMetricAlarm: AlarmDescription.
    assert len(said) <= 1024


def test_alarms_each_have_a_section_of_their_own(template: Template) -> None:
    sections = [
        alarm["AlarmDescription"].partition("docs/operations.md: ")[2] for alarm in alarms(template).values()
    ]
    assert len({*sections}) == len(PAGING)
    headings = re.findall("^## (.*)$", (PROJECT / "docs/operations.md").read_text(), re.MULTILINE)
    assert {section.rstrip(".") for section in sections} <= {*headings}


def test_alarms_notify_the_topics_that_are_configured(template: Template) -> None:
    assert [alarm["AlarmActions"] for alarm in alarms(template).values()] == [[TOPIC]] * len(PAGING)


def test_alarms_are_there_without_actions_when_no_topic_is_configured(silent: Template) -> None:
    assert [alarm.get("AlarmActions", []) for alarm in alarms(silent).values()] == [[]] * len(PAGING)


def test_alarms_take_silence_for_no_trouble_but_in_the_case_of_dead_letters(template: Template) -> None:
    silence = {name: alarm["TreatMissingData"] for name, alarm in alarms(template).items()}
    assert silence == {**dict.fromkeys(PAGING, "notBreaching"), "DeadLetters": "ignore"}


def test_alarms_of_what_is_tried_again_wait_for_several_and_the_others_for_one(template: Template) -> None:
    assert {name: alarm["Threshold"] for name, alarm in alarms(template).items()} == {
        **dict.fromkeys(PAGING, 1),
        "Throttled": 4,
        "FunctionErrors": 4,
    }


def test_alarms_of_functions_add_up_all_functions(template: Template) -> None:
    found = alarms(template)
    functions = set(of_type(template, "AWS::Lambda::Function"))
    for name in ("FunctionErrors", "Throttled"):
        watched = {value for one in asked_by_alarm(found[name]) for _, value in one.dimensions}
        assert watched >= functions
        expressions = [one["Expression"] for one in found[name]["Metrics"] if one.get("ReturnData")]
        assert expressions == ["SUM(FILL(METRICS(), 0))"]
    assert len(functions) == len(FUNCTIONS)


def test_alarm_of_throttles_watches_both_workflows(template: Template) -> None:
    watched = {value for one in asked_by_alarm(alarms(template)["Throttled"]) for _, value in one.dimensions}
    assert watched >= set(of_type(template, "AWS::StepFunctions::StateMachine"))


@pytest.mark.parametrize(
    ("alarm", "metrics", "workflow"),
    [
        ("TimedOut", {"ExecutionsTimedOut"}, "Drain"),
        ("NotRecorded", {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}, "Record"),
    ],
)
def test_alarm_of_a_workflow_watches_that_one(
    template: Template, alarm: str, metrics: set[str], workflow: str
) -> None:
    watched = [*asked_by_alarm(alarms(template)[alarm])]
    assert {one.name for one in watched} == metrics
    for one in watched:
        [(name, value)] = one.dimensions
        assert (one.namespace, name) == ("AWS/States", "StateMachineArn")
        assert value.startswith(f"{workflow}StateMachine")


@pytest.fixture(scope="module")
def silent(run_application: RunApplication, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of a deployment that configures nothing."""
    folder: Path = tmp_path_factory.mktemp("silent")
    config = folder / "silent.toml"
    config.write_text("")
    done = run_application(folder, {"natdrain:config": str(config)})
    assert done.returncode == 0, done.stderr
    return dict(json.loads((folder / "Natdrain.template.json").read_text()))
