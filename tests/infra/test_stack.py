from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.synthesised import RunApplication, Template, TemplateOf, of_type, only, resolve, state_machine


@pytest.fixture
def table(template: Template) -> dict[str, Any]:
    return only(template, "AWS::DynamoDB::Table")


def test_table_is_encrypted(table: dict[str, Any]) -> None:
    assert table["Properties"]["SSESpecification"]["SSEEnabled"] is True


def test_table_is_recoverable_to_any_second(table: dict[str, Any]) -> None:
    assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_table_is_protected_from_deletion(table: dict[str, Any]) -> None:
    assert table["Properties"]["DeletionProtectionEnabled"] is True


def test_table_is_kept_when_the_stack_is_deleted(table: dict[str, Any]) -> None:
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_workflow_logs_everything_to_its_own_log_group(template: Template) -> None:
    logging = state_machine(template)["Properties"]["LoggingConfiguration"]
    [destination] = logging["Destinations"]
    log_group = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]
    functions = of_type(template, "AWS::Lambda::Function").values()
    of_functions = [found["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for found in functions]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", True)
    assert log_group not in of_functions


def test_logs_have_a_retention(template: Template) -> None:
    kept = [
        found["Properties"]["RetentionInDays"] for found in of_type(template, "AWS::Logs::LogGroup").values()
    ]
    assert set(kept) == {90}


def test_workflow_is_traced_by_default(template: Template) -> None:
    assert state_machine(template)["Properties"]["TracingConfiguration"] == {"Enabled": True}


def test_workflow_has_a_timeout(definition: dict[str, Any]) -> None:
    assert definition["TimeoutSeconds"] == 6 * 60 * 60 + 7200


def test_workflow_keeps_its_logical_id_so_that_an_upgrade_goes_on_with_its_executions(
    template: Template,
) -> None:
    # With another id an upgrade would make another state machine: names of executions could be used again,
    # running ones would end unrecorded, and their locks would never be taken over.
    assert "DrainStateMachineC9A2901B" in of_type(template, "AWS::StepFunctions::StateMachine")


def test_output_names_the_workflow(template: Template) -> None:
    [workflow] = [
        key for key in of_type(template, "AWS::StepFunctions::StateMachine") if key.startswith("Drain")
    ]
    assert template["Outputs"]["ChangeStateMachineArn"]["Value"] == {"Ref": workflow}


def test_workflow_logs_are_where_their_number_uses_up_no_policy(template: Template) -> None:
    names = {
        resolve(template, found["Properties"]["LogGroupName"])
        for key, found in of_type(template, "AWS::Logs::LogGroup").items()
        if not key.startswith("Functions")
    }
    assert names == {f"/aws/vendedlogs/states/Natdrain-{machine}" for machine in ("Drain", "Record")}


def test_configured_region_is_checked_before_anything_is_made(template: Template) -> None:
    [assertion] = template["Rules"]["RegionOfTheConfiguration"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    assert "topics or change calendars of us-east-1" in assertion["AssertDescription"]


def test_region_is_free_when_no_arn_is_configured(template_of: TemplateOf) -> None:
    assert template_of("")["Rules"].keys() == {"CheckBootstrapVersion"}


@pytest.mark.parametrize(("name", "warned"), [("Natdrain", False), ("Natdrain-edge", True)])
def test_alarms_raise_a_warning_when_the_stack_has_another_name(
    run_application: RunApplication, tmp_path: Path, name: str, *, warned: bool
) -> None:
    config = tmp_path / "natdrain.toml"
    config.write_text(f'stack_name = "{name}"\nalarms.enabled = true\nalarms.name_prefixes = ["Egress"]\n')
    assert run_application(tmp_path, {"natdrain:config": str(config)}).returncode == 0
    made = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]["Natdrain"]["properties"]
    assert made.get("stackName", "Natdrain") == name
    metadata = (tmp_path / "Natdrain.metadata.json").read_text()
    assert ("natdrain:alarms-of-two-stacks" in metadata) == warned


def test_resources_have_no_fixed_names(template: Template) -> None:
    names = {"TableName", "RoleName", "StateMachineName"}
    resources = template["Resources"].items()
    named = {key for key, found in resources if names & found["Properties"].keys()}
    functions = of_type(template, "AWS::Lambda::Function").items()
    assert named | {key for key, found in functions if "FunctionName" in found["Properties"]} == set()
