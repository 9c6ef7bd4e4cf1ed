"""Stories of the pace: an outage is not ten blocked addresses."""

from __future__ import annotations

from typing import Any

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.guard_stories import AUTOMATIC, HAND, drained, names_of, started
from support.stories import BuildGateway, NatGateway, items, refused, table

DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"


def automatic(gateway: NatGateway, *numbers: int, **more: Any) -> dict[str, Any]:
    return started(AUTOMATIC, gateway.named(*numbers, **more))


def counted(cloud: EmbeddedCloud) -> list[str]:
    """Return the associations that are counted now."""
    takes = items(cloud, "pace").get("pace", {}).get("Takes", {"L": []})
    return [take["M"]["AssociationId"]["S"] for take in takes["L"]]


def test_two_alarms_at_once_take_one_address_off_a_gateway(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    first, second = (cloud.start(automatic(gateway, number)) for number in (1, 2))
    drained(cloud.wait(first))
    assert names_of(refused(cloud.wait(second))) == ["pace"]
    assert len(gateway.public_ips()) == 3


def test_alarms_at_once_take_three_addresses_off_all_gateways(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateways = [nat() for _ in range(5)]
    runs = [cloud.wait(arn) for arn in [cloud.start(automatic(gateway, 1)) for gateway in gateways]]
    assert sorted(run.status for run in runs) == ["FAILED"] * 2 + ["SUCCEEDED"] * 3
    for run in (run for run in runs if run.status == "FAILED"):
        assert names_of(refused(run)) == ["pace"]
    assert sum(len(gateway.public_ips()) for gateway in gateways) == 5 * 3 - 3


def test_address_may_be_taken_when_the_window_is_over(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    drained(cloud.run(automatic(gateway, 1)))
    cloud.clock.advance(3600)
    drained(cloud.run(automatic(gateway, 2)))


def test_person_may_take_an_address_and_is_only_warned(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    drained(cloud.run(automatic(gateway, 1)))
    assert "pace" in names_of(drained(cloud.run(started(HAND, gateway.named(2)))))
    assert counted(cloud) == [gateway.addresses[1]["AssociationId"]]


def test_replacement_in_service_makes_up_for_an_address(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    drained(cloud.run(automatic(gateway, 1)))
    spare = cloud.simulation.add_address(tags={"natdrain:managed": "true"})
    cloud.client("ec2").associate_nat_gateway_address(NatGatewayId=gateway.gateway_id, AllocationIds=[spare])
    cloud.clock.advance(60)
    drained(cloud.run(automatic(gateway, 2)))
    assert names_of(refused(cloud.run(automatic(gateway, 3)))) == ["pace"]


def test_address_is_not_counted_when_ec2_refuses(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    cloud.recorder.faults = [Fault(operation=DISASSOCIATE, error="InvalidParameter", status=400)]
    assert cloud.run(automatic(gateway, 1)).error == "DrainFailed"
    assert counted(cloud) == []
    cloud.recorder.faults = []
    drained(cloud.run(automatic(gateway, 2)))


def test_address_is_counted_when_the_answer_of_ec2_was_lost(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    lost = Fault(
        operation=DISASSOCIATE, error="InternalError", status=500, after_effect=True, calls=frozenset({1})
    )
    cloud.recorder.faults = [lost]
    drained(cloud.run(automatic(gateway, 1)))
    assert counted(cloud) == [gateway.addresses[1]["AssociationId"]]


def test_schedule_may_be_allowed_to_take_more_by_its_override(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    warnings = drained(cloud.run(automatic(gateway, 1, 2, Override=["pace"])))
    assert "pace" in names_of(warnings)


def test_dry_run_counts_nothing(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    assert cloud.run({**automatic(gateway, 1), "DryRun": True}).result["Outcome"] == "planned"
    assert counted(cloud) == []


def test_pace_that_somebody_has_changed_stops_automatic_requests_and_says_how_to_fix_it(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, key = nat(4), {"NatGatewayId": {"S": "pace"}, "Record": {"S": "pace"}}
    dynamodb, name = cloud.client("dynamodb"), table(cloud)
    dynamodb.put_item(TableName=name, Item={**key, "Version": {"S": "mine"}})
    [problem] = refused(cloud.run(automatic(gateway, 1)))
    assert f"get-item --table-name {name} --key NatGatewayId={{S=pace}},Record={{S=pace}}" in problem
    drained(cloud.run(started(HAND, gateway.named(1, Override=["pace"]))))
    dynamodb.delete_item(TableName=name, Key=key)
    drained(cloud.run(automatic(gateway, 2)))


def test_address_is_not_counted_when_ec2_throttles_and_then_refuses(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    cloud.recorder.faults = [
        Fault(operation=DISASSOCIATE, error="RequestLimitExceeded", status=503, calls=frozenset({1})),
        Fault(operation=DISASSOCIATE, error="InvalidParameter", status=400),
    ]
    assert cloud.run(automatic(gateway, 1)).error == "DrainFailed"
    assert counted(cloud) == []


def test_request_that_was_judged_before_another_was_counted_is_judged_again(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    first, second, late, other = (nat() for _ in range(4))
    for gateway in (first, second):
        drained(cloud.run(automatic(gateway, 1)))
    # Its guards have been judged when Lambda first cannot invoke Disassociate.
    throttled = Fault(
        operation="lambda:Invoke", error="TooManyRequestsException", status=429, calls=frozenset({3})
    )
    cloud.recorder.faults = [throttled]
    overtaken = cloud.start(automatic(late, 1))
    cloud.clock.advance(1)
    cloud.recorder.faults = []
    drained(cloud.run(automatic(other, 1)))
    assert names_of(refused(cloud.wait(overtaken))) == ["pace"]
    assert len(late.public_ips()) == 3
