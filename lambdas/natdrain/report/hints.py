"""A hint at the name that was probably meant."""

import difflib
from collections.abc import Iterable

_CUTOFF = 0.5


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return the question whether a similar known name was meant, or None if none is similar.

    Case does not count.
    """
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=_CUTOFF)
    return f"did you mean {by_lower[near[0]]}?" if near else None
