"""One look and the decision that follows from it: what *Validate* and *Confirm* share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from natdrain.aws import clock, cloudwatch, ec2, errors, ssm
from natdrain.change.leave.decide import Decision, Known, Refuse, decide
from natdrain.contract import MAX_RETRIES
from natdrain.intake.request import Request
from natdrain.model.gateway import Address, Gateway
from natdrain.model.look import Look
from natdrain.steps.settings import LookSettings
from natdrain.steps.task import Event, drains_of
from natdrain.store.drains import Drains
from natdrain.store.history import History
from natdrain.store.holds import Holds

__all__ = ["look_and_decide"]


def look_and_decide(
    settings: LookSettings, event: Event, request: Request, names: Collection[str]
) -> Decision:
    """Look at the gateway, and at what the guards need to know of the addresses with these names; decide.

    What this look shows that the one before did not is recorded, except in a dry run. Names are association
    ids, allocation ids or public IPs; without any, only the gateway is looked at.

    Raises:
        RequestRefused: what the table remembers cannot be read.
        TransientFailure: AWS could not answer now. At the last attempt, what only the guards need is then
            `Unread`.
    """
    table, gateway_id = settings.table, str(request.gateway_id)
    gateway, now = ec2.describe_gateway(gateway_id), clock.now()
    shown = _named(gateway, names)
    associations = {a.association_id for a in shown if a.association_id} | _with(names, "eipassoc-")
    allocations = {a.allocation_id for a in shown if a.allocation_id} | _with(names, "eipalloc-")
    look = Look(seen_at=now, gateway=gateway)
    if names:
        last = event["RetryCount"] >= MAX_RETRIES
        look = _with_guards_needs(look, settings, request, allocations, asks_load=bool(shown), last=last)
    public_ips = {name for name in names if not name.startswith("eip")}
    memory = Drains(table).recall(gateway_id, associations, allocations | public_ips)
    drains = drains_of(event)
    decision = decide(request, look, Known(drains=drains, policy=settings.policy, remembered=memory.drains))
    if not request.dry_run:
        now_known = () if isinstance(decision, Refuse) else decision.drains
        History(table).note(
            gateway_id,
            memory.seen,
            look,
            {**memory.drains, **{drain.association_id: drain for drain in now_known}},
            request=request,
            execution=event["Execution"],
            first=not drains,
        )
    return decision


def _with_guards_needs(
    look: Look,
    settings: LookSettings,
    request: Request,
    allocations: Collection[str],
    *,
    asks_load: bool,
    last: bool,
) -> Look:
    """Return the look with what the guards need to know beside the gateway."""
    policy, gateway_id, automatic = settings.policy, str(request.gateway_id), request.automatic
    elastic_ips = errors.read(lambda: ec2.describe_elastic_ips(sorted(allocations)), last_attempt=last)
    look = replace(look, elastic_ips=elastic_ips, holds=Holds(settings.table).on(gateway_id))
    if asks_load and policy.asks("ports", "capacity", automatic=automatic):
        load = errors.read(lambda: cloudwatch.read_load(gateway_id, policy, look.seen_at), last_attempt=last)
        look = replace(look, load=load)
    if policy.change_calendars and policy.asks("calendar", automatic=automatic):
        calendar = errors.read(lambda: ssm.read_calendar(policy.change_calendars), last_attempt=last)
        look = replace(look, calendar=calendar)
    return look


def _named(gateway: Gateway | None, names: Collection[str]) -> list[Address]:
    return [
        address
        for address in (gateway.addresses if gateway else ())
        if not {address.association_id, address.allocation_id, address.public_ip}.isdisjoint(names)
    ]


def _with(names: Collection[str], prefix: str) -> set[str]:
    return {name for name in names if name.startswith(prefix)}
