"""The sentences and fields about allocations that join: parts of result, message and event."""

from collections.abc import Iterator
from typing import Any

from natdrain.model.gateway import is_zone_id
from natdrain.model.instants import timestamp
from natdrain.model.join import Join
from natdrain.model.outcome import IN_SERVICE_NOW, AddressOutcome
from natdrain.report import wording
from natdrain.report.vocabulary import ADDRESSES
from natdrain.report.wording import MAX_TEXT_CHARACTERS, label_of


def row(join: Join, outcome: AddressOutcome) -> dict[str, Any]:
    """Return what the result says about an allocation."""
    progress = join.progress
    fields: dict[str, Any] = {
        **identity(join),
        "Outcome": outcome.value,
        "Adopted": progress.adopted,
        "RequestedAt": progress.requested_at and timestamp(progress.requested_at),
        "InServiceAt": progress.in_service_at and timestamp(progress.in_service_at),
        "LastSeenAt": progress.last_seen_at and timestamp(progress.last_seen_at),
        "StillListed": join.listed,
    }
    return fields | ({"Detail": join.detail[:MAX_TEXT_CHARACTERS]} if join.detail else {})


def started(join: Join) -> dict[str, Any]:
    """Return what the event of the start says about an allocation."""
    progress = join.progress
    return {
        **identity(join),
        "Adopted": progress.adopted,
        "RequestedAt": progress.requested_at and timestamp(progress.requested_at),
    }


def identity(join: Join) -> dict[str, Any]:
    """Return the names of an allocation, as fields of a row."""
    fields: dict[str, Any] = {
        "AllocationId": join.allocation_id,
        "AssociationId": join.association_id,
        "PublicIp": join.public_ip,
        "PrivateIp": join.private_ip,
    }
    return fields | ({zone_field(join.zone): join.zone} if join.zone else {})


def zone_field(zone: str) -> str:
    """Return EC2's name of the parameter for a zone."""
    return f"AvailabilityZone{'Id' if is_zone_id(zone) else ''}"


def summary_of(join: Join, outcome: AddressOutcome) -> str:
    """Return what became of an allocation, as a part of the summary."""
    detail = f" ({join.detail})" if join.detail and outcome not in IN_SERVICE_NOW else ""
    verb = ADDRESSES[outcome].verb
    if outcome is AddressOutcome.PLANNED:
        verb = _planned(join)
    if outcome is AddressOutcome.UNKNOWN and join.accepted:
        verb = "was joining when natdrain stopped watching it"
    if outcome is AddressOutcome.BLOCKED:
        verb = ADDRESSES[AddressOutcome.JOIN_FAILED].verb
    return f"{label_of(join)} {verb}{detail}"


def _planned(join: Join) -> str:
    if join.progress.failed_at:
        return "has failed, and would be taken off again"
    return "is joining already and would be waited for" if join.progress.adopted else "would be associated"


def sentence_of(join: Join, outcome: AddressOutcome) -> str:
    """Return what became of an allocation, as a sentence of a message without its subject."""
    progress = join.progress
    if outcome is AddressOutcome.JOINED and progress.in_service_at:
        at = wording.at(progress.in_service_at, progress.requested_at)
        return f"[was|were] seen in service on {{where}} at {at}"
    if outcome is AddressOutcome.UNKNOWN and join.accepted:
        return "[was|were] joining {where} when natdrain stopped watching [it|them]"
    if outcome is AddressOutcome.UNKNOWN:
        return "may be joining {where}: it is not known whether EC2 accepted the request"
    if outcome is AddressOutcome.BLOCKED:
        return "[has|have] not joined {where}, because EC2 accepted no request"
    return ADDRESSES[outcome].sentence


def started_sentence(join: Join) -> str:
    """Return that an allocation begins to join, without its subject."""
    if join.progress.requested_at is None:
        return "[is|are] already joining {where}; natdrain did not request this"
    return "[is|are] joining {where}: that mostly takes less than a minute"


def warnings_of(outcome: AddressOutcome, *, ended_well: bool) -> Iterator[str]:
    """Yield what somebody should know about an allocation."""
    if outcome is AddressOutcome.JOINED and not ended_well:
        yield "it is in service and carries connections, so natdrain does not take it off again"
    if outcome is AddressOutcome.PLANNED:
        yield "it takes new connections as soon as it is in service: partners must allow it before"
