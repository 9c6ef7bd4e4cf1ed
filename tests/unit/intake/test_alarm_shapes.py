"""The shapes of alarms: some name an address, some ask for nothing, and some cannot be used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from natdrain.intake.alarm_event import is_alarm
from natdrain.model.request import TriggerKind
from support.alarms import BLOCKED, alarm, asked, ignored, problems_of
from support.builders import sample
from support.places import SAMPLES

GATEWAY = "nat-1234567890abcdef0"
CONTRIBUTOR = "alarm-event.contributor.json"
NOTIFICATION = sample("alarm-sns-notification.json")


def to_lambda(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event as a Lambda function gets it that is the alarm's action."""
    return {"source": event["source"], "alarmArn": event["resources"][0], "alarmData": event["detail"]}


def contributor(**detail: Any) -> dict[str, Any]:
    event = sample(CONTRIBUTOR)
    return event | {"detail": event["detail"] | detail}


def watching(*metrics: dict[str, Any], **configuration: Any) -> dict[str, Any]:
    return alarm(configuration={"metrics": list(metrics), **configuration})


def test_muted_alarm_is_ignored_with_the_rule_and_the_end_of_its_window() -> None:
    why = ignored(sample("alarm-event.muted.json"))
    assert "muted by arn:aws:cloudwatch:us-east-1:123456789012:alarm-mute-rule:change-window" in why
    assert "until 2026-10-02T20:00:00.000+0000" in why


def test_muted_alarm_is_ignored_when_a_lambda_function_is_its_action() -> None:
    assert "is muted by" in ignored(to_lambda(sample("alarm-event.muted.json")))


def test_suppressed_composite_is_ignored_with_what_suppresses_it() -> None:
    assert "suppressed by PlannedMaintenance" in ignored(sample("alarm-event.composite-suppressed.json"))


@pytest.mark.parametrize("shape", [dict, to_lambda], ids=["event", "to a function"])
def test_contributor_asks_for_the_address_that_its_attributes_name(shape: Any) -> None:
    request = asked(shape(sample(CONTRIBUTOR)))
    assert (request.gateway_id, request.public_ips) == (GATEWAY, ("203.0.113.10",))
    assert request.trigger is not None
    assert (request.trigger.kind, request.trigger.name) == (TriggerKind.ALARM, "AnyEgressIpBlocked")


def test_alarm_asks_the_same_when_sns_carries_its_event() -> None:
    event = sample(BLOCKED)
    assert asked({"Records": [{"Sns": {"Message": json.dumps(event)}}]}) == asked(event)


def test_contributor_of_a_log_alarm_asks_for_the_address_that_its_attributes_name() -> None:
    configuration = {"scheduledQueryConfiguration": {"queryString": "stats count(*) by PublicIp"}}
    assert asked(contributor(configuration=configuration)).public_ips == ("203.0.113.10",)


def test_contributor_that_goes_back_to_ok_is_ignored() -> None:
    state = {"value": "OK", "timestamp": "2026-10-02T17:04:40.919+0000"}
    assert "went to OK" in ignored(contributor(state=state))


def test_contributor_is_refused_with_its_attributes_when_they_name_no_address() -> None:
    [found] = problems_of(contributor(alarmContributor={"id": "1", "attributes": {"NatGatewayId": GATEWAY}}))
    assert "Its contributor has NatGatewayId." in found


def test_alarm_that_groups_is_ignored_since_its_contributors_ask() -> None:
    assert "each of its contributors sends an event" in ignored(sample("alarm-event.contributor-parent.json"))


def test_alarm_on_a_query_that_groups_by_nothing_is_refused_with_what_to_group_by() -> None:
    [found] = problems_of(watching({"id": "q1", "expression": "select MAX(x) FROM y"}))
    assert "Let the query group by NatGatewayId and AssociationId, AllocationId or PublicIp" in found


def test_anomaly_alarm_asks_for_the_address_of_its_metric() -> None:
    assert asked(sample("alarm-event.anomaly.json")).public_ips == ("203.0.113.10",)


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        pytest.param(NOTIFICATION, "is the SNS notification of the alarm EgressIpBlocked", id="SNS"),
        pytest.param(
            {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(NOTIFICATION)}}]},
            "is the SNS notification of the alarm EgressIpBlocked",
            id="SNS to a function",
        ),
        pytest.param(
            {"Type": "Notification", "Message": json.dumps(NOTIFICATION)},
            "is the SNS notification of the alarm EgressIpBlocked",
            id="SNS to an endpoint",
        ),
        pytest.param(sample("alarm-event.composite.json"), "is a composite one", id="composite"),
        pytest.param(
            alarm(configuration={"evaluationCriteria": {"promQLCriteria": {"query": "up == 0"}}}),
            "watches a PromQL query",
            id="PromQL",
        ),
        pytest.param(
            alarm(configuration={"scheduledQueryConfiguration": {"queryString": "stats count(*)"}}),
            "watches logs",
            id="logs",
        ),
        pytest.param(
            watching({"id": "e1", "expression": "TIME_SERIES(1)"}),
            "watches no metric by name",
            id="expression",
        ),
        pytest.param(alarm(configuration={}), "watches no metric by name", id="nothing known"),
    ],
)
def test_shape_that_cannot_be_used_is_refused_in_one_problem_that_names_it(document: Any, shape: str) -> None:
    assert is_alarm(document)
    [found] = problems_of(document)
    assert shape in found
    assert "Use an alarm on a metric whose dimensions are" in found or "passes on its event" in found


@pytest.mark.parametrize(
    "text",
    ["ErrorPortAllocation", "nat_error_port_allocation_total", "NAT port-exhaustion", "PACKETS DROP COUNT"],
)
def test_alarm_about_exhaustion_is_refused_whatever_the_spelling(text: str) -> None:
    [found] = problems_of(alarm((text, {"NatGatewayId": GATEWAY, "PublicIp": "203.0.113.7"})))
    assert f"watches {text}, which means" in found


@pytest.mark.parametrize(
    "metrics",
    [
        pytest.param(
            [
                {
                    "id": "e1",
                    "expression": "SEARCH('{AWS/NATGateway,NatGatewayId} errorportallocation', 'Sum')",
                }
            ],
            id="search",
        ),
        pytest.param(
            [{"id": "m9", "returnData": False, "metricStat": {"metric": {"name": "ErrorPortAllocation"}}}],
            id="metric that is not returned",
        ),
        pytest.param(
            [{"id": "q1", "expression": 'SELECT SUM(ErrorPortAllocation) FROM "AWS/NATGateway"'}], id="query"
        ),
    ],
)
def test_alarm_about_exhaustion_in_another_entry_is_refused(metrics: list[dict[str, Any]]) -> None:
    [named] = sample(BLOCKED)["detail"]["configuration"]["metrics"]
    for entries in (metrics, [named, *metrics]):
        [found] = problems_of(watching(*entries))
        assert "one address fewer makes it worse" in found


@pytest.mark.parametrize("shape", [dict, to_lambda], ids=["event", "to a function"])
def test_contributor_of_a_query_about_exhaustion_is_refused(shape: Any) -> None:
    query = 'SELECT SUM(ErrorPortAllocation) FROM "AWS/NATGateway" GROUP BY NatGatewayId, PublicIp'
    [found] = problems_of(shape(contributor(configuration={"metrics": [{"id": "q1", "expression": query}]})))
    assert "watches SELECT SUM(ErrorPortAllocation)" in found


def test_contributor_of_a_promql_query_about_drops_is_refused() -> None:
    criteria = {"promQLCriteria": {"query": "aws_natgateway_packets_drop_count_sum > 0"}}
    [found] = problems_of(contributor(configuration={"evaluationCriteria": criteria}))
    assert "the gateway is in trouble" in found


def test_alarm_on_the_exhaustion_of_a_zone_is_refused() -> None:
    [found] = problems_of(sample("alarm-event.regional-port-exhaustion.json"))
    assert "watches ErrorPortAllocation" in found


def test_contributor_may_come_from_a_report_by_allocation() -> None:
    query = (
        'SELECT SUM(Blocked) FROM SCHEMA("Egress/Report", AllocationId, NatGatewayId) GROUP BY AllocationId'
    )
    assert asked(contributor(configuration={"metrics": [{"id": "q1", "expression": query}]})).public_ips


def test_alarm_may_say_in_its_description_that_it_is_not_about_exhaustion() -> None:
    event = sample(BLOCKED)
    event["detail"]["configuration"]["description"] = "not on ErrorPortAllocation"
    assert asked(event).allocation_ids


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("alarm-*.json")))
def test_every_sample_of_an_alarm_is_recognised(name: str) -> None:
    assert is_alarm(sample(name))


@pytest.mark.parametrize(
    "document",
    [
        sample("request.manual.json"),
        {"NatGatewayId": GATEWAY, "PublicIps": ["203.0.113.7"], "AlarmName": "x"},
        {"Records": [{"Sns": {"Message": "hello"}}]},
        {"Type": "Notification", "Message": "[]"},
        {"Type": "Notification", "Message": "[" * 100_000},
        {"Type": "Notification", "Message": '{"PublicIps": ["203.0.113.7"]}'},
        {"Records": []},
        [],
        None,
    ],
)
def test_what_is_no_alarm_is_not_taken_for_one(document: Any) -> None:
    assert not is_alarm(document)
