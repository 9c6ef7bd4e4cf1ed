"""CloudWatch as natdrain uses it: the metrics of a gateway."""

from datetime import datetime, timedelta
from typing import Any

from natdrain.aws import clients
from natdrain.guards.policy import GuardPolicy
from natdrain.model.errors import TransientFailure
from natdrain.model.look import Load
from natdrain.report import refusals

NAMESPACE = "AWS/NATGateway"
_MINUTE = 60
# Over days, a point for each five minutes: CloudWatch keeps these for 63 days, those of a minute for 15
# (CloudWatch user guide, metrics retention).
_FIVE_MINUTES = 300


def read_load(gateway_id: str, policy: GuardPolicy, now: datetime) -> Load:
    """Return what CloudWatch knows of the gateway within the policy's windows (VPC user guide, metrics)."""
    since = now - timedelta(minutes=policy.port_errors_minutes)
    errors = _points(gateway_id, "ErrorPortAllocation", "Sum", _MINUTE, (since, now))
    since = now - timedelta(minutes=policy.capacity_minutes)
    peaks = _points(gateway_id, "ActiveConnectionCount", "Maximum", _FIVE_MINUTES, (since, now))
    return Load(port_errors=int(sum(errors)), peak_connections=int(max(peaks)) if peaks else None)


def _points(
    gateway_id: str, metric: str, statistic: str, period_seconds: int, window: tuple[datetime, datetime]
) -> list[float]:
    query: Any = {
        "Id": "wanted",
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [{"Name": "NatGatewayId", "Value": gateway_id}],
            },
            "Period": period_seconds,
            "Stat": statistic,
        },
    }
    pages = clients.cloudwatch().get_paginator("get_metric_data")
    points: list[float] = []
    for page in pages.paginate(MetricDataQueries=[query], StartTime=window[0], EndTime=window[1]):
        for result in page["MetricDataResults"]:
            # PartialData means only that another page follows.
            if result["StatusCode"] not in {"Complete", "PartialData"}:
                status = result["StatusCode"]
                raise TransientFailure(refusals.METRIC_NOT_ANSWERED.about(None, status=status, metric=metric))
            points += result["Values"]
    return points
