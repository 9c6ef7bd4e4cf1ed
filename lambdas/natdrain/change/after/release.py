"""`AfterDrain: "release"`: the allocation is released to AWS, once its address has left.

A released allocation is lost for good, so it takes more than one look: the address was absent from its
available gateway twice, the allocation is free by DescribeAddresses too, which lags, and nothing forbids it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from natdrain.change.after.keep import Judge, Keep
from natdrain.change.leave.progress import put_back
from natdrain.change.step import Finish, Reason, Release, Step, Wait
from natdrain.model.drain import Drain
from natdrain.model.gateway import AVAILABLE, GOING_OR_GONE, LEAVING, Address, Gateway
from natdrain.model.look import ElasticIp, Look, Unread
from natdrain.model.outcome import AddressOutcome
from natdrain.model.request import AfterDrain
from natdrain.report import details

RELEASABLE = frozenset({AddressOutcome.DRAINED, AddressOutcome.ALREADY_DRAINED})
"""The outcomes of addresses whose allocations may be released."""

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


class ReleaseToAws(Keep):
    """The allocations of all addresses are released together, or none is."""

    releases = True
    done_before = frozenset({AddressOutcome.ALREADY_RELEASED})

    def to_release(self, some: Sequence[Address | Drain]) -> dict[str, str | None]:
        """Return the allocations that are still there, with their public IPs."""
        gone = [d for d in some if isinstance(d, Drain) and d.outcome is AddressOutcome.ALREADY_RELEASED]
        return {one.allocation_id: one.public_ip for one in some if one.allocation_id and one not in gone}

    def not_released(self, drains: Sequence[Drain]) -> list[str]:
        """Return the allocations whose addresses have left."""
        return [d.allocation_id for d in drains if d.outcome in RELEASABLE and d.allocation_id]

    def watch(self, drains: Sequence[Drain], look: Look) -> Sequence[Drain]:
        """Return an address that is on its gateway after all as one that has not left: all begins anew."""
        gateway = look.gateway
        watched = [_watch(drain, gateway) if gateway else drain for drain in drains]
        anew = any(d.outcome is None and before.outcome for d, before in zip(watched, drains, strict=True))
        return [drain.unreleased() for drain in watched] if anew else watched

    def decide(self, drains: Sequence[Drain], look: Look, judge: Judge) -> Step:
        """Wait until two looks confirm that the addresses have left, then ask the guards, then release."""
        drains = [_confirm(drain, look) for drain in drains]
        if any(drain.outcome not in GOES_ON for drain in drains):
            return Finish(drains=tuple(drains), reason=Reason.ALLOCATION_KEPT)
        ready = _ready(drains)
        if look.gateway is None or not ready:
            return answered(drains, at=look.seen_at)
        judgement = judge(look.gateway, releasing=self.to_release(ready))
        for drain in ready:
            # What a guard finds about another allocation does not keep this one.
            about_it = {drain.allocation_id, look.gateway.gateway_id, None}
            if refusals := [one for one in judgement.refusals if one.subject in about_it]:
                drains[drains.index(drain)] = kept(drain, " ".join(map(str, refusals)))
        if still_ready := _ready(drains):
            ids, reason = tuple(self.to_release(still_ready)), Reason.ALLOCATION_CONFIRMED
            return Release(
                drains=tuple(drains), allocation_ids=ids, warnings=judgement.warnings, reason=reason
            )
        return Finish(drains=tuple(drains), warnings=judgement.warnings, reason=Reason.ALLOCATION_KEPT)

    def to_prove(self, drains: Sequence[Drain]) -> Step:
        """Release every allocation, which a dry run only proves to be permitted."""
        ids = tuple(self.to_release(drains))
        return Release(drains=tuple(drains), allocation_ids=ids, reason=Reason.PERMISSION_TO_PROVE)


def _watch(drain: Drain, gateway: Gateway) -> Drain:
    if drain.outcome not in GOES_ON or drain.outcome is AddressOutcome.RELEASED:
        return drain
    entry = gateway.association(drain.association_id)
    entry = entry or next(iter(gateway.with_allocation(drain.allocation_id)), None)
    if entry is None:
        return drain
    unnamed = entry.association_id is None and entry.status in LEAVING
    if entry.association_id == drain.association_id or unnamed:
        return replace(drain, outcome=None, detail=None).noted(left_before=False, gone_by=None)
    # Whatever becomes of it there: somebody else has used the allocation since.
    return put_back(drain, entry)


def _confirm(drain: Drain, look: Look) -> Drain:
    """Return the drain with what this look adds about the address that has left."""
    gateway = look.gateway
    if drain.outcome not in RELEASABLE:
        return drain
    if gateway is None or gateway.state in GOING_OR_GONE:
        return kept(drain, details.GATEWAY_DELETED)
    absent_at = drain.release.absent_at or look.seen_at
    drain = replace(drain, release=replace(drain.release, absent_at=absent_at, confirmed_at=None))
    waited = look.seen_at - absent_at
    if gateway.state != AVAILABLE and waited >= _PATIENCE:
        return kept(drain, details.GATEWAY_UNAVAILABLE.with_(state=gateway.state))
    if gateway.state != AVAILABLE or waited < _SECOND_LOOK_AFTER:
        return drain
    return _confirm_free(drain, look, late=waited >= _PATIENCE)


def _confirm_free(drain: Drain, look: Look, *, late: bool) -> Drain:
    """Return what becomes of the allocation, as DescribeAddresses shows it; its address was absent twice."""
    eips = look.elastic_ips
    if isinstance(eips, Unread):
        return kept(drain, details.ALLOCATION_UNREAD.with_(why=eips.why))
    if drain.allocation_id is None:
        return kept(drain, details.ALLOCATION_NOT_RECORDED)
    eip = eips.get(drain.allocation_id)
    if eip is None:
        return _missing(drain, look)
    if why := _reason_to_keep(drain, eip, late=late):
        return kept(drain, why)
    confirmed_at = None if eip.association_id else look.seen_at
    return replace(drain, release=replace(drain.release, missing_at=None, confirmed_at=confirmed_at))


def _reason_to_keep(drain: Drain, eip: ElasticIp, *, late: bool) -> str | None:
    release = drain.release
    if release.final:
        return details.EC2_ANSWERS.with_(refusal=release.refusal)
    if late and release.refusal:
        return details.REFUSED_TO_THE_END.with_(refusal=release.refusal)
    if late and eip.association_id:
        return details.ASSOCIATED.with_(association=eip.association_id)
    return None


def _missing(drain: Drain, look: Look) -> Drain:
    """Return the drain of an allocation that EC2 does not know, which takes two looks to be believed."""
    if drain.release.missing_at is None:
        return replace(drain, release=replace(drain.release, missing_at=look.seen_at))
    unknown = details.UNKNOWN_ALLOCATION.with_(allocation=drain.allocation_id)
    return drain.ended(AddressOutcome.RELEASED, unknown)


def _ready(drains: Sequence[Drain]) -> list[Drain]:
    """Return the drains whose allocations can be released now: all that are left, or none."""
    left = [drain for drain in drains if drain.outcome in RELEASABLE]
    return left if all(drain.release.confirmed_at for drain in left) else []


def answered(drains: Sequence[Drain], *, at: datetime) -> Step:
    """Wait for the allocations that are not released yet, or finish."""
    if still_open := [drain for drain in drains if drain.outcome in RELEASABLE]:
        until = min(_next_look_at(drain, at) for drain in still_open)
        return Wait(drains=tuple(drains), until=until, reason=Reason.ALLOCATION_UNCONFIRMED)
    return Finish(drains=tuple(drains), reason=Reason.ALL_ENDED)


def _next_look_at(drain: Drain, now: datetime) -> datetime:
    since = drain.release.absent_at or now
    # Half a second: a look that came a little early must not be planned again at once.
    waited = (now - since).total_seconds() + 0.5
    return since + timedelta(seconds=next((one for one in _LOOKS_SECONDS if one > waited), waited + 30))


def is_stale(drain: Drain, now: datetime) -> bool:
    """Return True if the look that confirmed the drain is too old to act on: the step is late, or a retry."""
    return drain.release.confirmed_at is None or now - drain.release.confirmed_at > _FRESH


def released(drain: Drain) -> Drain:
    """Record that EC2 has released the allocation."""
    return replace(drain, outcome=AddressOutcome.RELEASED, release=replace(drain.release, refusal=None))


def refused(drain: Drain, refusal: str, *, final: bool) -> Drain:
    """Record that EC2 has not released the allocation; the next look judges what that means.

    `final` says that waiting does not fix it; if an earlier request was granted, and only its answer got
    lost, the next look shows that.
    """
    return replace(drain, release=replace(drain.release, confirmed_at=None, refusal=refusal, final=final))


def kept(drain: Drain, why: str) -> Drain:
    """Record that the allocation is not released, and not tried again."""
    return drain.ended(AddressOutcome.RELEASE_FAILED, details.KEPT.with_(why=why))


_STRATEGIES = {AfterDrain.KEEP: Keep(), AfterDrain.RELEASE: ReleaseToAws()}


def strategy_of(after_drain: AfterDrain) -> Keep:
    """Return the strategy of a request, which decides all that depends on its `AfterDrain`."""
    return _STRATEGIES[after_drain]
