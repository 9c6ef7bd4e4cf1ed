"""The periods of the history: each association's times in service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from natdrain.history.entries import LEFT, OUT_OF_SERVICE, SERVING


@dataclass(slots=True)
class Period:
    """A time in service of one association; it has more than one if it failed and came back.

    `first` is the entry of the look that first saw it, `left` that of the look that found it gone, or failed;
    a period has at least one of them.
    """

    first: Mapping[str, Any] | None = None
    left: Mapping[str, Any] | None = None

    @property
    def entry(self) -> Mapping[str, Any]:
        """The entry that names address and gateway."""
        return self.first or self.left or {}

    @property
    def failed(self) -> bool:
        """True if it ended because the address failed, which no later look corrects."""
        return self.left is not None and self.left["Event"] == OUT_OF_SERVICE

    @property
    def absent_at(self) -> str | None:
        """The last look before the first one that saw it; None if nobody had looked."""
        return self.first.get("After") if self.first else None

    @property
    def seen_from(self) -> str:
        """The first instant at which it was seen in service."""
        return str(self.first["At"] if self.first else self.entry.get("LastSeenAt", self.entry["At"]))

    @property
    def seen_until(self) -> str | None:
        """The last instant at which it was seen in service; None if no look has found it otherwise since."""
        return self.left.get("LastSeenAt", self.seen_from) if self.left else None


def periods(entries: Iterable[Mapping[str, Any]]) -> list[Period]:
    """Return each association's times in service, from the entries of a history in order."""
    found: list[Period] = []
    last: dict[str, Period] = {}
    for entry in entries:
        if entry["Event"] not in {SERVING, LEFT, OUT_OF_SERVICE}:
            continue
        period, serves = last.get(entry["AssociationId"]), entry["Event"] == SERVING
        if period is None or (serves and period.failed):
            last[entry["AssociationId"]] = period = Period(first=entry if serves else None)
            found.append(period)
        # An association is never made again: one that is back was never gone.
        period.left = None if serves else entry
    return found
