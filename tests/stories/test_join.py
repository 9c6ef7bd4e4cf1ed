"""Stories of joins that go well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from support.guard_stories import measured
from support.join_stories import ASSOCIATE, DISASSOCIATE, by_zone, in_service, joined, outcomes, spares
from support.stories import MANAGED, BuildGateway, Listener, history, refused, to_put_back

ORDER = [
    *("Begin", "Read the request", "What was requested?", "Take the lock", "Validate"),
    *("Choose the next step", "Associate", "Choose the next step", "Publish the start"),
    *("Choose the next step", "Wait", "Confirm"),
]


def test_join_puts_the_address_into_service(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    run = cloud.run(gateway.to_join(spare))
    [row] = joined(run)["Addresses"]
    assert in_service(gateway, spare)
    assert (row["Outcome"], row["Adopted"], row["StillListed"]) == ("joined", False, False)
    assert row["AssociationId"] == gateway.shown()[-1]["AssociationId"]
    assert gateway.changes() == [ASSOCIATE]
    assert [name for _, name in run.states][: len(ORDER)] == ORDER


def test_join_of_three_takes_one_call(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, three = nat(), spares(cloud, 3)
    joined(cloud.run(gateway.to_join(*three)))
    assert all(in_service(gateway, one) for one in three)
    assert gateway.changes() == [ASSOCIATE]


def test_join_of_a_regional_gateway_takes_one_zone_a_call_in_turn(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, (one, other) = nat(2, zones=["us-east-1a", "us-east-1b"]), spares(cloud, 2)
    first, second = (address["AvailabilityZoneId"] for address in gateway.addresses)
    joined(cloud.run(by_zone(gateway, **{first: one, second: other})))
    asked = [call for call in cloud.recorder.calls if call.operation == ASSOCIATE][-2:]
    assert [call.parameters["AvailabilityZoneId"] for call in asked] == [first, second]
    assert gateway.changes() == [ASSOCIATE, ASSOCIATE]
    zones = {a["AllocationId"]: a["AvailabilityZoneId"] for a in gateway.shown()}
    assert (zones[one], zones[other]) == (first, second)


def test_join_waits_up_to_an_hour_for_a_zone_that_has_nothing_yet(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(1, zones=["us-east-1a"]), spares(cloud)
    call = {"AllocationIds": [spare], "AvailabilityZone": "us-east-1c"}
    run = cloud.run({"NatGatewayId": gateway.gateway_id, "Associate": [call]})
    assert joined(run)["Addresses"][0]["AvailabilityZone"] == "us-east-1c"
    assert run.seconds >= 600


def test_join_waits_for_an_allocation_that_is_new(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, tags = nat(), [{"Key": key, "Value": value} for key, value in MANAGED.items()]
    new = cloud.client("ec2").allocate_address(
        Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags}]
    )["AllocationId"]
    joined(cloud.run(gateway.to_join(new)))
    assert in_service(gateway, new)


def test_join_takes_the_private_ips_of_the_request(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    call = {"AllocationIds": [spare], "PrivateIpAddresses": ["10.0.77.77"]}
    result = joined(cloud.run({"NatGatewayId": gateway.gateway_id, "Associate": [call]}))
    assert result["Addresses"][0]["PrivateIp"] == "10.0.77.77"


def test_join_undoes_a_drain_with_the_request_that_it_prints(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    drained = cloud.run(gateway.named(1, MaxDrainDurationSeconds=1)).result
    # DescribeAddresses still shows the association that has left: that is waited for.
    back = joined(cloud.run(drained["PutBack"]["Request"]))
    assert in_service(gateway, gateway.addresses[1]["AllocationId"])
    assert gateway.changes() == [DISASSOCIATE, ASSOCIATE]

    again = cloud.run(back["PutBack"]["Request"] | {"MaxDrainDurationSeconds": 1})
    assert (again.result["Outcome"], to_put_back(again.result)) == ("drained", to_put_back(drained))


def test_drain_of_two_zones_is_put_back_by_one_request(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4, zones=["us-east-1a", "us-east-1b", "us-east-1a", "us-east-1b"])
    drained = cloud.run(gateway.named(0, 1, MaxDrainDurationSeconds=1)).result
    joined(cloud.run(drained["PutBack"]["Request"]))
    assert len(gateway.public_ips()) == 4


def test_join_of_what_is_in_service_already_changes_nothing(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    joined(cloud.run(gateway.to_join(spare)))
    again = cloud.run(gateway.to_join(spare))
    assert (again.status, again.result["Changed"], outcomes(again)) == (
        "SUCCEEDED",
        "none",
        ["already_joined"],
    )
    assert (again.seconds, gateway.changes()) == (0, [ASSOCIATE])


def test_join_asks_only_for_what_is_not_there_yet(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, (there, new) = nat(), spares(cloud, 2)
    joined(cloud.run(gateway.to_join(there)))
    run = cloud.run(gateway.to_join(there, new))
    assert (joined(run)["Changed"], outcomes(run)) == ("all", ["already_joined", "joined"])


def test_scheduled_join_of_what_is_in_service_has_nothing_to_do(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    trigger = {"Kind": "schedule", "Name": "monthly", "At": "now"}
    run = cloud.run(gateway.to_join(gateway.addresses[1]["AllocationId"], Trigger=trigger))
    assert (run.status, run.result["Outcome"]) == ("SUCCEEDED", "nothing_to_do")


def test_dry_run_of_a_join_proves_the_permission_and_changes_nothing(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, two = nat(), spares(cloud, 2)
    run = cloud.run(gateway.to_join(*two, DryRun=True))
    assert (run.status, run.result["Outcome"], outcomes(run)) == ("SUCCEEDED", "planned", ["planned"] * 2)
    assert (run.calls[f"ec2:{ASSOCIATE}"], gateway.changes()) == (1, [])
    assert any("partners must allow it" in text for text in run.result["Warnings"])


def test_dry_run_of_what_is_joining_already_says_so(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    execution = cloud.start(gateway.to_join(spare))
    cloud.clock.advance(6)
    plan = cloud.run(gateway.to_join(spare, DryRun=True))
    assert (plan.result["Outcome"], outcomes(plan)) == ("planned", ["planned"])
    assert "is joining already and would be waited for" in plan.result["Summary"]
    assert cloud.wait(execution).status == "SUCCEEDED"


def test_join_is_the_remedy_where_ports_run_out(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    measured(gateway, "ErrorPortAllocation", 1000)
    assert joined(cloud.run(gateway.to_join(spare)))["Warnings"] == []


def test_join_waits_while_ec2_drains_another_address(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=100)
    run = cloud.run(gateway.to_join(spare))
    assert run.seconds > 100
    assert any("the request waits for that" in text for text in joined(run)["Warnings"])


def test_join_goes_on_with_what_somebody_else_is_associating(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.client("ec2").associate_nat_gateway_address(NatGatewayId=gateway.gateway_id, AllocationIds=[spare])
    cloud.clock.advance(5)
    [row] = joined(cloud.run(gateway.to_join(spare)))["Addresses"]
    assert (row["Outcome"], row["Adopted"], gateway.changes()) == ("joined", True, [])


def test_join_is_told_at_its_start_and_at_its_end(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    listener = Listener.on(cloud, "joins", {"source": ["natdrain"]})
    gateway, [spare] = nat(), spares(cloud)
    joined(cloud.run(gateway.to_join(spare, Reason="ports run out")))
    started, ended = listener.events()
    assert (started["detail-type"], ended["detail-type"]) == ("Change Started", "Change Ended")
    assert {event["detail"]["Direction"] for event in (started, ended)} == {"join"}
    [address] = started["detail"]["Addresses"]
    assert (address["AllocationId"], ended["detail"]["Outcome"]) == (spare, "joined")
    assert "ports run out" in ended["detail"]["Message"]


def test_history_says_who_has_put_an_address_into_service(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.run(gateway.named(0, DryRun=True))
    joined(cloud.run(gateway.to_join(spare, Reason="ports run out")))
    [entry] = [one for one in history(cloud, gateway.gateway_id) if one.get("AllocationId") == spare]
    assert (entry["Event"], entry["By"], entry["Reason"]) == ("serving", entry["Execution"], "ports run out")


def test_history_says_who_did_it_when_another_execution_sees_the_address_first(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    execution = cloud.start(gateway.to_join(spare, Reason="ports run out"))
    cloud.clock.advance(6)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    cloud.clock.advance(60)
    assert cloud.run(gateway.named(1, MaxDrainDurationSeconds=1)).result["Outcome"] == "drained"
    [entry] = [one for one in history(cloud, gateway.gateway_id) if one.get("AllocationId") == spare]
    assert (entry["Event"], entry["By"], entry["Reason"]) == ("serving", execution, "ports run out")
    assert entry["Execution"] != execution


@pytest.mark.parametrize(
    "more", [{}, {"AvailabilityZoneId": "use1-az6"}, {"PrivateIpAddresses": ["10.0.0.9"]}], ids=str
)
def test_associate_request_of_aws_itself_drains_nothing(
    cloud: EmbeddedCloud, nat: BuildGateway, more: dict[str, Any]
) -> None:
    gateway = nat()
    pasted = {"NatGatewayId": gateway.gateway_id, "AllocationIds": [gateway.addresses[1]["AllocationId"]]}
    [problem] = refused(cloud.run(pasted | more))
    assert '"Associate": [{"AllocationIds": [...]}]' in problem
    assert '"Disassociate": {"AllocationIds": [...]}' in problem
    assert gateway.changes() == []


def test_result_of_a_join_is_json_that_a_cause_has_room_for(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, spare = nat(1), spares(cloud, 7)
    result = joined(cloud.run(gateway.to_join(*spare)))
    assert len(json.dumps(result)) < 32_768
