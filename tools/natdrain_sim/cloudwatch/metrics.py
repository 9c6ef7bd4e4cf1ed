"""The metric `ActiveConnectionCount` of NAT gateways, which AWS itself reports.

Only what it is at the moment is simulated: whoever asks for it finds the open connections of now, as those
of a minute ago. Everything else is what somebody has put (`PutMetricData`).
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
    """What to replace in moto: owner, name and replacement."""
    get = CloudWatchBackend.get_metric_data

    def get_metric_data(
        backend: CloudWatchBackend, queries: list[dict[str, Any]], **window: Any
    ) -> list[dict[str, Any]]:
        asked = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
        for metric in asked:
            if (metric["Namespace"], metric["MetricName"]) == (NAMESPACE, METRIC):
                _report(backend, metric["Dimensions"])
        return get(backend, queries, **window)

    yield CloudWatchBackend, "get_metric_data", get_metric_data


def _report(backend: CloudWatchBackend, dimensions: list[dict[str, str]]) -> None:
    simulation = Simulation()
    for gateway_id in {one["Value"] for one in dimensions} & set(simulation.gateway_ids()):
        point = {
            "MetricName": METRIC,
            "Dimensions": [{"Name": "NatGatewayId", "Value": gateway_id}],
            "Timestamp": utcnow() - timedelta(minutes=1),
            "Value": sum(simulation.connections(gateway_id).values()),
        }
        backend.put_metric_data(NAMESPACE, [point])
