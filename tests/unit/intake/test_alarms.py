from __future__ import annotations

import copy
from typing import Any

import pytest

from natdrain.intake.alarms import AlarmPolicy, is_alarm, read_alarm
from natdrain.model.conclusion import Quiet
from natdrain.model.errors import RequestRefused
from natdrain.model.request import Request, TriggerKind
from support.builders import sample

POLICY = AlarmPolicy(limit_seconds=600, name_prefixes=[], dry_run=False)
GATEWAY = "nat-1234567890abcdef0"
BLOCKED = "alarm-event.blocked-egress-ip.json"
DIRECT = "alarm-direct-to-lambda.json"


def asked(document: Any, policy: AlarmPolicy = POLICY) -> Request:
    request = read_alarm(document, policy)
    assert isinstance(request, Request)
    return request


def problems_of(document: Any, policy: AlarmPolicy = POLICY) -> list[str]:
    with pytest.raises(RequestRefused) as refused:
        read_alarm(document, policy)
    return str(refused.value).splitlines()


def alarm(*metrics: tuple[str, dict[str, str]], **detail: Any) -> dict[str, Any]:
    """The sample's event, of an alarm on these metrics instead."""
    event = copy.deepcopy(sample(BLOCKED))
    if metrics:
        event["detail"]["configuration"]["metrics"] = [
            {"id": f"m{i}", "metricStat": {"metric": {"name": name, "dimensions": dimensions}}}
            for i, (name, dimensions) in enumerate(metrics)
        ]
    event["detail"].update(detail)
    return dict(event)


def test_alarm_asks_for_the_address_that_its_metric_names() -> None:
    request = asked(sample(BLOCKED))
    assert (request.gateway_id, request.allocation_ids) == (GATEWAY, ("eipalloc-0be6ecac95e8a3b10",))
    assert (request.association_ids, request.public_ips) == ((), ())


def test_alarm_asks_by_public_ip_when_its_metric_has_that_dimension() -> None:
    assert asked(sample("alarm-event.with-tags.json")).public_ips == ("3.211.231.218",)


def test_alarm_asks_by_association_when_its_metric_has_that_dimension() -> None:
    named = {"NatGatewayId": GATEWAY, "AssociationId": "eipassoc-0f96bdca17e8a3b10"}
    assert asked(alarm(("Blocked", named))).association_ids == ("eipassoc-0f96bdca17e8a3b10",)


def test_alarm_asks_the_same_when_its_action_is_the_function_itself() -> None:
    assert asked(sample(DIRECT)) == asked(sample(BLOCKED))


def test_alarm_asks_with_what_the_deployment_says() -> None:
    request = asked(sample(BLOCKED), AlarmPolicy(limit_seconds=99, name_prefixes=["Egress"], dry_run=True))
    assert (request.limit_seconds, request.dry_run) == (99, True)


def test_alarm_gives_its_name_and_words_as_the_reason() -> None:
    assert str(asked(sample(BLOCKED)).reason).startswith("alarm EgressIpBlocked: Threshold Crossed")


def test_alarm_with_many_words_still_makes_a_request() -> None:
    state = {"value": "ALARM", "timestamp": "2026-10-02T17:04:40.989+0000", "reason": "x" * 1023}
    assert len(str(asked(alarm(state=state)).reason)) == 500


def test_alarm_names_its_change_as_the_trigger() -> None:
    trigger = asked(sample(BLOCKED)).trigger
    assert trigger is not None
    assert (trigger.kind, trigger.name, trigger.at) == (
        TriggerKind.ALARM,
        "EgressIpBlocked",
        "2026-10-02T17:04:40.989+0000",
    )


def test_alarm_asks_when_a_metric_of_its_expression_names_the_address() -> None:
    event = alarm(("Blocked", {"NatGatewayId": GATEWAY, "PublicIp": "203.0.113.7"}), ("Sent", {}))
    event["detail"]["configuration"]["metrics"].insert(0, {"id": "e1", "expression": "m0/m1"})
    assert asked(event).public_ips == ("203.0.113.7",)


@pytest.mark.parametrize(
    ("value", "before"), [("OK", "ALARM"), ("INSUFFICIENT_DATA", "ALARM"), ("ALARM", "ALARM"), ("OK", "OK")]
)
def test_alarm_is_ignored_when_it_does_not_go_into_alarm(value: str, before: str) -> None:
    state = {"value": value, "timestamp": "2026-10-02T17:04:40.989+0000"}
    ignored = read_alarm(alarm(state=state, previousState={"value": before}), POLICY)
    assert isinstance(ignored, Quiet)
    assert ignored.outcome == "ignored"
    assert f"went from {before} to {value}" in ignored.why


def test_alarm_going_back_to_ok_is_ignored_even_when_it_names_no_address() -> None:
    assert isinstance(read_alarm(alarm(("m", {}), state={"value": "OK", "timestamp": "t"}), POLICY), Quiet)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "alarm-event.low-traffic.json",
            "NatGatewayId and AssociationId, AllocationId or PublicIp. Its ActiveConnectionCount has",
        ),
        ("alarm-event.metric-math.json", "AddressCount has NatGatewayId."),
        ("alarm-event.composite.json", "is a composite one, whose event has no metric"),
        (
            "alarm-event.port-exhaustion.json",
            "watches ErrorPortAllocation, which means that the gateway has too",
        ),
    ],
)
def test_alarm_is_refused_with_what_is_missing_or_why(name: str, problem: str) -> None:
    [found] = problems_of(sample(name))
    assert problem in found


@pytest.mark.parametrize("metric", ["ErrorPortAllocation", "PacketsDropCount"])
def test_alarm_about_a_shortage_is_refused_even_when_it_names_an_address(metric: str) -> None:
    named = {"NatGatewayId": GATEWAY, "PublicIp": "203.0.113.7"}
    [found] = problems_of(alarm(("Blocked", named), (metric, {"NatGatewayId": GATEWAY})))
    assert f"watches {metric}" in found


@pytest.mark.parametrize(
    ("other", "several"),
    [
        (
            {"NatGatewayId": GATEWAY, "PublicIp": "203.0.113.8"},
            "several in PublicIp: 203.0.113.7, 203.0.113.8",
        ),
        ({"NatGatewayId": "nat-0123456789abcdef0", "PublicIp": "203.0.113.7"}, "several in NatGatewayId"),
    ],
)
def test_alarm_is_refused_when_it_names_several_addresses(other: dict[str, str], several: str) -> None:
    one = {"NatGatewayId": GATEWAY, "PublicIp": "203.0.113.7"}
    [found] = problems_of(alarm(("a", one), ("b", other)))
    assert several in found


@pytest.mark.parametrize(
    "dimensions", [{"PublicIp": "203.0.113.7"}, {"NatGatewayId": GATEWAY, "Address": "203.0.113.7"}, {}]
)
def test_alarm_is_refused_when_gateway_or_address_is_missing(dimensions: dict[str, str]) -> None:
    [found] = problems_of(alarm(("Blocked", dimensions)))
    assert "names no address" in found


def test_alarm_is_refused_when_gateway_and_address_stand_in_different_metrics() -> None:
    [found] = problems_of(alarm(("a", {"NatGatewayId": GATEWAY}), ("b", {"PublicIp": "203.0.113.7"})))
    assert "names no address" in found


def test_alarm_is_refused_when_its_name_begins_otherwise() -> None:
    policy = AlarmPolicy(limit_seconds=350, name_prefixes=["Prod-", "Edge-"], dry_run=False)
    [found] = problems_of(sample(BLOCKED), policy)
    assert found == (
        "The alarm EgressIpBlocked is none of those that may start a drain here: their names begin with "
        "Prod-, Edge-."
    )


def test_alarm_is_refused_like_any_request_when_its_dimensions_are_malformed() -> None:
    [gateway, ip] = problems_of(alarm(("Blocked", {"NatGatewayId": "nat-7", "PublicIp": "203.0.113"})))
    assert "NatGatewayId must look like" in gateway
    assert "PublicIps must be an IPv4 address" in ip


@pytest.mark.parametrize("missing", ["alarmName", "state", "configuration"])
def test_alarm_is_refused_when_its_event_is_not_whole(missing: str) -> None:
    event = sample(BLOCKED)
    del event["detail"][missing]
    [found] = problems_of(event)
    assert found.startswith("The input looks like the event of a CloudWatch alarm, but is not whole:")
    assert missing in found


def test_alarm_is_refused_when_another_source_sent_it() -> None:
    [found] = problems_of({**sample(BLOCKED), "source": "my.app"})
    assert "its source is not aws.cloudwatch" in found


def test_alarm_is_refused_when_a_name_is_no_text() -> None:
    event = alarm(("Blocked", {"NatGatewayId": GATEWAY, "PublicIp": "203.0.113.7"}))
    event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] = ["ErrorPortAllocation"]
    assert "is no text" in problems_of(event)[0]


def test_alarm_on_a_query_is_refused_since_it_names_no_metric() -> None:
    event = alarm()
    event["detail"]["configuration"]["metrics"] = [{"id": "q1", "expression": "SELECT MAX(x) FROM y"}]
    assert "watches no metric by name" in problems_of(event)[0]


@pytest.mark.parametrize("detail", [None, [], "x", {"alarmName": "a", "state": "ALARM", "configuration": []}])
def test_alarm_is_refused_when_its_event_is_of_another_shape(detail: Any) -> None:
    [found] = problems_of({"detail-type": "CloudWatch Alarm State Change", "detail": detail})
    assert "not whole" in found


def test_alarm_is_distinguished_from_a_request() -> None:
    assert [is_alarm(sample(name)) for name in (BLOCKED, DIRECT, "request.manual.json")] == [
        True,
        True,
        False,
    ]
