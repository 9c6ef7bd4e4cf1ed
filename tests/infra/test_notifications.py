"""Notifications: recipients of each message, and permission to publish."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.synthesised import MAIL_AND_PREFIXES, Template, TemplateOf, of_type, resolve

TOPIC = "AWS::SNS::Topic"
SECTIONS = {"mail": MAIL_AND_PREFIXES, "neither": ""}


def own_rule(template: Template) -> dict[str, Any]:
    """Return the rule on natdrain's own events."""
    [rule] = [
        one["Properties"]
        for one in of_type(template, "AWS::Events::Rule").values()
        if one["Properties"]["EventPattern"]["source"] == ["natdrain"]
    ]
    return dict(rule)


def target(template: Template, topic: str) -> dict[str, Any]:
    [found] = [
        one for one in own_rule(template)["Targets"] if one["Arn"]["Ref"].startswith(f"Messages{topic}")
    ]
    return dict(found)


def dead_letters(template: Template) -> dict[str, Any]:
    [queue] = of_type(template, "AWS::SQS::Queue")
    return {"Fn::GetAtt": [queue, "Arn"]}


def test_rule_matches_events_of_this_account_and_region_only(template: Template) -> None:
    pattern = own_rule(template)["EventPattern"]
    assert (pattern["account"], pattern["region"]) == ([{"Ref": "AWS::AccountId"}], [{"Ref": "AWS::Region"}])


def test_rule_matches_starts_and_ends_except_those_with_nothing_to_do(template: Template) -> None:
    assert own_rule(template)["EventPattern"]["detail"] == {
        "$or": [{"Outcome": [{"exists": False}]}, {"Outcome": [{"anything-but": ["nothing_to_do"]}]}]
    }


def test_rule_matches_events_of_this_stacks_workflows_and_no_replay(template: Template) -> None:
    pattern = own_rule(template)["EventPattern"]
    # Executions that began before an upgrade publish events of the earlier names.
    assert pattern["detail-type"] == ["Change Started", "Change Ended", "Drain Started", "Drain Ended"]
    machines = [resolve(template, one).rpartition(":")[2] for one in pattern["resources"]]
    assert machines == ["DrainStateMachine", "RecordStateMachine"]
    assert pattern["replay-name"] == [{"exists": False}]


def test_mail_is_the_message_of_the_event_and_a_space_before_the_quotation_mark(template: Template) -> None:
    transformer = target(template, "Mail")["InputTransformer"]
    [(name, path)] = transformer["InputPathsMap"].items()
    assert (transformer["InputTemplate"], path) == (f'"<{name}> "', "$.detail.Message")


def test_chat_gets_custom_notifications_of_title_and_message(template: Template) -> None:
    transformer = target(template, "Chat")["InputTransformer"]
    filled = transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        filled = filled.replace(f"<{name}>", json.dumps(path))
    assert json.loads(filled) == {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": "$.detail.Title",
            "description": "$.detail.Message",
        },
    }


def test_topics_let_eventbridge_publish_and_refuse_unencrypted_access(template: Template) -> None:
    assert [one for one in own_rule(template)["Targets"] if "RoleArn" in one] == []
    policies = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for one in of_type(template, "AWS::SNS::TopicPolicy").values()
    ]
    assert len(policies) == len(of_type(template, TOPIC)) == 2
    for denied, allowed in policies:
        assert (denied["Effect"], denied["Action"]) == ("Deny", "sns:Publish")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert (allowed["Effect"], allowed["Action"]) == ("Allow", "sns:Publish")
        assert allowed["Principal"] == {"Service": "events.amazonaws.com"}


def test_message_becomes_a_dead_letter_when_it_cannot_be_published_or_mailed(template: Template) -> None:
    letters = dead_letters(template)
    assert [one["DeadLetterConfig"]["Arn"] for one in own_rule(template)["Targets"]] == [letters, letters]
    subscriptions = of_type(template, "AWS::SNS::Subscription").values()
    assert [one["Properties"]["RedrivePolicy"] for one in subscriptions] == [{"deadLetterTargetArn": letters}]


def test_dead_letter_queue_accepts_this_rule_and_the_topic_with_subscribers(template: Template) -> None:
    [policy] = of_type(template, "AWS::SQS::QueuePolicy").values()
    allowed = [
        (statement["Principal"], statement["Condition"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and "Messages" in json.dumps(statement["Condition"])
    ]
    [rule] = [key for key in of_type(template, "AWS::Events::Rule") if key.startswith("MessagesTold")]
    assert sorted(allowed, key=str) == [
        (
            {"Service": "events.amazonaws.com"},
            {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}},
        ),
        ({"Service": "sns.amazonaws.com"}, {"ArnEquals": {"aws:SourceArn": target(template, "Mail")["Arn"]}}),
    ]


def test_chat_topic_is_an_output_of_the_stack(template: Template) -> None:
    assert template["Outputs"]["ChatTopicArn"]["Value"] == target(template, "Chat")["Arn"]


@pytest.fixture(scope="module", params=SECTIONS)
def chosen(request: pytest.FixtureRequest, template_of: TemplateOf) -> tuple[str, Template]:
    return request.param, template_of(SECTIONS[request.param])


def test_subscribers_are_those_that_are_configured(chosen: tuple[str, Template]) -> None:
    who, template = chosen
    subscribers = [
        one["Properties"]["Endpoint"] for one in of_type(template, "AWS::SNS::Subscription").values()
    ]
    expected: dict[str, tuple[int, list[str], bool]] = {
        "mail": (1, ["a@example.com", "b@example.com"], False),
        "neither": (0, [], False),
    }
    found = (len(of_type(template, TOPIC)), subscribers, "ChatTopicArn" in template["Outputs"])
    assert found == expected[who]


def test_rule_exists_only_when_there_are_subscribers(chosen: tuple[str, Template]) -> None:
    who, template = chosen
    ours = [key for key in of_type(template, "AWS::Events::Rule") if key.startswith("Messages")]
    assert len(ours) == (0 if who == "neither" else 1)
