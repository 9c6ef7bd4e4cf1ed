"""One allocation that is to join its gateway: its identity, how far it is, and what became of it.

A `Join` is carried from state to state of the workflow, and stored in the table, as a `Drain` is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from natdrain.model import carried
from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Trigger

NO_ASSOCIATION = ""
"""Among the associations seen before: an entry of the allocation without an association id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinProgress:
    """The joining of one allocation, as our own requests and looks show it.

    `since_at` is when we began to watch it. `seen_before` are the association ids that the gateway listed for
    the allocation when EC2 was about to be asked: only an entry by another id is ours. `asked_at` is when EC2
    was last asked, or was about to be; `pending` says that its answer is not known. `requested_at` is when a
    request was made that EC2 accepted, and `answered_at` when it answered. `asked_by` is the execution that
    asked; `asked_reason` and `asked_trigger` are of its request. `adopted`: an execution before this one
    asked, or something else did. `patience_seconds` is how long an accepted join may take. `refusal` is what
    EC2 last answered instead; `refusals` counts the answers that waiting does not fix, and `denied` says that
    the last one was a missing permission. `turn_at` is the latest look that found another call of the request
    still joining. `hindered_at` is the first of the latest looks that found only what
    ends by itself in the way.

    `seen_at` is the first look that listed it, `in_service_at` the first that showed it in service,
    `last_seen_at` the last one that listed it, `absent_at` the first of those that have not listed it since.
    `failed_at` is the look that showed it failed. `removal_at` is when EC2 accepted to take the failed one
    off; `removal_refusal` is what it last answered instead, `removal_refusals` times.
    """

    since_at: datetime
    asked_by: str | None = None
    asked_reason: str | None = None
    asked_trigger: Trigger | None = None
    adopted: bool = False
    seen_before: tuple[str, ...] = ()
    patience_seconds: int | None = None
    asked_at: datetime | None = None
    pending: bool = False
    requested_at: datetime | None = None
    answered_at: datetime | None = None
    refusal: str | None = None
    refusals: int = 0
    denied: bool = False
    turn_at: datetime | None = None
    hindered_at: datetime | None = None
    seen_at: datetime | None = None
    in_service_at: datetime | None = None
    last_seen_at: datetime | None = None
    absent_at: datetime | None = None
    failed_at: datetime | None = None
    removal_at: datetime | None = None
    removal_refusal: str | None = None
    removal_refusals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One allocation of a request: who it is, how far it is, and what became of it.

    `zone` is what the request calls the zone of a regional gateway, by id or by name. `association_id` is
    that of our own entry, once a look has shown it. `detail` explains an outcome, for people; `problems` are
    what the guards found, if they are why EC2 was not asked. `listed`: the gateway still listed it at the
    end, though it has not joined.
    """

    allocation_id: str
    association_id: str | None = None
    public_ip: str | None = None
    private_ip: str | None = None
    zone: str | None = None
    outcome: AddressOutcome | None = None
    detail: str | None = None
    problems: tuple[Problem, ...] = ()
    listed: bool = False
    progress: JoinProgress

    def noted(self, **changes: Any) -> Self:
        """Return the join with these changes of its progress."""
        return replace(self, progress=replace(self.progress, **changes))

    def ended(self, outcome: AddressOutcome, detail: str | None = None, *, listed: bool = False) -> Self:
        """Return the join with its outcome."""
        return replace(self, outcome=outcome, detail=detail, listed=listed)

    @property
    def key(self) -> str:
        """The name that no other address of a request has."""
        return self.allocation_id

    @property
    def accepted(self) -> bool:
        """True if EC2 accepted a request for it, ours or another's."""
        return self.progress.requested_at is not None or self.progress.seen_at is not None

    @property
    def to_ask(self) -> bool:
        """True if EC2 is to be asked for it: no request is under way or has been accepted."""
        return self.outcome is None and not self.accepted and not self.progress.pending

    @property
    def to_remove(self) -> bool:
        """True if it has failed, was asked for by natdrain, and EC2 was not asked yet to take it off."""
        progress, known = self.progress, self.association_id is not None
        asked = known and progress.requested_at is not None and progress.removal_at is None
        return self.outcome is None and progress.failed_at is not None and asked

    @property
    def open(self) -> bool:
        """True if another look is needed: it has not ended, or is not listed although it had joined."""
        return self.outcome is None or (
            self.outcome is AddressOutcome.JOINED and self.progress.absent_at is not None
        )

    @property
    def gone(self) -> bool:
        """True if looks have found it absent again."""
        return self.outcome is not None and self.progress.absent_at is not None and not self.listed

    @property
    def unfinished(self) -> bool:
        """True if EC2 may list what natdrain asked for, not in service: the intent must be kept."""
        asked = self.progress.pending or self.progress.requested_at is not None
        open_outcomes = {None, AddressOutcome.JOIN_OVERDUE, AddressOutcome.UNKNOWN}
        failed_here = self.outcome is AddressOutcome.JOIN_FAILED and self.listed
        return asked and (self.outcome in open_outcomes or failed_here)

    def asked_for(self, association_id: str) -> bool:
        """Return True if this association came of the request that is recorded here."""
        progress = self.progress
        asked = progress.asked_by and (progress.pending or progress.requested_at)
        if not asked or association_id in progress.seen_before:
            return False
        return self.association_id in {None, association_id}

    def as_recorded(self) -> Self:
        """Return the join as what its own execution would have found: it has joined."""
        there = self.outcome is AddressOutcome.ALREADY_JOINED
        return self.ended(AddressOutcome.JOINED) if there else self

    def to_json(self) -> dict[str, Any]:
        """Return the join as a state of the workflow and the table carry it; empty fields are left out."""
        return carried.write((self, _IDENTITY), (self.progress, _PROGRESS))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a join.

        Raises:
            TypeError, ValueError: the document is none.
        """
        identity, progress = (carried.read(document, keys) for keys in (_IDENTITY, _PROGRESS))
        if not (identity.get("allocation_id") and "since_at" in progress):
            raise ValueError("AllocationId or SinceAt is missing")
        return cls(**identity, progress=JoinProgress(**progress))


_IDENTITY: carried.Keys = {
    "allocation_id": ("AllocationId", carried.text),
    "association_id": ("AssociationId", carried.text),
    "public_ip": ("PublicIp", carried.text),
    "private_ip": ("PrivateIp", carried.text),
    "zone": ("Zone", carried.text),
    "outcome": ("Outcome", AddressOutcome),
    "detail": ("Detail", carried.text),
    "problems": ("Problems", carried.problems),
    "listed": ("StillListed", carried.flag),
}
_PROGRESS: carried.Keys = {
    "since_at": ("SinceAt", carried.moment),
    "asked_by": ("AskedBy", carried.text),
    "asked_reason": ("AskedReason", carried.text),
    "asked_trigger": ("AskedTrigger", carried.trigger),
    "adopted": ("Adopted", carried.flag),
    "seen_before": ("SeenBefore", carried.texts),
    "patience_seconds": ("PatienceSeconds", carried.count),
    "asked_at": ("AskedAt", carried.moment),
    "pending": ("Pending", carried.flag),
    "requested_at": ("RequestedAt", carried.moment),
    "answered_at": ("AnsweredAt", carried.moment),
    "refusal": ("Refusal", carried.text),
    "refusals": ("Refusals", carried.number),
    "denied": ("Denied", carried.flag),
    "turn_at": ("TurnAt", carried.moment),
    "hindered_at": ("HinderedAt", carried.moment),
    "seen_at": ("SeenAt", carried.moment),
    "in_service_at": ("InServiceAt", carried.moment),
    "last_seen_at": ("LastSeenAt", carried.moment),
    "absent_at": ("AbsentAt", carried.moment),
    "failed_at": ("FailedAt", carried.moment),
    "removal_at": ("RemovalAt", carried.moment),
    "removal_refusal": ("RemovalRefusal", carried.text),
    "removal_refusals": ("RemovalRefusals", carried.number),
}
