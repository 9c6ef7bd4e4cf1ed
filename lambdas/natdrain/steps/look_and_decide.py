"""One look and the decision that follows from it: what *Validate* and *Confirm* share."""

import functools
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from natdrain.aws import clock, cloudwatch, ec2, errors, quotas, ssm
from natdrain.change.decide import decide
from natdrain.change.known import Known
from natdrain.change.step import Step
from natdrain.contract import MAX_RETRIES
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.gateway import Address, Gateway
from natdrain.model.look import Look, Unread
from natdrain.model.pace import Pace
from natdrain.model.problem import Guard
from natdrain.model.request import Request
from natdrain.steps.settings import LookSettings
from natdrain.steps.task import Event
from natdrain.store.drains import Drains, Memory
from natdrain.store.history import History
from natdrain.store.holds import Holds
from natdrain.store.pace import Paces
from natdrain.store.table import Table


def look_and_decide(event: Event, request: Request, before: Step | None, names: Collection[str]) -> Step:
    """Look at the gateway, and at what the guards need to know of the addresses with these names; decide.

    What this look shows that the previous one did not is recorded, except in a dry run.

    `before` is None at the first look. `names` are association ids, allocation ids or public IPs; without
    any, only the gateway is looked at.

    Raises:
        RequestRefused: what the table remembers cannot be read.
        TransientFailure: AWS could not answer now. At the last attempt, what only the guards need is then
            `Unread`.
    """
    settings, gateway_id = LookSettings.from_env(), str(request.gateway_id)
    gateway, now = ec2.describe_gateway(gateway_id), clock.now()
    drains, joins = (before.drains, before.joins) if before else ((), ())
    shown = _named(gateway, names)
    associations = {a.association_id for a in shown if a.association_id} | _with(names, "eipassoc-")
    allocations = {a.allocation_id for a in shown if a.allocation_id} | _with(names, "eipalloc-")
    public_ips = {name for name in names if not name.startswith("eip")}
    joining = allocations if request.joins else ()
    memory = Drains(settings.table).recall(gateway_id, associations, allocations | public_ips, joining)
    gateway = gateway and gateway.identified(_associations(memory, drains))
    look = Look(seen_at=now, gateway=gateway)
    if names:
        shown = _named(gateway, names)
        # Of a join all of the gateway's: they show its network border group.
        looked_at = gateway.addresses if gateway and request.joins else shown
        allocations |= {address.allocation_id for address in looked_at if address.allocation_id}
        read = functools.partial(errors.read, last_attempt=event["RetryCount"] >= MAX_RETRIES)
        elastic_ips = read(lambda: ec2.describe_elastic_ips(sorted(allocations)))
        look = replace(look, elastic_ips=elastic_ips, holds=Holds(settings.table).on(gateway_id))
        look = _with_circumstances(look, request, settings, read, acts=bool(shown))
    known = Known(
        drains=drains,
        joins=joins,
        remembered=memory.drains,
        intended=memory.joins,
        departed=memory.departed,
        policy=settings.policy,
    )
    step = decide(request, look, known)
    if not request.dry_run:
        History(settings.table).note(
            gateway_id,
            memory.seen,
            look,
            {**memory.drains, **{drain.association_id: drain for drain in step.drains}},
            {**memory.joins, **{join.allocation_id: join for join in step.joins}},
            execution=event["Execution"],
            first=before is None,
        )
    return step


def _associations(memory: Memory, drains: Collection[Drain]) -> dict[str | None, str]:
    """Return the associations by allocation of which an entry may lack its id: what is newest counts."""
    looked_at = memory.seen.looked_at
    known = {names.get("AllocationId"): key for key, names in memory.seen.addresses.items()}
    running = [drain for drain in memory.drains.values() if drain.leaving and not drain.outcome]
    running.sort(key=lambda drain: drain.progress.requested_at or drain.progress.since_at)
    for drain in running:
        since = drain.progress.requested_at or drain.progress.since_at
        if drain.allocation_id not in known or looked_at is None or since >= looked_at:
            known[drain.allocation_id] = drain.association_id
    return known | {drain.allocation_id: drain.association_id for drain in drains if not drain.outcome}


def _with_circumstances(
    look: Look, request: Request, settings: LookSettings, read: Callable[..., Any], *, acts: bool
) -> Look:
    policy = settings.policy
    gateway, asks = look.gateway, functools.partial(policy.asks, automatic=request.automatic)
    if request.joins:
        if gateway and not gateway.regional and asks(Guard.ROOM):
            look = replace(look, quota=read(quotas.read_addresses_quota))
    elif acts:
        if gateway and asks(Guard.PORTS, Guard.CAPACITY):
            look = replace(look, load=read(lambda: cloudwatch.read_load(gateway, policy, look.seen_at)))
        if asks(Guard.PACE):
            look = replace(look, pace=_pace(settings.table))
    if policy.change_calendars and asks(Guard.CALENDAR):
        look = replace(look, calendar=read(lambda: ssm.read_calendar(policy.change_calendars)))
    return look


def _pace(table: Table) -> Pace | Unread:
    """Return the pace; one that somebody has changed is for the guard, which a person can override."""
    try:
        return Paces(table).read()
    except RequestRefused as unreadable:
        return Unread(str(unreadable))


def _named(gateway: Gateway | None, names: Collection[str]) -> list[Address]:
    addresses = gateway.addresses if gateway else ()
    return [a for a in addresses if not {a.association_id, a.allocation_id, a.public_ip}.isdisjoint(names)]


def _with(names: Collection[str], prefix: str) -> set[str]:
    return {name for name in names if name.startswith(prefix)}
