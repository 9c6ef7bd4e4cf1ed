"""The judging of an alarm's change of state: a request for the address that it names, or nothing to do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from natdrain.intake.alarm_event import Change, Metric, Shape, alarm_trigger, read_change
from natdrain.intake.request import parse_request
from natdrain.model.conclusion import Quiet
from natdrain.model.errors import RequestRefused
from natdrain.model.outcome import ExecutionOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import MAX_REASON_CHARACTERS, Request
from natdrain.report import refusals
from natdrain.report.sentence import Sentence

IN_ALARM = "ALARM"

GATEWAY_DIMENSION = "NatGatewayId"
ADDRESS_DIMENSIONS = {name: f"{name}s" for name in ("AssociationId", "AllocationId", "PublicIp")}
"""The dimensions that name an address, each with the field of a request that it becomes."""

EXHAUSTION_METRICS = ("ErrorPortAllocation", "PacketsDropCount")
"""The metrics on which no address is ever taken off (VPC user guide, NAT gateway metrics)."""

_EXHAUSTION: Mapping[Sentence, re.Pattern[str]] = {
    refusals.ALARM_ON_PORTS: re.compile(
        r"\b(ports?|snat) (alloc|error|exhaust|fail|shortage|us(ed|age)|util)"
        r"|\b(alloc|exhaust|used)\w* ports?\b|(?<!re)port(alloc|exhaust)"
    ),
    refusals.ALARM_ON_DROPS: re.compile(
        r"\bdrop\w* (bytes|connections?|count|packets?|traffic)\b"
        r"|\b(bytes|connections?|packets?|traffic) (drop|los[st])|packets?(drop|loss)|droppedpacket"
    ),
}
"""Words of what such alarms watch, in whatever query, namespace or spelling."""

_UNUSABLE: Mapping[Shape, Sentence] = {
    Shape.COMPOSITE: refusals.ALARM_COMPOSITE,
    Shape.PROMQL: refusals.ALARM_ON_PROMQL,
    Shape.LOGS: refusals.ALARM_ON_LOGS,
    Shape.QUERY: refusals.ALARM_ON_QUERY,
    Shape.NOTIFICATION: refusals.ALARM_BY_SNS,
    Shape.OTHER: refusals.ALARM_WITHOUT_METRIC,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """The choices of a deployment about alarms."""

    limit_seconds: int
    name_prefixes: Sequence[str]
    dry_run: bool
    max_age_minutes: int
    act_without_data: bool


def read_alarm(document: Mapping[str, Any], policy: AlarmPolicy, *, now: datetime) -> Request | Quiet:
    """Read an alarm's event as a request for the one address that its metric or contributor names.

    The rule on the event bus checks the same beforehand, as far as a pattern can, but anybody may start an
    execution with such an event. `now` is aware UTC.

    Raises:
        RequestRefused: the event is none or too old, or the alarm names no address, several, or a shortage.
    """
    trigger = alarm_trigger(document)
    try:
        change = read_change(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        not_whole = refusals.NOT_WHOLE.about(None, kind=type(error).__name__, error=error)
        raise RequestRefused(not_whole, trigger=trigger) from error
    if why := _why_ignored(change):
        return Quiet(ExecutionOutcome.IGNORED, why, trigger)
    named = _named(change.metrics)
    if problems := [*_exhaustion_problems(change)] or [*_naming_problems(change, named)]:
        raise RequestRefused(*problems, trigger=trigger)
    addresses: dict[str, Any] = {
        field: sorted(named[key]) for key, field in ADDRESS_DIMENSIONS.items() if key in named
    }
    if "AllocationIds" in addresses:
        addresses["Disassociate"] = {"AllocationIds": addresses.pop("AllocationIds")}
    request = parse_request(
        {
            **addresses,
            "NatGatewayId": next(iter(named[GATEWAY_DIMENSION])),
            "MaxDrainDurationSeconds": policy.limit_seconds,
            "DryRun": policy.dry_run,
            "Reason": f"alarm {change.alarm}: {change.reason}"[:MAX_REASON_CHARACTERS],
            "Trigger": trigger.to_json() if trigger else {},
        }
    )
    if problems := [*_policy_problems(change, request, policy, now)]:
        raise RequestRefused(*problems, request=request)
    return request


def _why_ignored(change: Change) -> str | None:
    """Return why the event asks for nothing, or None."""
    if change.state != IN_ALARM or change.before == IN_ALARM:
        origin = refusals.ALARM_WAS.with_(before=change.before) if change.before else ""
        return refusals.ALARM_ASKS_FOR_NOTHING.with_(
            alarm=change.alarm, origin=origin, state=change.state, wanted=IN_ALARM
        )
    if change.muted_by is not None:
        return refusals.ALARM_MUTED.with_(alarm=change.alarm, rule=change.muted_by, until=change.muted_until)
    if change.suppressed_by is not None:
        return refusals.ALARM_SUPPRESSED.with_(alarm=change.alarm, suppressor=change.suppressed_by)
    return refusals.ALARM_GROUPED.with_(alarm=change.alarm) if change.shape is Shape.GROUPED else None


def _named(metrics: Sequence[Metric]) -> dict[str, set[str]]:
    """Return the values by dimension of those metrics that name both a gateway and an address."""
    named: dict[str, set[str]] = {}
    for _, dimensions in metrics:
        if GATEWAY_DIMENSION in dimensions and ADDRESS_DIMENSIONS.keys() & dimensions.keys():
            for key in (one for one in (GATEWAY_DIMENSION, *ADDRESS_DIMENSIONS) if one in dimensions):
                named.setdefault(key, set()).add(dimensions[key])
    return named


def _exhaustion_problems(change: Change) -> Iterator[Problem]:
    for sentence, pattern in _EXHAUSTION.items():
        for seen in [text for text in change.texts if pattern.search(_words(text))][:1]:
            yield sentence.about(None, alarm=change.alarm, seen=seen)


def _words(text: str) -> str:
    """Return the words of a text in lower case, those of names like `ErrorPortAllocation` too."""
    words = " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", text)).lower()
    # The dimension that names an address.
    return re.sub(r"\ballocation ?ids?\b", "", words)


def _naming_problems(change: Change, named: Mapping[str, set[str]]) -> Iterator[Problem]:
    *others, last = ADDRESS_DIMENSIONS
    wanted = refusals.WANTED_DIMENSIONS.with_(gateway=GATEWAY_DIMENSION, others=", ".join(others), last=last)
    if sentence := _UNUSABLE.get(change.shape):
        yield sentence.about(None, alarm=change.alarm, wanted=wanted)
    elif not named:
        metric_has = refusals.METRIC_HAS.with_
        seen = "; ".join(metric_has(metric=m, dimensions=", ".join(d) or "none") for m, d in change.metrics)
        yield refusals.ALARM_WITHOUT_ADDRESS.about(None, alarm=change.alarm, wanted=wanted, seen=seen)
    else:
        several = refusals.ALARM_NAMES_SEVERAL
        for key, values in ((key, ", ".join(sorted(them))) for key, them in named.items() if len(them) > 1):
            yield several.about(None, alarm=change.alarm, dimension=key, values=values)


def _policy_problems(
    change: Change, request: Request, policy: AlarmPolicy, now: datetime
) -> Iterator[Problem]:
    gateway = request.gateway_id
    facts = {"alarm": change.alarm, "address": ", ".join(request.names), "gateway": gateway}
    if policy.name_prefixes and not change.alarm.startswith(tuple(policy.name_prefixes)):
        yield refusals.ALARM_NOT_ALLOWED.about(gateway, **facts, prefixes=", ".join(policy.name_prefixes))
    age, minute = now - change.at, timedelta(minutes=1)
    if change.replay is not None:
        yield refusals.ALARM_REPLAYED.about(gateway, **facts, replay=change.replay)
    elif age > policy.max_age_minutes * minute:
        most = policy.max_age_minutes
        yield refusals.ALARM_TOO_OLD.about(gateway, **facts, minutes=age // minute, most=most)
    if change.without_data and not policy.act_without_data:
        yield refusals.ALARM_WITHOUT_DATA.about(gateway, **facts, reason=change.reason)
