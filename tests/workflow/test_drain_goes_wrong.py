"""Stories of drains that something happens to."""

from __future__ import annotations

import json

import pytest
from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from stories import BuildGateway, items

DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"


def outcomes(result: dict[str, list[dict[str, str]]]) -> list[str]:
    return [address["Outcome"] for address in result["Addresses"]]


def test_drain_is_adopted_when_its_execution_was_stopped(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    stopped = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    cloud.client("stepfunctions").stop_execution(executionArn=stopped)
    run = cloud.run(gateway.named(1))
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    assert run.result["Addresses"][0]["Adopted"] is True
    assert "Take over the lock" in [name for _, name in run.states]
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]
    assert run.seconds < 350, "the limit of the stopped execution's drain is remembered"


def test_drain_that_ended_while_nobody_watched_is_found_ended(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    stopped = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    cloud.client("stepfunctions").stop_execution(executionArn=stopped)
    cloud.clock.advance(1000)
    run = cloud.run(gateway.named(1))
    assert (run.status, run.seconds, outcomes(run.result)) == ("SUCCEEDED", 0, ["drained"])
    assert run.result["Addresses"][0]["LimitReached"] is None


def test_second_request_is_busy_and_says_who_holds_the_gateway(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    first = cloud.start(gateway.named(1, Reason="first"))
    cloud.clock.advance(10)
    second = cloud.run(gateway.named(2))
    assert (second.status, second.error, second.result["Changed"]) == ("FAILED", "GatewayBusy", "none")
    assert f"is held by {first} since 2026-10-0" in second.result["Summary"]
    assert "(first)" in second.result["Summary"]
    assert cloud.wait(first).status == "SUCCEEDED"
    assert gateway.addresses[2]["PublicIp"] in gateway.public_ips()


def test_other_gateway_is_drained_at_the_same_time(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    runs = [cloud.start(nat().named(1)) for _ in range(3)]
    assert [cloud.wait(run).status for run in runs] == ["SUCCEEDED"] * 3


@pytest.mark.parametrize("holder", ["arn:aws:states:us-east-1:123456789012:execution:Gone:gone", "alice"])
def test_lock_of_a_holder_that_step_functions_does_not_know(
    cloud: EmbeddedCloud, nat: BuildGateway, holder: str
) -> None:
    gateway = nat()
    execution = cloud.run(gateway.named(1, MaxDrainDurationSeconds=1)).execution_arn
    known = execution.rsplit(":", 2)[0]
    owner = holder.replace("arn:aws:states:us-east-1:123456789012:execution", known)
    cloud.client("dynamodb").put_item(
        TableName=cloud.client("dynamodb").list_tables()["TableNames"][0],
        Item={
            "NatGatewayId": {"S": gateway.gateway_id},
            "Record": {"S": "lock"},
            "Owner": {"S": owner},
            "Since": {"S": "2026-10-01T00:00:00Z"},
        },
    )
    run = cloud.run(gateway.named(2, MaxDrainDurationSeconds=1))
    if holder == "alice":
        assert run.error == "GatewayBusy"
        assert "is held by alice since 2026-10-01" in run.result["Summary"]
    else:
        assert run.status == "SUCCEEDED"


def test_draining_and_in_service_in_one_request_both_leave(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=120)
    cloud.clock.advance(5)
    run = cloud.run(gateway.named(1, 2))
    assert (run.status, run.result["Changed"], outcomes(run.result)) == ("SUCCEEDED", "all", ["drained"] * 2)
    assert [address["Adopted"] for address in run.result["Addresses"]] == [True, False]
    assert run.seconds < 120 + 40 + 60 + 350 + 60


def test_one_leaves_and_one_fails(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    cloud.simulation.fail_when_drained(gateway.addresses[2]["AssociationId"], "The interface is broken.")
    run = cloud.run(gateway.named(1, 2))
    assert (run.status, run.error, run.result["Changed"]) == ("FAILED", "DrainFailed", "some")
    assert outcomes(run.result) == ["drained", "failed"]
    assert "The interface is broken." in run.result["Addresses"][1]["Detail"]
    assert run.result["PutBack"].endswith(gateway.addresses[1]["AllocationId"])


def test_foreign_drain_of_4000_seconds_is_never_overdue(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=4000)
    cloud.clock.advance(5)
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=350))
    assert (run.status, outcomes(run.result)) == ("SUCCEEDED", ["drained"])
    assert "with a limit we do not know" in run.result["Warnings"][0]


def test_drain_that_does_not_end_is_overdue(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.simulation.configure(lags=Lags(leave_after_limit=(2000, 2000)))
    gateway = nat()
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=60))
    assert (run.status, run.error, run.result["Changed"]) == ("FAILED", "DrainOverdue", "some")
    assert run.seconds == 360
    again = cloud.run(gateway.named(1))
    assert again.error == "DrainOverdue", "the drain is remembered, with its limit"


def test_gateway_deleted_in_mid_drain_claims_nothing(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    cloud.client("ec2").delete_nat_gateway(NatGatewayId=gateway.gateway_id)
    run = cloud.wait(execution)
    assert (run.status, run.error, run.result["Changed"]) == ("FAILED", "DrainFailed", "unknown")
    assert outcomes(run.result) == ["gateway_gone"]
    assert run.result["PutBack"] is None


def test_address_put_back_by_somebody_is_told(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.simulation.configure(lags=Lags(leave_after_limit=(0, 0), associate=0))
    gateway = nat()
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(351)
    cloud.client("ec2").associate_nat_gateway_address(
        NatGatewayId=gateway.gateway_id, AllocationIds=[gateway.addresses[1]["AllocationId"]]
    )
    run = cloud.wait(execution)
    assert (run.error, outcomes(run.result)) == ("DrainFailed", ["put_back"])


def test_operation_in_progress_of_somebody_else_is_waited_out(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(2), MaxDrainDurationSeconds=30)
    run = cloud.run(gateway.named(1))
    assert run.status == "SUCCEEDED"
    assert gateway.public_ips() == [gateway.addresses[0]["PublicIp"]]
    assert gateway.changes().count("DisassociateNatGatewayAddress") == 2


def test_protect_tag_set_meanwhile_stops_the_next_request_to_ec2(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    execution = cloud.start(gateway.named(1, 2))
    cloud.clock.advance(20)
    cloud.client("ec2").create_tags(
        Resources=[gateway.gateway_id], Tags=[{"Key": "natdrain:protect", "Value": "now"}]
    )
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"]) == ("DrainFailed", "some")
    assert outcomes(run.result) == ["drained", "not_asked"]
    assert gateway.changes() == []


def test_lost_response_of_ec2_is_recovered_by_looking_again(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    cloud.recorder.faults = [
        Fault(operation=DISASSOCIATE, error="InternalError", calls=frozenset({1}), after_effect=True)
    ]
    run = cloud.run(gateway.named(1))
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")


def test_throttling_for_a_while_is_never_seen(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    first = frozenset(range(1, 16))
    cloud.recorder.faults = [
        Fault(operation="ec2:DescribeNatGateways", error="RequestLimitExceeded", calls=first)
    ]
    run = cloud.run(gateway.named(1))
    assert run.status == "SUCCEEDED"
    assert run.seconds > 350 + 2 + 4 + 8 + 16


@pytest.mark.parametrize(
    ("operation", "error", "changed"),
    [
        ("ec2:DescribeNatGateways", "RequestLimitExceeded", "none"),
        ("dynamodb:BatchGetItem", "InternalServerError", "none"),
        (DISASSOCIATE, "ServiceUnavailable", "unknown"),
    ],
)
def test_trouble_without_end_is_told_and_frees_the_gateway(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str, error: str, changed: str
) -> None:
    gateway = nat()
    cloud.recorder.faults = [Fault(operation=operation, error=error)]
    run = cloud.run(gateway.named(1))
    assert (run.status, run.error, run.result["Changed"]) == ("FAILED", "DrainFailed", changed)
    assert error in run.result["Summary"]
    assert run.seconds >= 90
    cloud.recorder.faults = []
    assert "Owner" not in items(cloud, gateway.gateway_id)["lock"]
    assert cloud.run(gateway.named(1)).status == "SUCCEEDED"


def test_denied_permission_is_refused_with_action_and_resource(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    text = "You are not authorized. Encoded authorization failure message: AAAA"
    cloud.recorder.faults = [
        Fault(operation=DISASSOCIATE, error="UnauthorizedOperation", status=403, message=text)
    ]
    for request in (gateway.named(1), gateway.named(1, DryRun=True)):
        run = cloud.run(request)
        assert (run.error, run.result["Changed"]) == ("RequestRefused", "none")
        assert (
            f"EC2 denies ec2:DisassociateNatGatewayAddress on {gateway.gateway_id}" in run.result["Summary"]
        )
        assert "AAAA" not in json.dumps(run.result)


def test_unknown_answer_of_ec2_is_kept_word_for_word(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.recorder.faults = [
        Fault(operation=DISASSOCIATE, error="NeverHeardOf", status=400, message="Something new")
    ]
    run = cloud.run(nat().named(1))
    assert (run.error, run.result["Changed"]) == ("DrainFailed", "unknown")
    assert "NeverHeardOf: Something new" in run.result["Summary"]


def test_invalid_parameter_is_believed_after_three_looks(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.recorder.faults = [
        Fault(operation=DISASSOCIATE, error="InvalidParameter", status=400, message="No such thing")
    ]
    run = cloud.run(nat().named(1))
    assert (run.error, run.result["Changed"], outcomes(run.result)) == ("DrainFailed", "none", ["failed"])
    assert run.calls[DISASSOCIATE] == 3
    assert "InvalidParameter: No such thing" in run.result["Addresses"][0]["Detail"]


def test_execution_ends_with_a_name_of_its_own_when_it_cannot_be_closed(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.recorder.faults = [Fault(operation="dynamodb:PutItem", error="InternalServerError")]
    run = cloud.run(nat().named(1, MaxDrainDurationSeconds=1))
    assert (run.status, run.error) == ("FAILED", "DrainFailed")
    assert "its end could not be recorded" in run.result
