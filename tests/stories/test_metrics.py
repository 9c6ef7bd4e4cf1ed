"""Metrics of real executions, as CloudWatch would read them from the functions' logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from natdrain.report.metrics import METRICS
from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.stories import MANAGED, BuildGateway, log_lines


def measured(cloud: EmbeddedCloud) -> Iterator[tuple[str, list[list[str]], dict[str, Any]]]:
    """Return every printed metric: its name, its sets of dimensions, and the line."""
    for line in log_lines(cloud):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "natdrain/Natdrain"
            for metric in directive["Metrics"]:
                yield metric["Name"], directive["Dimensions"], line


@pytest.fixture
def lived(cloud: EmbeddedCloud, nat: BuildGateway) -> EmbeddedCloud:
    """Open a cloud with drains that went well, were adopted and refused, a throttled function, a join."""
    well, adopted = nat(), nat()
    # More often than the client in a function retries by itself.
    throttled = Fault(
        operation="ec2:DescribeNatGateways", error="RequestLimitExceeded", calls=frozenset(range(1, 9))
    )
    cloud.recorder.faults = [throttled]
    assert cloud.run(well.named(1)).status == "SUCCEEDED"
    cloud.client("ec2").disassociate_nat_gateway_address(**adopted.named(1))
    assert cloud.run(adopted.named(1)).status == "SUCCEEDED"
    assert cloud.run(nat(tags={}).named(1)).error == "RequestRefused"
    spare = cloud.simulation.add_address(tags=MANAGED)
    assert cloud.run(adopted.to_join(spare)).status == "SUCCEEDED"
    return cloud


def test_metrics_all_are_emitted_with_exactly_the_declared_dimensions(lived: EmbeddedCloud) -> None:
    declared = {m.name: [list(names) for names in m.dimension_sets] for m in METRICS}
    assert {name: dimensions for name, dimensions, _ in measured(lived)} == declared
    assert [name for name, dimensions, _ in measured(lived) if dimensions != declared[name]] == []
