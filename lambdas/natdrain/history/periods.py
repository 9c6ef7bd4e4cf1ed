"""The periods of the history: each association's time in service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from natdrain.history.entries import LEFT, OUT_OF_SERVICE, SERVING


@dataclass(slots=True)
class Period:
    """The time in service of one association.

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
    """Return each association's time in service, from the entries of a history in order."""
    found: dict[str, Period] = {}
    for entry in entries:
        if entry["Event"] == SERVING:
            # An association is never made again: one that is back was never gone.
            period = found.setdefault(entry["AssociationId"], Period(first=entry))
            period.left = None
        elif entry["Event"] in {LEFT, OUT_OF_SERVICE}:
            found.setdefault(entry["AssociationId"], Period()).left = entry
    return list(found.values())
