"""How an execution ended: one `Outcome`, of which result, error, cause and metrics are projections."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from natdrain.drains import AddressOutcome, Drain, timestamp
from natdrain.errors import EXECUTION_ERRORS, DrainFailed, DrainOverdue, GatewayBusy, RequestRefused

__all__ = ["IGNORED", "NOTHING_TO_DO", "Failure", "Outcome", "Quiet", "conclude", "quiet"]

IGNORED = "ignored"
"""The event asked for nothing, or another execution handles it."""
NOTHING_TO_DO = "nothing to do"
"""A schedule's addresses have all left before."""

MAX_CAUSE_CHARACTERS = 32_768
"""Step Functions API reference, ExecutionFailedEventDetails: the longest cause."""

_MAX_TEXT_CHARACTERS = 1_000
_LEFT = {AddressOutcome.DRAINED, AddressOutcome.PUT_BACK}
_GOOD = {AddressOutcome.DRAINED, AddressOutcome.ALREADY_DRAINED}
_UNKNOWN = "unknown"
_PLANNED = "planned"
_UNTOUCHED = (RequestRefused.__name__, GatewayBusy.__name__)
_WORDS = {
    RequestRefused.__name__: "refused",
    GatewayBusy.__name__: "busy",
    DrainFailed.__name__: "failed",
    DrainOverdue.__name__: "overdue",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a state of the workflow ended with, when it was not an answer."""

    error: str
    message: str

    @classmethod
    def from_catch(cls, caught: Mapping[str, str]) -> Failure:
        """Read Step Functions' `{Error, Cause}`; Lambda's cause is an envelope around the message."""
        error, cause = caught.get("Error", _UNKNOWN), caught.get("Cause", "")
        return cls(error=error, message=_envelope_message(cause) or cause or error)


def _envelope_message(cause: str) -> str | None:
    # A cause is any text, and only Lambda's is JSON.
    try:
        envelope = json.loads(cause)
    except ValueError:
        return None
    return envelope.get("errorMessage") if isinstance(envelope, dict) else None


@dataclass(frozen=True, slots=True)
class Quiet:
    """The end of an execution that found nothing to do; `name` is that of its outcome."""

    name: str
    why: str

    def to_json(self) -> dict[str, str]:
        """As the workflow carries it."""
        return {"Outcome": self.name, "Why": self.why}

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> Quiet:
        """The inverse of `to_json`."""
        return cls(document["Outcome"], document["Why"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an execution ended.

    `error` is None for a success, else one of `EXECUTION_ERRORS`. `changed` is `none`
    when nothing was changed, `all` when every named address has left, `some` when some have or are
    still leaving, and `unknown` when nobody can say.
    """

    gateway_id: str | None
    name: str
    error: str | None
    changed: str
    summary: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    put_back: str | None
    addresses: tuple[Mapping[str, Any], ...]

    def to_result(self) -> dict[str, Any]:
        """The execution's output, and as JSON a failed execution's cause."""
        return {
            "NatGatewayId": self.gateway_id,
            "Outcome": self.name,
            "Changed": self.changed,
            "Summary": self.summary[:_MAX_TEXT_CHARACTERS],
            "Problems": [problem[:_MAX_TEXT_CHARACTERS] for problem in self.problems],
            "Warnings": [warning[:_MAX_TEXT_CHARACTERS] for warning in self.warnings],
            "PutBack": self.put_back,
            "Addresses": [dict(address) for address in self.addresses],
        }

    def to_cause(self) -> str:
        """The result as JSON text that Step Functions takes: whole, or with its longest lists halved."""
        result = self.to_result()
        while len(text := json.dumps(result, ensure_ascii=False)) > MAX_CAUSE_CHARACTERS:
            longest = max(
                ("Problems", "Warnings", "Addresses"), key=lambda part: len(json.dumps(result[part]))
            )
            result[longest] = result[longest][: len(result[longest]) // 2]
        return text


def quiet(gateway_id: str | None, end: Quiet) -> Outcome:
    """The outcome of an execution that found nothing to do."""
    return Outcome(
        gateway_id=gateway_id,
        name=end.name,
        error=None,
        changed="none",
        summary=end.why,
        problems=(),
        warnings=(),
        put_back=None,
        addresses=(),
    )


def conclude(
    *,
    gateway_id: str | None,
    drains: Sequence[Drain],
    limit_seconds: int | None = None,
    dry_run: bool = False,
    failure: Failure | None = None,
    asking: Sequence[str] = (),
    absent: Sequence[str] | None = None,
    region: str,
) -> Outcome:
    """Bring what is known of every address, and a failure if there was one, into one outcome.

    Args:
        gateway_id: the gateway, where the request got so far.
        drains: what is known of each address.
        limit_seconds: the drain limit that is, or would be, asked for.
        dry_run: whether nothing was to be changed.
        failure: what a state failed with.
        asking: the associations that EC2 was about to be asked for when the failure came.
        absent: if a schedule asks, what it names and the gateway did not have.
        region: the region, for commands that people can paste.
    """
    if (
        absent is not None
        and failure is None
        and all(d.outcome is AddressOutcome.ALREADY_DRAINED for d in drains)
    ):
        names = ", ".join([*absent, *(d.label for d in drains)])
        return quiet(gateway_id, Quiet(NOTHING_TO_DO, f"{gateway_id} does not have {names}: nothing to do."))
    words = {d.association_id: _word(d, dry_run=dry_run, failure=failure, asking=asking) for d in drains}
    changed = _changed(drains, words)
    error = _error(drains, changed, failure)
    name = _WORDS[error] if error else (_PLANNED if dry_run else AddressOutcome.DRAINED.value)
    put_back = [
        str(d.allocation_id) for d in drains if d.outcome is AddressOutcome.DRAINED and d.allocation_id
    ]
    return Outcome(
        gateway_id=gateway_id,
        name=name,
        error=error,
        changed=changed,
        summary=_summary(gateway_id, name, drains, words, failure),
        problems=_problems(drains, failure),
        warnings=(
            *(
                w
                for d in drains
                for w in _warnings(d, planned_seconds=limit_seconds if dry_run else None, failure=failure)
            ),
            *(
                f"{gateway_id} does not have {one}: nothing was to do for it."
                for one in absent or ()
                if not failure
            ),
        ),
        put_back=_put_back(gateway_id, put_back, region) if put_back else None,
        addresses=tuple(_row(d, words[d.association_id]) for d in drains),
    )


def _word(drain: Drain, *, dry_run: bool, failure: Failure | None, asking: Sequence[str]) -> str:
    if drain.outcome is not None:
        return drain.outcome.value
    if dry_run:
        return _PLANNED if failure is None else AddressOutcome.NOT_ASKED.value
    maybe_asked = drain.association_id in asking and failure is not None and failure.error not in _UNTOUCHED
    return _UNKNOWN if drain.leaving or maybe_asked else AddressOutcome.NOT_ASKED.value


def _changed(drains: Sequence[Drain], words: Mapping[str, str]) -> str:
    if {_UNKNOWN, AddressOutcome.GATEWAY_GONE.value} & set(words.values()):
        return _UNKNOWN
    ours = [d for d in drains if d.outcome is not AddressOutcome.ALREADY_DRAINED]
    if ours and all(d.outcome in _LEFT for d in ours):
        return "all"
    return "some" if any(d.outcome in _LEFT or d.outcome is AddressOutcome.OVERDUE for d in ours) else "none"


def _error(drains: Sequence[Drain], changed: str, failure: Failure | None) -> str | None:
    outcomes = {d.outcome for d in drains}
    if failure is not None:
        own = failure.error if failure.error in EXECUTION_ERRORS else DrainFailed.__name__
        return own if changed == "none" else DrainFailed.__name__
    if outcomes <= _GOOD | {None}:
        return None
    if outcomes == {AddressOutcome.NOT_ASKED}:
        return RequestRefused.__name__
    return DrainOverdue.__name__ if outcomes == {AddressOutcome.OVERDUE} else DrainFailed.__name__


def _problems(drains: Sequence[Drain], failure: Failure | None) -> tuple[str, ...]:
    if failure is not None:
        return tuple(failure.message.split("\n"))
    told = (f"{d.label}: {d.detail}." for d in drains if d.outcome not in _GOOD and d.detail)
    return tuple(dict.fromkeys(told))


def _summary(
    gateway_id: str | None,
    name: str,
    drains: Sequence[Drain],
    words: Mapping[str, str],
    failure: Failure | None,
) -> str:
    if failure is not None:
        first, *more = failure.message.split("\n")
        where = f"{gateway_id}: " if gateway_id and gateway_id not in first else ""
        return f"{name.capitalize()}: {where}{first}" + (f" (and {len(more)} more)" if more else "")
    if name == _PLANNED:
        parts = [_planned(drain) for drain in drains]
    else:
        parts = [_told(drain, words[drain.association_id]) for drain in drains]
    return f"{gateway_id}: {'; '.join(parts)}."


def _planned(drain: Drain) -> str:
    if drain.outcome is AddressOutcome.ALREADY_DRAINED:
        return f"{drain.label} has left already"
    return (
        f"{drain.label} is draining already and would be waited for"
        if drain.leaving
        else f"{drain.label} would be taken off"
    )


def _told(drain: Drain, word: str) -> str:
    if drain.outcome is not AddressOutcome.DRAINED:
        detail = f" ({drain.detail})" if drain.detail else ""
        return f"{drain.label} {_VERBS.get(word, word)}{detail}"
    if drain.limit_reached is False:
        return f"{drain.label} has left before its limit, so nothing was cut"
    if drain.limit_reached:
        return f"{drain.label} has left; it stayed past its limit of {drain.limit_seconds} s"
    return f"{drain.label} has left; whether anything was cut is not known"


_VERBS = {
    "already_drained": "had left already",
    "put_back": "has left and is back",
    "failed": "could not be taken off",
    "not_asked": "was not asked for",
    "blocked": "could not be asked for",
    "overdue": "is overdue",
    "gateway_gone": "cannot be told of",
}


def _warnings(drain: Drain, *, planned_seconds: int | None, failure: Failure | None) -> list[str]:
    if drain.outcome is None:
        warning = _warning_of_open(drain, planned_seconds=planned_seconds, failure=failure)
    elif drain.outcome in _LEFT:
        warning = _warning_of_left(drain)
    else:
        warning = None
    return [f"{drain.label}: {warning}."] if warning else []


def _warning_of_open(drain: Drain, *, planned_seconds: int | None, failure: Failure | None) -> str | None:
    if planned_seconds and drain.leaving:
        return f"it drains already with a limit of its own; yours of {planned_seconds} s does not apply"
    if planned_seconds:
        return (
            f"a connection that is still open {planned_seconds} s after EC2 accepts the request is cut "
            f"by EC2; a drain cannot be cancelled"
        )
    if failure and drain.leaving:
        until = f" and ends at {timestamp(drain.limit_at)} at the latest" if drain.limit_at else ""
        return f"its drain goes on without us{until}; ask again to go on watching"
    return None


def _warning_of_left(drain: Drain) -> str | None:
    if drain.limit_reached:
        return (
            f"it stayed until its drain limit of {drain.limit_seconds} s. EC2 cuts what is still open then, "
            f"and does not say whether there was anything"
        )
    if drain.limit_reached is False:
        return None
    if drain.limit_at is None:
        return "nothing tells who began its drain or with which limit; EC2 may have cut connections"
    return "it left around its limit, and no look tells on which side; EC2 may have cut connections"


def _put_back(gateway_id: str | None, allocation_ids: Sequence[str], region: str) -> str:
    return (
        f"aws ec2 associate-nat-gateway-address --region {region} --nat-gateway-id {gateway_id} "
        f"--allocation-ids {' '.join(allocation_ids)}"
    )


def _row(drain: Drain, word: str) -> dict[str, Any]:
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
    if drain.detail:
        row["Detail"] = drain.detail[:_MAX_TEXT_CHARACTERS]
    return row
