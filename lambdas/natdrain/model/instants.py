"""Instants as text: aware UTC, in ISO 8601, to the second, as Step Functions' Wait state takes them."""

from datetime import datetime


def timestamp(at: datetime) -> str:
    """Write an aware UTC instant, such as `2026-10-02T17:00:00Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """Read an instant that has a time zone.

    Raises:
        ValueError: the text is no instant, or has no time zone.
    """
    if (at := datetime.fromisoformat(text)).tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at
