"""The progress of one join: what a look adds to what is known of an allocation that is to join."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from natdrain.change.join.poll_plan import PATIENCE_IN_NEW_ZONE_SECONDS, PATIENCE_SECONDS, deadline_at
from natdrain.change.waiting import MAX_REFUSALS, SETTLE
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
from natdrain.model.join import NO_ASSOCIATION, Join, JoinProgress
from natdrain.model.look import Look, Unread
from natdrain.model.outcome import AddressOutcome
from natdrain.report import details

_RESUMED = (
    *("asked_by", "asked_reason", "asked_trigger", "asked_at", "pending", "requested_at", "answered_at"),
    *("seen_before", "patience_seconds"),
)
_ORDER = (IN_SERVICE, *sorted(ASSOCIATING), FAILED, *sorted(LEAVING))
"""Statuses of several entries of one allocation: which of them tells most; an unknown one tells least."""
_LONGEST_CALL = timedelta(seconds=45)
"""From the moment that an intent is recorded, EC2 is asked within one run of a function."""


def begin(allocation_id: str, zone: str | None, look: Look, gateway: Gateway, before: Join | None) -> Join:
    """Return the join of an allocation at the first look; one that is going on already is adopted.

    `before` is what our own table has of an earlier request for it whose end no look has shown.
    """
    join = Join(
        allocation_id=allocation_id,
        zone=zone,
        progress=JoinProgress(since_at=look.seen_at, patience_seconds=_patience(gateway, zone)),
    )
    if before is not None and (found := _resumed(join, before, look, gateway)):
        return found
    return _found(join, gateway)


def _found(join: Join, gateway: Gateway) -> Join:
    """Return a join that natdrain has not asked for: it has ended, or is adopted, if it is there already."""
    entries = gateway.with_allocation(join.allocation_id)
    entry = min(entries, key=_rank, default=None)
    if entry is not None and entry.status == IN_SERVICE:
        return _identified(join, entry).ended(AddressOutcome.ALREADY_JOINED)
    if entry is not None and entry.status in ASSOCIATING:
        return join.noted(adopted=True, seen_before=_names(one for one in entries if one != entry))
    # EC2's list of EIPs may show these for a while after they have left.
    return join.noted(seen_before=tuple(dict.fromkeys([*join.progress.seen_before, *_names(entries)])))


def _resumed(join: Join, before: Join, look: Look, gateway: Gateway) -> Join | None:
    """Return the join that an earlier request began, if EC2 may still be working on it, or lists it.

    Without an association id, what the gateway lists long after that request may be another's.
    """
    asked = before.progress
    if not before.unfinished or asked.asked_at is None:
        return None
    patience = timedelta(seconds=asked.patience_seconds or PATIENCE_SECONDS) + SETTLE + _LONGEST_CALL
    if before.association_id is None and look.seen_at - asked.asked_at > patience:
        return None
    join = replace(join, association_id=before.association_id)
    join = join.noted(adopted=True, **{name: getattr(asked, name) for name in _RESUMED})
    entry = entry_of(join, gateway)
    if entry is not None and entry.status == IN_SERVICE:
        there = _identified(join, entry).noted(in_service_at=look.seen_at, last_seen_at=look.seen_at)
        return there.ended(AddressOutcome.ALREADY_JOINED)
    return join if entry is not None or look.seen_at - asked.asked_at < SETTLE + _LONGEST_CALL else None


def _patience(gateway: Gateway, zone: str | None) -> int:
    if not gateway.regional:
        return PATIENCE_SECONDS
    there = [a for a in gateway.addresses if a.status == IN_SERVICE and zone in {a.zone, a.zone_name}]
    return PATIENCE_SECONDS if there else PATIENCE_IN_NEW_ZONE_SECONDS


def _names(entries: Iterable[Address]) -> tuple[str, ...]:
    return tuple(entry.association_id or NO_ASSOCIATION for entry in entries)


def entry_of(join: Join, gateway: Gateway) -> Address | None:
    """Return the entry that this join, or what it adopts, has on the gateway, or None.

    Once its association id is known, an entry by another id is another's. Before, so is one by an id that was
    there before. Nothing documents that an entry shows its id at once: without one only a status that it did
    not have before tells.
    """
    known, ours = join.progress.seen_before, join.association_id
    entries = [
        entry
        for entry in gateway.with_allocation(join.allocation_id)
        if (entry.association_id is None and entry.status in {IN_SERVICE, *ASSOCIATING})
        or (
            (entry.association_id in {ours, None} if ours else True)
            and (entry.association_id or NO_ASSOCIATION) not in known
        )
    ]
    return min(entries, key=_rank, default=None)


def _rank(entry: Address) -> int:
    return _ORDER.index(entry.status) if entry.status in _ORDER else len(_ORDER)


def observe(join: Join, look: Look) -> Join:
    """Return the join with what this look adds."""
    gateway = look.gateway
    join = _named(join, look)
    if join.outcome in {None, AddressOutcome.JOINED}:
        return _judged(join, look, gateway)
    return join


def _judged(join: Join, look: Look, gateway: Gateway | None) -> Join:
    if gateway is None or gateway.state in GOING_OR_GONE:
        gone = details.GATEWAY_GONE.with_(state=gateway.state if gateway else details.UNKNOWN_TO_EC2)
        if join.accepted or join.progress.pending:
            return join.ended(AddressOutcome.GATEWAY_GONE, gone)
        # Nothing was asked: the guards refuse to.
        return join if gateway else join.ended(AddressOutcome.NOT_ASKED, gone)
    if join.to_ask and not join.progress.adopted:
        join = _found(join, gateway)
        if not join.progress.adopted:
            return join if join.outcome else _unasked(join, look)
    entry = entry_of(join, gateway)
    if entry is None:
        return _absent(join, look) if gateway.state == AVAILABLE else _unseen(join, gateway, look)
    return _listed(join, entry, look)


def _named(join: Join, look: Look) -> Join:
    eips = look.elastic_ips
    if join.public_ip or isinstance(eips, Unread) or join.allocation_id not in eips:
        return join
    return replace(join, public_ip=eips[join.allocation_id].public_ip)


def _identified(join: Join, entry: Address) -> Join:
    return replace(
        join,
        association_id=entry.association_id or join.association_id,
        public_ip=entry.public_ip or join.public_ip,
        private_ip=entry.private_ip or join.private_ip,
    )


def _listed(join: Join, entry: Address, look: Look) -> Join:
    now, progress = look.seen_at, join.progress
    # If the answer got lost, EC2 has accepted it.
    requested_at = progress.requested_at or (progress.asked_at if progress.pending else None)
    seen_at = progress.seen_at or now
    join = _identified(join, entry).noted(
        requested_at=requested_at,
        adopted=progress.adopted or requested_at is None,
        pending=False,
        refusal=None,
        seen_at=seen_at,
        last_seen_at=now,
        absent_at=None,
    )
    if entry.status == IN_SERVICE:
        return join.ended(AddressOutcome.JOINED).noted(in_service_at=progress.in_service_at or now)
    if entry.status == FAILED:
        return _failed(join, entry, look)
    if entry.status in LEAVING and progress.failed_at:
        return _unless_stuck(join, now)
    if entry.status in LEAVING:
        return join.ended(AddressOutcome.TAKEN_AWAY, details.TAKEN_AWAY, listed=True)
    if progress.in_service_at is None and now >= deadline_at(join):
        still = details.STILL_JOINING.with_(status=entry.status)
        return join.ended(AddressOutcome.JOIN_OVERDUE, still, listed=True)
    return join


def _failed(join: Join, entry: Address, look: Look) -> Join:
    now, progress = look.seen_at, join.progress
    why = details.EC2_FAILED.with_(message=entry.failure_message or details.FAILED_WITHOUT_REASON)
    if progress.in_service_at:
        return join.ended(AddressOutcome.JOIN_FAILED, details.FAILED_IN_SERVICE.with_(why=why), listed=True)
    join = replace(join, detail=why).noted(failed_at=progress.failed_at or now)
    return _unless_stuck(join, now)


def _unless_stuck(join: Join, now: datetime) -> Join:
    """Return the join of an entry that has failed; ended, if EC2 has listed it for too long."""
    progress = join.progress
    began = progress.removal_at or progress.failed_at
    if began is None or now < max(deadline_at(join), began + SETTLE):
        return join
    if progress.removal_refusal and progress.removal_at is None:
        why = details.NOT_TAKEN_OFF.with_(why=join.detail, refusal=progress.removal_refusal)
    else:
        why = details.STILL_LISTED.with_(why=join.detail)
    return join.ended(AddressOutcome.JOIN_FAILED, why, listed=True)


def _absent(join: Join, look: Look) -> Join:
    """Return the join of an entry that is not listed.

    It takes two looks to believe that it has gone, and time for EC2's reads to settle since the last that
    showed it.
    """
    now, progress = look.seen_at, join.progress
    if progress.pending and progress.asked_at and now - progress.asked_at < SETTLE + _LONGEST_CALL:
        return join
    if progress.seen_at is None and progress.requested_at is None:
        # EC2 was not asked after all, or refused.
        return _unasked(join.noted(pending=False, adopted=False), look)
    if progress.seen_at is None:
        return join.ended(AddressOutcome.UNKNOWN, details.NEVER_LISTED) if now >= deadline_at(join) else join
    settled = max(filter(None, [progress.last_seen_at, progress.removal_at])) + SETTLE
    if progress.absent_at is None or now < settled:
        return join.noted(absent_at=progress.absent_at or now)
    if progress.failed_at is not None:
        return join.ended(AddressOutcome.JOIN_FAILED, details.TAKEN_OFF_AGAIN.with_(why=join.detail))
    return join.ended(AddressOutcome.TAKEN_AWAY, details.TAKEN_AWAY)


def _unseen(join: Join, gateway: Gateway, look: Look) -> Join:
    """Return the join of an entry of which a gateway that is not available proves nothing."""
    if look.seen_at < deadline_at(join):
        return join
    if join.outcome is not None:
        # It was in service at the last look that shows something.
        return join.noted(absent_at=None)
    return join.ended(AddressOutcome.UNKNOWN, details.UNSEEN.with_(state=gateway.state))


def _unasked(join: Join, look: Look) -> Join:
    progress = join.progress
    if progress.refusals >= MAX_REFUSALS:
        outcome = AddressOutcome.NOT_ASKED if progress.denied else AddressOutcome.JOIN_FAILED
        return join.ended(outcome, details.KEEPS_REFUSING.with_(refusal=progress.refusal))
    if look.seen_at >= deadline_at(join):
        why = progress.refusal or details.ALWAYS_BUSY
        return join.ended(AddressOutcome.BLOCKED, details.BLOCKED.with_(why=why))
    return join
