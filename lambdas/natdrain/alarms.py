"""What a CloudWatch alarm asks for: its change of state, read as a request.

Two shapes of the same thing are understood: the event that CloudWatch sends to EventBridge, and what it hands
to a Lambda function that is itself the alarm's action (CloudWatch user guide, "Alarm events and EventBridge"
and "Lambda alarm actions").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from natdrain.errors import RequestRefused
from natdrain.requests import MAX_REASON_CHARACTERS, Request, Trigger, TriggerKind

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

EXHAUSTION_METRICS = ("ErrorPortAllocation", "PacketsDropCount")
"""What rises when a gateway has too little of something, so that one address fewer makes it worse
(VPC user guide, NAT gateway metrics)."""


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
        return cls(str(metric["name"]), {str(key): str(value) for key, value in dimensions.items()})


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
    detail = document.get("alarmData", document.get("detail"))
    try:
        name, state, configuration = str(detail["alarmName"]), detail["state"], detail["configuration"]
        value, changed_at, reason = str(state["value"]), str(state["timestamp"]), state.get("reason", "")
        before = detail.get("previousState", {}).get("value")
        metrics = [_Metric.read(entry) for entry in configuration.get("metrics", []) if "metricStat" in entry]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestRefused(
            f"The input looks like the event of a CloudWatch alarm, but is not whole: "
            f"{type(error).__name__}: {error}."
        ) from error
    if value != IN_ALARM or before == IN_ALARM:
        return Ignored(
            f"The alarm {name} went from {before} to {value}; only a change into {IN_ALARM} asks for a drain."
        )
    problems = [*_prefix_problems(name, policy), *_exhaustion_problems(name, metrics)]
    named = _named(metrics)
    problems += (
        [] if problems else _naming_problems(name, metrics, named, composite="alarmRule" in configuration)
    )
    if problems:
        raise RequestRefused(*problems)
    fields = {field: sorted(named[key]) for key, field in ADDRESS_DIMENSIONS.items() if key in named}
    return Request.parse(
        {
            GATEWAY_DIMENSION: next(iter(named[GATEWAY_DIMENSION])),
            **fields,
            "MaxDrainDurationSeconds": policy.limit_seconds,
            "DryRun": policy.dry_run,
            "Reason": f"alarm {name}: {reason}"[:MAX_REASON_CHARACTERS],
            "Trigger": Trigger(kind=TriggerKind.ALARM, name=name, at=changed_at).to_json(),
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


def _prefix_problems(name: str, policy: AlarmPolicy) -> list[str]:
    if not policy.name_prefixes or name.startswith(tuple(policy.name_prefixes)):
        return []
    allowed = ", ".join(policy.name_prefixes)
    return [
        f"The alarm {name} is none of those that may start a drain here: their names begin with {allowed}."
    ]


def _exhaustion_problems(name: str, metrics: Sequence[_Metric]) -> list[str]:
    short = sorted({metric for metric, _ in metrics if metric in EXHAUSTION_METRICS})
    return [
        f"The alarm {name} watches {metric}, which tells that the gateway has too little, not too much: one "
        f"address fewer makes it worse. Associate another one: aws ec2 associate-nat-gateway-address "
        f"--nat-gateway-id ... --allocation-ids ..."
        for metric in short
    ]


def _naming_problems(
    name: str, metrics: Sequence[_Metric], named: Mapping[str, set[str]], *, composite: bool
) -> list[str]:
    wanted = f"{GATEWAY_DIMENSION} and {', '.join([*ADDRESS_DIMENSIONS][:-1])} or {[*ADDRESS_DIMENSIONS][-1]}"
    if composite:
        told = f"The alarm {name} is a composite one, whose event tells no metric and so names no address."
        return [f"{told} Let an alarm on a metric ask, whose dimensions are {wanted}."]
    if not named:
        seen = "; ".join(f"{metric} has {', '.join(dimensions) or 'none'}" for metric, dimensions in metrics)
        return [f"The alarm {name} names no address: its metric needs the dimensions {wanted}. Its {seen}."]
    return [
        f"The alarm {name} names several in {key}: {', '.join(sorted(values))}. It must name one address."
        for key, values in named.items()
        if len(values) > 1
    ]
