"""Events about changes of an alarm's state, which moto does not send to EventBridge.

Source: the CloudWatch user guide, "Alarm events and EventBridge". There are no composite alarms, because moto
has no PutCompositeAlarm.
"""

from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.models import Alarm, Metric
from moto.moto_api._internal import mock_random

from natdrain_sim.events import service_events
from natdrain_sim.seams import Seam


def seams() -> Iterator[Seam]:
    """Yield the seam where an alarm changes its state."""
    update = Alarm.update_state

    def update_state(self: Alarm, reason: str, reason_data: str, state_value: str) -> None:
        before = _state(self)
        update(self, reason, reason_data, state_value)
        if state_value == before["value"]:
            return
        states = {"previousState": before, "state": _state(self)}
        detail = {"alarmName": self.name, "configuration": _configuration(self), **states}
        service_events.put("aws.cloudwatch", "CloudWatch Alarm State Change", self.alarm_arn, detail)

    yield Alarm, "update_state", update_state


def _state(alarm: Alarm) -> dict[str, Any]:
    reason = {"reason": alarm.state_reason, "reasonData": alarm.state_reason_data}
    timestamp = f"{alarm.state_updated_timestamp.isoformat(timespec='milliseconds')}+0000"
    return _without_none({**reason, "timestamp": timestamp, "value": alarm.state_value})


def _configuration(alarm: Alarm) -> dict[str, Any]:
    metrics = [_query(query) for query in alarm.metric_data_queries]
    if not metrics:
        stat = _stat(alarm, alarm.period, alarm.statistic or alarm.extended_statistic, alarm.unit)
        metrics = [{"id": str(mock_random.uuid4()), "metricStat": stat, "returnData": True}]
    return _without_none({"description": alarm.description, "metrics": metrics})


def _query(query: Any) -> dict[str, Any]:
    stat = query.metric_stat
    fields = {name: getattr(query, name) for name in ("id", "expression", "label")}
    metric_stat = stat and _stat(stat.metric, stat.period, stat.stat, stat.unit)
    return _without_none({**fields, "metricStat": metric_stat, "returnData": query.return_data})


def _stat(metric: Metric | Alarm, period: Any, stat: str | None, unit: str | None) -> dict[str, Any]:
    dimensions = {dimension.name: dimension.value for dimension in metric.dimensions}
    identity = {"dimensions": dimensions, "name": metric.metric_name, "namespace": metric.namespace}
    return _without_none({"metric": identity, "period": period, "stat": stat, "unit": unit})


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
