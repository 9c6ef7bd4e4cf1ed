"""EC2's answers about joins: recorded as they came, for the next look to judge."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from natdrain.change.join.decide import wait_for
from natdrain.change.step import Reason, Wait
from natdrain.model.join import Join


def accepted(joins: Sequence[Join], ids: Sequence[str], *, at: datetime, answered_at: datetime) -> Wait:
    """Record that EC2 accepted the request for these allocations, and when to look."""
    changes = {"requested_at": at, "answered_at": answered_at, "pending": False, "refusal": None}
    return wait_for(_noted(joins, ids, changes), at, Reason.EC2_ACCEPTED)


def recovered(joins: Sequence[Join], earlier: Sequence[Join], now: datetime) -> Wait:
    """Record what an earlier attempt of the same state has left, whose answer may have been lost.

    EC2 is not asked again: the next looks show whether it accepted.
    """
    known = {join.allocation_id: join for join in earlier}
    after = [replace(join, progress=known.get(join.allocation_id, join).progress) for join in joins]
    return wait_for(after, now, Reason.ANSWER_LOST)


def refused(
    joins: Sequence[Join],
    ids: Sequence[str],
    *,
    at: datetime,
    refusal: str,
    busy: bool = False,
    denied: bool = False,
) -> Wait:
    """Record that EC2 answered the request for these allocations with `refusal`, and when to look.

    `busy` says that waiting fixes it, `denied` that a permission is missing.
    """
    changes = {"pending": False, "refusal": refusal, "denied": denied}
    joins = [
        join.noted(refusals=join.progress.refusals + (not busy)) if join.allocation_id in ids else join
        for join in joins
    ]
    return wait_for(_noted(joins, ids, changes), at, Reason.EC2_REFUSED)


def removal_accepted(joins: Sequence[Join], ids: Sequence[str], *, at: datetime) -> Wait:
    """Record that EC2 accepted to take these associations, which have failed, off again."""
    return wait_for(_removed(joins, ids, removal_at=at), at, Reason.EC2_ACCEPTED)


def removal_refused(
    joins: Sequence[Join], ids: Sequence[str], *, at: datetime, refusal: str, busy: bool
) -> Wait:
    """Record that EC2 did not accept that; `busy` says that waiting fixes it."""
    counted = [
        join.noted(removal_refusals=join.progress.removal_refusals + (not busy))
        if join.association_id in ids
        else join
        for join in joins
    ]
    return wait_for(_removed(counted, ids, removal_refusal=refusal), at, Reason.EC2_REFUSED)


def _noted(joins: Sequence[Join], ids: Sequence[str], changes: dict[str, Any]) -> list[Join]:
    return [join.noted(**changes) if join.allocation_id in ids else join for join in joins]


def _removed(joins: Sequence[Join], ids: Sequence[str], **changes: Any) -> list[Join]:
    return [join.noted(**changes) if join.association_id in ids else join for join in joins]
