"""One address that is to leave its gateway: its identity, its drain, the release of its allocation.

A `Drain` is carried from state to state of the workflow, and stored in the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Self

from natdrain.model import carried
from natdrain.model.outcome import LEFT_EARLIER, AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The drain of one address, as our own requests and looks show it.

    `since_at` is when we began to watch it. `requested_at` is when we made the request that EC2 accepted,
    `answered_at` when it answered, and `limit_seconds` the limit it accepted; they are None while EC2 has
    not, and for a drain that somebody else began. `connections` are those of the gateway, or of the zone of a
    regional one, when EC2 was about to be asked, and `addresses` were in service there then. `refusal` is
    what EC2 last answered instead; `refusals` counts the answers that waiting does not fix, and `denied` says
    that the last one was a missing permission. `asked_by` is the execution that asked EC2, or was about to;
    `asked_reason` and `asked_trigger` are of its request. `adopted` is a drain that runs without a request of
    this execution. `left_before`: the address had left before this execution began, as our own record shows.
    """

    since_at: datetime
    asked_by: str | None = None
    asked_reason: str | None = None
    asked_trigger: Trigger | None = None
    adopted: bool = False
    left_before: bool = False
    requested_at: datetime | None = None
    limit_seconds: int | None = None
    answered_at: datetime | None = None
    connections: int | None = None
    addresses: int | None = None
    refusal: str | None = None
    refusals: int = 0
    denied: bool = False
    draining_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    gone_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseProgress:
    """The release of one allocation.

    `absent_at` is the first look of this execution at which the address was not on its gateway,
    `confirmed_at` a later one that found it absent again and the allocation free, `missing_at` one at which
    EC2 did not know the allocation. `refusal` is what EC2 answered to ReleaseAddress, which is `final` if
    waiting does not fix it.
    """

    absent_at: datetime | None = None
    confirmed_at: datetime | None = None
    missing_at: datetime | None = None
    refusal: str | None = None
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """One address of a request: who it is, how far it is, and what became of it.

    `zone` is known of a regional gateway's addresses only. `detail` explains an outcome, for people;
    `problems` are what the guards found, if they are why EC2 was not asked.
    """

    association_id: str
    allocation_id: str | None
    public_ip: str | None
    private_ip: str | None
    zone: str | None = None
    outcome: AddressOutcome | None = None
    detail: str | None = None
    problems: tuple[Problem, ...] = ()
    progress: Progress
    release: ReleaseProgress = field(default_factory=ReleaseProgress)

    def noted(self, **changes: Any) -> Self:
        """Return the drain with these changes of its progress."""
        return replace(self, progress=replace(self.progress, **changes))

    def ended(self, outcome: AddressOutcome, detail: str | None = None) -> Self:
        """Return the drain with its outcome."""
        return replace(self, outcome=outcome, detail=detail)

    def unreleased(self) -> Self:
        """Return the drain as if nothing were known yet about releasing its allocation."""
        return replace(self, release=ReleaseProgress())

    @property
    def key(self) -> str:
        """The name that no other address of a request has."""
        return self.association_id

    @property
    def names(self) -> set[str | None]:
        """The names by which a request may mean it."""
        return {self.association_id, self.allocation_id, self.public_ip}

    @property
    def share(self) -> int | None:
        """An even share of the connections, rounded up: an estimate, as CloudWatch counts none by address."""
        progress = self.progress
        if progress.connections is None or not progress.addresses:
            return None
        return ceil(progress.connections / progress.addresses)

    @property
    def limit_at(self) -> datetime | None:
        """The instant when EC2 forces the address off; None if that is not known."""
        if self.progress.requested_at is None or self.progress.limit_seconds is None:
            return None
        return self.progress.requested_at + self._limit

    @property
    def _limit(self) -> timedelta:
        return timedelta(seconds=self.progress.limit_seconds or 0)

    @property
    def limit_reached(self) -> bool | None:
        """True if the address stayed until its limit, where EC2 cuts what is still open.

        False means that no connection was cut. None: the looks do not tell.
        """
        gone_by, last_seen_at = self.progress.gone_by, self.progress.last_seen_at
        if self.limit_at is None or gone_by is None:
            return None
        # Strictly, since instants are kept to the second.
        if gone_by < self.limit_at:
            return False
        # EC2 accepted at some instant of the call.
        answered_at = self.progress.answered_at or self.progress.requested_at
        return True if last_seen_at and answered_at and last_seen_at > answered_at + self._limit else None

    @property
    def to_ask(self) -> bool:
        """True if EC2 has not accepted a request for it, and it has not ended."""
        return self.outcome is None and self.progress.requested_at is None

    @property
    def leaving(self) -> bool:
        """True if EC2 accepted our request for it, or it was seen draining."""
        return self.progress.requested_at is not None or self.progress.draining_seen_at is not None

    @property
    def ended_now(self) -> bool:
        """True if its outcome came about in this execution, or there is none yet."""
        return self.outcome not in LEFT_EARLIER and (self.released_now or not self.progress.left_before)

    @property
    def released_now(self) -> bool:
        """True if this execution released its allocation, and did not find it unknown to EC2."""
        asked = self.release.confirmed_at or self.release.refusal
        return self.outcome is AddressOutcome.RELEASED and asked is not None

    def to_json(self) -> dict[str, Any]:
        """Return the drain as a state of the workflow and the table carry it; empty fields are left out."""
        return carried.write((self, _IDENTITY), (self.progress, _PROGRESS), (self.release, _RELEASE))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a drain.

        Raises:
            TypeError, ValueError: the document is none.
        """
        identity, progress, release = (
            carried.read(document, keys) for keys in (_IDENTITY, _PROGRESS, _RELEASE)
        )
        if not (identity.get("association_id") and "since_at" in progress):
            raise ValueError("AssociationId or SinceAt is missing")
        named = {"allocation_id": None, "public_ip": None, "private_ip": None} | identity
        return cls(**named, progress=Progress(**progress), release=ReleaseProgress(**release))


_IDENTITY: carried.Keys = {
    "association_id": ("AssociationId", carried.text),
    "allocation_id": ("AllocationId", carried.text),
    "public_ip": ("PublicIp", carried.text),
    "private_ip": ("PrivateIp", carried.text),
    "zone": ("Zone", carried.text),
    "outcome": ("Outcome", AddressOutcome),
    "detail": ("Detail", carried.text),
    "problems": ("Problems", carried.problems),
}
_PROGRESS: carried.Keys = {
    "since_at": ("SinceAt", carried.moment),
    "asked_by": ("AskedBy", carried.text),
    "asked_reason": ("AskedReason", carried.text),
    "asked_trigger": ("AskedTrigger", carried.trigger),
    "adopted": ("Adopted", carried.flag),
    "left_before": ("LeftBefore", carried.flag),
    "requested_at": ("RequestedAt", carried.moment),
    "limit_seconds": ("LimitSeconds", carried.number),
    "answered_at": ("AnsweredAt", carried.moment),
    "connections": ("Connections", carried.count),
    "addresses": ("AddressesInService", carried.count),
    "refusal": ("Refusal", carried.text),
    "refusals": ("Refusals", carried.number),
    "denied": ("Denied", carried.flag),
    "draining_seen_at": ("DrainingSeenAt", carried.moment),
    "last_seen_at": ("LastSeenAt", carried.moment),
    "gone_by": ("GoneBy", carried.moment),
}
_RELEASE: carried.Keys = {
    "absent_at": ("AbsentAt", carried.moment),
    "confirmed_at": ("ConfirmedAt", carried.moment),
    "missing_at": ("MissingAt", carried.moment),
    "refusal": ("ReleaseRefusal", carried.text),
    "final": ("ReleaseFinal", carried.flag),
}
