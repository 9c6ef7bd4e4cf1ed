"""What is said of what became of each address: one sentence for all that fared alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from natdrain.intake.request import Request
from natdrain.model.drain import AddressOutcome, instant
from natdrain.report.wording import ALLOCATIONS, alike, at, by_at_the_latest, listed, name, number

__all__ = ["of_addresses"]

_Row = Mapping[str, Any]

_LEFT = {
    AddressOutcome.DRAINED: "",
    AddressOutcome.PUT_BACK: "; somebody has put [it|them] back since",
    AddressOutcome.RELEASED: f"; {ALLOCATIONS} [has|have] been given back to AWS",
    AddressOutcome.RELEASE_FAILED: f"; {ALLOCATIONS} [has|have] not been given back to AWS",
}
_NOT_LEFT = {
    AddressOutcome.ALREADY_DRAINED: "had left {where} before",
    AddressOutcome.ALREADY_RELEASED: (
        f"had left {{where}} before, and {ALLOCATIONS} [was|were] given back to AWS then"
    ),
    AddressOutcome.FAILED: "could not be taken off {where}",
    AddressOutcome.NOT_ASKED: "[was|were] not touched",
    AddressOutcome.BLOCKED: "could not be taken off {where}, because EC2 let no request through",
    AddressOutcome.OVERDUE: (
        "[is|are] still on {where}, although [its|their] limit has passed; connections may have been cut"
    ),
    AddressOutcome.GATEWAY_GONE: "cannot be told of, because {where} has gone",
}


def of_addresses(request: Request | None, rows: Sequence[_Row], where: str) -> Iterator[str]:
    """What became of each address; `where` is how its gateway is called."""
    for fate, some in alike(rows, lambda row: _fate(request, row, where)).items():
        names = listed([name(row["PublicIp"], row["PrivateIp"], row["AllocationId"]) for row in some])
        yield f"{names} {number(fate, len(some))}."


def _fate(request: Request | None, row: _Row, where: str) -> str:
    outcome = row["Outcome"]
    if outcome in _LEFT:
        return f"{_left(row, where)}{_LEFT[outcome]}"
    if outcome in _NOT_LEFT:
        return _NOT_LEFT[outcome].format(where=where)
    if row["GoneBy"]:
        return f"{_left(row, where)}; nobody can say whether {ALLOCATIONS} [was|were] given back to AWS"
    if not (row["RequestedAt"] or row["Adopted"]):
        return "may have been asked to leave; nobody can say"
    by = ""
    if request and row["RequestedAt"] and not row["Adopted"]:
        requested_at = instant(row["RequestedAt"])
        limit_at = requested_at + timedelta(seconds=request.limit_seconds)
        by = f": [it leaves|they leave] {by_at_the_latest(limit_at, requested_at)}"
    return f"[was|were] leaving {where} when natdrain last knew of [it|them], watched by nobody since{by}"


def _left(row: _Row, where: str) -> str:
    requested_at = row["RequestedAt"] and instant(row["RequestedAt"])
    by = f" by {at(instant(row['GoneBy']), requested_at)}" if row["GoneBy"] else ""
    if row["LimitReached"] is None:
        return f"left {where}{by}, and whether anything was cut cannot be told"
    if row["LimitReached"]:
        return (
            f"left {where}{by}, but stayed until [its|their] limit: EC2 cuts what is still open then, and "
            f"does not say whether there was anything"
        )
    return f"left {where}{by}, before [its|their] limit, so no connection was cut"
