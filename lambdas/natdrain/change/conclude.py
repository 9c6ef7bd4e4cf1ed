"""How an execution ended: one `Outcome`, of which result, error, cause and metrics are projections."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from natdrain.model.drain import LEFT, LEFT_EARLIER, AddressOutcome, Drain
from natdrain.model.errors import (
    EXECUTION_ERRORS,
    DrainFailed,
    DrainOverdue,
    GatewayBusy,
    ReleaseFailed,
    RequestRefused,
)
from natdrain.report import telling

__all__ = [
    "ENDS_WITHOUT_CLOSE",
    "IGNORED",
    "NOTHING_TO_DO",
    "Failure",
    "Outcome",
    "Quiet",
    "conclude",
    "quiet",
]

IGNORED = "ignored"
"""The event asked for nothing, or another execution handles it."""
NOTHING_TO_DO = "nothing to do"
"""A schedule's addresses have all left before."""

ENDS_WITHOUT_CLOSE = {"ABORTED": "stopped", "TIMED_OUT": "timed out"}
"""Step Functions' statuses of executions that something else ended, and the names of their outcomes."""

MAX_CAUSE_CHARACTERS = 32_768
"""Step Functions API reference, ExecutionFailedEventDetails: the longest cause."""

_MAX_TEXT_CHARACTERS = 1_000
_GOOD = {AddressOutcome.DRAINED, AddressOutcome.RELEASED, *LEFT_EARLIER}
_RELEASED = {AddressOutcome.RELEASED, AddressOutcome.ALREADY_RELEASED}
_STILL_OURS = {AddressOutcome.DRAINED, AddressOutcome.RELEASE_FAILED}
_UNTOUCHED = (RequestRefused.__name__, GatewayBusy.__name__)
_WORDS = {
    RequestRefused.__name__: "refused",
    GatewayBusy.__name__: "busy",
    DrainFailed.__name__: "failed",
    DrainOverdue.__name__: "overdue",
    ReleaseFailed.__name__: "release failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a state of the workflow ended with, when it was not an answer."""

    error: str
    message: str

    @classmethod
    def from_catch(cls, caught: Mapping[str, str]) -> Failure:
        """Read Step Functions' `{Error, Cause}`; Lambda's cause is an envelope around the message."""
        error, cause = caught.get("Error", telling.UNKNOWN), caught.get("Cause", "")
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

    `error` is None for a success and for an execution that was stopped, else one of `EXECUTION_ERRORS`.
    `changed` is `none` when nothing was changed, `all` when every named address has left, `some` when some
    have or are still leaving, and `unknown` when nobody can say.
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
    releases: bool = False,
    failure: Failure | None = None,
    asking: Sequence[str] = (),
    told: Sequence[str] = (),
    absent: Sequence[str] | None = None,
    status: str | None = None,
    region: str,
) -> Outcome:
    """Bring what is known of every address, and a failure if there was one, into one outcome.

    Args:
        gateway_id: the gateway, where the request got so far.
        drains: what is known of each address.
        limit_seconds: the drain limit that is, or would be, asked for.
        dry_run: whether nothing was to be changed.
        releases: whether the allocations were, or would be, to be given back.
        failure: what a state failed with, or why the request was refused.
        asking: the associations or allocations that EC2 was about to be asked for when the failure came.
        told: the warnings so far.
        absent: if a schedule asks, what it names and the gateway did not have.
        status: Step Functions' status of an execution that ended without *Close*.
        region: the region, for commands that people can paste.
    """
    done = {AddressOutcome.ALREADY_RELEASED} if releases else LEFT_EARLIER
    if absent is not None and failure is None and all(d.outcome in done for d in drains):
        names = ", ".join([*absent, *(d.label for d in drains)])
        return quiet(gateway_id, Quiet(NOTHING_TO_DO, f"{gateway_id} does not have {names}: nothing to do."))
    words = {d.association_id: _word(d, dry_run=dry_run, failure=failure, asking=asking) for d in drains}
    changed = "none" if dry_run else _changed(drains, words, releases=releases)
    error = _error(drains, changed, failure, releases=releases and not dry_run)
    name = _WORDS[error] if error else _name(drains, dry_run=dry_run)
    if status in ENDS_WITHOUT_CLOSE:
        name, error = ENDS_WITHOUT_CLOSE[status], None
    plan = telling.Plan(limit_seconds=limit_seconds, releases=releases) if dry_run else None
    warnings = [warning for d in drains for warning in telling.warnings(d, plan=plan, failed=bool(failure))]
    if releases and error and not dry_run:
        warnings += [told for d in drains for told in telling.of_allocation(d, words[d.association_id])]
    if not failure:
        warnings += [f"{gateway_id} does not have {one}: nothing was to do for it." for one in absent or ()]
    still_ours = [
        d for d in drains if d.outcome in _STILL_OURS and words[d.association_id] != telling.UNKNOWN
    ]
    return Outcome(
        gateway_id=gateway_id,
        name=name,
        error=error,
        changed=changed,
        summary=_summary(gateway_id, name, drains, words, failure=failure, plan=plan),
        problems=_problems(drains, failure),
        warnings=(*told, *warnings),
        put_back=telling.put_back(gateway_id, still_ours, region),
        addresses=tuple(telling.row(d, words[d.association_id]) for d in drains),
    )


def _name(drains: Sequence[Drain], *, dry_run: bool) -> str:
    if dry_run:
        return telling.PLANNED
    outcomes = {d.outcome for d in drains}
    released = AddressOutcome.RELEASED in outcomes or outcomes == {AddressOutcome.ALREADY_RELEASED}
    return (AddressOutcome.RELEASED if released else AddressOutcome.DRAINED).value


def _word(drain: Drain, *, dry_run: bool, failure: Failure | None, asking: Sequence[str]) -> str:
    """What became of an address, in one word."""
    maybe_asked = (
        not dry_run
        and failure is not None
        and failure.error not in _UNTOUCHED
        and not {drain.association_id, drain.allocation_id}.isdisjoint(asking)
    )
    if dry_run and drain.outcome is None:
        return telling.PLANNED if failure is None else AddressOutcome.NOT_ASKED.value
    if maybe_asked or (drain.outcome is None and drain.leaving):
        return telling.UNKNOWN
    return (drain.outcome or AddressOutcome.NOT_ASKED).value


def _changed(drains: Sequence[Drain], words: Mapping[str, str], *, releases: bool) -> str:
    """How much of what was asked for has come about by this execution."""
    if {telling.UNKNOWN, AddressOutcome.GATEWAY_GONE.value} & set(words.values()):
        return "unknown"
    ours = {
        d.outcome for d in drains if d.outcome not in LEFT_EARLIER and (not d.left_before or d.given_back)
    }
    as_asked = {d.outcome for d in drains} <= _RELEASED if releases else ours <= LEFT
    if ours and as_asked:
        return "all"
    return "some" if ours & {*LEFT, AddressOutcome.OVERDUE} else "none"


def _error(drains: Sequence[Drain], changed: str, failure: Failure | None, *, releases: bool) -> str | None:
    outcomes = {d.outcome for d in drains}
    if failure is not None:
        if changed == "none" and failure.error in EXECUTION_ERRORS:
            return failure.error
        all_left = releases and drains and outcomes <= {*_GOOD, AddressOutcome.RELEASE_FAILED}
        return (ReleaseFailed if all_left else DrainFailed).__name__
    if outcomes <= {*_GOOD, None}:
        return None
    if outcomes <= {*_GOOD, AddressOutcome.RELEASE_FAILED}:
        return ReleaseFailed.__name__
    if outcomes - LEFT_EARLIER == {AddressOutcome.NOT_ASKED}:
        return RequestRefused.__name__
    return DrainOverdue.__name__ if outcomes == {AddressOutcome.OVERDUE} else DrainFailed.__name__


def _problems(drains: Sequence[Drain], failure: Failure | None) -> tuple[str, ...]:
    if failure is not None:
        return tuple(failure.message.split("\n"))
    # Without a full stop, since a detail may end with a command.
    told = (f"{d.label}: {d.detail}" for d in drains if d.outcome not in _GOOD and d.detail)
    return tuple(dict.fromkeys(told))


def _summary(
    gateway_id: str | None,
    name: str,
    drains: Sequence[Drain],
    words: Mapping[str, str],
    *,
    failure: Failure | None,
    plan: telling.Plan | None,
) -> str:
    if failure is not None:
        first, *more = failure.message.split("\n")
        where = f"{gateway_id}: " if gateway_id and gateway_id not in first else ""
        return f"{name.capitalize()}: {where}{first}" + (f" (and {len(more)} more)" if more else "")
    if plan:
        parts = [telling.planned(drain, plan) for drain in drains]
    else:
        parts = [telling.told(drain, words[drain.association_id]) for drain in drains]
    return f"{gateway_id}: {'; '.join(parts)}."
