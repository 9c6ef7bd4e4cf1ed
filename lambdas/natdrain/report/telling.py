"""What is said of one address: in the summary, as a warning, as a row of the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from natdrain.model.drain import LEFT, AddressOutcome, Drain, timestamp
from natdrain.model.gateway import is_zone_id, zone_option

__all__ = ["PLANNED", "UNKNOWN", "Plan", "of_allocation", "planned", "put_back", "row", "told", "warnings"]

PLANNED = "planned"
UNKNOWN = "unknown"
_MAX_DETAIL_CHARACTERS = 1_000
_VERBS = {
    "already_drained": "had left already",
    "already_released": "had left already, and its allocation was given back",
    "put_back": "has left and is back",
    "release_failed": "has left",
    "failed": "could not be taken off",
    "not_asked": "was not asked for",
    "blocked": "could not be asked for",
    "overdue": "is overdue",
    "gateway_gone": "cannot be told of",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a dry run would have done."""

    limit_seconds: int | None
    releases: bool


def planned(drain: Drain, plan: Plan) -> str:
    """What would become of an address, as a part of a sentence."""
    if drain.outcome is not None:
        does = "has left already"
    else:
        does = "is draining already and would be waited for" if drain.leaving else "would be taken off"
    if drain.outcome is AddressOutcome.ALREADY_RELEASED:
        return f"{drain.label} {does}, and its allocation was given back"
    return f"{drain.label} {does}{', and its allocation would be given back' if plan.releases else ''}"


def told(drain: Drain, word: str) -> str:
    """What became of an address, as a part of a sentence."""
    if word not in {AddressOutcome.DRAINED, AddressOutcome.RELEASED}:
        detail = f" ({drain.detail})" if drain.detail else ""
        return f"{drain.label} {_VERBS.get(word, word)}{detail}"
    if drain.left_before:
        left = "had left already"
    elif drain.limit_reached is False:
        left = "has left before its limit, so nothing was cut"
    elif drain.limit_reached:
        left = f"has left, and stayed past its limit of {drain.limit_seconds} s"
    else:
        left = "has left, and whether anything was cut is not known"
    if word != AddressOutcome.RELEASED:
        return f"{drain.label} {left}"
    gone = drain.detail or f"its allocation {drain.allocation_id} is given back"
    return f"{drain.label} {left}, and {gone}"


def warnings(drain: Drain, *, plan: Plan | None, failed: bool) -> Iterator[str]:
    """What its owner should know; `failed` tells that the execution did not get to the end."""
    if drain.outcome is None:
        of_limit = _of_open(drain, plan=plan, failed=failed)
    else:
        of_limit = None if drain.left_before else _of_left(drain)
    if of_limit:
        yield f"{drain.label}: {of_limit}."
    if plan and plan.releases and drain.outcome is not AddressOutcome.ALREADY_RELEASED:
        yield f"{drain.label}: its allocation would be given back to AWS, and the public IP lost for good."


def of_allocation(drain: Drain, word: str) -> Iterator[str]:
    """What its owner should know of an allocation that was to be given back, when something went wrong."""
    had_left = {AddressOutcome.DRAINED, AddressOutcome.ALREADY_DRAINED}
    if word in had_left:
        yield f"{drain.label}: its allocation is kept."
    elif word == UNKNOWN and drain.outcome in had_left:
        yield f"{drain.label}: nobody can say whether EC2 took its allocation back; ask again to find out."


def _of_open(drain: Drain, *, plan: Plan | None, failed: bool) -> str | None:
    if plan and drain.leaving:
        return f"it drains already with a limit of its own; yours of {plan.limit_seconds} s does not apply"
    if plan:
        return (
            f"a connection that is still open {plan.limit_seconds} s after EC2 accepts the request is cut "
            f"by EC2; a drain cannot be cancelled"
        )
    if failed and drain.leaving:
        until = f" and ends at {timestamp(drain.limit_at)} at the latest" if drain.limit_at else ""
        return f"its drain goes on without us{until}; ask again to go on watching"
    return None


def _of_left(drain: Drain) -> str | None:
    if drain.outcome not in LEFT or drain.limit_reached is False:
        return None
    if drain.limit_reached:
        return (
            f"it stayed until its drain limit of {drain.limit_seconds} s. EC2 cuts what is still open then, "
            f"and does not say whether there was anything"
        )
    if drain.limit_at is None:
        return "nothing tells who began its drain or with which limit; EC2 may have cut connections"
    seen = f"was last seen at {timestamp(drain.last_seen_at)}, and " if drain.last_seen_at else ""
    return (
        f"it {seen}was gone by {timestamp(drain.gone_by or drain.limit_at)}: no look tells whether it left "
        f"before its limit, at {timestamp(drain.limit_at)}; EC2 may have cut connections"
    )


def put_back(gateway_id: str | None, drains: Sequence[Drain], region: str) -> str | None:
    """The commands that put allocations back, a line for each zone of a regional gateway."""
    lines = []
    for zone in dict.fromkeys(drain.zone for drain in drains):
        ids = [d.allocation_id for d in drains if d.zone == zone and d.allocation_id]
        where = zone_option(zone) if zone else ""
        if ids:
            lines.append(
                f"aws ec2 associate-nat-gateway-address --region {region} --nat-gateway-id {gateway_id}"
                f"{where} --allocation-ids {' '.join(ids)}"
            )
    return "\n".join(lines) or None


def row(drain: Drain, word: str) -> dict[str, Any]:
    """An address in the result."""
    row: dict[str, Any] = {
        "AllocationId": drain.allocation_id,
        "AssociationId": drain.association_id,
        "PublicIp": drain.public_ip,
        "PrivateIp": drain.private_ip,
        "Outcome": word,
        "Adopted": drain.adopted,
        "RequestedAt": drain.requested_at and timestamp(drain.requested_at),
        "LastSeenAt": drain.last_seen_at and timestamp(drain.last_seen_at),
        "GoneBy": drain.gone_by and timestamp(drain.gone_by),
        "LimitReached": drain.limit_reached,
    }
    if drain.zone:
        row[f"AvailabilityZone{'Id' if is_zone_id(drain.zone) else ''}"] = drain.zone
    if drain.detail:
        row["Detail"] = drain.detail[:_MAX_DETAIL_CHARACTERS]
    return row
