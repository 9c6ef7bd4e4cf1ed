"""What is known of each address of a request, from the first look to the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from natdrain.change.leave.poll_plan import deadline_seconds, next_offset

__all__ = ["LEFT", "LEFT_EARLIER", "AddressOutcome", "Drain", "instant", "timestamp"]

_MAX_NUMBER = 4_000  # no field has a greater one: EC2's longest limit, and counts


class AddressOutcome(StrEnum):
    """What became of one address."""

    DRAINED = "drained"
    """It has left the gateway."""
    ALREADY_DRAINED = "already_drained"
    """It had left before this execution began; our own history shows it."""
    PUT_BACK = "put_back"
    """It left, and somebody has associated its allocation again."""
    RELEASED = "released"
    """It has left, and its allocation is given back to AWS."""
    RELEASE_FAILED = "release_failed"
    """It has left; its allocation was to be given back, and is still there."""
    ALREADY_RELEASED = "already_released"
    """Its allocation had been given back before this execution began; our own history shows it."""
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


LEFT = frozenset(
    {
        AddressOutcome.DRAINED,
        AddressOutcome.PUT_BACK,
        AddressOutcome.RELEASED,
        AddressOutcome.RELEASE_FAILED,
    }
)
"""It has left, as far as an execution has seen."""

LEFT_EARLIER = frozenset({AddressOutcome.ALREADY_DRAINED, AddressOutcome.ALREADY_RELEASED})
"""It had left before the execution began."""


def timestamp(at: datetime) -> str:
    """An aware UTC instant in ISO 8601, to the second, as Step Functions' Wait wants it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """The inverse of `timestamp`."""
    if (at := datetime.fromisoformat(text)).tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """One address of a request.

    `since_at` is when we began to watch it. `requested_at` is when EC2 accepted our request and
    `limit_seconds` the limit it accepted; both None while EC2 has not, and for a drain that
    somebody else began or of which we cannot tell. `refusal` is what EC2 last answered instead;
    `refusals` counts those that waiting does not mend, and `denied` tells that the last one was a
    lack of permission. `asked_by` is the execution that asked EC2 for it, or was about to. `adopted` is a
    drain that runs without a request of this execution. `left_before`: it had left before this execution
    began, as our own record shows.

    Of an allocation that is to be released, `absent_at` is the first look of this execution at which the
    address was not on its gateway, `confirmed_at` a later one that found it absent again and the allocation
    free, `missing_at` one at which EC2 did not know the allocation, and `release_refusal` what was answered
    to ReleaseAddress, which is `release_final` if waiting does not mend it.
    """

    association_id: str
    allocation_id: str | None
    public_ip: str | None
    private_ip: str | None
    zone: str | None = None
    since_at: datetime
    outcome: AddressOutcome | None = None
    detail: str | None = None
    asked_by: str | None = None
    adopted: bool = False
    left_before: bool = False
    requested_at: datetime | None = None
    limit_seconds: int | None = None
    refusal: str | None = None
    refusals: int = 0
    denied: bool = False
    draining_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    gone_by: datetime | None = None
    absent_at: datetime | None = None
    confirmed_at: datetime | None = None
    missing_at: datetime | None = None
    release_refusal: str | None = None
    release_final: bool = False

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
    def given_back(self) -> bool:
        """This execution has given its allocation back, and not just found that EC2 knows it no longer."""
        asked = self.confirmed_at or self.release_refusal
        return self.outcome is AddressOutcome.RELEASED and asked is not None

    def unreleased(self) -> Drain:
        """The same, as if nothing had been found out yet of releasing its allocation."""
        return replace(
            self,
            absent_at=None,
            confirmed_at=None,
            missing_at=None,
            release_refusal=None,
            release_final=False,
        )

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
        """The inverse of `to_json`.

        Raises:
            TypeError, ValueError: it is none.
        """
        values: dict[str, Any] = {"allocation_id": None, "public_ip": None, "private_ip": None}
        for field in fields(cls):
            if (value := document.get(_KEYS[field.name])) is not None:
                values[field.name] = _read(str(field.type), value)
        if not (values.get("association_id") and values.get("since_at")):
            raise ValueError("AssociationId or SinceAt is missing")
        return cls(**values)


def _read(kind: str, value: object) -> object:
    """A field of a drain from JSON, or from DynamoDB, which has decimal numbers only."""
    match kind.removesuffix(" | None"), value:
        case "str", str():
            return value
        case "bool", bool():
            return value
        case "datetime", str():
            return instant(value)
        case "AddressOutcome", str():
            return AddressOutcome(value)
        case "int", int() | float() | Decimal() if 0 <= value <= _MAX_NUMBER:
            return int(value)
    raise ValueError(f"{value!r} is no {kind}")


def _key(field_name: str) -> str:
    return "".join(word.capitalize() for word in field_name.split("_"))


_KEYS = {field.name: _key(field.name) for field in fields(Drain)}
