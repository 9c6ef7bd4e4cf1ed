from __future__ import annotations

from typing import Any

import pytest

from support.synthesised import CHANGE_FUNCTIONS, FUNCTIONS, Template, function, of_type

LONGEST_SECONDS = 60

each_function = pytest.mark.parametrize("name", FUNCTIONS)


def properties(template: Template, name: str) -> dict[str, Any]:
    return dict(function(template, name)["Properties"])


def log_group_id(template: Template, name: str) -> str:
    return str(properties(template, name)["LoggingConfig"]["LogGroup"]["Ref"])


def test_functions_are_all_known_to_the_tests(template: Template) -> None:
    assert len(of_type(template, "AWS::Lambda::Function")) == len(FUNCTIONS)


@each_function
def test_function_runs_on_the_tested_runtime(template: Template, name: str) -> None:
    assert properties(template, name)["Runtime"] == "python3.13"


@each_function
def test_function_runs_on_arm(template: Template, name: str) -> None:
    assert properties(template, name)["Architectures"] == ["arm64"]


@each_function
def test_function_has_a_short_timeout(template: Template, name: str) -> None:
    assert properties(template, name)["Timeout"] <= LONGEST_SECONDS


@each_function
def test_function_logs_json(template: Template, name: str) -> None:
    assert properties(template, name)["LoggingConfig"]["LogFormat"] == "JSON"


@each_function
def test_function_log_has_a_retention(template: Template, name: str) -> None:
    assert template["Resources"][log_group_id(template, name)]["Properties"]["RetentionInDays"] == 90


def test_functions_have_a_log_group_each(template: Template) -> None:
    assert len({log_group_id(template, name) for name in FUNCTIONS}) == len(FUNCTIONS)


@each_function
def test_function_is_traced_by_default(template: Template, name: str) -> None:
    assert properties(template, name)["TracingConfig"] == {"Mode": "Active"}


def test_versions_are_kept_when_the_next_one_is_deployed(template: Template) -> None:
    versions = of_type(template, "AWS::Lambda::Version").values()
    kept = [(version["DeletionPolicy"], version["UpdateReplacePolicy"]) for version in versions]
    assert kept == [("RetainExceptOnCreate", "Retain")] * len(FUNCTIONS)


def test_workflow_calls_published_versions(tasks: dict[str, Any]) -> None:
    called = {
        task["Arguments"]["FunctionName"].rpartition("function:")[2]
        for task in tasks.values()
        if task["Resource"].endswith("lambda:invoke")
    }
    assert called == {f"Functions{name}:1" for name in CHANGE_FUNCTIONS}
