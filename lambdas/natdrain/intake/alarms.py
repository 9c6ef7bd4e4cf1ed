"""What a CloudWatch alarm asks for: its change of state, read as a request.

Two shapes of the same thing are understood: the event that CloudWatch sends to EventBridge, and what it hands
to a Lambda function that is itself the alarm's action (CloudWatch user guide, "Alarm events and EventBridge"
and "Lambda alarm actions").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from natdrain.intake.request import MAX_REASON_CHARACTERS, Request, Trigger, TriggerKind
from natdrain.model.errors import RequestRefused

__all__ = [
    "ADDRESS_DIMENSIONS",
    "DETAIL_TYPE",
    "EXHAUSTION_METRICS",
    "GATEWAY_DIMENSION",
    "IN_ALARM",
    "SOURCE",
    "AlarmPolicy",
    "Ignored",
    "is_alarm",
    "read_alarm",
]

SOURCE = "aws.cloudwatch"
DETAIL_TYPE = "CloudWatch Alarm State Change"
IN_ALARM = "ALARM"

GATEWAY_DIMENSION = "NatGatewayId"
ADDRESS_DIMENSIONS = {
    "AssociationId": "AssociationIds",
    "AllocationId": "AllocationIds",
    "PublicIp": "PublicIps",
}
"""The dimensions that name an address, each with the field of a request that it becomes."""

EXHAUSTION_METRICS = {
    "ErrorPortAllocation": (
        "which tells that the gateway has too little, not too much: one address fewer makes it worse. "
        "Associate another one: aws ec2 associate-nat-gateway-address --nat-gateway-id ... "
        "--allocation-ids ..."
    ),
    "PacketsDropCount": "which tells that the gateway is in trouble, and one address fewer does not help it.",
}
"""The metrics on which no address is ever taken off, each with why (VPC user guide, NAT gateway metrics)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """What the deployment says of alarms; see `docs/configuration.md`."""

    limit_seconds: int
    name_prefixes: Sequence[str]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Ignored:
    """The event asks for nothing, and says why."""

    why: str


class _Metric(NamedTuple):
    name: str
    dimensions: dict[str, str]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> _Metric:
        metric = entry["metricStat"]["metric"]
        dimensions = metric.get("dimensions", {})
        return cls(_text(metric["name"]), {_text(key): _text(value) for key, value in dimensions.items()})


class _Change(NamedTuple):
    """A change of an alarm's state; `before` is None where the event does not tell."""

    alarm: str
    before: str | None
    state: str
    at: str
    reason: str
    composite: bool
    metrics: list[_Metric]

    def __str__(self) -> str:
        return f"The alarm {self.alarm}"

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> _Change:
        if document["source"] != SOURCE:
            raise ValueError(f"its source is not {SOURCE}")
        detail = document.get("alarmData", document.get("detail"))
        state, configuration = detail["state"], detail["configuration"]
        return cls(
            alarm=_text(detail["alarmName"]),
            before=detail.get("previousState", {}).get("value"),
            state=_text(state["value"]),
            at=_text(state["timestamp"]),
            reason=_text(state.get("reason", "")),
            composite="alarmRule" in configuration,
            metrics=[_Metric.read(one) for one in configuration.get("metrics", []) if "metricStat" in one],
        )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is no text")


def is_alarm(document: object) -> bool:
    """Whether an execution input is an alarm's event rather than a request."""
    return isinstance(document, Mapping) and (
        "alarmData" in document or document.get("detail-type") == DETAIL_TYPE
    )


def read_alarm(document: Mapping[str, Any], policy: AlarmPolicy) -> Request | Ignored:
    """Read an alarm's event as a request for the one address that its metric names.

    The rule on the event bus checks the same beforehand, as far as a pattern can, but anybody may start an
    execution with such an event.

    Raises:
        RequestRefused: the event is none, or the alarm names no address, several, or a shortage.
    """
    try:
        change = _Change.read(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestRefused(
            f"The input looks like the event of a CloudWatch alarm, but is not whole: "
            f"{type(error).__name__}: {error}."
        ) from error
    if change.state != IN_ALARM or change.before == IN_ALARM:
        return Ignored(
            f"{change} went from {change.before} to {change.state}; only a change into "
            f"{IN_ALARM} asks for a drain."
        )
    named = _named(change.metrics)
    problems = [*_prefix_problems(change, policy), *_exhaustion_problems(change)]
    problems = problems or _naming_problems(change, named)
    if problems:
        raise RequestRefused(*problems)
    fields = {field: sorted(named[key]) for key, field in ADDRESS_DIMENSIONS.items() if key in named}
    return Request.parse(
        {
            GATEWAY_DIMENSION: next(iter(named[GATEWAY_DIMENSION])),
            **fields,
            "MaxDrainDurationSeconds": policy.limit_seconds,
            "DryRun": policy.dry_run,
            "Reason": f"alarm {change.alarm}: {change.reason}"[:MAX_REASON_CHARACTERS],
            "Trigger": Trigger(kind=TriggerKind.ALARM, name=change.alarm, at=change.at).to_json(),
        }
    )


def _named(metrics: Sequence[_Metric]) -> dict[str, set[str]]:
    """What those metrics that name both a gateway and an address name, by dimension."""
    named: dict[str, set[str]] = {}
    for _, dimensions in metrics:
        if GATEWAY_DIMENSION in dimensions and not ADDRESS_DIMENSIONS.keys().isdisjoint(dimensions):
            for key in (GATEWAY_DIMENSION, *ADDRESS_DIMENSIONS):
                if key in dimensions:
                    named.setdefault(key, set()).add(dimensions[key])
    return named


def _prefix_problems(change: _Change, policy: AlarmPolicy) -> list[str]:
    if not policy.name_prefixes or change.alarm.startswith(tuple(policy.name_prefixes)):
        return []
    allowed = ", ".join(policy.name_prefixes)
    return [f"{change} is none of those that may start a drain here: their names begin with {allowed}."]


def _exhaustion_problems(change: _Change) -> list[str]:
    return [
        f"{change} watches {metric}, {EXHAUSTION_METRICS[metric]}"
        for metric in sorted({metric.name for metric in change.metrics} & EXHAUSTION_METRICS.keys())
    ]


def _naming_problems(change: _Change, named: Mapping[str, set[str]]) -> list[str]:
    *others, last = ADDRESS_DIMENSIONS
    wanted = f"{GATEWAY_DIMENSION} and {', '.join(others)} or {last}"
    if change.composite:
        told = f"{change} is a composite one, whose event tells no metric and so names no address."
        return [f"{told} Let an alarm on a metric ask, whose dimensions are {wanted}."]
    if not change.metrics:
        return [f"{change} watches no metric by name, and so no address: it needs one with {wanted}."]
    if not named:
        seen = "; ".join(f"{name} has {', '.join(given) or 'none'}" for name, given in change.metrics)
        return [f"{change} names no address: its metric needs the dimensions {wanted}. Its {seen}."]
    return [
        f"{change} names several in {key}: {', '.join(sorted(values))}. It must name one address."
        for key, values in named.items()
        if len(values) > 1
    ]
