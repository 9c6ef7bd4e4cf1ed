"""When to look again: offsets in seconds from the moment a drain began.

A drain may end early and must then be noticed, but mostly ends just after its limit. So the plan
doubles its gaps up to the limit (whoever leaves early is noticed after at most as much time again
as it took), looks closely for the 45 seconds in which idle addresses leave, and then grows its
gaps again up to a deadline. Its length grows with the logarithm of the limit.
"""

from __future__ import annotations

__all__ = ["DEADLINE_MARGIN_SECONDS", "UNKNOWN_LIMIT_SECONDS", "deadline_seconds", "next_offset", "poll_plan"]

DEADLINE_MARGIN_SECONDS = 300
"""How long after its limit an address may still be listed before the drain counts as overdue."""

UNKNOWN_LIMIT_SECONDS = 4000
"""What a drain that somebody else began is taken for: the longest limit EC2 accepts."""

_FIRST_EARLY_LOOK_SECONDS = 20
_CLOSE_LOOKS_AFTER_LIMIT_SECONDS = (7, 16, 25, 34, 43, 61, 97, 169, DEADLINE_MARGIN_SECONDS)

_UNKNOWN_FIRST_LOOK_SECONDS = 15
_UNKNOWN_WIDEST_EARLY_GAP_SECONDS = 60


def deadline_seconds(limit_seconds: int | None) -> int:
    """The offset after which a drain is overdue; None means that the limit is not known."""
    return (limit_seconds or UNKNOWN_LIMIT_SECONDS) + DEADLINE_MARGIN_SECONDS


def poll_plan(limit_seconds: int | None) -> tuple[int, ...]:
    """The offsets at which to look, ascending; the last one is `deadline_seconds`.

    Args:
        limit_seconds: the drain limit, 1 to 4000; None for a drain whose limit we do not know.
            Nothing then tells when it ends, so its gaps are at most a minute or a tenth of the
            time gone.
    """
    if limit_seconds is None:
        return _plan_for_unknown_limit()
    offsets = [limit_seconds + after for after in _CLOSE_LOOKS_AFTER_LIMIT_SECONDS]
    while (half := -(-offsets[0] // 2)) >= _FIRST_EARLY_LOOK_SECONDS:
        offsets.insert(0, half)
    return tuple(offsets)


def _plan_for_unknown_limit() -> tuple[int, ...]:
    deadline = deadline_seconds(None)
    offsets = [_UNKNOWN_FIRST_LOOK_SECONDS]
    while offsets[-1] < deadline:
        gone = offsets[-1]
        gap = min(gone, max(_UNKNOWN_WIDEST_EARLY_GAP_SECONDS, gone // 10))
        offsets.append(min(gone + gap, deadline))
    return tuple(offsets)


def next_offset(limit_seconds: int | None, elapsed_seconds: float) -> int:
    """The first offset of the plan that is still to come; the deadline when none is."""
    plan = poll_plan(limit_seconds)
    # Half a second: a look that came a little early must not be planned again at once.
    return next((offset for offset in plan if offset > elapsed_seconds + 0.5), plan[-1])
