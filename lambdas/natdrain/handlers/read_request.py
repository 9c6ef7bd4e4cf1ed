"""*Read the request*: turn the execution input into one valid request.

Input: `{Execution, Input}`. Output: `{Request, Quiet, Failure}`: the request with the gateway named, or where
there is nothing to do, `Quiet` with the outcome and why, or `RequestRefused` with every problem of the input.
Errors: `TransientFailure`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from natdrain.aws import clock, ec2
from natdrain.intake.alarm_event import is_alarm
from natdrain.intake.alarms import read_alarm
from natdrain.intake.request import parse_request
from natdrain.model.conclusion import Quiet
from natdrain.model.errors import RequestRefused
from natdrain.model.outcome import ExecutionOutcome
from natdrain.model.request import AfterDrain, Request
from natdrain.report import refusals
from natdrain.steps.settings import RequestSettings
from natdrain.steps.task import Event, refusing, task
from natdrain.store.executions import Executions
from natdrain.store.table import Table
from natdrain.store.triggers import Triggers


@task
@refusing
def handler(event: Event) -> dict[str, Any]:
    """Read the input, find the gateway of public IPs, and see that each trigger is handled once."""
    settings = RequestSettings.from_env()
    request = _read(event["Input"], settings)
    if isinstance(request, Quiet):
        return _answer(None, request)
    if request.gateway_id is None:
        if (gateway_id := _gateway_of(request)) is None:
            why = refusals.NO_GATEWAY_HAS_ANY.with_(public_ips=", ".join(request.public_ips))
            return _answer(request, Quiet(ExecutionOutcome.NOTHING_TO_DO, why))
        request = replace(request, gateway_id=gateway_id)
    # First, so that *Record* finds it, should the execution be stopped from here on.
    Executions(settings.table).begin(event["Execution"], request)
    return _answer(request, _handled_elsewhere(settings.table, request, event["Execution"]))


def _answer(request: Request | None, quiet: Quiet | None = None) -> dict[str, Any]:
    return {"Request": request.to_json() if request else {}, "Quiet": quiet.to_json() if quiet else {}}


def _read(document: object, settings: RequestSettings) -> Request | Quiet:
    if isinstance(document, Mapping) and is_alarm(document):
        return read_alarm(document, settings.alarms, now=clock.now())
    request = parse_request(document, default_limit_seconds=settings.limit_seconds)
    if request.after_drain is AfterDrain.RELEASE and not settings.may_release:
        raise RequestRefused(refusals.RELEASE_SWITCHED_OFF.about(None), trigger=request.trigger)
    return request


def _gateway_of(request: Request) -> str | None:
    """Find the one gateway that has the public IPs; None if none has any and a schedule asks."""
    gateways = ec2.find_gateways(request.public_ips)
    found = {ip for ips in gateways.values() for ip in ips}
    missing = [ip for ip in request.public_ips if ip not in found and not request.scheduled]
    problems = [refusals.NO_GATEWAY_HAS.about(ip, public_ip=ip) for ip in missing]
    if len(gateways) > 1:
        where = "; ".join(f"{gateway}: {', '.join(ips)}" for gateway, ips in gateways.items())
        problems.append(refusals.ON_SEVERAL_GATEWAYS.about(None, where=where))
    if problems:
        raise RequestRefused(*problems, trigger=request.trigger)
    return next(iter(gateways), None)


def _handled_elsewhere(table: Table, request: Request, execution: str) -> Quiet | None:
    """Events come at least once: the first execution of a trigger claims it, and the others end here."""
    if request.trigger is None or request.dry_run:
        return None
    trigger, handled_by = request.trigger, Triggers(table).claim(request, execution)
    if handled_by == execution:
        return None
    by_hand = json.dumps(replace(request, trigger=None).to_json())
    why = refusals.HANDLED_ELSEWHERE.with_(
        kind=trigger.kind, name=trigger.name, at=trigger.at, handler=handled_by, request=by_hand
    )
    return Quiet(ExecutionOutcome.IGNORED, why)
