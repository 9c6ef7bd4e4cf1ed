"""EC2's answers to requests to disassociate: recorded as they came, for the next look to judge."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from natdrain.change.leave.decide import wait_for
from natdrain.change.step import Reason, Wait
from natdrain.model.drain import Drain


def accepted(
    drains: Sequence[Drain],
    ids: Sequence[str],
    *,
    at: datetime,
    answered_at: datetime | None = None,
    limit_seconds: int,
) -> Wait:
    """Record that EC2 accepted the request for `ids`, and when to look."""
    changes = {
        "requested_at": at,
        "answered_at": answered_at,
        "limit_seconds": limit_seconds,
        "refusal": None,
    }
    known = [d.noted(**changes) if d.association_id in ids else d for d in drains]
    return wait_for(known, at, Reason.EC2_ACCEPTED)


def recovered(drains: Sequence[Drain], ids: Sequence[str], remembered: Mapping[str, Drain]) -> Wait | None:
    """Return what EC2 accepted for `ids` in an earlier attempt whose answer got lost; else None."""
    since = {drain.association_id: drain.progress.since_at for drain in drains}
    for before in (remembered[association_id] for association_id in ids if association_id in remembered):
        asked = before.progress
        # Only what this execution asked: the drains of another one were first seen at another time.
        ours = asked.since_at == since[before.association_id]
        if ours and asked.requested_at and asked.limit_seconds:
            at, limit_seconds = asked.requested_at, asked.limit_seconds
            return accepted(drains, ids, at=at, answered_at=asked.answered_at, limit_seconds=limit_seconds)
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
    """Record that EC2 answered the request for `ids` with `refusal`, and when to look.

    `busy` says that waiting fixes it, `denied` that a permission is missing.
    """
    known = list(drains)
    for place, drain in enumerate(drains):
        if drain.association_id in ids:
            refusals = drain.progress.refusals + (not busy)
            known[place] = drain.noted(refusal=refusal, refusals=refusals, denied=denied)
    return wait_for(known, at, Reason.EC2_REFUSED)
