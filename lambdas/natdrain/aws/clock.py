"""The one clock: nothing else reads the time."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["now"]


def now() -> datetime:
    """Return the present instant, aware UTC."""
    return datetime.now(UTC)
