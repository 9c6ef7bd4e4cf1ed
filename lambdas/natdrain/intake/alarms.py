"""A CloudWatch alarm's change of state, read as a request.

Two shapes of the same thing are understood: the event that CloudWatch sends to EventBridge, and what it hands
to a Lambda function that is itself the alarm's action (CloudWatch user guide, "Alarm events and EventBridge"
and "Lambda alarm actions").
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from natdrain.intake.request import parse_request
from natdrain.model.conclusion import Quiet
from natdrain.model.errors import RequestRefused
from natdrain.model.outcome import ExecutionOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import MAX_REASON_CHARACTERS, Request, Trigger, TriggerKind
from natdrain.report import refusals

SOURCE = "aws.cloudwatch"
DETAIL_TYPE = "CloudWatch Alarm State Change"
IN_ALARM = "ALARM"

GATEWAY_DIMENSION = "NatGatewayId"
ADDRESS_DIMENSIONS = {name: f"{name}s" for name in ("AssociationId", "AllocationId", "PublicIp")}
"""The dimensions that name an address, each with the field of a request that it becomes."""

EXHAUSTION_METRICS = ("ErrorPortAllocation", "PacketsDropCount")
"""The metrics on which no address is ever taken off (VPC user guide, NAT gateway metrics)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """The choices of a deployment about alarms."""

    limit_seconds: int
    name_prefixes: Sequence[str]
    dry_run: bool


class _Metric(NamedTuple):
    name: str
    dimensions: dict[str, str]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        metric = entry["metricStat"]["metric"]
        dimensions = metric.get("dimensions", {})
        return cls(_text(metric["name"]), {_text(key): _text(value) for key, value in dimensions.items()})


class _Change(NamedTuple):
    """A change of an alarm's state; `before` is None where the event does not say."""

    alarm: str
    before: str | None
    state: str
    at: str
    reason: str
    composite: bool
    metrics: list[_Metric]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
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
    """Return True if an execution input is an alarm's event rather than a request."""
    return isinstance(document, Mapping) and (
        "alarmData" in document or document.get("detail-type") == DETAIL_TYPE
    )


def read_alarm(document: Mapping[str, Any], policy: AlarmPolicy) -> Request | Quiet:
    """Read an alarm's event as a request for the one address that its metric names.

    The rule on the event bus checks the same beforehand, as far as a pattern can, but anybody may start an
    execution with such an event.

    Raises:
        RequestRefused: the event is none, or the alarm names no address, several, or a shortage.
    """
    try:
        change = _Change.read(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        not_whole = refusals.NOT_WHOLE.about(None, kind=type(error).__name__, error=error)
        raise RequestRefused(not_whole) from error
    if change.state != IN_ALARM or change.before == IN_ALARM:
        why = refusals.ALARM_ASKS_FOR_NOTHING.with_(
            alarm=change.alarm, before=change.before, state=change.state, wanted=IN_ALARM
        )
        return Quiet(ExecutionOutcome.IGNORED, why)
    named = _named(change.metrics)
    problems = [*_prefix_problems(change, policy), *_exhaustion_problems(change)]
    if problems := problems or [*_naming_problems(change, named)]:
        raise RequestRefused(*problems)
    fields: dict[str, Any] = {
        field: sorted(named[key]) for key, field in ADDRESS_DIMENSIONS.items() if key in named
    }
    fields |= {
        GATEWAY_DIMENSION: next(iter(named[GATEWAY_DIMENSION])),
        "MaxDrainDurationSeconds": policy.limit_seconds,
        "DryRun": policy.dry_run,
        "Reason": f"alarm {change.alarm}: {change.reason}"[:MAX_REASON_CHARACTERS],
        "Trigger": Trigger(kind=TriggerKind.ALARM, name=change.alarm, at=change.at).to_json(),
    }
    return parse_request(fields)


def _named(metrics: Sequence[_Metric]) -> dict[str, set[str]]:
    """Return the values by dimension of those metrics that name both a gateway and an address."""
    named: dict[str, set[str]] = {}
    for _, dimensions in metrics:
        if GATEWAY_DIMENSION in dimensions and ADDRESS_DIMENSIONS.keys() & dimensions.keys():
            for key in (one for one in (GATEWAY_DIMENSION, *ADDRESS_DIMENSIONS) if one in dimensions):
                named.setdefault(key, set()).add(dimensions[key])
    return named


def _prefix_problems(change: _Change, policy: AlarmPolicy) -> Iterator[Problem]:
    if policy.name_prefixes and not change.alarm.startswith(tuple(policy.name_prefixes)):
        prefixes = ", ".join(policy.name_prefixes)
        yield refusals.ALARM_NOT_ALLOWED.about(None, alarm=change.alarm, prefixes=prefixes)


def _exhaustion_problems(change: _Change) -> Iterator[Problem]:
    for metric in sorted({metric.name for metric in change.metrics}.intersection(EXHAUSTION_METRICS)):
        yield refusals.ALARMS_ON_EXHAUSTION[metric].about(None, alarm=change.alarm)


def _naming_problems(change: _Change, named: Mapping[str, set[str]]) -> Iterator[Problem]:
    *others, last = ADDRESS_DIMENSIONS
    wanted = refusals.WANTED_DIMENSIONS.with_(gateway=GATEWAY_DIMENSION, others=", ".join(others), last=last)
    if change.composite:
        yield refusals.ALARM_COMPOSITE.about(None, alarm=change.alarm, wanted=wanted)
    elif not change.metrics:
        yield refusals.ALARM_WITHOUT_METRIC.about(None, alarm=change.alarm, wanted=wanted)
    elif not named:
        metric_has = refusals.METRIC_HAS.with_
        seen = "; ".join(metric_has(metric=m, dimensions=", ".join(d) or "none") for m, d in change.metrics)
        yield refusals.ALARM_WITHOUT_ADDRESS.about(None, alarm=change.alarm, wanted=wanted, seen=seen)
    else:
        several = refusals.ALARM_NAMES_SEVERAL
        for key, values in ((key, ", ".join(sorted(them))) for key, them in named.items() if len(them) > 1):
            yield several.about(None, alarm=change.alarm, dimension=key, values=values)
