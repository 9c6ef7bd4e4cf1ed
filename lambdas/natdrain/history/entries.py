"""What goes into the history: which address served which gateway from when to when, and why that ended.

The history is append-only. Each look is compared with what the look before it saw, so that it tells changes
that nobody of natdrain made as well; `docs/history.md` says how it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from natdrain.contract import GatewayRecord as R
from natdrain.intake.request import Request
from natdrain.model.drain import Drain, instant, timestamp
from natdrain.model.gateway import AVAILABLE, DRAINING, IN_SERVICE, Address
from natdrain.model.look import Look

__all__ = ["ENDED", "LEFT", "OUTSIDE", "SERVING", "Entry", "Seen", "changes", "ended"]

SERVING = "serving"
"""An address was seen in service that the look before had not shown."""
LEFT = "left"
"""An address is absent from its available gateway, or the gateway has gone."""
ENDED = "ended"
"""An execution has ended."""
OUTSIDE = "outside"
"""By whom: not by natdrain."""

_SERVES = {IN_SERVICE, DRAINING}
_GONE = "deleted"

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The addresses that a look saw in service, by association id; `looked_at` is None before the first."""

    version: int = 0
    looked_at: datetime | None = None
    addresses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_item(self) -> dict[str, Any]:
        """As the table keeps it."""
        addresses = {key: dict(address) for key, address in self.addresses.items()}
        looked_at = timestamp(self.looked_at) if self.looked_at else None
        return {R.VERSION: self.version, R.LOOKED_AT: looked_at, R.ADDRESSES: addresses}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Seen:
        """The inverse of `to_item`.

        Raises:
            ArithmeticError, AttributeError, LookupError, TypeError, ValueError: it is none.
        """
        if not item:
            return cls()
        return cls(
            version=int(item[R.VERSION]),
            looked_at=instant(item[R.LOOKED_AT]),
            addresses={str(key): dict(address.items()) for key, address in item[R.ADDRESSES].items()},
        )


def changes(
    seen: Seen, look: Look, drains: Mapping[str, Drain], *, request: Request, execution: str, most: int
) -> tuple[Seen, list[Entry]]:
    """What this look shows that the one before did not, and what to compare the next one with.

    An association that is back after it was told as left was never gone: that look was stale (EC2's reads are
    eventually consistent), and the history shows both.

    Args:
        seen: what the look before saw.
        look: this look.
        drains: what is known of drains on this gateway, by association id.
        request: what the execution that looks was asked for.
        execution: its ARN.
        most: how many changes at most to tell now; the rest is left for the next look.
    """
    shown = _shown(look)
    if shown is None:
        return seen, []
    listed = {address.association_id for address in shown}
    serving = {a.association_id: _named(a) for a in shown if a.association_id and a.status in _SERVES}
    entries = []
    addresses = dict(seen.addresses)
    after = {"After": timestamp(seen.looked_at), "By": OUTSIDE} if seen.looked_at else {}
    new = [key for key in serving if key not in addresses]
    gone = [key for key in addresses if key not in listed]
    for association_id in new[:most]:
        addresses[association_id] = serving[association_id]
        entries.append(_entry(SERVING, look, association_id, serving, execution) | after)
    for association_id in gone[: most - len(entries)]:
        entry = _entry(LEFT, look, association_id, addresses, execution)
        entries.append(entry | _departure(seen, drains.get(association_id), request, execution))
        del addresses[association_id]
    # What is left for the next look was seen by the one before, and not by this one.
    looked_at = look.seen_at if len(entries) == len(new) + len(gone) else seen.looked_at
    return Seen(version=seen.version + 1, looked_at=looked_at or look.seen_at, addresses=addresses), entries


def _shown(look: Look) -> tuple[Address, ...] | None:
    """The addresses that the gateway has; None if the look cannot tell."""
    gateway = look.gateway
    if gateway is None or gateway.state == _GONE:
        return ()
    return gateway.addresses if gateway.state == AVAILABLE else None


def _named(address: Address) -> dict[str, str]:
    named = {
        "AllocationId": address.allocation_id,
        R.PUBLIC_IP: address.public_ip,
        "PrivateIp": address.private_ip,
    }
    return {key: value for key, value in named.items() if value}


def _entry(
    event: str, look: Look, association_id: str, named: Mapping[str, Mapping[str, str]], execution: str
) -> Entry:
    at = timestamp(look.seen_at)
    return {
        R.SORT: f"{R.HISTORY}{at}#{event}#{association_id}",
        "At": at,
        "Event": event,
        "AssociationId": association_id,
        **named[association_id],
        R.EXECUTION: execution,
    }


def _departure(seen: Seen, drain: Drain | None, request: Request, execution: str) -> Entry:
    """By whom an address left, as far as that is known."""
    seen_at = [at for at in (seen.looked_at, drain and drain.last_seen_at) if at]
    told: Entry = {"By": OUTSIDE, "LastSeenAt": timestamp(max(seen_at)) if seen_at else None}
    if drain is None or drain.asked_by is None:
        return _full(told)
    told |= {
        "By": drain.asked_by,
        "RequestedAt": drain.requested_at and timestamp(drain.requested_at),
        "MaxDrainDurationSeconds": drain.limit_seconds,
        "LimitReached": drain.limit_reached,
    }
    return _full(told | (_asked(request) if drain.asked_by == execution else {}))


def _asked(request: Request | None) -> Entry:
    """Who or what asked, and why."""
    if request is None:
        return {}
    return {"Trigger": request.trigger.to_json() if request.trigger else None, R.REASON: request.reason}


def ended(*, at: datetime, execution: str, request: Request | None, told: Mapping[str, Any]) -> Entry:
    """The entry of an execution that has ended; `told` is the detail of its event."""
    when = timestamp(at)
    kept = ("Execution", "Status", "Outcome", "Changed", "Error", "Summary", "PutBack", R.ADDRESSES)
    return _full(
        {
            R.SORT: f"{R.HISTORY}{when}#{ENDED}#{execution.rpartition(':')[2]}",
            "At": when,
            "Event": ENDED,
            **{key: told[key] for key in kept},
            **_asked(request),
        }
    )


def _full(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if value is not None}
