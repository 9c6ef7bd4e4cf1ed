"""The triggers: none by default, and otherwise exactly those that are configured."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.config.values import PREFIX_CHARACTERS
from support.synthesised import (
    MAIL_AND_PREFIXES,
    RunApplication,
    Template,
    TemplateOf,
    of_type,
    only,
    resolve,
    rights,
)


@pytest.fixture(scope="module")
def plain(template_of: TemplateOf) -> Template:
    """Return the template of a deployment that configures nothing."""
    return template_of("")


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


def test_nothing_starts_executions_by_default(plain: Template) -> None:
    rules = of_type(plain, "AWS::Events::Rule").values()
    assert [rule["Properties"]["EventPattern"]["source"] for rule in rules] == [["aws.states"]]
    assert of_type(plain, "AWS::Scheduler::Schedule") == {}


def test_rule_matches_alarms_that_go_into_alarm_and_name_gateway_and_address(template: Template) -> None:
    pattern = alarm_rule(template)["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (
        ["aws.cloudwatch"],
        ["CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change"],
    )
    detail = pattern["detail"]
    [alarm, contributor] = detail["$or"]
    assert (detail["state"]["value"], alarm["previousState"]) == (
        ["ALARM"],
        {"value": [{"anything-but": "ALARM"}]},
    )
    metric = alarm["configuration"]["metrics"]["metricStat"]["metric"]
    assert metric["dimensions"] == {
        "NatGatewayId": [{"exists": True}],
        "$or": [{name: [{"exists": True}]} for name in ("AssociationId", "AllocationId", "PublicIp")],
    }
    assert contributor == {"alarmContributor": {"attributes": metric["dimensions"]}}
    assert "ErrorPortAllocation" in metric["name"][0]["anything-but"]


def test_rule_matches_neither_muted_nor_suppressed_alarms(template: Template) -> None:
    detail = alarm_rule(template)["EventPattern"]["detail"]
    # Leaf fields: `exists` does not work on objects.
    assert detail["muteDetail"] == {"mutedByArn": [{"exists": False}]}
    assert detail["state"]["actionsSuppressedBy"] == [{"exists": False}]


def test_every_rule_that_starts_executions_lets_no_replay_through(template: Template) -> None:
    rules = [rule["Properties"] for rule in of_type(template, "AWS::Events::Rule").values()]
    starts = [rule["EventPattern"] for rule in rules if "stateMachine" in resolve_targets(template, rule)]
    assert [pattern["replay-name"] for pattern in starts] == [[{"exists": False}]] * 2


def resolve_targets(template: Template, rule: dict[str, Any]) -> str:
    return " ".join(resolve(template, target["Arn"]) for target in rule["Targets"])


def test_rule_is_retried_for_as_long_as_alarms_act(template: Template) -> None:
    [target] = alarm_rule(template)["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600}


def test_rule_has_room_for_the_prefixes_that_the_configuration_takes(template: Template) -> None:
    pattern = alarm_rule(template)["EventPattern"]
    given = sum(len(json.dumps(one, separators=(",", ":"))) + 1 for one in pattern["detail"]["alarmName"])
    pattern = pattern | {"account": ["123456789012"], "region": ["ap-southeast-1"]}
    # EventBridge quotas: an event pattern has at most 2,048 characters.
    assert len(json.dumps(pattern, separators=(",", ":"))) - given + PREFIX_CHARACTERS <= 2048


def test_rule_matches_events_of_this_account_and_region_only(template: Template) -> None:
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


def test_rule_matches_only_the_named_alarms_when_prefixes_are_given(template_of: TemplateOf) -> None:
    template = template_of(MAIL_AND_PREFIXES)
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
        assert rights(template, json.loads(role)) == ["Allow sqs:SendMessage on sqs DeadLettersQueue", start]


def test_schedule_has_the_time_that_was_configured(template: Template) -> None:
    monthly = schedule(template, "monthly")
    assert (monthly["ScheduleExpression"], monthly["ScheduleExpressionTimezone"], monthly["State"]) == (
        "cron(0 3 1 * ? *)",
        "Europe/Berlin",
        "ENABLED",
    )
    assert monthly["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}
    assert monthly["EndDate"] == "2038-12-31T00:00:00.000Z"


def test_schedule_is_off_when_the_configuration_says_so(template: Template) -> None:
    quarterly = schedule(template, "quarterly")
    assert quarterly["State"] == "DISABLED"


def test_rate_starts_in_the_phase_that_was_configured(template: Template) -> None:
    start = datetime.fromisoformat(schedule(template, "quarterly")["StartDate"])
    assert (start - datetime(2027, 1, 1, 2, tzinfo=UTC)) % timedelta(days=90) == timedelta(0)


def test_schedule_is_retried_as_configured_and_then_has_a_dead_letter_queue(template: Template) -> None:
    target = schedule(template, "monthly")["Target"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": 3600}
    assert target["DeadLetterConfig"] == dead_letters(template)


def test_schedule_sends_its_request_with_its_trigger(template: Template) -> None:
    target = schedule(template, "monthly")["Target"]
    assert resolve(template, target["Arn"]).endswith(":DrainStateMachine")
    assert json.loads(target["Input"]) == {
        "Reason": "schedule monthly",
        "NatGatewayId": "nat-0a1b2c3d4e5f60718",
        "Disassociate": {"AllocationIds": ["eipalloc-0a1b2c3d4e5f60718"], "MaxDrainDurationSeconds": 900},
        "Trigger": {"Kind": "schedule", "Name": "monthly", "At": "<aws.scheduler.scheduled-time>"},
    }


def test_dead_letters_are_encrypted_at_rest_and_in_transit(template: Template) -> None:
    assert only(template, "AWS::SQS::Queue")["Properties"]["SqsManagedSseEnabled"] is True
    denied = only(template, "AWS::SQS::QueuePolicy")["Properties"]["PolicyDocument"]["Statement"][0]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.deep
def test_schedule_is_left_out_with_a_warning_when_its_time_has_passed(
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

        [[schedule]]
        name = "begun"
        expression = "cron(0 3 1 * ? *)"
        start_at = 2020-01-01T00:00:00Z
        request = { PublicIps = ["203.0.113.7"] }
        """
    )
    assert run_application(tmp_path, {"natdrain:config": str(config)}).returncode == 0
    metadata = json.loads((tmp_path / "Natdrain.metadata.json").read_text())
    warnings = [
        one["data"] for entries in metadata.values() for one in entries if "natdrain:past" in str(one["data"])
    ]
    assert [line.partition(" ")[0] for line in warnings] == ["past", "once"]
    template = json.loads((tmp_path / "Natdrain.template.json").read_text())
    [begun] = of_type(template, "AWS::Scheduler::Schedule").values()
    assert "StartDate" not in begun["Properties"]


def test_executions_that_are_stopped_or_fail_are_recorded(template: Template) -> None:
    rule = rule_on(template, "aws.states")
    pattern, [target] = rule["EventPattern"], rule["Targets"]
    [drain] = pattern["detail"]["stateMachineArn"]
    assert resolve(template, drain).endswith(":DrainStateMachine"), (
        "never its own, which would start it for ever"
    )
    assert pattern["detail"]["status"] == ["ABORTED", "TIMED_OUT", "FAILED"]
    assert resolve(template, target["Arn"]).endswith(":RecordStateMachine")
    assert target["DeadLetterConfig"] == dead_letters(template)
    start = "Allow states:StartExecution on states stateMachine:RecordStateMachine"
    assert rights(template, target["RoleArn"]) == [start]
