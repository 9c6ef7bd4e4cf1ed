"""The result of an execution: its output, and as JSON text the cause of a failed one."""

import json
from collections.abc import Iterator
from typing import Any

from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.instants import timestamp
from natdrain.model.outcome import LEFT, AddressOutcome
from natdrain.model.problem import one_line
from natdrain.model.request import MAX_DRAIN_LIMIT_SECONDS, Request
from natdrain.report import joins, ways, wording
from natdrain.report.vocabulary import ADDRESSES
from natdrain.report.wording import MAX_TEXT_CHARACTERS, label_of

MAX_CAUSE_CHARACTERS = 32_768
"""Step Functions API reference, ExecutionFailedEventDetails: the longest cause."""

_HAD_LEFT = {AddressOutcome.DRAINED, AddressOutcome.ALREADY_DRAINED}


def result(end: Conclusion, request: Request | None, *, execution: str, region: str) -> dict[str, Any]:
    """Return the result; as JSON it fits into a cause, if need be with its longest lists halved.

    `execution` is an ARN, and `region` that of the gateway: both are for commands that people can paste.
    """
    here = {"execution": execution, "region": region}
    document: dict[str, Any] = {
        "NatGatewayId": end.gateway_id,
        "Direction": end.direction.value,
        "Outcome": end.outcome.value,
        "Changed": end.changed.value,
        "Summary": summary(end)[:MAX_TEXT_CHARACTERS],
        "Problems": [one_line(problem).to_json() for problem in end.problems],
        "Warnings": [text[:MAX_TEXT_CHARACTERS] for text in _warnings(end)],
        "PutBack": ways.as_command(ways.put_back(end), **here),
        "GoOn": ways.as_command(ways.go_on(end, request), **here),
        "Addresses": [
            *(_row(drain, end.of(drain)) for drain in end.drains),
            *(joins.row(join, end.of(join)) for join in end.joins),
        ],
    }
    while len(json.dumps(document, ensure_ascii=False)) > MAX_CAUSE_CHARACTERS:
        longest = max(("Problems", "Warnings", "Addresses"), key=lambda part: len(json.dumps(document[part])))
        document[longest] = document[longest][: len(document[longest]) // 2]
    return document


def stake(drain: Drain) -> dict[str, int]:
    """Return what is known of the connections that a drain may cut, as fields of a row."""
    if drain.share is None or drain.progress.connections is None:
        return {}
    return {"GatewayConnections": drain.progress.connections, "ConnectionsEstimate": drain.share}


def summary(end: Conclusion) -> str:
    """Return the end in one sentence."""
    if end.quiet is not None:
        return end.quiet
    if end.failed:
        first, *more = end.problems
        where = f"{end.gateway_id}: " if end.gateway_id and first.subject != end.gateway_id else ""
        count = f" (and {len(more)} more)" if more else ""
        return f"{_words(end.outcome).capitalize()}: {where}{first}{count}"
    planned = end.planned_limit_seconds is not None
    parts = [_planned(d, end) if planned else _became(d, end.of(d)) for d in end.drains]
    parts += [joins.summary_of(join, end.of(join)) for join in end.joins]
    return f"{end.gateway_id}: {'; '.join(parts)}."


def _words(name: str) -> str:
    return name.replace("_", " ")


def _planned(drain: Drain, end: Conclusion) -> str:
    if drain.outcome is AddressOutcome.ALREADY_RELEASED:
        return f"{label_of(drain)} has left already, and its allocation was released"
    if drain.outcome is not None:
        does = "has left already"
    elif drain.leaving:
        does = "is draining already and would be waited for"
    else:
        does = ADDRESSES[AddressOutcome.PLANNED].verb
    return f"{label_of(drain)} {does}{', and its allocation would be released' if end.releases else ''}"


def _became(drain: Drain, outcome: AddressOutcome) -> str:
    if outcome not in {AddressOutcome.DRAINED, AddressOutcome.RELEASED}:
        detail = f" ({drain.detail})" if drain.detail else ""
        return f"{label_of(drain)} {ADDRESSES[outcome].verb}{detail}"
    if drain.progress.left_before:
        left = "had left already"
    elif drain.limit_reached is False:
        left = "has left before its limit, so nothing was cut"
    elif how_long := wording.stayed(drain):
        left = f"{wording.number(how_long, 1)}, and has left"
    else:
        left = "has left, and whether anything was cut is not known"
    if outcome is AddressOutcome.RELEASED:
        left += f", and {drain.detail or f'its allocation {drain.allocation_id} is released'}"
    return f"{label_of(drain)} {left}"


def _warnings(end: Conclusion) -> Iterator[str]:
    # First of all, whether connections were cut.
    for drain in (drain for drain in end.drains if not drain.progress.left_before):
        yield from (f"{label_of(drain)}: {text}." for text in _left_warnings(drain))
    yield from map(str, end.warnings)
    for join in end.joins:
        texts = joins.warnings_of(end.of(join), ended_well=end.error is None)
        yield from (f"{label_of(join)}: {text}." for text in texts)
    for drain in end.drains:
        yield from (f"{label_of(drain)}: {text}." for text in _drain_warnings(drain, end))
    if end.releases and end.error and end.planned_limit_seconds is None:
        for drain in end.drains:
            yield from (f"{label_of(drain)}: {text}." for text in _allocation_warnings(drain, end.of(drain)))
    if not end.failed:
        yield from (
            f"{end.gateway_id} does not have {name}: nothing was to do for it." for name in end.absent
        )


def _drain_warnings(drain: Drain, end: Conclusion) -> Iterator[str]:
    limit_seconds = end.planned_limit_seconds
    if drain.outcome is not None:
        pass
    elif limit_seconds and drain.leaving:
        yield f"it is already draining with its own limit; yours of {limit_seconds} s does not apply"
    elif limit_seconds:
        yield from _planned_warnings(drain, limit_seconds)
    elif end.failed and drain.leaving:
        until = f" and ends at {timestamp(drain.limit_at)} at the latest" if drain.limit_at else ""
        yield f"its drain goes on without us{until}; run the same request again to continue watching"
    if limit_seconds and end.releases and drain.outcome is not AddressOutcome.ALREADY_RELEASED:
        yield "its allocation would be released to AWS, and the public IP lost for good"


def _planned_warnings(drain: Drain, limit_seconds: int) -> Iterator[str]:
    yield (
        f"a connection that is still open {limit_seconds} s after EC2 accepts the request is cut "
        f"by EC2; a drain cannot be cancelled"
    )
    if stake := wording.stake(drain):
        longer = ""
        if wording.would_cut_many(drain, limit_seconds):
            longer = (
                f"; a longer MaxDrainDurationSeconds, up to {MAX_DRAIN_LIMIT_SECONDS}, would let more of "
                f"them end by themselves"
            )
        yield f"{stake}{longer}"


def _left_warnings(drain: Drain) -> Iterator[str]:
    if drain.outcome not in LEFT or drain.limit_reached is False:
        return
    progress = drain.progress
    how_long = wording.stayed(drain)
    if drain.limit_reached and how_long:
        yield (
            f"it {wording.number(how_long, 1)}. EC2 cuts what is still open at the limit, and does not say "
            f"whether there was anything"
        )
    elif drain.limit_at is None:
        yield "it is not known who began its drain or with which limit; EC2 may have cut connections"
    else:
        stayed = f"{wording.number(how_long, 1)}, and " if how_long else ""
        yield (
            f"it {stayed}was gone by {timestamp(progress.gone_by or drain.limit_at)}: no look shows whether "
            f"it left before its limit, at {timestamp(drain.limit_at)}; EC2 may have cut connections"
        )


def _allocation_warnings(drain: Drain, outcome: AddressOutcome) -> Iterator[str]:
    if outcome in _HAD_LEFT:
        yield "its allocation is kept"
    elif outcome is AddressOutcome.UNKNOWN and drain.outcome in _HAD_LEFT:
        yield "it is not known whether EC2 released its allocation; run the same request again to find out"


def _row(drain: Drain, outcome: AddressOutcome) -> dict[str, Any]:
    progress = drain.progress
    row: dict[str, Any] = {
        "AllocationId": drain.allocation_id,
        "AssociationId": drain.association_id,
        "PublicIp": drain.public_ip,
        "PrivateIp": drain.private_ip,
        "Outcome": outcome.value,
        "Adopted": progress.adopted,
        "RequestedAt": progress.requested_at and timestamp(progress.requested_at),
        "LastSeenAt": progress.last_seen_at and timestamp(progress.last_seen_at),
        "GoneBy": progress.gone_by and timestamp(progress.gone_by),
        "LimitReached": drain.limit_reached,
    } | stake(drain)
    if drain.zone:
        row[joins.zone_field(drain.zone)] = drain.zone
    if drain.detail:
        row["Detail"] = drain.detail[:MAX_TEXT_CHARACTERS]
    return row
