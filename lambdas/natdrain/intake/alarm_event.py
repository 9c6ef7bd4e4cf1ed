"""A CloudWatch alarm's change of state, read from each shape in which it arrives.

Sources: the CloudWatch user guide, "Alarm events and EventBridge" (alarms, contributors, mute rules,
suppressed composite alarms), "Invoke a Lambda function from an alarm" (`alarmData`), "Notifying users on
alarm changes" (SNS); the EventBridge user guide, "Archiving and replaying events" (`replay-name`); the
CloudWatch API reference, AlarmPromQLCriteria and ScheduledQueryConfiguration, by whose names PromQL and log
alarms are recognised (that their events use these names is inferred).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from natdrain.intake.request import trigger_of
from natdrain.model.instants import instant
from natdrain.model.request import Trigger, TriggerKind

SOURCE = "aws.cloudwatch"
DETAIL_TYPE = "CloudWatch Alarm State Change"
CONTRIBUTOR_DETAIL_TYPE = "CloudWatch Alarm Contributor State Change"
DETAIL_TYPES = (DETAIL_TYPE, CONTRIBUTOR_DETAIL_TYPE)


class Shape(Enum):
    """The kind of an alarm and of its message."""

    METRICS = auto()
    """Metrics by name, or a contributor, which has attributes like a metric's dimensions."""
    GROUPED = auto()
    """A Metrics Insights query with GROUP BY, without one of its contributors."""
    QUERY = auto()
    """A Metrics Insights query without GROUP BY."""
    COMPOSITE = auto()
    PROMQL = auto()
    LOGS = auto()
    NOTIFICATION = auto()
    """The document that SNS carries, whatever the alarm."""
    OTHER = auto()


_MARKS = {"alarmrule": Shape.COMPOSITE, "promql": Shape.PROMQL, "scheduledquery": Shape.LOGS}
"""Parts of a configuration's keys, by which an alarm without metrics is recognised."""


class Metric(NamedTuple):
    """A metric that an alarm watches, or a contributor."""

    name: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the state of an alarm, or of one of its contributors.

    `before` is None where the event does not say. `texts` are those of the configuration that say what is
    watched. `without_data` is True only if the event shows that data are missing.
    """

    alarm: str
    before: str | None
    state: str
    at: datetime
    reason: str
    shape: Shape
    metrics: tuple[Metric, ...] = ()
    texts: tuple[str, ...] = ()
    without_data: bool = False
    muted_by: str | None = None
    muted_until: str | None = None
    suppressed_by: str | None = None
    replay: str | None = None


def is_alarm(document: object) -> bool:
    """Return True if an execution input is the message of an alarm rather than a request."""
    inner = _unwrapped(document)
    return isinstance(inner, Mapping) and (
        "alarmData" in inner
        or inner.get("detail-type") in DETAIL_TYPES
        or inner.keys() >= {"AlarmName", "NewStateValue"}
    )


def alarm_trigger(document: Mapping[str, Any]) -> Trigger | None:
    """Return the trigger that an alarm's message names, even if the rest of it cannot be read."""
    inner = _unwrapped(document)
    match inner.get("alarmData", inner.get("detail", inner)):
        case {"alarmName": str(name), "state": {"timestamp": str(at)}} | {
            "AlarmName": str(name),
            "StateChangeTime": str(at),
        }:
            trigger = Trigger(kind=TriggerKind.ALARM, name=name, at=at)
            return trigger_of({"Trigger": trigger.to_json()})
    return None


def read_change(document: Mapping[str, Any]) -> Change:
    """Read an alarm's message.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is not whole.
    """
    inner = _unwrapped(document)
    if "NewStateValue" in inner:
        return Change(
            alarm=_text(inner["AlarmName"]),
            before=inner.get("OldStateValue"),
            state=_text(inner["NewStateValue"]),
            at=instant(_text(inner["StateChangeTime"])),
            reason=_text(inner.get("NewStateReason", "")),
            shape=Shape.NOTIFICATION,
        )
    if inner["source"] != SOURCE:
        raise ValueError(f"its source is not {SOURCE}")
    detail = inner.get("alarmData", inner.get("detail"))
    state, configuration, mute = detail["state"], detail["configuration"], detail.get("muteDetail")
    attributes = detail.get("alarmContributor", {}).get("attributes", {})
    metrics = [Metric("contributor", _texts_by_key(attributes))] if attributes else [*_metrics(configuration)]
    watched = {key: value for key, value in configuration.items() if key != "description"}
    return Change(
        alarm=_text(detail["alarmName"]),
        before=detail.get("previousState", {}).get("value"),
        state=_text(state["value"]),
        at=instant(_text(state["timestamp"])),
        reason=_text(state.get("reason", "")),
        shape=Shape.METRICS if metrics else _shape(configuration),
        metrics=tuple(metrics),
        texts=(*_texts(watched), *_texts(attributes)),
        without_data=_is_without_data(_text(state.get("reason", "")), state.get("reasonData")),
        muted_by=None if mute is None else _text(mute["mutedByArn"]),
        muted_until=None if mute is None else _text(mute["muteWindowEnd"]),
        suppressed_by=_suppressor(state, configuration),
        replay=None if (replay := inner.get("replay-name")) is None else _text(replay),
    )


def _plain(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return "".join(character for character in text.lower() if character.isalnum())


def _unwrapped(document: Any) -> Any:
    """Return what an SNS message carries, as Lambda functions and HTTP endpoints get it, or the document."""
    match document:
        case {"Records": [{"Sns": {"Message": str(text)}}]} | {"Type": "Notification", "Message": str(text)}:
            try:
                return json.loads(text)
            except (RecursionError, ValueError):
                return document
    return document


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no text")


def _texts_by_key(values: Mapping[str, object]) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in values.items()}


def _metrics(configuration: Mapping[str, Any]) -> Iterator[Metric]:
    for entry in configuration.get("metrics", []):
        if "metricStat" in entry:
            metric = entry["metricStat"]["metric"]
            yield Metric(_text(metric["name"]), _texts_by_key(metric.get("dimensions", {})))


def _shape(configuration: Mapping[str, Any]) -> Shape:
    """Return the kind of an alarm without metrics by name."""
    keys = [_plain(key) for key in _keys(configuration)]
    for mark, shape in _MARKS.items():
        if any(mark in key for key in keys):
            return shape
    expressions = [_text(entry.get("expression", "")) for entry in configuration.get("metrics", [])]
    # CloudWatch user guide, "Metrics Insights query components and syntax"; its keywords have no case.
    queries = [one for one in expressions if re.match(r"\s*SELECT\b", one, re.IGNORECASE)]
    if any(re.search(r"\bGROUP\s+BY\b", query, re.IGNORECASE) for query in queries):
        return Shape.GROUPED
    return Shape.QUERY if queries else Shape.OTHER


def _keys(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield key
            yield from _keys(value)


def _texts(node: Any) -> Iterator[str]:
    """Yield every text in a document, without the keys."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping | list):
        for value in node.values() if isinstance(node, Mapping) else node:
            yield from _texts(value)


def _is_without_data(reason: str, reason_data: object) -> bool:
    """Return True if missing data count as breaching, or no data point has a value.

    Only the reason says of a contributor, or where some data points are missing, how they count (CloudWatch
    user guide, alarm events and EventBridge). A state that a person has set has neither.
    """
    if "treated as [breaching]" in reason.lower():
        return True
    try:
        data = json.loads(_text(reason_data))
    except (RecursionError, TypeError, ValueError):
        return False
    points = data.get("recentDatapoints") if isinstance(data, Mapping) else None
    return isinstance(points, list) and not any(isinstance(point, int | float) for point in points)


def _suppressor(state: Mapping[str, Any], configuration: Mapping[str, Any]) -> str | None:
    by = state.get("actionsSuppressedBy")
    return None if by is None else _text(configuration.get("actionsSuppressor", by))
