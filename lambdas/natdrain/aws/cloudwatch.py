"""CloudWatch as natdrain uses it: the metrics of a gateway."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from natdrain.aws import clients
from natdrain.guards.policy import GuardPolicy
from natdrain.model.errors import TransientFailure
from natdrain.model.gateway import Gateway
from natdrain.model.look import Load
from natdrain.report import refusals

NAMESPACE = "AWS/NATGateway"
_MINUTE = 60
# Over days, a point for each five minutes: CloudWatch keeps these for 63 days, those of a minute for 15
# (CloudWatch user guide, metrics retention).
_FIVE_MINUTES = 300
_LATEST = timedelta(minutes=10)

_Points = list[tuple[datetime, float]]


class _Series(NamedTuple):
    metric: str
    statistic: str
    period_seconds: int


_ERRORS = _Series("ErrorPortAllocation", "Sum", _MINUTE)
_CONNECTIONS = _Series("ActiveConnectionCount", "Maximum", _MINUTE)
_PEAKS = _Series("ActiveConnectionCount", "Maximum", _FIVE_MINUTES)


def read_load(gateway: Gateway, policy: GuardPolicy, now: datetime) -> dict[str | None, Load]:
    """Return what CloudWatch knows of the gateway within the policy's windows, by the zone of addresses.

    A zonal gateway has no zones here: its metrics have its id alone as dimension, those of a regional one id
    and zone together (VPC user guide, NAT gateway metrics).
    """
    since = now - timedelta(minutes=policy.port_errors_minutes)
    lately = _read(gateway, (_ERRORS, _CONNECTIONS), (min(since, now - _LATEST), now))
    over_days = _read(gateway, (_PEAKS,), (now - timedelta(minutes=policy.capacity_minutes), now))
    return {
        zone: Load(
            port_errors=int(sum(value for at, value in lately[_ERRORS, zone] if at >= since)),
            peak_connections=int(max(value for _, value in peaks)) if peaks else None,
            connections=int(max(lately[_CONNECTIONS, zone])[1]) if lately[_CONNECTIONS, zone] else None,
        )
        for (_, zone), peaks in over_days.items()
    }


def _read(
    gateway: Gateway, some: tuple[_Series, ...], window: tuple[datetime, datetime]
) -> dict[tuple[_Series, str | None], _Points]:
    """Return the points of series within a window, each by zone."""
    zones: dict[str | None, str | None] = {None: None}
    if gateway.regional:
        zones = {address.zone: address.zone_name or address.zone for address in gateway.addresses}
    wanted = dict(enumerate((series, zone) for series in some for zone in zones))
    queries: Any = [
        {"Id": f"q{number}", "MetricStat": _metric(gateway.gateway_id, zones[zone], series)}
        for number, (series, zone) in wanted.items()
    ]
    by_id = {query["Id"]: one for query, one in zip(queries, wanted.values(), strict=True)}
    points: dict[tuple[_Series, str | None], _Points] = {one: [] for one in wanted.values()}
    pages = clients.cloudwatch().get_paginator("get_metric_data")
    for page in pages.paginate(MetricDataQueries=queries, StartTime=window[0], EndTime=window[1]):
        for result in page["MetricDataResults"]:
            series, zone = by_id[result["Id"]]
            # PartialData means only that another page follows.
            if (status := result["StatusCode"]) not in {"Complete", "PartialData"}:
                facts = {"status": status, "metric": series.metric}
                raise TransientFailure(refusals.METRIC_NOT_ANSWERED.about(None, **facts))
            points[series, zone] += zip(result["Timestamps"], result["Values"], strict=True)
    return points


def _metric(gateway_id: str, zone: str | None, series: _Series) -> dict[str, Any]:
    named = {"NatGatewayId": gateway_id, **({"AvailabilityZone": zone} if zone else {})}
    dimensions = [{"Name": name, "Value": value} for name, value in named.items()]
    metric = {"Namespace": NAMESPACE, "MetricName": series.metric, "Dimensions": dimensions}
    return {"Metric": metric, "Period": series.period_seconds, "Stat": series.statistic}
