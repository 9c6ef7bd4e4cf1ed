"""One look, and what is decided by it: what *Validate* and *Confirm* have in common."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from natdrain.aws import clients as aws
from natdrain.aws import ec2, surroundings
from natdrain.change.leave.decide import Decision, Known, Refuse, decide
from natdrain.contract import GUARD_POLICY_ENV, MAX_RETRIES, TABLE_ENV
from natdrain.guards.policy import GuardPolicy
from natdrain.intake.request import Request
from natdrain.model.gateway import Address, Gateway
from natdrain.model.look import Look
from natdrain.steps.task import Event, drains_of, setting
from natdrain.store import history, lock

__all__ = ["look_and_decide"]


def look_and_decide(event: Event, request: Request, names: Collection[str]) -> Decision:
    """Look at the gateway, and at whatever the guards want to know of the addresses with these names; decide.

    What this look shows that the one before did not is recorded, but for a dry run's. Names are association
    ids, allocation ids or public IPs; without any the gateway is all there is to see.

    Raises:
        RequestRefused: what the table remembers cannot be read.
        TransientFailure: AWS may answer another time. At the last attempt, what only the guards want to know
            is then `Unread`.
    """
    table, gateway_id = setting(TABLE_ENV), str(request.gateway_id)
    policy = GuardPolicy.from_text(setting(GUARD_POLICY_ENV))
    gateway, now = ec2.describe_gateway(gateway_id), ec2.now()
    shown = _named(gateway, names)
    associations = {a.association_id for a in shown if a.association_id} | _with(names, "eipassoc-")
    allocations = {a.allocation_id for a in shown if a.allocation_id} | _with(names, "eipalloc-")
    look = Look(seen_at=now, gateway=gateway)
    if names:
        last = event["RetryCount"] >= MAX_RETRIES
        look = _beside(look, request, policy, allocations, asks_load=bool(shown), last=last)
    public_ips = {name for name in names if not name.startswith("eip")}
    memory = lock.recall(table, gateway_id, associations, allocations | public_ips)
    drains = drains_of(event)
    decision = decide(request, look, Known(drains=drains, policy=policy, remembered=memory.drains))
    if not request.dry_run:
        now_known = () if isinstance(decision, Refuse) else decision.drains
        history.note(
            table,
            gateway_id,
            memory.seen,
            look,
            {**memory.drains, **{drain.association_id: drain for drain in now_known}},
            request=request,
            execution=event["Execution"],
            first=not drains,
        )
    return decision


def _beside(
    look: Look,
    request: Request,
    policy: GuardPolicy,
    allocations: Collection[str],
    *,
    asks_load: bool,
    last: bool,
) -> Look:
    """The look with what the guards want to know beside the gateway."""
    table, gateway_id, now = setting(TABLE_ENV), str(request.gateway_id), look.seen_at
    asks_load = asks_load and policy.asks("ports", "capacity", automatic=request.automatic)
    asks_calendar = policy.change_calendars and policy.asks("calendar", automatic=request.automatic)
    return replace(
        look,
        elastic_ips=aws.read(lambda: ec2.describe_elastic_ips(sorted(allocations)), last_attempt=last),
        holds=lock.holds(table, gateway_id),
        load=(
            aws.read(lambda: surroundings.read_load(gateway_id, policy, now), last_attempt=last)
            if asks_load
            else None
        ),
        calendar=(
            aws.read(lambda: surroundings.read_calendar(policy.change_calendars), last_attempt=last)
            if asks_calendar
            else None
        ),
    )


def _named(gateway: Gateway | None, names: Collection[str]) -> list[Address]:
    return [
        address
        for address in (gateway.addresses if gateway else ())
        if not {address.association_id, address.allocation_id, address.public_ip}.isdisjoint(names)
    ]


def _with(names: Collection[str], prefix: str) -> set[str]:
    return {name for name in names if name.startswith(prefix)}
