"""Alarms' events for tests: the samples, and variations of them."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from natdrain.intake.alarms import AlarmPolicy, read_alarm
from natdrain.model.conclusion import Quiet
from natdrain.model.errors import RequestRefused
from natdrain.model.request import Request
from support.builders import sample

POLICY = AlarmPolicy(
    limit_seconds=600, name_prefixes=[], dry_run=False, max_age_minutes=60, act_without_data=False
)
NOW = datetime(2026, 10, 2, 17, 5, tzinfo=UTC)
"""Twenty seconds after the alarms of the samples."""
BLOCKED = "alarm-event.blocked-egress-ip.json"


def alarm(*metrics: tuple[str, dict[str, str]], **detail: Any) -> dict[str, Any]:
    """Return the sample's event, of an alarm on these metrics instead."""
    event = copy.deepcopy(sample(BLOCKED))
    if metrics:
        event["detail"]["configuration"]["metrics"] = [
            {"id": f"m{i}", "metricStat": {"metric": {"name": name, "dimensions": dimensions}}}
            for i, (name, dimensions) in enumerate(metrics)
        ]
    event["detail"].update(detail)
    return dict(event)


def stamp(at: datetime) -> str:
    """Return an instant as CloudWatch writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}+0000"


def asked(document: Any, policy: AlarmPolicy = POLICY, now: datetime = NOW) -> Request:
    request = read_alarm(document, policy, now=now)
    assert isinstance(request, Request)
    return request


def ignored(document: Any) -> str:
    """Return why the event asks for nothing."""
    quiet = read_alarm(document, POLICY, now=NOW)
    assert isinstance(quiet, Quiet)
    assert quiet.outcome == "ignored"
    return quiet.why


def refusal(document: Any, policy: AlarmPolicy = POLICY, now: datetime = NOW) -> RequestRefused:
    with pytest.raises(RequestRefused) as refused:
        read_alarm(document, policy, now=now)
    return refused.value


def problems_of(document: Any, policy: AlarmPolicy = POLICY, now: datetime = NOW) -> list[str]:
    return str(refusal(document, policy, now)).splitlines()
