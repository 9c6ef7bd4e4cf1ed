"""Stories of drains that go well."""

from __future__ import annotations

import json
import shlex

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import Lags
from support.stories import BuildGateway, items, log_lines

ORDER = [
    "Begin",
    "Read the request",
    "What was requested?",
    "Take the lock",
    "Validate",
    "Choose the next step",
    "Disassociate",
    "Choose the next step",
    "Publish the start",
    "Choose the next step",
    "Wait",
    "Confirm",
]
END = ["Close", "Is there an event to publish?", "Publish the end", "Did it succeed?", "Succeed"]


def test_drain_takes_the_address_off_and_leaves_the_others(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    run = cloud.run(gateway.named(1))
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "drained", "all")
    assert gateway.public_ips() == [gateway.addresses[n]["PublicIp"] for n in (0, 2, 3)]
    assert {address["Status"] for address in gateway.shown()} == {"succeeded"}
    states = [name for _, name in run.states]
    assert states[: len(ORDER)] == ORDER
    assert states[-len(END) :] == END


@pytest.mark.parametrize("limit", [1, 60, 350, 1000, 4000])
def test_drain_succeeds_with_every_limit(cloud: EmbeddedCloud, nat: BuildGateway, limit: int) -> None:
    run = cloud.run(nat().named(1, MaxDrainDurationSeconds=limit))
    assert run.status == "SUCCEEDED"
    assert limit <= run.seconds <= limit + 50


@pytest.mark.parametrize(("limit", "most"), [(350, (18, 60)), (4000, (24, 80))])
@pytest.mark.parametrize("late", [0, 20, 40])
def test_drain_is_frugal_when_the_address_leaves_soon_after_its_limit(
    cloud: EmbeddedCloud, nat: BuildGateway, limit: int, most: tuple[int, int], late: int
) -> None:
    cloud.simulation.configure(lags=Lags(leave_after_limit=(late, late)))
    run = cloud.run(nat().named(1, MaxDrainDurationSeconds=limit))
    assert run.status == "SUCCEEDED"
    assert run.calls["ec2:DescribeNatGateways"] <= most[0]
    assert len(run.states) <= most[1]
    client = cloud.client("stepfunctions")
    assert len(client.get_execution_history(executionArn=run.execution_arn)["events"]) < 1000


def test_drain_gives_the_same_simulated_times_twice(nat: BuildGateway, cloud: EmbeddedCloud) -> None:
    times = []
    for _ in range(2):
        cloud.simulation.configure(lags=Lags(), seed=3)
        times.append(cloud.run(nat().named(1)).states)
    assert times[0] == times[1]


def test_drain_proves_that_nothing_was_cut_when_the_address_leaves_early(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.simulation.configure(lags=Lags(leave_when_idle=True))
    gateway = nat()
    cloud.simulation.add_connection(
        gateway.gateway_id, gateway.addresses[1]["AssociationId"], lifetime_seconds=100
    )
    run = cloud.run(gateway.named(1))
    (address,) = run.result["Addresses"]
    assert address["LimitReached"] is False
    assert run.seconds <= 2 * 102
    assert run.result["Warnings"] == []
    assert cloud.connections_cut(gateway.gateway_id) == 0


def test_drain_states_honestly_that_the_limit_was_reached(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    cloud.simulation.add_connection(
        gateway.gateway_id, gateway.addresses[1]["AssociationId"], lifetime_seconds=9000
    )
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=60))
    assert run.result["Addresses"][0]["LimitReached"] is True
    assert "s after its limit of 60 s. EC2 cuts what is still open" in run.result["Warnings"][0]
    assert cloud.connections_cut(gateway.gateway_id) == 1


def test_drain_takes_several_addresses_in_one_request(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat(4)
    run = cloud.run(gateway.named(1, 3))
    assert run.status == "SUCCEEDED"
    assert gateway.public_ips() == [gateway.addresses[n]["PublicIp"] for n in (0, 2)]
    assert run.calls["ec2:DisassociateNatGatewayAddress"] == 1


@pytest.mark.parametrize("way", ["AllocationIds", "PublicIps"])
def test_drain_finds_the_address_by_its_other_names(
    cloud: EmbeddedCloud, nat: BuildGateway, way: str
) -> None:
    gateway = nat()
    run = cloud.run(gateway.called(way, 2))
    assert run.status == "SUCCEEDED"
    assert run.result["Addresses"][0]["AssociationId"] == gateway.addresses[2]["AssociationId"]


def test_drain_finds_the_gateway_of_a_public_ip(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    nat()
    gateway = nat()
    run = cloud.run({"PublicIps": [gateway.addresses[1]["PublicIp"]]})
    assert (run.status, run.result["NatGatewayId"]) == ("SUCCEEDED", gateway.gateway_id)


def test_drain_finds_nothing_to_do_for_what_it_has_drained_already(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.run(gateway.named(1))
    again = cloud.run(gateway.named(1))
    assert (again.status, again.result["Changed"]) == ("SUCCEEDED", "none")
    assert again.result["Addresses"][0]["Outcome"] == "already_drained"


@pytest.mark.parametrize("way", ["AllocationIds", "PublicIps"])
def test_drain_finds_nothing_to_do_by_any_name_when_it_is_requested_again(
    cloud: EmbeddedCloud, nat: BuildGateway, way: str
) -> None:
    gateway = nat()
    cloud.run(gateway.named(1))
    again = cloud.run(gateway.called(way, 1))
    assert (again.status, again.result["Changed"]) == ("SUCCEEDED", "none")
    assert again.result["Addresses"][0]["Outcome"] == "already_drained"


def test_drain_can_be_undone_by_the_command_that_puts_it_back(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    *words, document = shlex.split(cloud.run(gateway.named(1)).result["PutBack"]["Command"])
    options = dict(zip(words[3::2], words[4::2], strict=False))
    assert options["--state-machine-arn"] == cloud.change_state_machine_arn
    assert cloud.run(json.loads(document)).result["Outcome"] == "joined"
    assert gateway.addresses[1]["PublicIp"] in gateway.public_ips()


def test_dry_run_plans_proves_the_permission_and_changes_nothing(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, DryRun=True))
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "planned", "none")
    assert "still open 350 s after EC2 accepts the request is cut" in run.result["Warnings"][0]
    assert run.calls["ec2:DisassociateNatGatewayAddress"] == 1
    assert run.seconds == 0
    assert gateway.changes() == []
    assert items(cloud, gateway.gateway_id) == {}


def test_dry_run_of_a_drain_that_runs_already_plans_to_wait(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1))
    cloud.clock.advance(5)
    run = cloud.run(gateway.named(1, DryRun=True))
    assert run.result["Outcome"] == "planned"
    assert "is draining already and would be waited for" in run.result["Summary"]


def test_record_keeps_what_left_when_and_why(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, Reason="blocked by a partner"))
    kept = items(cloud, gateway.gateway_id)
    record = kept[f"association#{gateway.addresses[1]['AssociationId']}"]
    assert record["Outcome"]["S"] == "drained"
    assert record["PublicIp"]["S"] == gateway.addresses[1]["PublicIp"]
    assert record["Reason"]["S"] == "blocked by a partner"
    assert record["Execution"]["S"] == run.execution_arn
    assert set(kept["lock"]) == {"NatGatewayId", "Record", "Drains", "Joins"}
    assert kept["lock"]["Drains"] == {"M": {}}


def test_log_lines_carry_execution_and_gateway(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=1))
    lines = [line for line in log_lines(cloud) if line.get("execution") == run.execution_arn]
    assert len(lines) >= 5
    assert {line["gateway"] for line in lines} == {gateway.gateway_id}
    assert {line["service"] for line in lines} == {"natdrain"}
