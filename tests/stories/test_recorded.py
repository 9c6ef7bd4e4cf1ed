"""Stories of records and events, also of executions that cannot record their own end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from natdrain.model.instants import instant
from natdrain.store.executions import Execution, Executions
from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.stories import BuildGateway, Listener, NatGateway, history, items, received, table

STOPPED = {"stopped": "ABORTED", "timed_out": "TIMED_OUT"}


@pytest.fixture(scope="module")
def listener(shared_cloud: EmbeddedCloud) -> Listener:
    return Listener.on(shared_cloud, "events", {"source": ["natdrain"]})


@pytest.fixture
def bus(listener: Listener) -> Listener:
    """Return the bus without the events of earlier stories."""
    listener.events()
    return listener


def ended(cloud: EmbeddedCloud, gateway: NatGateway) -> list[dict[str, Any]]:
    return [entry for entry in history(cloud, gateway.gateway_id) if entry["Event"] == "ended"]


def stop(cloud: EmbeddedCloud, execution: str, *, after: float) -> None:
    cloud.clock.advance(after)
    cloud.client("stepfunctions").stop_execution(executionArn=execution, cause="tea time")
    cloud.clock.advance(1)


def status_event(cloud: EmbeddedCloud, execution: str, status: str) -> None:
    """Publish Step Functions' own event about an execution."""
    detail = {
        "executionArn": execution,
        "stateMachineArn": cloud.change_state_machine_arn,
        "status": status,
        "input": "{}",
    }
    cloud.client("events").put_events(
        Entries=[
            {
                "Source": "aws.states",
                "DetailType": "Step Functions Execution Status Change",
                "Detail": json.dumps(detail),
            }
        ]
    )
    cloud.clock.advance(1)


def test_drain_is_published_at_its_start_and_at_its_end(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, Reason="contract ends"))
    start, end = bus.events()
    assert (start["detail-type"], end["detail-type"]) == ("Change Started", "Change Ended")
    [row] = start["detail"]["Addresses"]
    assert instant(row["LeavesBy"]) - instant(row["RequestedAt"]) == timedelta(seconds=350)
    assert {key: end["detail"][key] for key in run.result} == run.result
    assert start["detail"]["Execution"] == end["detail"]["Execution"] == run.execution_arn
    assert run.execution_arn in end["resources"]


def test_history_records_what_has_left_who_asked_and_why(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, Reason="contract ends"))
    *serving, first, second = history(cloud, gateway.gateway_id)
    assert {entry["PublicIp"] for entry in serving} == {a["PublicIp"] for a in gateway.addresses}
    left, end = sorted([first, second], key=lambda entry: entry["Event"], reverse=True)
    assert (left["Event"], left["PublicIp"]) == ("left", gateway.addresses[1]["PublicIp"])
    assert (left["By"], left["Reason"], left["At"]) == (
        run.execution_arn,
        "contract ends",
        run.result["Addresses"][0]["GoneBy"],
    )
    assert (end["Event"], end["Outcome"], end["Changed"]) == ("ended", "drained", "all")


def test_change_that_somebody_else_makes_is_noticed_at_the_next_look(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(4)
    cloud.run(gateway.named(1))
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(2), MaxDrainDurationSeconds=5)
    cloud.clock.advance(60)
    known = history(cloud, gateway.gateway_id)
    cloud.run(gateway.named(3))
    [outside] = [e for e in history(cloud, gateway.gateway_id) if e not in known and e.get("By") == "outside"]
    assert (outside["Event"], outside["PublicIp"]) == ("left", gateway.addresses[2]["PublicIp"])


def test_dry_run_publishes_nothing_and_writes_nothing_of_the_gateway(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    gateway = nat()
    assert cloud.run(gateway.named(1, DryRun=True)).status == "SUCCEEDED"
    assert cloud.run(gateway.named(0, DryRun=True)).status == "FAILED"
    cloud.clock.advance(1)
    assert bus.events() == []
    assert items(cloud, gateway.gateway_id) == {}


def test_refusal_is_published_once(cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(0))
    cloud.clock.advance(60)
    [event] = bus.events()
    assert (event["detail"]["Outcome"], event["detail"]["Error"]) == ("refused", "RequestRefused")
    assert [entry["Execution"] for entry in ended(cloud, gateway)] == [run.execution_arn]


def test_input_that_is_no_request_is_published(cloud: EmbeddedCloud, bus: Listener) -> None:
    cloud.run({"NatGatewayIds": "what?"})
    cloud.clock.advance(60)
    [event] = bus.events()
    assert (event["detail"]["Outcome"], event["detail"]["NatGatewayId"]) == ("refused", None)


def test_stopped_execution_is_recorded_and_published_in_its_place(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    gateway = nat()
    execution = cloud.start(gateway.named(1, Reason="contract ends"))
    stop(cloud, execution, after=30)
    _, event = bus.events()
    detail = event["detail"]
    assert (detail["Status"], detail["Outcome"], detail["Changed"]) == ("ABORTED", "stopped", "unknown")
    assert detail["Error"] is None
    assert "tea time" in detail["Summary"]
    assert [row["Outcome"] for row in detail["Addresses"]] == ["unknown"]
    [entry] = ended(cloud, gateway)
    assert (entry["Execution"], entry["Outcome"], entry["Reason"]) == (execution, "stopped", "contract ends")
    assert "Owner" not in items(cloud, gateway.gateway_id)["lock"]


@pytest.mark.parametrize("seconds", [60, 1000], ids=["adopted", "left unwatched"])
def test_address_that_a_stopped_execution_requested_counts_as_its_own_when_it_leaves(
    cloud: EmbeddedCloud, nat: BuildGateway, seconds: int
) -> None:
    gateway = nat()
    execution = cloud.start(gateway.named(1, Reason="contract ends"))
    stop(cloud, execution, after=30)
    cloud.clock.advance(seconds)
    again = cloud.run(gateway.named(1, Reason="watch it"))
    [left] = [entry for entry in history(cloud, gateway.gateway_id) if entry["Event"] == "left"]
    assert (left["By"], left["Execution"]) == (execution, again.execution_arn)
    assert left["Reason"] == "contract ends"


def test_address_that_fails_instead_of_leaving_is_recorded_as_out_of_service(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.simulation.fail_when_drained(gateway.addresses[1]["AssociationId"], "The interface is broken.")
    run = cloud.run(gateway.named(1, Reason="contract ends"))
    [failed] = [entry for entry in history(cloud, gateway.gateway_id) if entry["Event"] == "out_of_service"]
    assert (failed["PublicIp"], failed["By"]) == (gateway.addresses[1]["PublicIp"], run.execution_arn)
    assert failed["Reason"] == "contract ends"


def test_execution_stopped_before_its_first_request_to_ec2_has_changed_nothing(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    gateway = nat()
    first = cloud.start(gateway.named(1))
    cloud.clock.advance(10)
    bus.events()
    second = cloud.start(gateway.named(2, WhenBusy="wait"))
    stop(cloud, second, after=10)
    [event] = bus.events()
    assert (event["detail"]["Outcome"], event["detail"]["Changed"]) == ("stopped", "none")
    assert items(cloud, gateway.gateway_id)["lock"]["Owner"]["S"] == first
    assert cloud.wait(first).status == "SUCCEEDED"


def test_stopped_dry_run_is_not_published(cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener) -> None:
    gateway = nat()
    cloud.recorder.faults = [Fault(operation="ec2:DescribeNatGateways", error="Unavailable")]
    execution = cloud.start(gateway.named(1, DryRun=True))
    stop(cloud, execution, after=5)
    assert bus.events() == []


@pytest.mark.parametrize("name", STOPPED)
def test_execution_that_ends_between_its_record_and_its_event_is_published(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener, name: str
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1))
    published = bus.events()[-1]["detail"]
    status_event(cloud, run.execution_arn, STOPPED[name])
    [again] = bus.events()
    assert again["detail"] == published
    assert len(ended(cloud, gateway)) == 1


def test_execution_that_records_its_end_at_the_same_moment_is_published_as_recorded(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cloud.run(nat().named(1))
    published = bus.events()[-1]["detail"]
    find, looks = Executions.find, iter([True])

    def find_before_it_ended(executions: Executions, execution: str) -> Execution:
        known = find(executions, execution)
        return replace(known, ended=False, event={}) if next(looks, False) else known

    monkeypatch.setattr(Executions, "find", find_before_it_ended)
    status_event(cloud, run.execution_arn, "ABORTED")
    [again] = bus.events()
    assert again["detail"] == published


def test_end_is_published_once_however_often_it_is_requested(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    execution = cloud.start(nat().named(1))
    stop(cloud, execution, after=30)
    bus.events()
    status_event(cloud, execution, "ABORTED")
    assert bus.events() == []


def test_execution_that_timed_out_is_recorded(cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener) -> None:
    gateway = nat()
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(10)
    bus.events()
    status_event(cloud, execution, "TIMED_OUT")
    [event] = bus.events()
    assert (event["detail"]["Status"], event["detail"]["Outcome"]) == ("TIMED_OUT", "timed_out")
    cloud.wait(execution)


def test_end_that_could_not_be_recorded_is_recorded_afterwards(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    gateway = nat()
    denied = {"error": "AccessDeniedException", "status": 400, "role_contains": "Close"}
    cloud.recorder.faults = [Fault(operation="dynamodb:UpdateItem", **denied, calls=frozenset({1}))]
    run = cloud.run(gateway.named(1))
    assert (run.status, run.error) == ("FAILED", "DrainFailed")
    cloud.clock.advance(60)
    _, event = bus.events()
    assert (event["detail"]["Status"], event["detail"]["Outcome"]) == ("FAILED", "failed")
    assert len(ended(cloud, gateway)) == 1
    assert cloud.run(gateway.named(1)).status == "SUCCEEDED"


def test_events_that_cannot_be_sent_become_dead_letters_and_the_drain_goes_on(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    cloud.recorder.faults = [Fault(operation="events:PutEvents", error="InternalException", status=500)]
    run = cloud.run(nat().named(1))
    assert (run.status, run.result["Addresses"][0]["Outcome"]) == ("SUCCEEDED", "drained")
    assert bus.events() == []
    [queue] = [url for url in cloud.client("sqs").list_queues()["QueueUrls"] if "DeadLetters" in url]
    letters = [json.loads(body) for body in received(cloud, queue)]
    assert [letter["DetailType"] for letter in letters] == ["Change Started", "Change Ended"]
    assert letters[1]["Detail"]["Summary"] == run.result["Summary"]


def test_execution_without_a_record_may_have_changed_anything(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    execution = cloud.start(nat().named(1))
    cloud.clock.advance(10)
    key = {"NatGatewayId": {"S": "executions"}, "Record": {"S": execution}}
    cloud.client("dynamodb").delete_item(TableName=table(cloud), Key=key)
    stop(cloud, execution, after=1)
    _, event = bus.events()
    assert (event["detail"]["Outcome"], event["detail"]["Changed"]) == ("stopped", "unknown")


def test_adopted_drain_is_published_as_a_start(
    cloud: EmbeddedCloud, nat: BuildGateway, bus: Listener
) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    cloud.run(gateway.named(1, 2))
    starts = [e["detail"]["Addresses"] for e in bus.events() if e["detail-type"] == "Change Started"]
    published = [(row["PublicIp"], row["Adopted"]) for rows in starts for row in rows]
    assert published == [(gateway.addresses[1]["PublicIp"], True), (gateway.addresses[2]["PublicIp"], False)]


def test_record_of_an_execution_expires(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    run = cloud.run(nat().named(1))
    key = {"NatGatewayId": {"S": "executions"}, "Record": {"S": run.execution_arn}}
    item = cloud.client("dynamodb").get_item(TableName=table(cloud), Key=key)["Item"]
    assert int(item["ExpiresAt"]["N"]) > cloud.clock.now.timestamp() + 89 * 86_400
    assert json.loads(item["Told"]["S"])["Outcome"] == "drained"
