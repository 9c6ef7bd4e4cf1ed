"""A value over time, so that a describe call can show it as it was a moment ago."""

from datetime import UTC, datetime

from moto.core.utils import utcnow


def now() -> datetime:
    """Return the present instant (aware UTC) of the clock that moto itself reads."""
    return utcnow().replace(tzinfo=UTC)


class Timeline:
    """What holds from which instant on; `None` means absent.

    Entries may lie in the future: so a change that is certain needs nothing that runs in the background.
    """

    def __init__(self) -> None:
        self._changes: list[tuple[datetime, str | None]] = []

    def change(self, at: datetime, value: str | None) -> None:
        """Let `value` hold from `at` on, in place of everything that was to come from then on."""
        self._changes = [known for known in self._changes if known[0] < at]
        self._changes.append((at, value))

    def at(self, instant: datetime) -> str | None:
        """Return what holds at `instant`."""
        return next((value for since, value in reversed(self._changes) if since <= instant), None)
