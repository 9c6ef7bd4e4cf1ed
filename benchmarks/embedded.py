"""The embedded cloud: what a simulated drain takes of real time, alone and ten at once."""

from __future__ import annotations

import statistics
import time

from rich.console import Console
from rich.table import Table

from natdrain_sim.cloud import EmbeddedCloud, Run
from natdrain_sim.scenario import Address, Gateway, Scenario

__all__ = ["at_once", "print_table"]

LIMITS = (350, 4000)
ALONE = 3
"""The number of timed drains, one at a time; the median counts."""
AT_ONCE = 10

_MANAGED = {"natdrain:managed": "true"}


def _scenario(gateways: int) -> Scenario:
    """Return a scenario of this many gateways, each with a primary and two secondary addresses."""
    addresses = tuple(Address(tags=_MANAGED) for _ in range(3))
    return Scenario(gateway=(Gateway(tags=_MANAGED, address=addresses),) * gateways)


def at_once(gateways: int, limit_seconds: int) -> tuple[float, list[Run]]:
    """Drain an address of each of this many gateways at once; return the real seconds and the runs."""
    with EmbeddedCloud(_scenario(gateways)) as cloud:
        requests = [
            {
                "NatGatewayId": gateway_id,
                "AssociationIds": [list(cloud.simulation.connections(gateway_id))[1]],
                "MaxDrainDurationSeconds": limit_seconds,
            }
            for gateway_id in cloud.gateway_ids
        ]
        began = time.perf_counter()
        executions = [cloud.start(request) for request in requests]
        runs = [cloud.wait(execution) for execution in executions]
        took = time.perf_counter() - began
    if failed := [run for run in runs if run.status != "SUCCEEDED"]:
        raise RuntimeError(f"A drain that is timed must succeed: {failed[0]}")
    return took, runs


def print_table(console: Console) -> None:
    """Measure and print."""
    table = Table(
        title="The embedded cloud",
        caption=f"Real time of each drain: alone the median of {ALONE}, {AT_ONCE} at once their mean.",
    )
    for heading in (
        "limit s",
        "simulated s",
        "alone s",
        "faster than life",
        f"{AT_ONCE} at once s",
        "of alone",
    ):
        table.add_column(heading, justify="right")
    for limit in LIMITS:
        alone = [at_once(1, limit) for _ in range(ALONE)]
        (run,) = alone[0][1]
        one = statistics.median(took for took, _ in alone)
        each = at_once(AT_ONCE, limit)[0] / AT_ONCE
        table.add_row(
            f"{limit:,}",
            f"{run.seconds:,.0f}",
            f"{one:.2f}",
            f"{run.seconds / one:,.0f} times",
            f"{each:.2f}",
            f"{each / one:.2f}",
        )
    console.print(table)
