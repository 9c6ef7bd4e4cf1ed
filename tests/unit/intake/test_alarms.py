from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from natdrain.intake.alarm_event import is_alarm
from natdrain.intake.alarms import read_alarm
from natdrain.model.conclusion import Quiet
from natdrain.model.errors import RequestRefused
from natdrain.model.request import Direction, Trigger, TriggerKind
from support.alarms import BLOCKED, NOW, POLICY, alarm, asked, ignored, problems_of, refusal, stamp
from support.builders import sample

GATEWAY = "nat-1234567890abcdef0"
DIRECT = "alarm-direct-to-lambda.json"


def test_alarm_asks_for_the_address_that_its_metric_names() -> None:
    request = asked(sample(BLOCKED))
    assert (request.gateway_id, request.allocation_ids) == (GATEWAY, ("eipalloc-0be6ecac95e8a3b10",))
    assert (request.association_ids, request.public_ips) == ((), ())


def test_alarm_that_names_an_allocation_asks_for_a_drain_as_a_person_would() -> None:
    request = asked(sample(BLOCKED))
    assert (request.direction, request.associate) == (Direction.LEAVE, ())
    assert request.to_json()["Disassociate"] == {"AllocationIds": ["eipalloc-0be6ecac95e8a3b10"]}


def test_alarm_asks_by_public_ip_when_its_metric_has_that_dimension() -> None:
    assert asked(sample("alarm-event.with-tags.json")).public_ips == ("3.211.231.218",)


def test_alarm_asks_by_association_when_its_metric_has_that_dimension() -> None:
    named = {"NatGatewayId": GATEWAY, "AssociationId": "eipassoc-0f96bdca17e8a3b10"}
    assert asked(alarm(("Blocked", named))).association_ids == ("eipassoc-0f96bdca17e8a3b10",)


def test_alarm_asks_the_same_when_its_action_is_the_function_itself() -> None:
    assert asked(sample(DIRECT)) == asked(sample(BLOCKED))


def test_alarm_asks_with_what_the_deployment_says() -> None:
    request = asked(
        sample(BLOCKED), replace(POLICY, limit_seconds=99, name_prefixes=["Egress"], dry_run=True)
    )
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
    why = ignored(alarm(state=state, previousState={"value": before}))
    assert f"went from {before} to {value}" in why


def test_alarm_going_back_to_ok_is_ignored_even_when_it_names_no_address() -> None:
    state = {"value": "OK", "timestamp": "2026-10-02T17:04:40.989+0000"}
    assert ignored(alarm(("m", {}), state=state))


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
    policy = replace(POLICY, name_prefixes=["Prod-", "Edge-"])
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


@pytest.mark.parametrize("at", ["yesterday", "2026-10-02T17:04:40", ""])
def test_alarm_is_refused_as_not_whole_when_its_time_is_no_instant(at: str) -> None:
    [found] = problems_of(alarm(state={"value": "ALARM", "timestamp": at}))
    assert "not whole: ValueError" in found


def test_alarm_is_distinguished_from_a_request() -> None:
    assert [is_alarm(sample(name)) for name in (BLOCKED, DIRECT, "request.manual.json")] == [
        True,
        True,
        False,
    ]


def test_alarm_asks_until_it_is_as_old_as_the_bound() -> None:
    at = NOW - timedelta(minutes=60)
    event = alarm(state={"value": "ALARM", "timestamp": stamp(at)})
    assert asked(event).trigger
    assert problems_of(event, now=NOW + timedelta(seconds=1))


def test_alarm_that_is_too_old_is_refused_with_its_age_and_the_request_to_make() -> None:
    [found] = problems_of(sample(BLOCKED), now=NOW + timedelta(hours=3))
    assert "changed 180 minutes ago" in found
    assert "alarms act for 60 minutes" in found
    assert found.endswith(f"drain eipalloc-0be6ecac95e8a3b10 of {GATEWAY} by hand.")


def test_alarm_that_is_replayed_is_refused_however_young_it_is() -> None:
    [found] = problems_of(sample(BLOCKED) | {"replay-name": "of-today"})
    assert "by the replay of-today" in found


def test_alarm_that_is_replayed_is_refused_once_however_old_it_is() -> None:
    [found] = problems_of(sample("alarm-event.replayed.json"))
    assert "by the replay replay-of-september" in found


def test_alarm_without_data_is_refused_with_the_reason_and_what_to_set() -> None:
    [found] = problems_of(sample("alarm-event.no-data.json"))
    assert "no datapoints were received for 1 period" in found
    assert "TreatMissingData (--treat-missing-data) to notBreaching or missing" in found


def test_alarm_without_data_asks_when_the_deployment_allows_it() -> None:
    assert asked(sample("alarm-event.no-data.json"), replace(POLICY, act_without_data=True)).allocation_ids


@pytest.mark.parametrize("points", ["[null, null]", "[]", '["NaN"]'])
def test_alarm_is_without_data_when_no_data_point_has_a_value(points: str) -> None:
    assert "data are missing" in problems_of(with_reason_data(f'{{"recentDatapoints": {points}}}'))[0]


@pytest.mark.parametrize(
    "reason_data", [None, 7, "", "{", "[]", "null", "[" * 100_000, "{}", '{"recentDatapoints": null}']
)
def test_alarm_asks_when_its_reason_does_not_say_whether_there_were_data(reason_data: Any) -> None:
    assert asked(with_reason_data(reason_data)).allocation_ids


def with_reason_data(reason_data: object) -> dict[str, Any]:
    state = {"value": "ALARM", "timestamp": "2026-10-02T17:04:40.989+0000", "reasonData": reason_data}
    return alarm(state=state)


def test_alarm_that_is_not_allowed_old_and_without_data_is_refused_for_all_that() -> None:
    policy = replace(POLICY, name_prefixes=["Other"])
    found = problems_of(sample("alarm-event.no-data.json"), policy, NOW + timedelta(days=1))
    assert len(found) == 3


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(sample("alarm-event.composite.json"), id="composite"),
        pytest.param(sample("alarm-sns-notification.json"), id="SNS"),
        pytest.param(sample(BLOCKED) | {"source": "my.app"}, id="not whole"),
        pytest.param(alarm(("m", {"NatGatewayId": "nat-7", "PublicIp": "1"})), id="malformed"),
    ],
)
def test_refused_alarm_is_known_not_to_come_from_a_person(document: Any) -> None:
    trigger = refusal(document).trigger
    assert trigger is not None
    assert trigger.kind is TriggerKind.ALARM
    assert trigger.at == "2026-10-02T17:04:40.989+0000"


@pytest.mark.parametrize("name", ["x" * 301, ""])
def test_refused_alarm_has_no_trigger_when_its_name_can_be_none(name: str) -> None:
    assert refusal(alarm(alarmName=name)).trigger is None


def test_ignored_alarm_is_known_not_to_come_from_a_person() -> None:
    quiet = read_alarm(sample("alarm-event.muted.json"), POLICY, now=NOW)
    assert isinstance(quiet, Quiet)
    assert quiet.trigger == Trigger(
        kind=TriggerKind.ALARM, name="EgressIpBlocked", at="2026-10-02T17:04:40.989+0000"
    )


NAMED = {"NatGatewayId": GATEWAY, "PublicIp": "203.0.113.7"}


@pytest.mark.parametrize(
    "metric",
    [
        *("errorportallocation", "error_port_allocation", "PortsExhausted", "ExhaustedPorts", "PortErrors"),
        *("NatPortErrors", "AllocatePortErrors", "SNATAllocationErrors", "PortsUsedPercent"),
        *("DropCount", "DropPackets", "DroppedConnections", "PacketLoss", "packetsdropcount"),
    ],
)
def test_alarm_about_exhaustion_is_refused_whatever_its_metric_is_called(metric: str) -> None:
    [found] = problems_of(alarm((metric, NAMED)))
    assert f"watches {metric}" in found


@pytest.mark.parametrize(
    "metric",
    [
        *("BlockedResponses", "ReportAllocationBlocked", "HttpErrorsOnPort443", "Port443Errors"),
        *("SuccessRateDrop", "ReportAllocationIdBlocked", "PacketLatency"),
    ],
)
def test_alarm_about_something_else_drains_whatever_its_metric_sounds_like(metric: str) -> None:
    assert asked(alarm((metric, NAMED))).public_ips == ("203.0.113.7",)


def test_alarm_is_refused_when_it_went_off_since_some_data_are_missing() -> None:
    state = {
        "value": "ALARM",
        "timestamp": stamp(NOW),
        "reason": "Threshold Crossed: 2 missing datapoints were treated as [Breaching].",
        "reasonData": '{"recentDatapoints": [0.0]}',
    }
    assert "data are missing" in problems_of(alarm(state=state))[0]


def test_contributor_is_refused_when_it_went_off_since_data_are_missing() -> None:
    event = copy.deepcopy(sample("alarm-event.contributor.json"))
    event["detail"]["state"]["reason"] = "1 missing datapoint was treated as [Breaching]."
    assert "data are missing" in problems_of(event)[0]


@pytest.mark.parametrize("more", [{"replay-name": "of-today"}, {}])
def test_refused_alarm_carries_the_request_that_it_would_have_made(more: dict[str, str]) -> None:
    with pytest.raises(RequestRefused) as refused:
        read_alarm(sample(BLOCKED) | more, POLICY, now=NOW + timedelta(hours=2))
    request = refused.value.request
    assert request
    assert (request.gateway_id, request.allocation_ids) == (GATEWAY, ("eipalloc-0be6ecac95e8a3b10",))
    assert request.automatic


def test_refused_alarm_whose_dimensions_are_malformed_repeats_none_of_them() -> None:
    named = {"NatGatewayId": GATEWAY, "PublicIp": "[pay](https://evil.example)"}
    [found] = problems_of(alarm(("Blocked", named)) | {"replay-name": "of-today"})
    assert "PublicIps must be an IPv4 address" in found
