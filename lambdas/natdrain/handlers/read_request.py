"""*Read the request*: turn the execution input, whatever sent it, into one request in order.

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
from natdrain.contract import ALARM_POLICY_ENV, DRAIN_LIMIT_ENV, RELEASE_ENV, TABLE_ENV
from natdrain.intake.alarms import AlarmPolicy, Ignored, is_alarm, read_alarm
from natdrain.intake.request import AfterDrain, Request
from natdrain.model.errors import RequestRefused
from natdrain.steps.task import refusing, setting, task
from natdrain.store import history
from natdrain.store import triggers as claims

__all__ = ["handler"]


@task
@refusing
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Read the input, find the gateway of public IPs, and see that each trigger is handled once."""
    request = _read(event["Input"])
    if isinstance(request, Ignored):
        return _answer(None, Quiet(IGNORED, request.why))
    if request.gateway_id is None:
        gateway_id = _gateway_of(request)
        if gateway_id is None:
            ips = ", ".join(request.public_ips)
            return _answer(request, Quiet(NOTHING_TO_DO, f"No NAT gateway here has {ips}: nothing to do."))
        request = replace(request, gateway_id=gateway_id)
    # First, so that whatever happens from here on can be told and taken back.
    history.begin(setting(TABLE_ENV), event["Execution"], request)
    return _answer(request, _handled_elsewhere(request, event["Execution"]))


def _answer(request: Request | None, quiet: Quiet | None = None) -> dict[str, Any]:
    return {"Request": request.to_json() if request else {}, "Quiet": quiet.to_json() if quiet else {}}


def _read(document: object) -> Request | Ignored:
    if isinstance(document, Mapping) and is_alarm(document):
        return read_alarm(document, AlarmPolicy(**json.loads(setting(ALARM_POLICY_ENV))))
    request = Request.parse(document, default_limit_seconds=int(setting(DRAIN_LIMIT_ENV)))
    if request.after_drain is AfterDrain.RELEASE and setting(RELEASE_ENV) != "true":
        raise RequestRefused(
            'AfterDrain "release" is switched off in this deployment: nothing of it has the right to give an '
            "allocation back. Leave it out, or deploy with after_drain.release = true in the configuration."
        )
    return request


def _gateway_of(request: Request) -> str | None:
    """The one gateway that has the public IPs; None when none has any and a schedule asks."""
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


def _handled_elsewhere(request: Request, execution: str) -> Quiet | None:
    """Events come at least once: the first execution of a trigger claims it, and the others end here."""
    if request.trigger is None or request.dry_run:
        return None
    handler_of_it = claims.claim(setting(TABLE_ENV), request, execution)
    if handler_of_it == execution:
        return None
    by_hand = json.dumps(replace(request, trigger=None).to_json())
    return Quiet(
        IGNORED,
        f"{request.trigger.label[0].upper()}{request.trigger.label[1:]} was taken by {handler_of_it}. "
        f"To ask all the same, start an execution with {by_hand}.",
    )
