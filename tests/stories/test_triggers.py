"""Stories of executions that an alarm or a schedule starts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.alarms import stamp
from support.places import SAMPLES
from support.stories import BuildGateway, Listener, NatGateway, items, log_lines, refused


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


def blocked(gateway: NatGateway, number: int = 1, minutes_ago: int = 0) -> dict[str, Any]:
    """Return the sample's alarm for an address of this gateway, as it goes off now or earlier."""
    event = sample("alarm-event.blocked-egress-ip.json")
    event["detail"]["state"]["timestamp"] = stamp(gateway.cloud.clock.now - timedelta(minutes=minutes_ago))
    metric = event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]
    metric["dimensions"] = {
        "NatGatewayId": gateway.gateway_id,
        "PublicIp": gateway.addresses[number]["PublicIp"],
    }
    return dict(event)


def contributor(gateway: NatGateway, number: int, at: str) -> dict[str, Any]:
    """Return the sample's contributor for an address of this gateway."""
    event = sample("alarm-event.contributor.json")
    event["detail"]["state"]["timestamp"] = at
    attributes = {
        "NatGatewayId": gateway.gateway_id,
        "AllocationId": gateway.addresses[number]["AllocationId"],
    }
    event["detail"]["alarmContributor"] = {"id": f"of {number}", "attributes": attributes}
    return dict(event)


def scheduled(request: dict[str, Any], at: str = "2026-11-01T03:00:00Z") -> dict[str, Any]:
    return {**request, "Trigger": {"Kind": "schedule", "Name": "monthly", "At": at}}


def test_alarm_drains_by_association_when_it_names_one(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    event = blocked(gateway)
    metric = event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]
    metric["dimensions"] = {
        "NatGatewayId": gateway.gateway_id,
        "AssociationId": gateway.addresses[2]["AssociationId"],
    }
    assert cloud.run(event).result["Addresses"][0]["PublicIp"] == gateway.addresses[2]["PublicIp"]


def test_alarm_that_goes_back_to_ok_is_ignored(cloud: EmbeddedCloud) -> None:
    run = cloud.run(sample("alarm-event.back-to-ok.json"))
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "ignored", "none")
    assert "went from ALARM to OK" in run.result["Summary"]
    assert run.calls == {"lambda:Invoke": 2, "dynamodb:TransactWriteItems": 1}


def test_alarm_that_is_two_hours_old_is_refused(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    [problem] = refused(cloud.run(blocked(gateway, minutes_ago=120)))
    assert "changed 120 minutes ago" in problem
    assert gateway.changes() == []


def test_contributors_of_one_alarm_drain_their_addresses_once_each(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    first, second, at = nat(), nat(), stamp(cloud.clock.now)
    events = [contributor(gateway, 1, at) for gateway in (first, second, first)]
    assert [cloud.run(event).result["Outcome"] for event in events] == ["drained", "drained", "ignored"]


def test_refused_alarm_is_counted_and_published_as_no_request_of_a_person(cloud: EmbeddedCloud) -> None:
    listener = Listener.on(cloud, "refusals", {"source": ["natdrain"], "detail-type": ["Change Ended"]})
    run = cloud.run(sample("alarm-event.composite.json"))
    cloud.clock.advance(1)
    [detail] = [one["detail"] for one in listener.events() if one["detail"]["Execution"] == run.execution_arn]
    assert (detail["Trigger"]["Kind"], detail["Trigger"]["Name"]) == ("alarm", "EgressDegraded")
    assert "Requested automatically: alarm EgressDegraded" in detail["Message"]
    counted = [line["Trigger"] for line in log_lines(cloud) if line.get("Outcome") == "refused"]
    assert counted[-1] == "alarm"


def test_event_drains_once_when_it_comes_ten_times_at_once(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    event = blocked(gateway)
    runs = [cloud.wait(arn) for arn in [cloud.start(event) for _ in range(10)]]
    assert {run.status for run in runs} == {"SUCCEEDED"}
    assert sorted(run.result["Outcome"] for run in runs) == ["drained", *["ignored"] * 9]
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]


def test_event_is_ignored_when_it_comes_again_after_the_drain(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    event = blocked(gateway)
    first = cloud.run(event)
    again = cloud.run(event)
    assert (again.status, again.result["Outcome"]) == ("SUCCEEDED", "ignored")
    assert first.execution_arn in again.result["Summary"]


def test_ignored_duplicate_prints_the_input_that_repeats_the_request(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    event = blocked(gateway)
    cloud.run(event)
    summary = cloud.run(event).result["Summary"]
    by_hand = json.loads(summary[summary.index("{") : summary.rindex("}") + 1])
    assert cloud.run(by_hand).result["Addresses"][0]["Outcome"] == "already_drained"


def test_alarm_drains_again_when_it_went_into_alarm_another_time(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    assert cloud.run(blocked(gateway, 1)).status == "SUCCEEDED"
    cloud.clock.advance(3600)
    later = cloud.run(blocked(gateway, 2))
    assert later.result["Outcome"] == "drained"


def test_event_is_handled_when_it_comes_again_after_it_was_refused(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(tags={})
    event = blocked(gateway)
    refused(cloud.run(event))
    cloud.client("ec2").create_tags(
        Resources=[gateway.gateway_id], Tags=[{"Key": "natdrain:managed", "Value": "true"}]
    )
    assert cloud.run(event).result["Outcome"] == "drained"


def test_event_is_handled_when_it_comes_again_after_the_gateway_was_busy(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    other = cloud.start(gateway.named(2))
    cloud.clock.advance(10)
    trigger = {"Kind": "alarm", "Name": "Blocked", "At": "now"}
    request = gateway.named(1, Trigger=trigger, WhenBusy="fail")
    assert cloud.run(request).error == "GatewayBusy"
    cloud.wait(other)
    assert cloud.run(request).result["Outcome"] == "drained"


def test_event_is_handled_once_when_the_answer_about_its_claim_was_lost(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.recorder.faults = [
        Fault(
            operation="dynamodb:PutItem", error="InternalServerError", after_effect=True, calls=frozenset({1})
        )
    ]
    assert cloud.run(blocked(gateway)).result["Outcome"] == "drained"


def test_claim_of_a_trigger_expires(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    run = cloud.run(blocked(gateway))
    [claim] = [one for one in items(cloud, "triggers").values() if one["Execution"]["S"] == run.execution_arn]
    assert claim["Request"]["M"]["Trigger"]["M"]["Name"] == {"S": "EgressIpBlocked"}
    assert claim["Execution"] == {"S": run.execution_arn}
    days_left = (int(claim["ExpiresAt"]["N"]) - cloud.clock.now.timestamp()) / 86_400
    assert 6.9 < days_left < 7


def test_schedule_drains_the_first_time_and_finds_nothing_to_do_the_next(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    request = gateway.called("AllocationIds", 1)
    assert cloud.run(scheduled(request)).result["Outcome"] == "drained"
    next_time = cloud.run(scheduled(request, at="2026-12-01T03:00:00Z"))
    assert (next_time.status, next_time.result["Outcome"]) == ("SUCCEEDED", "nothing_to_do")
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]
    assert "Owner" not in items(cloud, gateway.gateway_id)["lock"]


@pytest.mark.parametrize("name", ["PublicIp", "AssociationId"])
def test_schedule_finds_nothing_to_do_however_the_address_is_named(
    cloud: EmbeddedCloud, nat: BuildGateway, name: str
) -> None:
    gateway = nat()
    request = {"PublicIps": [gateway.addresses[1]["PublicIp"]]} if name == "PublicIp" else gateway.named(1)
    assert cloud.run(scheduled(request)).result["Outcome"] == "drained"
    cloud.clock.advance(60)
    next_time = cloud.run(scheduled(request, at="2026-12-01T03:00:00Z"))
    assert (next_time.status, next_time.result["Outcome"]) == ("SUCCEEDED", "nothing_to_do")


def test_schedule_time_that_is_delivered_again_does_not_follow_the_address_to_another_gateway(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    before, after = nat(), nat()
    address = before.addresses[1]
    request = scheduled({"PublicIps": [address["PublicIp"]]})
    assert cloud.run(request).result["Outcome"] == "drained"
    cloud.clock.advance(60)
    cloud.client("ec2").associate_nat_gateway_address(
        NatGatewayId=after.gateway_id, AllocationIds=[address["AllocationId"]]
    )
    cloud.clock.advance(60)
    assert cloud.run(request).result["Outcome"] == "ignored"
    assert address["PublicIp"] in after.public_ips()


def test_schedule_takes_off_what_is_left_of_its_addresses(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    ips = [gateway.addresses[number]["PublicIp"] for number in (1, 2)]
    cloud.run({"PublicIps": ips[:1]})
    run = cloud.run(scheduled({"NatGatewayId": gateway.gateway_id, "PublicIps": ips}))
    assert (run.result["Outcome"], run.result["Changed"]) == ("drained", "all")
    assert sorted(row["Outcome"] for row in run.result["Addresses"]) == ["already_drained", "drained"]


def test_schedule_time_drains_once_when_it_is_delivered_twice(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    request = scheduled({"PublicIps": [gateway.addresses[1]["PublicIp"]]})
    runs = [cloud.wait(arn) for arn in [cloud.start(request) for _ in range(2)]]
    assert sorted(run.result["Outcome"] for run in runs) == ["drained", "ignored"]
