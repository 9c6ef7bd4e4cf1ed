"""One look and the decision that follows from it: what *Validate* and *Confirm* share."""

import functools
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from natdrain.aws import clock, cloudwatch, ec2, errors, ssm
from natdrain.change.leave.decide import Known, decide
from natdrain.change.step import Step
from natdrain.contract import MAX_RETRIES
from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.gateway import Address, Gateway
from natdrain.model.look import Look
from natdrain.model.problem import Guard
from natdrain.model.request import Request
from natdrain.steps.settings import LookSettings
from natdrain.steps.task import Event
from natdrain.store.drains import Drains
from natdrain.store.history import History
from natdrain.store.holds import Holds


def look_and_decide(
    event: Event, request: Request, drains: tuple[Drain, ...], names: Collection[str]
) -> Step:
    """Look at the gateway, and at what the guards need to know of the addresses with these names; decide.

    What this look shows that the previous one did not is recorded, except in a dry run.

    `drains` is empty before the first look. `names` are association ids, allocation ids or public IPs;
    without any, only the gateway is looked at.

    Raises:
        RequestRefused: what the table remembers cannot be read.
        TransientFailure: AWS could not answer now. At the last attempt, what only the guards need is then
            `Unread`.
    """
    settings, gateway_id = LookSettings.from_env(), str(request.gateway_id)
    gateway, now = ec2.describe_gateway(gateway_id), clock.now()
    look = Look(seen_at=now, gateway=gateway)
    shown = _named(gateway, names)
    associations = {a.association_id for a in shown if a.association_id} | _with(names, "eipassoc-")
    allocations = {a.allocation_id for a in shown if a.allocation_id} | _with(names, "eipalloc-")
    if names:
        read = functools.partial(errors.read, last_attempt=event["RetryCount"] >= MAX_RETRIES)
        elastic_ips = read(lambda: ec2.describe_elastic_ips(sorted(allocations)))
        look = replace(look, elastic_ips=elastic_ips, holds=Holds(settings.table).on(gateway_id))
        look = _with_load_and_calendar(look, request, settings.policy, read, load=bool(shown))
    public_ips = {name for name in names if not name.startswith("eip")}
    memory = Drains(settings.table).recall(gateway_id, associations, allocations | public_ips)
    step = decide(request, look, Known(drains=drains, policy=settings.policy, remembered=memory.drains))
    if not request.dry_run:
        known = {**memory.drains, **{drain.association_id: drain for drain in step.drains}}
        History(settings.table).note(
            gateway_id, memory.seen, look, known, execution=event["Execution"], first=not drains
        )
    return step


def _with_load_and_calendar(
    look: Look, request: Request, policy: GuardPolicy, read: Callable[..., Any], *, load: bool
) -> Look:
    gateway_id, asks = str(request.gateway_id), functools.partial(policy.asks, automatic=request.automatic)
    if load and asks(Guard.PORTS, Guard.CAPACITY):
        look = replace(look, load=read(lambda: cloudwatch.read_load(gateway_id, policy, look.seen_at)))
    if policy.change_calendars and asks(Guard.CALENDAR):
        look = replace(look, calendar=read(lambda: ssm.read_calendar(policy.change_calendars)))
    return look


def _named(gateway: Gateway | None, names: Collection[str]) -> list[Address]:
    addresses = gateway.addresses if gateway else ()
    return [a for a in addresses if not {a.association_id, a.allocation_id, a.public_ip}.isdisjoint(names)]


def _with(names: Collection[str], prefix: str) -> set[str]:
    return {name for name in names if name.startswith(prefix)}
