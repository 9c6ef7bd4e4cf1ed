"""The configuration file: its name, errors in it, and the effect of its settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from natdrain.guards.policy import GuardPolicy
from support.synthesised import (
    FUNCTIONS,
    RunApplication,
    Template,
    TemplateOf,
    definition,
    function,
    of_type,
    only,
    state_machine,
)

CHOICES = """
tracing = false
tags = { team = "network" }
table = { deletion_protection = false, keep = false, recovery_days = 7 }
logs = { retention_days = 5 }
defaults = { max_drain_duration_seconds = 120, wait_in_line_seconds = 60 }
guards = { remaining_addresses = 2, automatic = { ports = "warn" } }
[alarms]
dry_run = true
max_drain_duration_seconds = 60
name_prefixes = ["Egress"]
max_age_minutes = 30
act_without_data = true
"""


@pytest.fixture(scope="module")
def chosen(template_of: TemplateOf) -> Template:
    return template_of(CHOICES)


def test_tracing_needs_no_rights_when_off(chosen: Template) -> None:
    assert "xray" not in json.dumps(chosen).lower()


def test_tracing_of_functions_stops_when_off(chosen: Template) -> None:
    functions = of_type(chosen, "AWS::Lambda::Function").values()
    assert {str(found["Properties"].get("TracingConfig")) for found in functions} == {"None"}


def test_tracing_of_the_workflow_stops_when_off(chosen: Template) -> None:
    tracing = state_machine(chosen)["Properties"].get("TracingConfiguration", {"Enabled": False})
    assert tracing == {"Enabled": False}


def test_tags_are_on_everything_that_carries_tags(chosen: Template) -> None:
    kinds = (
        "AWS::Lambda::Function",
        "AWS::DynamoDB::Table",
        "AWS::StepFunctions::StateMachine",
        "AWS::IAM::Role",
    )
    tags = [one["Properties"].get("Tags") for kind in kinds for one in of_type(chosen, kind).values()]
    assert [one for one in tags if one != [{"Key": "team", "Value": "network"}]] == []


def test_table_is_as_chosen(chosen: Template) -> None:
    table = only(chosen, "AWS::DynamoDB::Table")
    assert (table["DeletionPolicy"], table["Properties"]["DeletionProtectionEnabled"]) == ("Delete", False)
    assert table["Properties"]["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] == 7


def test_logs_are_kept_as_long_as_chosen(chosen: Template) -> None:
    groups = of_type(chosen, "AWS::Logs::LogGroup").values()
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {5}


def test_read_request_gets_limits_and_alarms_as_chosen(chosen: Template) -> None:
    environment = function(chosen, "ReadRequest")["Properties"]["Environment"]["Variables"]
    assert environment["NATDRAIN_DRAIN_LIMIT_SECONDS"] == "120"
    assert json.loads(environment["NATDRAIN_ALARM_POLICY"]) == {
        "limit_seconds": 60,
        "name_prefixes": ["Egress"],
        "dry_run": True,
        "max_age_minutes": 30,
        "act_without_data": True,
    }


@pytest.mark.parametrize("name", ["Validate", "Confirm"])
def test_guards_are_judged_as_chosen(chosen: Template, name: str) -> None:
    environment = function(chosen, name)["Properties"]["Environment"]["Variables"]
    policy = GuardPolicy(remaining_addresses=2, automatic={"ports": "warn"}, change_calendars=[])
    assert GuardPolicy.from_text(environment["NATDRAIN_GUARD_POLICY"]) == policy


def test_release_exists_only_when_chosen(chosen: Template) -> None:
    text = json.dumps([chosen["Resources"], definition(chosen)])
    assert ("ReleaseAddress" in text, "Release" in definition(chosen)["States"]) == (False, False)
    assert len(of_type(chosen, "AWS::Lambda::Function")) == len(FUNCTIONS) - 1
    environment = function(chosen, "ReadRequest")["Properties"]["Environment"]["Variables"]
    assert environment["NATDRAIN_RELEASE"] == "false"


def test_calendars_need_rights_only_when_chosen(chosen: Template) -> None:
    assert "ssm:" not in json.dumps(chosen["Resources"])


def test_waiting_time_for_the_lock_is_limited_as_chosen(chosen: Template) -> None:
    assert definition(chosen)["TimeoutSeconds"] == 6 * 60 * 60 + 60
    choices = definition(chosen)["States"]["Does the holder still run?"]["Choices"]
    [waits] = [choice["Condition"] for choice in choices if choice["Next"] == "Wait in line"]
    assert "< 60000 %}" in waits


def test_synthesis_stops_with_every_error_of_the_configuration_and_nothing_else(
    run_application: RunApplication, tmp_path: Path
) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text("alarms.enabeld = true\nlogs.retention_days = 2\n")
    done = run_application(tmp_path / "out", {"natdrain:config": str(config)})
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(f"{config}: logs.retention_days = 2: CloudWatch has no such retention")
    assert second == f"{config}: alarms.enabeld = true: there is no such key; did you mean enabled?"
    assert not (tmp_path / "out" / "Natdrain.template.json").exists()


@pytest.mark.deep
def test_synthesis_stops_when_the_named_configuration_does_not_exist(
    run_application: RunApplication, tmp_path: Path
) -> None:
    done = run_application(tmp_path, {"natdrain:config": str(tmp_path / "none.toml")})
    assert (done.returncode, done.stderr) == (
        1,
        f"{tmp_path}/none.toml: No such file or directory. Name a file that can be read.\n",
    )
