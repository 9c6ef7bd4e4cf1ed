"""What starts executions: nothing when nobody says so, and else just what was said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.synthesised import RunApplication, Template, of_type, only, resolve, rights


@pytest.fixture(scope="module")
def plain(run_application: RunApplication, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A deployment that chose nothing."""
    folder = tmp_path_factory.mktemp("plain")
    config = folder / "plain.toml"
    config.write_text("")
    done = run_application(folder, {"natdrain:config": str(config)})
    assert done.returncode == 0, done.stderr
    return dict(json.loads((folder / "Natdrain.template.json").read_text()))


def schedule(template: Template, name: str) -> dict[str, Any]:
    [found] = [
        one["Properties"]
        for one in of_type(template, "AWS::Scheduler::Schedule").values()
        if one["Properties"]["Description"] == f"natdrain: {name}"
    ]
    return dict(found)


def rule_on(template: Template, source: str) -> dict[str, Any]:
    [found] = [
        rule["Properties"]
        for rule in of_type(template, "AWS::Events::Rule").values()
        if rule["Properties"]["EventPattern"]["source"] == [source]
    ]
    return dict(found)


def alarm_rule(template: Template) -> dict[str, Any]:
    return rule_on(template, "aws.cloudwatch")


def dead_letters(template: Template) -> dict[str, Any]:
    [queue] = of_type(template, "AWS::SQS::Queue")
    return {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}


def test_nothing_starts_executions_when_nobody_says_so(plain: Template) -> None:
    rules = of_type(plain, "AWS::Events::Rule").values()
    assert [rule["Properties"]["EventPattern"]["source"] for rule in rules] == [["aws.states"]]
    assert of_type(plain, "AWS::Scheduler::Schedule") == {}


def test_rule_lets_alarms_through_that_go_into_alarm_and_name_gateway_and_address(template: Template) -> None:
    pattern = alarm_rule(template)["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (
        ["aws.cloudwatch"],
        ["CloudWatch Alarm State Change"],
    )
    detail = pattern["detail"]
    assert (detail["state"], detail["previousState"]) == (
        {"value": ["ALARM"]},
        {"value": [{"anything-but": "ALARM"}]},
    )
    metric = detail["configuration"]["metrics"]["metricStat"]["metric"]
    assert metric["dimensions"] == {
        "NatGatewayId": [{"exists": True}],
        "$or": [{name: [{"exists": True}]} for name in ("AssociationId", "AllocationId", "PublicIp")],
    }
    assert "ErrorPortAllocation" in metric["name"][0]["anything-but"]


def test_rule_lets_events_of_this_account_and_region_through_only(template: Template) -> None:
    pattern = alarm_rule(template)["EventPattern"]
    assert (pattern["account"], pattern["region"]) == ([{"Ref": "AWS::AccountId"}], [{"Ref": "AWS::Region"}])


def test_roles_of_rule_and_schedules_are_assumed_for_this_account_only(template: Template) -> None:
    services = {"events.amazonaws.com", "scheduler.amazonaws.com"}
    trusted = [
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        for role in of_type(template, "AWS::IAM::Role").values()
        if role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] in services
    ]
    assert {one["Principal"]["Service"] for one in trusted} == services
    accounts = [one["Condition"]["StringEquals"]["aws:SourceAccount"] for one in trusted]
    assert accounts == [{"Ref": "AWS::AccountId"}] * len(trusted)


def test_rule_lets_only_the_named_alarms_through_when_prefixes_are_given(
    run_application: RunApplication, tmp_path: Path
) -> None:
    config = tmp_path / "some.toml"
    config.write_text('alarms = { enabled = true, name_prefixes = ["Egress", "Edge"] }')
    assert run_application(tmp_path, {"natdrain:config": str(config)}).returncode == 0
    template = json.loads((tmp_path / "Natdrain.template.json").read_text())
    detail = alarm_rule(template)["EventPattern"]["detail"]
    assert detail["alarmName"] == [{"prefix": "Egress"}, {"prefix": "Edge"}]


def test_rule_has_a_dead_letter_queue(template: Template) -> None:
    [target] = alarm_rule(template)["Targets"]
    assert target["DeadLetterConfig"] == dead_letters(template)


def test_rule_and_schedules_may_start_this_workflow_and_nothing_else(template: Template) -> None:
    [target] = alarm_rule(template)["Targets"]
    start = "Allow states:StartExecution on states stateMachine:DrainStateMachine"
    assert rights(template, target["RoleArn"]) == [start]
    roles = {
        json.dumps(one["Properties"]["Target"]["RoleArn"])
        for one in of_type(template, "AWS::Scheduler::Schedule").values()
    }
    for role in roles:
        assert rights(template, json.loads(role)) == [
            "Allow sqs:SendMessage on sqs DeadLettersQueue",
            start,
        ]


def test_schedule_has_the_time_that_was_configured(template: Template) -> None:
    monthly = schedule(template, "monthly")
    assert (monthly["ScheduleExpression"], monthly["ScheduleExpressionTimezone"], monthly["State"]) == (
        "cron(0 3 1 * ? *)",
        "Europe/Berlin",
        "ENABLED",
    )
    assert monthly["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}
    assert monthly["EndDate"] == "2028-12-31T00:00:00.000Z"


def test_schedule_is_off_when_the_configuration_says_so(template: Template) -> None:
    quarterly = schedule(template, "quarterly")
    assert (quarterly["State"], quarterly["StartDate"]) == ("DISABLED", "2027-01-01T02:00:00.000Z")


def test_schedule_persists_as_configured_and_then_has_a_dead_letter_queue(template: Template) -> None:
    target = schedule(template, "monthly")["Target"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": 3600}
    assert target["DeadLetterConfig"] == dead_letters(template)


def test_schedule_asks_with_its_request_and_says_who_asks(template: Template) -> None:
    target = schedule(template, "monthly")["Target"]
    assert resolve(template, target["Arn"]).endswith(":DrainStateMachine")
    assert json.loads(target["Input"]) == {
        "Reason": "schedule monthly",
        "NatGatewayId": "nat-0a1b2c3d4e5f60718",
        "AllocationIds": ["eipalloc-0a1b2c3d4e5f60718"],
        "MaxDrainDurationSeconds": 900,
        "Trigger": {"Kind": "schedule", "Name": "monthly", "At": "<aws.scheduler.scheduled-time>"},
    }


def test_dead_letters_travel_encrypted_only(template: Template) -> None:
    assert only(template, "AWS::SQS::Queue")["Properties"]["SqsManagedSseEnabled"] is True
    denied = only(template, "AWS::SQS::QueuePolicy")["Properties"]["PolicyDocument"]["Statement"][0]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_schedule_whose_time_has_passed_is_warned_of_and_not_refused(
    run_application: RunApplication, tmp_path: Path
) -> None:
    config = tmp_path / "past.toml"
    config.write_text(
        """
        [[schedule]]
        name = "past"
        expression = "rate(7 days)"
        start_at = 2020-01-01T00:00:00Z
        end_at = 2020-02-01T00:00:00Z
        request = { PublicIps = ["203.0.113.7"] }

        [[schedule]]
        name = "once"
        expression = "at(2020-01-01T00:00:00)"
        request = { PublicIps = ["203.0.113.7"] }
        """
    )
    assert run_application(tmp_path, {"natdrain:config": str(config)}).returncode == 0
    metadata = json.loads((tmp_path / "Natdrain.metadata.json").read_text())
    told = [
        one["data"] for entries in metadata.values() for one in entries if "natdrain:past" in str(one["data"])
    ]
    assert [line.split(";")[0].split(",")[0] for line in told] == [
        "past: start_at has passed",
        "past: end_at has passed",
        "once: at(2020-01-01T00:00:00) has passed",
    ]


def test_executions_that_do_not_end_by_themselves_are_recorded(template: Template) -> None:
    rule = rule_on(template, "aws.states")
    pattern, [target] = rule["EventPattern"], rule["Targets"]
    [drain] = pattern["detail"]["stateMachineArn"]
    assert resolve(template, drain).endswith(":DrainStateMachine"), "never its own, which would go round"
    assert pattern["detail"]["status"] == ["ABORTED", "TIMED_OUT", "FAILED"]
    assert resolve(template, target["Arn"]).endswith(":RecordStateMachine")
    assert target["DeadLetterConfig"] == dead_letters(template)
    start = "Allow states:StartExecution on states stateMachine:RecordStateMachine"
    assert rights(template, target["RoleArn"]) == [start]
