"""What one look adds to what is known of one address that is to leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from natdrain.model.drain import AddressOutcome, Drain
from natdrain.model.gateway import AVAILABLE, DRAINING, FAILED, GOING_OR_GONE, Address, Gateway
from natdrain.model.look import Look

__all__ = ["begin", "left_unwatched", "observe", "put_back"]

SETTLE_SECONDS = 60
"""EC2's reads are eventually consistent: for so long an accepted address may still look in service."""

MAX_REFUSALS = 3
"""How often EC2 may refuse for good, although the address is still there, before we believe it."""

_HAD_LEFT = {
    AddressOutcome.DRAINED: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.ALREADY_DRAINED: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.PUT_BACK: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.RELEASE_FAILED: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.RELEASED: AddressOutcome.ALREADY_RELEASED,
}
"""What our own record of an association means for whoever asks again."""


def begin(target: Address, look: Look, remembered: Mapping[str, Drain]) -> Drain:
    """What is known of an address at the first look; a drain that we or somebody else began is adopted."""
    drain = Drain(
        association_id=str(target.association_id),
        allocation_id=target.allocation_id,
        public_ip=target.public_ip,
        private_ip=target.private_ip,
        zone=target.zone,
        since_at=look.seen_at,
    )
    if target.status == DRAINING:
        drain = replace(drain, adopted=True)
    ours = remembered.get(drain.association_id)
    if ours is None or ours.outcome:
        return drain
    if ours.requested_at is None:
        # It was to be asked for; if it drains, the answer got lost.
        return replace(drain, asked_by=ours.asked_by) if drain.adopted else drain
    settling = look.seen_at - ours.requested_at < timedelta(seconds=SETTLE_SECONDS)
    if target.status != DRAINING and not settling:
        return drain
    return replace(
        drain,
        adopted=True,
        asked_by=ours.asked_by,
        requested_at=ours.requested_at,
        limit_seconds=ours.limit_seconds,
    )


def left_unwatched(before: Drain, look: Look, gateway: Gateway) -> Drain:
    """What is known of an association that we remember, and that is not on its gateway any more."""
    after = _left(replace(before, adopted=True, left_before=False, detail=None), look, gateway)
    if before.outcome not in _HAD_LEFT:
        return after
    return replace(
        before.unreleased(),
        outcome=after.outcome if after.outcome is AddressOutcome.PUT_BACK else _HAD_LEFT[before.outcome],
        detail=after.detail,
        left_before=True,
    )


def observe(drain: Drain, look: Look) -> Drain:
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
    return put_back(drain, gateway) or replace(drain, outcome=AddressOutcome.DRAINED)


def put_back(drain: Drain, gateway: Gateway) -> Drain | None:
    """What is known of an address that has left, if its allocation is on the gateway again; else None."""
    again = next((a for a in gateway.addresses if a.allocation_id == drain.allocation_id), None)
    if again is None:
        return None
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
