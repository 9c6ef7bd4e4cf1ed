"""A value over time, so that a describe call can show an earlier one."""

from datetime import UTC, datetime

from moto.core.utils import utcnow


def now() -> datetime:
    """Return the present instant of moto's own clock, aware and in UTC."""
    return utcnow().replace(tzinfo=UTC)


class Timeline:
    """The values of a property, each with the instant of its change; `None` means absent.

    A change may be in the future, so that nothing has to run in the background to make it.
    """

    def __init__(self) -> None:
        self._changes: list[tuple[datetime, str | None]] = []

    def change(self, at: datetime, value: str | None) -> None:
        """Set the value from `at` on, instead of all changes from then on."""
        self._changes = [known for known in self._changes if known[0] < at]
        self._changes.append((at, value))

    def at(self, instant: datetime) -> str | None:
        """Return the value at `instant`."""
        return next((value for since, value in reversed(self._changes) if since <= instant), None)

    def ever(self, value: str) -> bool:
        """Return whether it has, had or will have the value."""
        return any(known == value for _, known in self._changes)
