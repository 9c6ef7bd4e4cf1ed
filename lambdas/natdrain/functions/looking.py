"""One look, with all that is known before it: what *Validate* and *Confirm* decide by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from natdrain import aws, ec2, history, surroundings
from natdrain.decide import Known
from natdrain.functions.task import Event, drains_of, setting
from natdrain.looks import Look
from natdrain.names import GUARD_POLICY_ENV, TABLE_ENV
from natdrain.policy import GuardPolicy
from natdrain.requests import Request

__all__ = ["look_and_recall"]


def look_and_recall(event: Event, request: Request, names: Collection[str]) -> tuple[Look, Known]:
    """Look at the gateway, and at whatever the guards want to know of the addresses with these names.

    Names are association ids, allocation ids or public IPs; without any the gateway is all there is to see.

    Raises:
        RequestRefused: what the table remembers cannot be read.
        TransientFailure: AWS may answer another time. At the last attempt, what only the guards want to know
            is then `Unread`.
    """
    table, gateway_id = setting(TABLE_ENV), str(request.gateway_id)
    policy = GuardPolicy.from_text(setting(GUARD_POLICY_ENV))
    gateway, now = ec2.describe_gateway(gateway_id), ec2.now()
    known = Known(drains=drains_of(event), policy=policy)
    if not names:
        return Look(seen_at=now, gateway=gateway), known

    last: bool = event["LastAttempt"]
    named = [
        address
        for address in (gateway.addresses if gateway else ())
        if not {address.association_id, address.allocation_id, address.public_ip}.isdisjoint(names)
    ]
    associations = {a.association_id for a in named if a.association_id} | _with(names, "eipassoc-")
    allocations = {a.allocation_id for a in named if a.allocation_id} | _with(names, "eipalloc-")
    asks_load = named and policy.asks("ports", "capacity", automatic=request.automatic)
    asks_calendar = policy.change_calendars and policy.asks("calendar", automatic=request.automatic)
    look = Look(
        seen_at=now,
        gateway=gateway,
        elastic_ips=aws.read(lambda: ec2.describe_elastic_ips(sorted(allocations)), last_attempt=last),
        holds=history.holds(table, gateway_id),
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
    public_ips = {name for name in names if not name.startswith("eip")}
    remembered = history.recall(table, gateway_id, associations, allocations | public_ips)
    return look, replace(known, remembered=remembered)


def _with(names: Collection[str], prefix: str) -> set[str]:
    return {name for name in names if name.startswith(prefix)}
