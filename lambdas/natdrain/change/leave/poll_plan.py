"""The poll plan: when to look again, as offsets in seconds from the moment a drain began.

A drain may end early, but mostly ends just after its limit. So the plan doubles its gaps up to the limit: an
address that leaves early is noticed after at most as much time again as it took, or at the first look. Two
looks, just before the limit and just after it, show whether the address stayed until EC2 cuts what is open.
Then it looks every ten seconds for the fifty in which idle addresses leave, and grows its gaps up to a
deadline. Its length grows with the logarithm of the limit.
"""

DEADLINE_MARGIN_SECONDS = 300
"""The time after its limit for which an address may still be listed before its drain is overdue."""

UNKNOWN_LIMIT_SECONDS = 4000
"""The assumed limit of a drain that somebody else began: the longest that EC2 accepts."""

# A short drain is worth few looks: one before its limit for each half minute. And in its first seconds EC2's
# reads, which are eventually consistent, may not even show that it drains.
_LIMIT_SECONDS_PER_EARLY_LOOK = 30
_FIRST_EARLY_LOOK_SECONDS = 7
_LOOK_BEFORE_LIMIT_SECONDS = 3
# The first is late enough that a stale read, up to two seconds old, does not show an address that has left.
_CLOSE_LOOKS_AFTER_LIMIT_SECONDS = (3, 13, 23, 33, 43, 53, 73, 113, 193, DEADLINE_MARGIN_SECONDS)

_UNKNOWN_FIRST_LOOK_SECONDS = 15
_UNKNOWN_WIDEST_EARLY_GAP_SECONDS = 60


def deadline_seconds(limit_seconds: int | None) -> int:
    """Return the offset after which a drain is overdue; None means that the limit is not known."""
    return (limit_seconds or UNKNOWN_LIMIT_SECONDS) + DEADLINE_MARGIN_SECONDS


def poll_plan(limit_seconds: int | None) -> tuple[int, ...]:
    """Return the offsets at which to look, ascending; the last one is `deadline_seconds`.

    The limit is 1 to 4000, or None if we do not know it. Nothing then shows when the drain ends, so the gaps
    are at most a minute or a tenth of the time gone; and we look closely after the longest limit, as after
    any that is known.
    """
    if limit_seconds is None:
        return _plan_for_unknown_limit()
    offsets = [limit_seconds + after for after in _CLOSE_LOOKS_AFTER_LIMIT_SECONDS]
    if (before := limit_seconds - _LOOK_BEFORE_LIMIT_SECONDS) >= _FIRST_EARLY_LOOK_SECONDS:
        offsets.insert(0, before)
    for _ in range(limit_seconds // _LIMIT_SECONDS_PER_EARLY_LOOK):
        # A little later than half, since the next look takes a moment too.
        if (half := offsets[0] // 2 + 1) < _FIRST_EARLY_LOOK_SECONDS:
            break
        offsets.insert(0, half)
    return tuple(offsets)


def _plan_for_unknown_limit() -> tuple[int, ...]:
    offsets, after = [], _UNKNOWN_FIRST_LOOK_SECONDS
    while after < UNKNOWN_LIMIT_SECONDS:
        offsets.append(after)
        after += min(after, max(_UNKNOWN_WIDEST_EARLY_GAP_SECONDS, after // 10))
    return (*offsets, *(UNKNOWN_LIMIT_SECONDS + close for close in _CLOSE_LOOKS_AFTER_LIMIT_SECONDS))


def next_offset(limit_seconds: int | None, elapsed_seconds: float) -> int:
    """Return the first offset of the plan that is still to come; the deadline when none is."""
    plan = poll_plan(limit_seconds)
    # Half a second: a look that came a little early must not be planned again at once.
    return next((offset for offset in plan if offset > elapsed_seconds + 0.5), plan[-1])
