"""Stories of holds: a person stops natdrain for one gateway or for all, and lifts the hold again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.guard_stories import AUTOMATIC, HAND, drained, hold, lift, started
from support.stories import BuildGateway, NatGateway, items, refused

WHY = {"Hold": {"S": "alice, incident 4711"}}


ODD = [{"NULL": True}, {"S": ""}, {"N": "4711"}, {"BOOL": False}, {"B": b"alice"}, {"L": [{"S": "alice"}]}]


@pytest.fixture(autouse=True)
def _nothing_held(cloud: EmbeddedCloud) -> Iterator[None]:
    """Lift a hold on all for the next story."""
    yield
    lift(cloud, "all")


def pause_before_disassociate(cloud: EmbeddedCloud, gateway: NatGateway, **more: Any) -> str:
    """Start an execution whose guards were judged, and whose Disassociate will be retried in a second."""
    cloud.recorder.faults = [
        Fault(
            operation="lambda:Invoke",
            error="TooManyRequestsException",
            message=gateway.gateway_id,  # unique, so that other stories' calls do not count
            calls=frozenset({3}),  # after those of Read the request and Validate
        )
    ]
    execution = cloud.start(gateway.named(1, MaxDrainDurationSeconds=1, **more))
    cloud.clock.advance(1)
    assert [name for _, name in cloud.states(execution)][-1] == "Disassociate"
    return execution


@pytest.mark.parametrize("how", [HAND, AUTOMATIC])
def test_hold_on_all_refuses_every_gateway(cloud: EmbeddedCloud, nat: BuildGateway, how: str) -> None:
    gateways = [nat(), nat()]
    hold(cloud, "all", **WHY)
    for gateway in gateways:
        (problem,) = refused(cloud.run(started(how, gateway.named(1))))
        assert problem.startswith(
            "hold: every gateway is held (alice, incident 4711). Anyone who may lift it: aws"
        )
        assert gateway.changes() == []


def test_hold_on_a_gateway_leaves_the_others_alone(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway, other = nat(), nat()
    hold(cloud, gateway.gateway_id, **WHY)
    refused(cloud.run(started(HAND, gateway.named(1))))
    drained(cloud.run(started(HAND, other.named(1))))


def test_holds_on_all_and_on_the_gateway_are_both_reported(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    hold(cloud, "all", Hold={"S": "bob"})
    hold(cloud, gateway.gateway_id, **WHY)
    both = refused(cloud.run(started(HAND, gateway.named(1))))
    assert [problem[: problem.index(")")] for problem in both] == [
        "hold: every gateway is held (bob",
        f"hold: {gateway.gateway_id} is held (alice, incident 4711",
    ]


@pytest.mark.parametrize("held", ["all", "the gateway"])
def test_hold_is_lifted_by_the_command_that_the_refusal_prints(
    cloud: EmbeddedCloud, nat: BuildGateway, held: str
) -> None:
    gateway = nat()
    hold(cloud, "all" if held == "all" else gateway.gateway_id, **WHY)
    (problem,) = refused(cloud.run(started(HAND, gateway.named(1))))
    command = shlex.split(problem[problem.index("aws dynamodb") :])
    assert command[:3] == ["aws", "dynamodb", "delete-item"]
    options = dict(zip(command[3::2], command[4::2], strict=True))
    key = {name: {"S": value} for name, value in re.findall(r"(\w+)=\{S=([^}]*)\}", options["--key"])}
    cloud.client("dynamodb").delete_item(TableName=options["--table-name"], Key=key)
    drained(cloud.run(started(HAND, gateway.named(1))))


def test_hold_set_during_a_drain_lets_it_end_and_refuses_the_next(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(100)
    hold(cloud, gateway.gateway_id, **WHY)
    drained(cloud.wait(execution))
    refused(cloud.run(gateway.named(2)))
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]
    lift(cloud, gateway.gateway_id)
    drained(cloud.run(started(HAND, gateway.named(2))))


def test_drain_that_runs_already_is_watched_in_spite_of_a_hold(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    hold(cloud, gateway.gateway_id, **WHY)
    drained(cloud.run(started(HAND, gateway.named(1))))
    assert gateway.changes() == []


@pytest.mark.parametrize("held", ["all", "the gateway"])
def test_hold_set_after_the_guards_were_judged_is_respected(
    cloud: EmbeddedCloud, nat: BuildGateway, held: str
) -> None:
    gateway = nat()
    execution = pause_before_disassociate(cloud, gateway)
    hold(cloud, "all" if held == "all" else gateway.gateway_id, **WHY)
    (problem,) = refused(cloud.wait(execution))
    assert " is held (alice, incident 4711). " in problem
    assert gateway.changes() == []


def test_hold_that_is_lifted_before_the_next_look_does_no_harm(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    execution = pause_before_disassociate(cloud, gateway)
    hold(cloud, gateway.gateway_id, **WHY)
    cloud.clock.advance(5)
    assert gateway.changes() == []
    lift(cloud, gateway.gateway_id)
    drained(cloud.wait(execution))


def test_hold_is_neither_taken_over_nor_lifted_by_an_execution(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    hold(cloud, gateway.gateway_id, **WHY)
    for how in (HAND, AUTOMATIC):
        refused(cloud.run(started(how, gateway.named(1))))
    assert items(cloud, gateway.gateway_id)["hold"]["Hold"] == WHY["Hold"]
    assert "Owner" not in items(cloud, gateway.gateway_id)["lock"], "and the lock is free"


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({}, "nobody says why"),
        *(({"Hold": odd}, "nobody says why") for odd in ODD),
        ({"Hold": {"S": 'a "quote", a \\ and\na line'}}, 'a "quote", a \\ and a line'),
        pytest.param({"Hold": {"S": "x" * 300_000}}, "x" * 500, id="300 KB"),
        ({"hold": {"S": "alice"}}, "nobody says why"),
        ({**WHY, "Owner": {"N": "1"}, "Drains": {"S": "?"}, "ExpiresAt": {"N": "1"}}, "alice, incident 4711"),
    ],
)
def test_hold_is_valid_whatever_its_item_says(
    cloud: EmbeddedCloud, nat: BuildGateway, attributes: dict[str, Any], why: str
) -> None:
    gateway = nat()
    hold(cloud, gateway.gateway_id, **attributes)
    (problem,) = refused(cloud.run(started(HAND, gateway.named(1))))
    assert (
        f"{gateway.gateway_id} is held ({why}). Anyone who may lift it: aws dynamodb delete-item" in problem
    )
    assert problem.endswith("Record={S=hold}"), "the command is whole"
    assert gateway.changes() == []


def test_holds_that_cannot_be_read_stop_the_drain(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    execution = pause_before_disassociate(cloud, gateway)
    cloud.recorder.faults = [
        Fault(operation="dynamodb:BatchGetItem", error="AccessDeniedException", status=400, message="No")
    ]
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"]) == ("DrainFailed", "unknown")
    assert gateway.changes() == []
