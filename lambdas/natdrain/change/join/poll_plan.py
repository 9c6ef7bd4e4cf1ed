"""The poll plan of joins: when to look again, and when to stop waiting."""

from datetime import datetime, timedelta
from math import ceil

from natdrain.change.leave.poll_plan import deadline_seconds
from natdrain.model.join import Join

PATIENCE_SECONDS = 600
"""The time that an association may take: mostly tens of seconds; Terraform waits for ten minutes."""
PATIENCE_IN_NEW_ZONE_SECONDS = 4_500
"""The same where a regional gateway has nothing in service yet: up to an hour (VPC user guide, regional NAT
gateways), and a margin."""

_FIRST_LOOK_SECONDS = 5
_WIDEST_GAP_SECONDS = 60


def deadline_at(join: Join) -> datetime:
    """Return when we stop waiting: while EC2 accepts nothing, after the longest drain that there may be.

    Of a join that an earlier request began, the time counts from our first look.
    """
    progress = join.progress
    if begun := progress.requested_at or progress.seen_at:
        patience = timedelta(seconds=progress.patience_seconds or PATIENCE_SECONDS)
        return max(begun, progress.since_at) + patience
    return _waits_since(join) + timedelta(seconds=deadline_seconds(None))


def _waits_since(join: Join) -> datetime:
    return join.progress.turn_at or join.progress.since_at


def next_look_at(join: Join, now: datetime) -> datetime:
    """Return when to look again: the gaps are half of the time gone, at most a minute or a tenth of it.

    At the deadline too, whatever the gap.
    """
    progress = join.progress
    asked_at = progress.requested_at or (progress.asked_at if progress.pending else None)
    begun = progress.removal_at or asked_at or _waits_since(join)
    elapsed = (now - begun).total_seconds()
    gap = min(max(elapsed / 2, _FIRST_LOOK_SECONDS), max(_WIDEST_GAP_SECONDS, elapsed / 10))
    after = now + timedelta(seconds=ceil(gap))
    return deadline_at(join) if now < deadline_at(join) < after else after
