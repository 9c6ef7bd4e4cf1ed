"""*Read the request*: turn the execution input into one valid request.

Input: `{Execution, Input}`. Output: `{Request, Quiet, Failure}`: the request with the gateway named, or where
there is nothing to do, `Quiet` with the outcome and why, or `RequestRefused` with every problem of the input.
Errors: `TransientFailure`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from natdrain.aws import ec2
from natdrain.change.conclude import IGNORED, NOTHING_TO_DO, Quiet
from natdrain.intake.alarms import Ignored, is_alarm, read_alarm
from natdrain.intake.request import AfterDrain, Request
from natdrain.model.errors import RequestRefused
from natdrain.steps.settings import RequestSettings
from natdrain.steps.task import refusing, task
from natdrain.store.executions import Executions
from natdrain.store.table import Table
from natdrain.store.triggers import Triggers

__all__ = ["handler"]


@task
@refusing
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Read the input, find the gateway of public IPs, and see that each trigger is handled once."""
    settings = RequestSettings.from_env()
    request = _read(event["Input"], settings)
    if isinstance(request, Ignored):
        return _answer(None, Quiet(IGNORED, request.why))
    if request.gateway_id is None:
        gateway_id = _gateway_of(request)
        if gateway_id is None:
            ips = ", ".join(request.public_ips)
            return _answer(request, Quiet(NOTHING_TO_DO, f"No NAT gateway here has {ips}: nothing to do."))
        request = replace(request, gateway_id=gateway_id)
    # First, so that *Record* finds it, should the execution be stopped from here on.
    Executions(settings.table).begin(event["Execution"], request)
    return _answer(request, _handled_elsewhere(settings.table, request, event["Execution"]))


def _answer(request: Request | None, quiet: Quiet | None = None) -> dict[str, Any]:
    return {"Request": request.to_json() if request else {}, "Quiet": quiet.to_json() if quiet else {}}


def _read(document: object, settings: RequestSettings) -> Request | Ignored:
    if isinstance(document, Mapping) and is_alarm(document):
        return read_alarm(document, settings.alarms)
    request = Request.parse(document, default_limit_seconds=settings.limit_seconds)
    if request.after_drain is AfterDrain.RELEASE and not settings.may_release:
        raise RequestRefused(
            'AfterDrain "release" is switched off in this deployment: nothing of it has the right to give an '
            "allocation back. Leave it out, or deploy with after_drain.release = true in the configuration."
        )
    return request


def _gateway_of(request: Request) -> str | None:
    """Find the one gateway that has the public IPs; None if none has any and a schedule asks."""
    gateways = ec2.find_gateways(request.public_ips)
    found = {ip for ips in gateways.values() for ip in ips}
    missing = [ip for ip in request.public_ips if ip not in found and not request.scheduled]
    problems = [f"PublicIps: no NAT gateway of this account and region has {ip}." for ip in missing]
    if len(gateways) > 1:
        where = ", ".join(f"{ip} on {gateway}" for gateway, ips in gateways.items() for ip in ips)
        problems.append(f"PublicIps are on several gateways ({where}): ask for one gateway at a time.")
    if problems:
        raise RequestRefused(*problems)
    return next(iter(gateways), None)


def _handled_elsewhere(table: Table, request: Request, execution: str) -> Quiet | None:
    """Events come at least once: the first execution of a trigger claims it, and the others end here."""
    if request.trigger is None or request.dry_run:
        return None
    handler_of_it = Triggers(table).claim(request, execution)
    if handler_of_it == execution:
        return None
    by_hand = json.dumps(replace(request, trigger=None).to_json())
    return Quiet(
        IGNORED,
        f"{request.trigger.label[0].upper()}{request.trigger.label[1:]} was taken by {handler_of_it}. "
        f"To ask all the same, start an execution with {by_hand}.",
    )
