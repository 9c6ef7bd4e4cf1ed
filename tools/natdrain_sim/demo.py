"""The demo: a typical rotation script and natdrain, at the same time and on the same traffic.

The embedded cloud counts every number shown while the demo runs; none is fixed in advance.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from natdrain_sim.cloud import EmbeddedCloud, Run

SCENARIO = Path(__file__).parent / "scenarios" / "demo.toml"
TICK_SECONDS = 5
FRAME_REAL_SECONDS = 0.04
SCRIPT_LIMIT_SECONDS = 5
OUTLIVING_LIMIT_SECONDS = 150
OUTLIVING_LIFETIME_SECONDS = 3600
NATDRAIN_LIMIT_SECONDS = 350
NARROWEST_SCREEN = 100
SHOWN_LINES = 14


@dataclass(frozen=True)
class Side:
    """One half of the screen, or its lines without one: a gateway and what has happened on it."""

    name: str
    limit_seconds: int
    gateway_id: str
    public_ip: str
    printer: Console | None
    lines: list[str] = field(default_factory=list)

    def say(self, at: float, text: str) -> None:
        """Add a line with its simulated second; without a screen, print it at once."""
        self.lines.append(f"{at:>5.0f} s  {text}")
        if self.printer:
            self.printer.print(f"{at:>5.0f} s  {self.name:<10}{text}", markup=False)


def main(starting: AbstractContextManager[EmbeddedCloud]) -> int:
    """Show the demo on a cloud with its `SCENARIO`; return 0 if natdrain did what the demo claims, else 1."""
    console = Console(highlight=False)
    with starting as cloud:
        none_cut = _first_act(console, cloud)
        outlived = _second_act(console, cloud)
    return 0 if none_cut and outlived.status == "SUCCEEDED" else 1


def _first_act(console: Console, cloud: EmbeddedCloud) -> bool:
    console.print(
        f"Two NAT gateways have the same traffic, and one Elastic IP is removed from each.\n"
        f"The script gives connections {SCRIPT_LIMIT_SECONDS} s to end, as public rotation scripts do; "
        f"natdrain gives them {NATDRAIN_LIMIT_SECONDS} s, EC2's default.\n"
    )
    on_screen = console.is_terminal and console.width >= NARROWEST_SCREEN
    printer = None if on_screen else console
    script = Side("script", SCRIPT_LIMIT_SECONDS, cloud.gateway_ids[0], "203.0.113.11", printer)
    natdrain = Side("natdrain", NATDRAIN_LIMIT_SECONDS, cloud.gateway_ids[1], "203.0.113.21", printer)
    request = {"PublicIps": [natdrain.public_ip], "MaxDrainDurationSeconds": natdrain.limit_seconds}
    execution = cloud.start(request)
    # In this order: the workflow's lines are about the seconds before, the script's about this instant.
    acts = [_watch(cloud, natdrain, execution), _play_script(cloud, script)]
    with Live(console=console, refresh_per_second=25) if on_screen else nullcontext() as live:
        while acts:
            acts = [act for act in acts if next(act, act) is not act]
            if live:
                live.update(_screen(cloud, script, natdrain))
                time.sleep(FRAME_REAL_SECONDS)
            cloud.clock.advance(TICK_SECONDS)
    cut = [cloud.connections_cut(side.gateway_id) for side in (script, natdrain)]
    console.print(f"\nConnections cut by the script: {cut[0]}. Connections cut by natdrain: {cut[1]}.\n")
    return cloud.report(execution).status == "SUCCEEDED" and cut[1] == 0


def _second_act(console: Console, cloud: EmbeddedCloud) -> Run:
    gateway_id, public_ip = cloud.gateway_ids[1], "203.0.113.22"
    address = _address(cloud, gateway_id, public_ip)
    association = address["AssociationId"]
    cloud.simulation.add_connection(gateway_id, association, lifetime_seconds=OUTLIVING_LIFETIME_SECONDS)
    limit = f"a drain limit of {OUTLIVING_LIMIT_SECONDS} s"
    console.print(f"Now a connection of one hour is open on {public_ip}, with {limit}. The plan:")
    request = {"PublicIps": [public_ip], "MaxDrainDurationSeconds": OUTLIVING_LIMIT_SECONDS}
    plan = cloud.run({**request, "DryRun": True})
    _print_result(console, plan)
    run = cloud.run(request)
    console.print("The result:")
    _print_result(console, run)
    console.print(f"Connections cut by EC2: {cloud.connections_cut(gateway_id)}. To put the address back:")
    console.print(run.result["PutBack"]["Command"], markup=False, soft_wrap=True)
    return run


def _print_result(console: Console, run: Run) -> None:
    for line in (run.result["Summary"], *run.result["Warnings"]):
        console.print(f"  {line}", markup=False, soft_wrap=not console.is_terminal)


def _play_script(cloud: EmbeddedCloud, side: Side) -> Iterator[None]:
    """Do what public rotation scripts do: drain briefly, and release as soon as EC2 allows it."""
    ec2 = cloud.client("ec2")
    began = cloud.clock.now
    address = _address(cloud, side.gateway_id, side.public_ip)
    open_before = cloud.simulation.connections(side.gateway_id)[address["AssociationId"]]
    ec2.disassociate_nat_gateway_address(
        NatGatewayId=side.gateway_id,
        AssociationIds=[address["AssociationId"]],
        MaxDrainDurationSeconds=side.limit_seconds,
    )
    side.say(0, f"Disassociate; connections open: {open_before}")
    while True:
        yield
        at = (cloud.clock.now - began).total_seconds()
        try:
            ec2.release_address(AllocationId=address["AllocationId"])
        except ClientError as error:
            side.say(at, f"ReleaseAddress: {error.response['Error']['Code']}")
            continue
        side.say(at, "ReleaseAddress: the address is lost for good")
        side.say(at, f"connections cut: {cloud.connections_cut(side.gateway_id)}")
        return


def _watch(cloud: EmbeddedCloud, side: Side, execution: str) -> Iterator[None]:
    """Show the states that the workflow enters, and the connections that are left on the address."""
    began = cloud.clock.now
    association = _address(cloud, side.gateway_id, side.public_ip)["AssociationId"]
    shown, before = 0, -1
    while True:
        yield
        states = cloud.states(execution)
        for at, state in states[shown:]:
            if state in {"Validate", "Disassociate", "Confirm", "Close", "Succeed", "Fail"}:
                side.say(at, state)
        shown = len(states)
        at = (cloud.clock.now - began).total_seconds()
        now_open = cloud.simulation.connections(side.gateway_id).get(association)
        if now_open is not None and now_open != before:
            side.say(at, f"connections on {side.public_ip}: {now_open}")
            before = now_open
        if states[-1:] and states[-1][1] in {"Succeed", "Fail"}:
            side.say(at, f"connections cut: {cloud.connections_cut(side.gateway_id)}")
            return


def _screen(cloud: EmbeddedCloud, *sides: Side) -> Table:
    grid = Table.grid(expand=True)
    for _ in sides:
        grid.add_column(ratio=1)
    grid.add_row(*(_panel(cloud, side) for side in sides))
    return grid


def _panel(cloud: EmbeddedCloud, side: Side) -> Panel:
    table = Table(box=None, padding=(0, 2))
    for heading in ("address", "status", "connections"):
        table.add_column(heading, justify="right" if heading == "connections" else "left", no_wrap=True)
    open_now = cloud.simulation.connections(side.gateway_id)
    for address in _addresses(cloud, side.gateway_id):
        count = open_now.get(address["AssociationId"], 0)
        table.add_row(address["PublicIp"], address["Status"], str(count))
    shown = Group(table, "", *side.lines[-SHOWN_LINES:])
    title = f"{side.name}, limit {side.limit_seconds} s"
    return Panel(shown, title=title, subtitle=f"{cloud.clock.now:%H:%M:%S} UTC")


def _addresses(cloud: EmbeddedCloud, gateway_id: str) -> list[dict[str, Any]]:
    (gateway,) = cloud.client("ec2").describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
    return list(gateway["NatGatewayAddresses"])


def _address(cloud: EmbeddedCloud, gateway_id: str, public_ip: str) -> dict[str, Any]:
    return next(one for one in _addresses(cloud, gateway_id) if one["PublicIp"] == public_ip)
