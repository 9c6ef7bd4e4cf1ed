"""The progress of one drain: what a look adds to what is known of an address that is to leave."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from natdrain.change.leave.poll_plan import deadline_seconds, next_offset
from natdrain.change.waiting import MAX_REFUSALS, SETTLE
from natdrain.model.drain import Drain, Progress
from natdrain.model.gateway import (
    ASSOCIATING,
    AVAILABLE,
    FAILED,
    GOING_OR_GONE,
    IN_SERVICE,
    LEAVING,
    Address,
    Gateway,
)
from natdrain.model.look import Look
from natdrain.model.outcome import AddressOutcome
from natdrain.report import details

_HAD_LEFT = {
    AddressOutcome.DRAINED: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.ALREADY_DRAINED: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.PUT_BACK: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.RELEASE_FAILED: AddressOutcome.ALREADY_DRAINED,
    AddressOutcome.RELEASED: AddressOutcome.ALREADY_RELEASED,
}
"""The outcome in our own record of an association, and what it means for the next request."""


def begin(target: Address, look: Look, remembered: Mapping[str, Drain]) -> Drain:
    """Return the drain of an address at the first look; one that we or somebody else began is adopted."""
    drain = Drain(
        association_id=str(target.association_id),
        allocation_id=target.allocation_id,
        public_ip=target.public_ip,
        private_ip=target.private_ip,
        zone=target.zone,
        progress=Progress(since_at=look.seen_at, adopted=target.status in LEAVING),
    )
    before = remembered.get(drain.association_id)
    if before is None or before.outcome:
        return drain
    ours = before.progress
    asked = {name: getattr(ours, name) for name in ("asked_by", "asked_reason", "asked_trigger")}
    if ours.requested_at is None:
        # EC2 was to be asked; if the address drains, the answer got lost.
        return drain.noted(**asked) if drain.progress.adopted else drain
    settling = look.seen_at - ours.requested_at < SETTLE
    if target.status not in LEAVING and not settling:
        return drain
    return drain.noted(
        adopted=True,
        requested_at=ours.requested_at,
        answered_at=ours.answered_at,
        limit_seconds=ours.limit_seconds,
        **asked,
    )


def at_stake(drain: Drain, look: Look, gateway: Gateway) -> Drain:
    """Return the drain with the connections that it may cut, as this look shows them, if it is to begin."""
    loads = look.load if isinstance(look.load, Mapping) else {}
    if not drain.to_ask or (load := loads.get(drain.zone)) is None:
        return drain
    serving = [a for a in gateway.addresses if a.status == IN_SERVICE and a.zone == drain.zone]
    return drain.noted(connections=load.connections, addresses=len(serving))


def adopt_left(before: Drain, look: Look, gateway: Gateway) -> Drain:
    """Return the drain of an association that we remember, and that is no longer on its gateway."""
    after = _left(replace(before, detail=None).noted(adopted=True, left_before=False), look, gateway)
    if before.outcome not in _HAD_LEFT:
        return after
    back = after.outcome is AddressOutcome.PUT_BACK
    outcome = AddressOutcome.PUT_BACK if back else _HAD_LEFT[before.outcome]
    return before.unreleased().ended(outcome, after.detail).noted(left_before=True)


def observe(drain: Drain, look: Look) -> Drain:
    """Return the drain with what this look adds."""
    gateway = look.gateway
    if drain.outcome is not None:
        return drain
    if gateway is None or gateway.state in GOING_OR_GONE:
        state = gateway.state if gateway else details.UNKNOWN_TO_EC2
        return drain.ended(AddressOutcome.GATEWAY_GONE, details.GATEWAY_GONE.with_(state=state))
    address = gateway.entry_of(drain.association_id, drain.allocation_id)
    if address is None and gateway.state == AVAILABLE:
        return _left(drain, look, gateway)
    if address is not None:
        drain = _still_there(drain, address, look, gateway)
    if drain.outcome is None and look.seen_at >= deadline_at(drain):
        return _overdue(drain)
    return drain


def _left(drain: Drain, look: Look, gateway: Gateway) -> Drain:
    adopted = drain.progress.adopted or drain.progress.requested_at is None
    drain = drain.noted(gone_by=look.seen_at, adopted=adopted)
    again = next((a for a in gateway.with_allocation(drain.allocation_id) if a.stays), None)
    return put_back(drain, again) if again else replace(drain, outcome=AddressOutcome.DRAINED)


def put_back(drain: Drain, again: Address) -> Drain:
    """Return the drain of an address that left, and whose allocation is on the gateway again."""
    association = again.association_id or again.status
    return drain.ended(AddressOutcome.PUT_BACK, details.PUT_BACK_AS.with_(association=association))


def _still_there(drain: Drain, address: Address, look: Look, gateway: Gateway) -> Drain:
    if address.association_id is None and address.status in ASSOCIATING:
        return drain  # somebody puts it back: the next look shows it
    drain = drain.noted(last_seen_at=look.seen_at)
    progress = drain.progress
    if address.status == FAILED and (why := _why_failed(drain, address, look.seen_at)):
        return drain.ended(AddressOutcome.FAILED, why)
    if address.status in LEAVING:
        seen_at = progress.draining_seen_at or look.seen_at
        adopted = progress.adopted or progress.requested_at is None
        return drain.noted(draining_seen_at=seen_at, adopted=adopted)
    if gateway.may_be_primary(address):
        return drain.ended(AddressOutcome.NOT_ASKED, details.IS_PRIMARY)
    if progress.refusals >= MAX_REFUSALS:
        outcome = AddressOutcome.NOT_ASKED if progress.denied else AddressOutcome.FAILED
        return drain.ended(outcome, details.KEEPS_REFUSING.with_(refusal=progress.refusal))
    return drain


def _why_failed(drain: Drain, address: Address, now: datetime) -> str | None:
    """Return why this drain has failed, or None: the status may be from before, or from a stale read."""
    progress = drain.progress
    accepted = progress.requested_at is not None and now - progress.requested_at >= SETTLE
    if accepted or progress.draining_seen_at is not None:
        return details.EC2_FAILED.with_(message=address.failure_message or details.FAILED_WITHOUT_REASON)
    return details.NO_ASSOCIATION if drain.to_ask and address.association_id is None else None


def _overdue(drain: Drain) -> Drain:
    if since := drain.progress.requested_at or drain.progress.draining_seen_at:
        longest = deadline_at(drain) - since
        return drain.ended(AddressOutcome.OVERDUE, details.OVERDUE.with_(longest=longest))
    why = drain.progress.refusal or details.ALWAYS_BUSY
    return drain.ended(AddressOutcome.BLOCKED, details.BLOCKED.with_(why=why))


def deadline_at(drain: Drain) -> datetime:
    """Return when we stop waiting for the address."""
    return _plan_start(drain) + timedelta(seconds=deadline_seconds(_plan_limit(drain)))


def next_look_at(drain: Drain, now: datetime) -> datetime:
    """Return when the poll plan wants the next look."""
    elapsed = (now - _plan_start(drain)).total_seconds()
    return _plan_start(drain) + timedelta(seconds=next_offset(_plan_limit(drain), elapsed))


def _plan_start(drain: Drain) -> datetime:
    progress = drain.progress
    return progress.requested_at or progress.draining_seen_at or progress.since_at


def _plan_limit(drain: Drain) -> int | None:
    return drain.progress.limit_seconds if drain.progress.requested_at else None
