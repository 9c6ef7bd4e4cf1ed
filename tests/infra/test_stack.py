from __future__ import annotations

from typing import Any

import pytest

from support.synthesised import Template, of_type, only, state_machine


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


def test_output_names_the_workflow(template: Template) -> None:
    [workflow] = [
        key for key in of_type(template, "AWS::StepFunctions::StateMachine") if key.startswith("Drain")
    ]
    assert template["Outputs"]["DrainStateMachineArn"]["Value"] == {"Ref": workflow}


def test_resources_have_no_fixed_names(template: Template) -> None:
    names = {"TableName", "RoleName", "LogGroupName", "StateMachineName"}
    resources = template["Resources"].items()
    named = {key for key, found in resources if names & found["Properties"].keys()}
    functions = of_type(template, "AWS::Lambda::Function").items()
    assert named | {key for key, found in functions if "FunctionName" in found["Properties"]} == set()
