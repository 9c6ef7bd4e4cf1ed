"""CloudWatch tells EventBridge when an alarm changes its state; moto's does not.

The shape of the event is that of the CloudWatch user guide, "Alarm events and EventBridge". Composite alarms
there are none: moto has no PutCompositeAlarm.
"""

import json
from collections.abc import Iterator
from typing import Any

from moto.cloudwatch.models import Alarm, Metric
from moto.events.models import events_backends
from moto.moto_api._internal import mock_random
from moto.utilities.arns import parse_arn

from natdrain_sim.seams import Seam


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    update = Alarm.update_state

    def update_state(self: Alarm, reason: str, reason_data: str, state_value: str) -> None:
        before = _state(self)
        update(self, reason, reason_data, state_value)
        if state_value == before["value"]:
            return
        named = {"alarmName": self.name, "configuration": _configuration(self)}
        detail = {**named, "previousState": before, "state": _state(self)}
        event = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Resources": [self.alarm_arn],
            "Detail": json.dumps(detail),
        }
        arn = parse_arn(self.alarm_arn)
        events_backends[arn.account][arn.region].put_events([event])

    yield Alarm, "update_state", update_state


def _state(alarm: Alarm) -> dict[str, Any]:
    stamp = alarm.state_updated_timestamp.isoformat(timespec="milliseconds")
    told = {"reason": alarm.state_reason, "reasonData": alarm.state_reason_data}
    return _given({**told, "timestamp": f"{stamp}+0000", "value": alarm.state_value})


def _configuration(alarm: Alarm) -> dict[str, Any]:
    metrics = [_query(query) for query in alarm.metric_data_queries]
    if not metrics:
        stat = _stat(alarm, alarm.period, alarm.statistic or alarm.extended_statistic, alarm.unit)
        metrics = [{"id": str(mock_random.uuid4()), "metricStat": stat, "returnData": True}]
    return _given({"description": alarm.description, "metrics": metrics})


def _query(query: Any) -> dict[str, Any]:
    stat = query.metric_stat
    told = {name: getattr(query, name) for name in ("id", "expression", "label")}
    metric_stat = stat and _stat(stat.metric, stat.period, stat.stat, stat.unit)
    return _given({**told, "metricStat": metric_stat, "returnData": query.return_data})


def _stat(metric: Metric | Alarm, period: Any, stat: str | None, unit: str | None) -> dict[str, Any]:
    dimensions = {dimension.name: dimension.value for dimension in metric.dimensions}
    named = {"dimensions": dimensions, "name": metric.metric_name, "namespace": metric.namespace}
    return _given({"metric": named, "period": period, "stat": stat, "unit": unit})


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
