"""The metric `ActiveConnectionCount` of NAT gateways, which AWS itself reports.

Only its present value is simulated: GetMetricData returns the connections that are open now as the value of a
minute ago. All other metrics come from PutMetricData.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend
from moto.core.utils import utcnow

from natdrain_sim.ec2 import Simulation
from natdrain_sim.seams import Seam

NAMESPACE, METRIC = "AWS/NATGateway", "ActiveConnectionCount"


def seams() -> Iterator[Seam]:
    """Yield the seam of GetMetricData."""
    get = CloudWatchBackend.get_metric_data

    def get_metric_data(
        backend: CloudWatchBackend, queries: list[dict[str, Any]], **window: Any
    ) -> list[dict[str, Any]]:
        for metric in [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]:
            if (metric["Namespace"], metric["MetricName"]) == (NAMESPACE, METRIC):
                _put_connections(backend, metric["Dimensions"])
        return get(backend, queries, **window)

    yield CloudWatchBackend, "get_metric_data", get_metric_data


def _put_connections(backend: CloudWatchBackend, dimensions: list[dict[str, str]]) -> None:
    simulation, named = Simulation(), {dimension["Name"]: dimension["Value"] for dimension in dimensions}
    gateway_id, zone = named.get("NatGatewayId"), named.get("AvailabilityZone")
    if gateway_id in simulation.gateway_ids() and (count := simulation.active(gateway_id, zone)) is not None:
        at = utcnow() - timedelta(minutes=1)
        point = {"MetricName": METRIC, "Dimensions": dimensions, "Timestamp": at, "Value": count}
        backend.put_metric_data(NAMESPACE, [point])
