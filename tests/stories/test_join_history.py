"""Stories of what the history says about who associated an address, after an execution was stopped."""

from __future__ import annotations

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.join_stories import ASSOCIATE, spares
from support.stories import BuildGateway, NatGateway, history

DAY_SECONDS = 86_400


def stopped(cloud: EmbeddedCloud, gateway: NatGateway, allocation_id: str, seconds: float) -> str:
    """Start a join, and stop it; return the execution."""
    execution = cloud.start(gateway.to_join(allocation_id))
    cloud.clock.advance(seconds)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    return execution


def put_by_hand(cloud: EmbeddedCloud, gateway: NatGateway, allocation_id: str) -> None:
    named = {"NatGatewayId": gateway.gateway_id, "AllocationIds": [allocation_id]}
    cloud.client("ec2").associate_nat_gateway_address(**named)
    cloud.clock.advance(60)


def put_into_service_by(cloud: EmbeddedCloud, gateway: NatGateway, allocation_id: str) -> list[str]:
    entries = history(cloud, gateway.gateway_id)
    return [e["By"] for e in entries if e["Event"] == "serving" and e["AllocationId"] == allocation_id]


def test_history_does_not_credit_a_stopped_execution_whose_request_ec2_refused(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    refusing = Fault(operation=f"ec2:{ASSOCIATE}", error="OperationInProgress", status=400)
    cloud.recorder.faults = [refusing]
    stopped(cloud, gateway, spare, 30)
    cloud.recorder.faults = []
    put_by_hand(cloud, gateway, spare)
    cloud.run(gateway.named(1))
    assert put_into_service_by(cloud, gateway, spare) == ["outside"]


def test_history_does_not_credit_a_stopped_execution_with_a_later_association(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    execution = stopped(cloud, gateway, spare, 6)
    cloud.clock.advance(60)
    cloud.run(gateway.named(1))
    [first] = [a["AssociationId"] for a in gateway.shown() if a["AllocationId"] == spare]
    taking = {"NatGatewayId": gateway.gateway_id, "AssociationIds": [first], "MaxDrainDurationSeconds": 1}
    cloud.client("ec2").disassociate_nat_gateway_address(**taking)
    cloud.clock.advance(DAY_SECONDS)
    cloud.run(gateway.named(2))
    put_by_hand(cloud, gateway, spare)
    cloud.run(gateway.to_join(spare))
    assert put_into_service_by(cloud, gateway, spare) == [execution, "outside"]
