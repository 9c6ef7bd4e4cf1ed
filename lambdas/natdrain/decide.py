"""The one decision: given the request, one look and what is known so far, what to do next.

Whatever EC2 answers to a call, the remedy is to look again and decide anew. A drain that is
already running, an address that left early, a restart, a gateway deleted meanwhile are therefore
no special cases of the workflow: they are rows in the tests of `decide`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from natdrain.drains import AddressOutcome, Drain
from natdrain.gateways import AVAILABLE, DRAINING, FAILED, GOING_OR_GONE, Address, Gateway, Look
from natdrain.guards import refusals
from natdrain.requests import Request

__all__ = [
    "Decision",
    "Disassociate",
    "Finished",
    "Known",
    "Refuse",
    "Wait",
    "accepted",
    "decide",
    "recovered",
    "refused",
]

SETTLE_SECONDS = 60
"""EC2's reads are eventually consistent: for so long an accepted address may still look in service."""

MAX_REFUSALS = 3
"""How often EC2 may refuse for good, although the address is still there, before we believe it."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request cannot be carried out; nothing was changed."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disassociate:
    """Ask EC2 now to let these associations go."""

    drains: tuple[Drain, ...]
    association_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until`."""

    drains: tuple[Drain, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """Every address has its outcome."""

    drains: tuple[Drain, ...]


Decision = Refuse | Disassociate | Wait | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known before a look.

    `drains` is empty before the first look. `remembered` holds, by association id, what our own
    table remembers of earlier executions: drains still running, and addresses that have left.
    """

    drains: tuple[Drain, ...] = ()
    remembered: Mapping[str, Drain] = field(default_factory=dict)


def decide(request: Request, look: Look, known: Known) -> Decision:
    """Decide what to do next.

    At the first look the named addresses are found and every guard is asked. Later looks go on
    from what is known. A primary address is never among those to disassociate. What a schedule
    names and is not on the gateway has left before, and is no problem.
    """
    if known.drains:
        return _go_on(look, known.drains)
    gateway = look.gateway
    if gateway is None:
        return Refuse(
            (f"There is no NAT gateway {request.gateway_id} here: check the id, the account and the region.",)
        )
    targets, left, problems = _find(request, look, gateway, known.remembered)
    if request.scheduled and gateway.state == AVAILABLE and not (targets or left or problems):
        return Finished(())
    problems += refusals(look, gateway, targets) if targets or not left else []
    if problems:
        return Refuse(tuple(problems))
    drains = [_begin(target, look, known.remembered) for target in targets]
    return _go_on(look, (*drains, *left))


def accepted(drains: Sequence[Drain], ids: Sequence[str], *, at: datetime, limit_seconds: int) -> Wait:
    """EC2 has accepted the request for `ids`: what is known now, and when to look."""
    known = [
        replace(drain, requested_at=at, limit_seconds=limit_seconds, refusal=None)
        if drain.association_id in ids
        else drain
        for drain in drains
    ]
    return _wait(known, at)


def recovered(drains: Sequence[Drain], ids: Sequence[str], remembered: Mapping[str, Drain]) -> Wait | None:
    """What EC2 accepted for `ids` in an earlier attempt of this step whose answer got lost; else None."""
    since = {drain.association_id: drain.since_at for drain in drains}
    for before in (remembered[association_id] for association_id in ids if association_id in remembered):
        # Only what this execution asked: another one's drains were first seen at another time.
        ours = before.since_at == since[before.association_id]
        if ours and before.requested_at and before.limit_seconds:
            return accepted(drains, ids, at=before.requested_at, limit_seconds=before.limit_seconds)
    return None


def refused(
    drains: Sequence[Drain],
    ids: Sequence[str],
    *,
    at: datetime,
    refusal: str,
    busy: bool = False,
    denied: bool = False,
) -> Wait:
    """EC2 has answered the request for `ids` with `refusal`: look again, then judge by what is there.

    `busy` tells that waiting mends it, `denied` that a permission is missing.
    """
    known = [
        replace(drain, refusal=refusal, refusals=drain.refusals + (not busy), denied=denied)
        if drain.association_id in ids
        else drain
        for drain in drains
    ]
    return _wait(known, at)


def _find(
    request: Request, look: Look, gateway: Gateway, remembered: Mapping[str, Drain]
) -> tuple[list[Address], list[Drain], list[str]]:
    """The addresses that the request names, those that have left by our own record, and problems."""
    ways: dict[str, set[str]] = {}
    left: dict[str, Drain] = {}
    problems: list[str] = []
    for field_name, attribute, names in (
        ("AssociationIds", "association_id", request.association_ids),
        ("AllocationIds", "allocation_id", request.allocation_ids),
        ("PublicIps", "public_ip", request.public_ips),
    ):
        way = set()
        for name in names:
            here = next((a for a in gateway.addresses if getattr(a, attribute) == name), None)
            before = next((d for d in remembered.values() if getattr(d, attribute) == name), None)
            if here is not None and here.association_id is not None:
                way.add(here.association_id)
            elif here is not None:
                problems.append(
                    f"{name} is {here.status} on {gateway.gateway_id}: ask again when it is in service."
                )
            elif before is not None and gateway.state == AVAILABLE:
                way.add(before.association_id)
                left[before.association_id] = _left_unwatched(before, look, gateway)
            elif not (request.scheduled and gateway.state == AVAILABLE):
                problems.append(f"{name} is not on {gateway.gateway_id}: {_ELSEWHERE}")
        if names:
            ways[field_name] = way
    if problems and gateway.addresses:
        problems[-1] += f" On this gateway: {', '.join(a.label for a in gateway.addresses)}."
    elif len({frozenset(way) for way in ways.values()}) > 1:
        meant = ", ".join(
            f"{name} means {', '.join(sorted(way)) or 'nothing here'}" for name, way in ways.items()
        )
        problems.append(
            f"The request names its addresses in ways that disagree: {meant}. Name them in one way."
        )
    wanted = set().union(*ways.values())
    return [a for a in gateway.addresses if a.association_id in wanted], list(left.values()), problems


_ELSEWHERE = "it may have left, be mistyped or belong to another gateway, which EC2 does not tell apart."


def _left_unwatched(before: Drain, look: Look, gateway: Gateway) -> Drain:
    after = _left(replace(before, adopted=True, detail=None), look, gateway)
    recorded = before.outcome in {AddressOutcome.DRAINED, AddressOutcome.PUT_BACK}
    if recorded and after.outcome is AddressOutcome.DRAINED:
        return replace(before, outcome=AddressOutcome.ALREADY_DRAINED, detail=None)
    return after


def _begin(target: Address, look: Look, remembered: Mapping[str, Drain]) -> Drain:
    drain = Drain(
        association_id=str(target.association_id),
        allocation_id=target.allocation_id,
        public_ip=target.public_ip,
        private_ip=target.private_ip,
        since_at=look.seen_at,
    )
    if target.status == DRAINING:
        drain = replace(drain, adopted=True)
    ours = remembered.get(drain.association_id)
    if ours is None or ours.outcome or ours.requested_at is None:
        return drain
    settling = look.seen_at - ours.requested_at < timedelta(seconds=SETTLE_SECONDS)
    if target.status != DRAINING and not settling:
        return drain
    return replace(drain, adopted=True, requested_at=ours.requested_at, limit_seconds=ours.limit_seconds)


def _go_on(look: Look, before: Sequence[Drain]) -> Decision:
    drains = tuple(_observe(drain, look) for drain in before)
    if all(drain.outcome for drain in drains):
        return Finished(drains)
    gateway = look.gateway
    ready = [drain for drain in drains if drain.outcome is None and drain.requested_at is None]
    if not ready or gateway is None or any(a.in_transition for a in gateway.addresses):
        return _wait(drains, look.seen_at)
    ids = tuple(drain.association_id for drain in ready)
    problems = refusals(look, gateway, [a for a in gateway.addresses if a.association_id in ids])
    if not problems:
        return Disassociate(drains, ids)
    why = " ".join(problems)
    return _go_on(
        look, [replace(d, outcome=AddressOutcome.NOT_ASKED, detail=why) if d in ready else d for d in drains]
    )


def _wait(drains: Sequence[Drain], now: datetime) -> Wait:
    still_open = [drain for drain in drains if drain.outcome is None]
    # Those in service wait for the ones that leave: only these set the pace.
    pace = [drain for drain in still_open if drain.leaving] or still_open
    return Wait(tuple(drains), min(drain.next_look_at(now) for drain in pace))


def _observe(drain: Drain, look: Look) -> Drain:
    """What this look adds to what is known of one address."""
    gateway = look.gateway
    if drain.outcome is not None:
        return drain
    if gateway is None or gateway.state in GOING_OR_GONE:
        state = gateway.state if gateway else "no longer known to EC2"
        return replace(drain, outcome=AddressOutcome.GATEWAY_GONE, detail=f"the gateway is {state}")
    address = gateway.association(drain.association_id)
    if address is None and gateway.state == AVAILABLE:
        return _left(drain, look, gateway)
    if address is not None:
        drain = _still_there(drain, address, look, gateway)
    if drain.outcome is None and look.seen_at >= drain.deadline_at:
        return _overdue(drain)
    return drain


def _left(drain: Drain, look: Look, gateway: Gateway) -> Drain:
    drain = replace(drain, gone_by=look.seen_at, adopted=drain.adopted or drain.requested_at is None)
    again = next((a for a in gateway.addresses if a.allocation_id == drain.allocation_id), None)
    if again is None:
        return replace(drain, outcome=AddressOutcome.DRAINED)
    detail = f"it left, and somebody has put it back as {again.association_id}"
    return replace(drain, outcome=AddressOutcome.PUT_BACK, detail=detail)


def _still_there(drain: Drain, address: Address, look: Look, gateway: Gateway) -> Drain:
    drain = replace(drain, last_seen_at=look.seen_at)
    if address.status == FAILED:
        detail = f"EC2 says: {address.failure_message or 'failed, without a reason'}"
        return replace(drain, outcome=AddressOutcome.FAILED, detail=detail)
    if address.status == DRAINING:
        seen_at = drain.draining_seen_at or look.seen_at
        return replace(drain, draining_seen_at=seen_at, adopted=drain.adopted or drain.requested_at is None)
    if gateway.may_be_primary(address):
        detail = "it is the primary address, which EC2 forbids to disassociate"
        return replace(drain, outcome=AddressOutcome.NOT_ASKED, detail=detail)
    if drain.refusals >= MAX_REFUSALS:
        outcome = AddressOutcome.NOT_ASKED if drain.denied else AddressOutcome.FAILED
        return replace(drain, outcome=outcome, detail=f"EC2 keeps refusing: {drain.refusal}")
    return drain


def _overdue(drain: Drain) -> Drain:
    if drain.leaving:
        since = drain.requested_at or drain.draining_seen_at
        detail = f"still on the gateway, {drain.deadline_at - since} after its drain began" if since else None
        return replace(drain, outcome=AddressOutcome.OVERDUE, detail=detail)
    why = drain.refusal or "other address operations ran on the gateway all the while"
    return replace(drain, outcome=AddressOutcome.BLOCKED, detail=f"EC2 let no request through in time: {why}")
