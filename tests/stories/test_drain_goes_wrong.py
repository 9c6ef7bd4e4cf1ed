"""Stories of drains that meet trouble."""

from __future__ import annotations

import json

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.stories import BuildGateway, NatGateway, items, problems, table, to_put_back

DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"


def outcomes(result: dict[str, list[dict[str, str]]]) -> list[str]:
    return [address["Outcome"] for address in result["Addresses"]]


def stop_in_mid_drain(cloud: EmbeddedCloud, gateway: NatGateway) -> None:
    """Begin to drain address 1 with the default limit, and stop the execution after 100 s."""
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)


def test_drain_is_adopted_when_its_execution_was_stopped(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    stop_in_mid_drain(cloud, gateway)
    run = cloud.run(gateway.named(1))
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    assert run.result["Addresses"][0]["Adopted"] is True
    assert "Take over the lock" in [name for _, name in run.states]
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]
    assert run.seconds < 350, "the limit of the stopped execution's drain is remembered"


def test_drain_that_ended_unwatched_is_found_ended(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    stop_in_mid_drain(cloud, gateway)
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
    assert f"is locked by {first} since 2026-10-0" in second.result["Summary"]
    assert "(first)" in second.result["Summary"]
    assert cloud.wait(first).status == "SUCCEEDED"
    assert gateway.addresses[2]["PublicIp"] in gateway.public_ips()


def test_other_gateway_is_drained_at_the_same_time(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    runs = [cloud.start(nat().named(1)) for _ in range(3)]
    assert [cloud.wait(run).status for run in runs] == ["SUCCEEDED"] * 3


def held_by(cloud: EmbeddedCloud, gateway_id: str, owner: str) -> None:
    item = {"NatGatewayId": gateway_id, "Record": "lock", "Owner": owner, "Since": "2026-10-01T00:00:00Z"}
    cloud.client("dynamodb").put_item(
        TableName=table(cloud), Item={key: {"S": value} for key, value in item.items()}
    )


def test_lock_of_an_execution_that_is_long_forgotten_is_taken_over(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    forgotten = cloud.change_state_machine_arn.replace(":stateMachine:", ":execution:")
    held_by(cloud, gateway.gateway_id, f"{forgotten}:gone")
    assert cloud.run(gateway.named(1)).status == "SUCCEEDED"


@pytest.mark.parametrize("owner", ["alice", "arn:aws:states:us-east-1:123456789012:execution:Other:one"])
def test_lock_of_an_owner_that_is_no_execution_of_ours_is_never_taken_over(
    cloud: EmbeddedCloud, nat: BuildGateway, owner: str
) -> None:
    gateway = nat()
    held_by(cloud, gateway.gateway_id, owner)
    run = cloud.run(gateway.named(1))
    assert run.error == "GatewayBusy"
    assert f"is locked by {owner} since 2026-10-01T00:00:00Z, which is no execution" in run.result["Summary"]
    assert items(cloud, gateway.gateway_id)["lock"]["Owner"]["S"] == owner


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
    assert to_put_back(run.result) == [gateway.addresses[1]["AllocationId"]]


def test_foreign_drain_of_4000_seconds_is_never_overdue(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=4000)
    cloud.clock.advance(5)
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=350))
    assert (run.status, outcomes(run.result)) == ("SUCCEEDED", ["drained"])
    assert "it is not known who began its drain or with which limit" in run.result["Warnings"][0]


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


def test_address_put_back_by_somebody_is_reported(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
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
    ("operation", "error"),
    [
        ("ec2:DescribeNatGateways", "AuthFailure"),
        ("dynamodb:BatchGetItem", "UnrecognizedClientException"),
        ("dynamodb:TransactWriteItems", "ExpiredTokenException"),
    ],
)
def test_single_answer_that_doubts_clock_or_credentials_is_never_seen_in_mid_drain(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str, error: str
) -> None:
    gateway = nat()
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    cloud.recorder.faults = [Fault(operation=operation, error=error, status=401, calls=frozenset({1}))]
    run = cloud.wait(execution)
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    assert error in [call.error for call in cloud.recorder.calls]


@pytest.mark.parametrize(
    ("operation", "error", "changed"),
    [
        ("ec2:DescribeNatGateways", "RequestLimitExceeded", "none"),
        ("ec2:DescribeNatGateways", "AuthFailure", "none"),
        ("dynamodb:BatchGetItem", "InternalServerError", "none"),
        (DISASSOCIATE, "ServiceUnavailable", "unknown"),
    ],
)
def test_trouble_without_end_is_reported_and_frees_the_gateway(
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
        denied = f"EC2 denies ec2:DisassociateNatGatewayAddress on {gateway.gateway_id}"
        assert denied in problems(run.result)[0]
        assert "AAAA" not in json.dumps(run.result)


@pytest.mark.parametrize("code", ["InvalidParameter", "NeverHeardOf"])
def test_refusal_by_ec2_is_final_after_three_looks_and_quoted_word_for_word(
    cloud: EmbeddedCloud, nat: BuildGateway, code: str
) -> None:
    cloud.recorder.faults = [Fault(operation=DISASSOCIATE, error=code, status=400, message="No such thing")]
    run = cloud.run(nat().named(1))
    assert (run.error, run.result["Changed"], outcomes(run.result)) == ("DrainFailed", "none", ["failed"])
    assert run.calls[DISASSOCIATE] == 3
    assert f"{code}: No such thing" in run.result["Addresses"][0]["Detail"]


def test_denial_after_a_lost_response_claims_no_more_than_the_next_look_shows(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    lost = Fault(operation=DISASSOCIATE, error="Unavailable", calls=frozenset({1}), after_effect=True)
    denied = Fault(operation=DISASSOCIATE, error="UnauthorizedOperation", status=403)
    cloud.recorder.faults = [lost, denied]
    run = cloud.run(gateway.named(1))
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")


def test_gateway_that_ec2_keeps_busy_for_ever_is_no_refusal(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    cloud.recorder.faults = [Fault(operation=DISASSOCIATE, error="OperationInProgress", status=400)]
    run = cloud.run(nat().named(1))
    assert (run.error, run.result["Changed"], outcomes(run.result)) == ("DrainFailed", "none", ["blocked"])
    assert "EC2 accepted no request in time: OperationInProgress" in problems(run.result)[0]
    assert run.seconds == 4300


def test_lost_answer_of_the_function_is_recovered_with_its_limit(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    third = frozenset({3})  # after those of Read the request and Validate
    cloud.recorder.faults = [
        Fault(operation="lambda:Invoke", error="ServiceException", status=500, calls=third, after_effect=True)
    ]
    run = cloud.run(gateway.named(1))
    (address,) = run.result["Addresses"]
    assert (run.status, address["Adopted"], address["LimitReached"]) == ("SUCCEEDED", False, True)
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]


def test_lost_answer_of_the_take_over_does_not_make_it_busy_with_itself(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    stop_in_mid_drain(cloud, gateway)
    second = frozenset({2})  # after the one that tries to take the lock
    cloud.recorder.faults = [
        Fault(operation="dynamodb:UpdateItem", error="InternalServerError", calls=second, after_effect=True)
    ]
    assert cloud.run(gateway.named(1)).status == "SUCCEEDED"


def test_running_holder_keeps_the_lock_despite_one_stale_answer_about_it(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    first = cloud.start(gateway.named(1))
    cloud.clock.advance(10)
    cloud.recorder.faults = [
        Fault(
            operation="stepfunctions:DescribeExecution",
            error="ExecutionDoesNotExist",
            status=400,
            calls=frozenset({1}),
            role_contains="StateMachine",
        )
    ]
    assert cloud.run(gateway.named(2)).error == "GatewayBusy"
    assert cloud.wait(first).status == "SUCCEEDED"


def test_dry_run_proves_the_permission_that_will_be_needed_later(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(2))
    cloud.clock.advance(5)
    cloud.recorder.faults = [Fault(operation=DISASSOCIATE, error="UnauthorizedOperation", status=403)]
    assert cloud.run(gateway.named(1, DryRun=True)).error == "RequestRefused"


@pytest.mark.parametrize("way", ["AllocationIds", "PublicIps"])
def test_stopped_drain_that_ended_unwatched_is_found_by_every_name(
    cloud: EmbeddedCloud, nat: BuildGateway, way: str
) -> None:
    gateway = nat()
    stop_in_mid_drain(cloud, gateway)
    cloud.clock.advance(1000)
    run = cloud.run(gateway.called(way, 1))
    assert (run.status, outcomes(run.result)) == ("SUCCEEDED", ["drained"])


def test_execution_ends_with_a_name_of_its_own_when_it_cannot_be_closed(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    in_close = {"operation": "dynamodb:TransactWriteItems", "role_contains": "Close"}
    cloud.recorder.faults = [Fault(**in_close, error="InternalServerError")]
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=1))
    assert (run.status, run.error) == ("FAILED", "DrainFailed")
    assert "The end of this execution could not be recorded; look at the gateway." in run.result
