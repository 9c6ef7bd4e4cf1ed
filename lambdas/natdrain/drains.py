"""What is known of each address of a request, from the first look to the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from natdrain.poll_plan import deadline_seconds, next_offset

__all__ = ["AddressOutcome", "Drain", "instant", "timestamp"]


class AddressOutcome(StrEnum):
    """What became of one address."""

    DRAINED = "drained"
    """It has left the gateway."""
    ALREADY_DRAINED = "already_drained"
    """It had left before this execution began; our own history shows it."""
    PUT_BACK = "put_back"
    """It left, and somebody has associated its allocation again."""
    FAILED = "failed"
    """EC2 gave up on it, or keeps refusing to let it go."""
    NOT_ASKED = "not_asked"
    """EC2 was not asked to let it go, or denied the right: a guard or a permission stood in the way."""
    BLOCKED = "blocked"
    """EC2 let no request through until the deadline."""
    OVERDUE = "overdue"
    """Still on the gateway after the deadline of its drain."""
    GATEWAY_GONE = "gateway_gone"
    """The gateway went away meanwhile; nothing can be said of the drain."""


def timestamp(at: datetime) -> str:
    """An aware UTC instant in ISO 8601, to the second, as Step Functions' Wait wants it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """The inverse of `timestamp`."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """One address of a request.

    `since_at` is when we began to watch it. `requested_at` is when EC2 accepted our request and
    `limit_seconds` the limit it accepted; both None while EC2 has not, and for a drain that
    somebody else began or of which we cannot tell. `refusal` is what EC2 last answered instead;
    `refusals` counts those that waiting does not mend, and `denied` tells that the last one was a
    lack of permission. `adopted` is a drain that runs without a request of this execution.
    """

    association_id: str
    allocation_id: str | None
    public_ip: str | None
    private_ip: str | None
    since_at: datetime
    outcome: AddressOutcome | None = None
    detail: str | None = None
    adopted: bool = False
    requested_at: datetime | None = None
    limit_seconds: int | None = None
    refusal: str | None = None
    refusals: int = 0
    denied: bool = False
    draining_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    gone_by: datetime | None = None

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.public_ip or self.private_ip or self.allocation_id} ({self.association_id})"

    @property
    def limit_at(self) -> datetime | None:
        """When EC2 forces the address off; None where that is not known."""
        if self.requested_at is None or self.limit_seconds is None:
            return None
        return self.requested_at + timedelta(seconds=self.limit_seconds)

    @property
    def limit_reached(self) -> bool | None:
        """Whether the address stayed until its limit, where EC2 cuts what is still open.

        False means that no connection was cut. None: the looks do not tell.
        """
        if self.limit_at is None or self.gone_by is None:
            return None
        # Strictly, since instants are kept to the second.
        if self.gone_by < self.limit_at:
            return False
        return True if self.last_seen_at is not None and self.last_seen_at > self.limit_at else None

    @property
    def leaving(self) -> bool:
        """EC2 accepted our request for it, or it was seen draining."""
        return self.requested_at is not None or self.draining_seen_at is not None

    @property
    def deadline_at(self) -> datetime:
        """When we stop waiting for it."""
        return self._plan_start + timedelta(seconds=deadline_seconds(self._plan_limit))

    def next_look_at(self, now: datetime) -> datetime:
        """When the poll plan wants the next look."""
        elapsed = (now - self._plan_start).total_seconds()
        return self._plan_start + timedelta(seconds=next_offset(self._plan_limit, elapsed))

    @property
    def _plan_start(self) -> datetime:
        return self.requested_at or self.draining_seen_at or self.since_at

    @property
    def _plan_limit(self) -> int | None:
        return self.limit_seconds if self.requested_at else None

    def to_json(self) -> dict[str, Any]:
        """As a state of the workflow carries it; empty fields are left out."""
        document: dict[str, Any] = {}
        for name, key in _KEYS.items():
            value = getattr(self, name)
            if value not in (None, False, 0):
                document[key] = timestamp(value) if isinstance(value, datetime) else value
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Drain:
        """The inverse of `to_json`."""
        values: dict[str, Any] = {}
        for name, key in _KEYS.items():
            value = document.get(key)
            if name.endswith("_at") or name == "gone_by":
                value = value and instant(value)
            elif name == "outcome":
                value = value and AddressOutcome(value)
            values[name] = value
        values["adopted"] = bool(values["adopted"])
        values["denied"] = bool(values["denied"])
        values["refusals"] = int(values["refusals"] or 0)
        values["limit_seconds"] = values["limit_seconds"] and int(values["limit_seconds"])
        return cls(**values)


def _key(field_name: str) -> str:
    return "".join(word.capitalize() for word in field_name.split("_"))


_KEYS = {field.name: _key(field.name) for field in fields(Drain)}
