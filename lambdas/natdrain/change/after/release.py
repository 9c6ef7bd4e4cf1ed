"""What becomes of allocations that are to be given back, once their addresses have left.

An allocation that is given back is lost for good, so it takes more than one look: the address was absent
from its available gateway twice, the allocation is free by DescribeAddresses too, which lags, and nothing
forbids it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from natdrain.change.leave.progress import put_back
from natdrain.model.drain import AddressOutcome, Drain
from natdrain.model.gateway import AVAILABLE, GOING_OR_GONE, Gateway
from natdrain.model.look import ElasticIp, Look, Unread

__all__ = [
    "GOES_ON",
    "RELEASABLE",
    "confirm",
    "is_stale",
    "kept",
    "next_look_at",
    "ready",
    "refused",
    "released",
    "watch",
]

RELEASABLE = frozenset({AddressOutcome.DRAINED, AddressOutcome.ALREADY_DRAINED})
"""The outcomes of addresses whose allocations may be given back."""

GOES_ON = RELEASABLE | {
    AddressOutcome.RELEASED,
    AddressOutcome.RELEASE_FAILED,
    AddressOutcome.ALREADY_RELEASED,
}
"""With any other outcome in a request, every allocation of it is kept: something is not as it should be."""

# DescribeAddresses was seen 15 to 30 s behind DescribeNatGateways; instants are kept to the second.
_LOOKS_SECONDS = (31, 60, 120, 240, 300)
_SECOND_LOOK_AFTER = timedelta(seconds=_LOOKS_SECONDS[0])
# How long an allocation may still look, or be, in use before we keep it.
_PATIENCE = timedelta(seconds=_LOOKS_SECONDS[-1])
_FRESH = timedelta(seconds=30)


def watch(drains: Sequence[Drain], look: Look) -> list[Drain]:
    """What has left must stay away: what is on its gateway after all has not left, and all begins anew."""
    gateway = look.gateway
    watched = [_watch(drain, gateway) if gateway else drain for drain in drains]
    if any(drain.outcome is None and before.outcome for drain, before in zip(watched, drains, strict=True)):
        return [drain.unreleased() for drain in watched]
    return watched


def _watch(drain: Drain, gateway: Gateway) -> Drain:
    if drain.outcome not in GOES_ON or drain.outcome is AddressOutcome.RELEASED:
        return drain
    if gateway.association(drain.association_id):
        return replace(drain, outcome=None, detail=None, left_before=False, gone_by=None)
    return put_back(drain, gateway) or drain


def confirm(drain: Drain, look: Look) -> Drain:
    """What this look adds to what is known of an address that has left and is to be released."""
    gateway = look.gateway
    if drain.outcome not in RELEASABLE:
        return drain
    if gateway is None or gateway.state in GOING_OR_GONE:
        return kept(
            drain, "the gateway has gone, so that no second look can confirm that the address has left"
        )
    drain = replace(drain, absent_at=drain.absent_at or look.seen_at, confirmed_at=None)
    waited = look.seen_at - (drain.absent_at or look.seen_at)
    if gateway.state != AVAILABLE and waited >= _PATIENCE:
        return kept(drain, f"the gateway is {gateway.state}, so that no second look can confirm anything")
    if gateway.state != AVAILABLE or waited < _SECOND_LOOK_AFTER:
        return drain
    return _judged(drain, look, late=waited >= _PATIENCE)


def _judged(drain: Drain, look: Look, *, late: bool) -> Drain:
    """The address was absent twice: what becomes of the allocation as DescribeAddresses shows it."""
    eips = look.elastic_ips
    if isinstance(eips, Unread):
        return kept(drain, f"it could not be looked at ({eips.why})")
    if drain.allocation_id is None:
        return kept(drain, "our record does not tell which it is")
    eip = eips.get(drain.allocation_id)
    if eip is None:
        return _missing(drain, look)
    if why := _in_vain(drain, eip, late=late):
        return kept(drain, why)
    return replace(drain, missing_at=None, confirmed_at=None if eip.association_id else look.seen_at)


def _in_vain(drain: Drain, eip: ElasticIp, *, late: bool) -> str | None:
    """Why it is no use to go on trying, if that is so."""
    if drain.release_final:
        return f"EC2 answers {drain.release_refusal}"
    if late and drain.release_refusal:
        return f"it was refused to the last ({drain.release_refusal})"
    return f"EC2 shows it associated as {eip.association_id}" if late and eip.association_id else None


def _missing(drain: Drain, look: Look) -> Drain:
    """EC2 does not know the allocation, which takes two looks to be believed."""
    if drain.missing_at is None:
        return replace(drain, missing_at=look.seen_at)
    detail = f"EC2 knows its allocation {drain.allocation_id} no longer"
    return replace(drain, outcome=AddressOutcome.RELEASED, detail=detail)


def ready(drains: Sequence[Drain]) -> list[Drain]:
    """The drains whose allocations can be given back now: all that are left to give back, or none."""
    left = [drain for drain in drains if drain.outcome in RELEASABLE]
    return left if all(drain.confirmed_at for drain in left) else []


def next_look_at(drain: Drain, now: datetime) -> datetime:
    """When to look again at an allocation that is not given back yet."""
    since = drain.absent_at or now
    # Half a second: a look that came a little early must not be planned again at once.
    waited = (now - since).total_seconds() + 0.5
    return since + timedelta(seconds=next((one for one in _LOOKS_SECONDS if one > waited), waited + 30))


def is_stale(drain: Drain, now: datetime) -> bool:
    """The look that confirmed the drain is too old to act on: the step was tried again, or came late."""
    return drain.confirmed_at is None or now - drain.confirmed_at > _FRESH


def released(drain: Drain) -> Drain:
    """EC2 has taken the allocation back."""
    return replace(drain, outcome=AddressOutcome.RELEASED, release_refusal=None)


def refused(drain: Drain, refusal: str, *, final: bool) -> Drain:
    """EC2 has not taken the allocation back; the next look judges what that means.

    `final` tells that waiting does not mend it; if an earlier request was granted, and only its answer got
    lost, the next look shows that.
    """
    return replace(drain, confirmed_at=None, release_refusal=refusal, release_final=final)


def kept(drain: Drain, why: str) -> Drain:
    """The allocation is not given back, and not tried again."""
    return replace(drain, outcome=AddressOutcome.RELEASE_FAILED, detail=f"its allocation is kept: {why}")
