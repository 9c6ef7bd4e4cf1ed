"""The entries of the history: which address served which gateway from when to when, and why that ended.

The history is append-only. Each look is compared with what the previous one saw, so that it has the changes
made by others as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Self

from natdrain.contract import GatewayRecord as R
from natdrain.model.drain import Drain
from natdrain.model.gateway import AVAILABLE, DRAINING, FAILED, IN_SERVICE, Address
from natdrain.model.instants import instant, timestamp
from natdrain.model.join import Join
from natdrain.model.look import Look
from natdrain.model.request import Request, Trigger

SERVING = "serving"
"""An address was seen in service that the previous look had not shown."""
LEFT = "left"
"""An address is absent from its available gateway, or the gateway has gone."""
OUT_OF_SERVICE = "out_of_service"
"""An address was in service, is still on its gateway, and has failed."""
ENDED = "ended"
"""An execution has ended."""
OUTSIDE = "outside"
"""In place of an execution: something other than natdrain."""

_LONGEST_JOIN = timedelta(hours=2)
"""Longer than any association takes: an hour in a new zone (VPC user guide, regional NAT gateways).

The intent of an execution that was stopped stays, although its association may have come and gone since.
"""
_SERVES = {IN_SERVICE, DRAINING}
_GONE = "deleted"

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The addresses that a look saw in service, by association id.

    `looked_at` is that of the last look of which everything is recorded, None before the first.
    """

    version: int = 0
    looked_at: datetime | None = None
    addresses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_item(self) -> dict[str, Any]:
        """Return it as the table keeps it."""
        addresses = {key: dict(address) for key, address in self.addresses.items()}
        looked_at = timestamp(self.looked_at) if self.looked_at else None
        return {R.VERSION: self.version, R.LOOKED_AT: looked_at, R.ADDRESSES: addresses}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Read what `to_item` returned.

        Raises:
            ArithmeticError, AttributeError, LookupError, TypeError, ValueError: the item is none.
        """
        if not item:
            return cls()
        return cls(
            version=int(item[R.VERSION]),
            looked_at=instant(item[R.LOOKED_AT]) if item[R.LOOKED_AT] is not None else None,
            addresses={str(key): dict(address.items()) for key, address in item[R.ADDRESSES].items()},
        )


def changes(
    seen: Seen,
    look: Look,
    drains: Mapping[str, Drain],
    joins: Mapping[str, Join],
    *,
    execution: str,
    most: int,
) -> tuple[Seen, list[Entry]]:
    """Return what to compare the next look with, and an entry for each change that this look shows.

    An association that is back after an entry said that it left was never gone: that look was stale (EC2's
    reads are eventually consistent), and the history shows both.

    `seen` is what the previous look saw; `drains` are those on this gateway, by association id, and `joins`
    those that were begun, by allocation id; `execution` is the ARN of the one that looks. Of more than `most`
    changes the rest is left for the next look.
    """
    shown = _shown(look)
    if shown is None:
        return seen, []
    new = _new(seen, shown, drains)
    statuses = {address.association_id: address.status for address in shown}
    gone = sorted(key for key in seen.addresses if statuses.get(key, FAILED) == FAILED)
    arrived, departed = dict(islice(new.items(), most)), gone[: max(0, most - len(new))]
    entries = [
        _entry(SERVING, look, key, names, execution)
        | _arrival(seen, key, joins.get(names.get("AllocationId", "")))
        for key, names in arrived.items()
    ]
    entries += [
        _entry(OUT_OF_SERVICE if key in statuses else LEFT, look, key, seen.addresses[key], execution)
        | _departure(seen, look, drains.get(key))
        for key in departed
    ]
    # What is left for the next look was seen by the previous one, and not by this one.
    complete = len(entries) == len(new) + len(gone)
    looked_at = look.seen_at if complete else seen.looked_at
    addresses = {key: one for key, one in seen.addresses.items() if key not in departed} | arrived
    return replace(seen, version=seen.version + 1, looked_at=looked_at, addresses=addresses), entries


def _shown(look: Look) -> tuple[Address, ...] | None:
    """Return the addresses of the gateway; None if the look does not show them."""
    gateway = look.gateway
    if gateway is None or gateway.state == _GONE:
        return ()
    return gateway.addresses if gateway.state == AVAILABLE else None


def _new(seen: Seen, shown: Iterable[Address], drains: Mapping[str, Drain]) -> dict[str, dict[str, str]]:
    """Return the names of the addresses that have come into service since `seen`, by association id."""
    return {
        a.association_id: _names(a)
        for a in shown
        if a.association_id and a.association_id not in seen.addresses
        if a.status in _SERVES and not (seen.looked_at and _failed_before(a, drains.get(a.association_id)))
    }


def _failed_before(address: Address, drain: Drain | None) -> bool:
    """Return True if an address that the previous look did not have in service is failed, and drains again.

    That is so if it drains because we asked. If a look has found it gone, that look was stale.
    """
    return bool(
        drain and address.status == DRAINING and drain.progress.asked_by and not drain.progress.gone_by
    )


def _names(address: Address) -> dict[str, str]:
    ids = (address.allocation_id, address.public_ip, address.private_ip)
    named = zip(("AllocationId", R.PUBLIC_IP, "PrivateIp"), ids, strict=True)
    return {key: value for key, value in named if value}


def _entry(event: str, look: Look, association_id: str, names: Mapping[str, str], execution: str) -> Entry:
    at = timestamp(look.seen_at)
    key = {R.SORT: f"{R.HISTORY}{at}#{event}#{association_id}"}
    return key | {"At": at, "Event": event, "AssociationId": association_id, **names, R.EXECUTION: execution}


def _arrival(seen: Seen, association_id: str, join: Join | None) -> Entry:
    """Return since when it may have been in service, and who asked for it, if we know."""
    after = {"After": timestamp(seen.looked_at)} if seen.looked_at else {}
    asked = join.progress if join and join.asked_for(association_id) and not _too_late(seen, join) else None
    if asked is None:
        return {**after, "By": OUTSIDE} if after else {}
    by = {"By": asked.asked_by, "RequestedAt": asked.requested_at and timestamp(asked.requested_at)}
    return _without_none({**after, **by, **_why(asked.asked_trigger, asked.asked_reason)})


def _too_late(seen: Seen, join: Join) -> bool:
    """Return True if it was absent so long after it was asked for that something else has associated it."""
    asked_at = join.progress.asked_at
    return bool(asked_at and seen.looked_at and seen.looked_at - asked_at > _LONGEST_JOIN)


def _departure(seen: Seen, look: Look, drain: Drain | None) -> Entry:
    progress = drain.progress if drain else None
    # An address that has failed was seen by this look too, and not in service.
    seen_at = [at for at in (seen.looked_at, progress and progress.last_seen_at) if at and at < look.seen_at]
    left: Entry = {"By": OUTSIDE, "LastSeenAt": timestamp(max(seen_at)) if seen_at else None}
    if drain and drain.progress.asked_by:
        asked = drain.progress
        left |= {
            "By": asked.asked_by,
            "RequestedAt": asked.requested_at and timestamp(asked.requested_at),
            "MaxDrainDurationSeconds": asked.limit_seconds,
            "LimitReached": drain.limit_reached,
            **_why(asked.asked_trigger, asked.asked_reason),
        }
    return _without_none(left)


def _why(trigger: Trigger | None, reason: str | None) -> Entry:
    return {"Trigger": trigger and trigger.to_json(), R.REASON: reason}


def ended(*, at: datetime, execution: str, request: Request | None, event: Mapping[str, Any]) -> Entry:
    """Return the entry of an execution that has ended; `event` is the detail of its event."""
    when = timestamp(at)
    kept = ("Execution", "Status", "Outcome", "Changed", "Error", "Summary", "PutBack", R.ADDRESSES)
    entry = {
        R.SORT: f"{R.HISTORY}{when}#{ENDED}#{execution.rpartition(':')[2]}",
        "At": when,
        "Event": ENDED,
        **{key: event[key] for key in kept},
        **(_why(request.trigger, request.reason) if request else {}),
    }
    return _without_none(entry)


def _without_none(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if value is not None}
