"""The conclusion: what is known of every address, and a failure if there was one, become one end."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from natdrain.change.after.release import strategy_of
from natdrain.contract import Busy
from natdrain.model import errors
from natdrain.model.conclusion import Conclusion, Quiet
from natdrain.model.drain import Drain
from natdrain.model.outcome import LEFT, LEFT_EARLIER, Changed, ExecutionOutcome, ExecutionStatus
from natdrain.model.outcome import AddressOutcome as A
from natdrain.model.problem import Problem
from natdrain.model.request import Request, Trigger
from natdrain.report import details
from natdrain.report.refusals import locked
from natdrain.report.wording import label_of, name_of

ENDS_WITHOUT_CLOSE: Mapping[ExecutionStatus | None, ExecutionOutcome] = {
    ExecutionStatus.ABORTED: ExecutionOutcome.STOPPED,
    ExecutionStatus.TIMED_OUT: ExecutionOutcome.TIMED_OUT,
}
"""The statuses of executions that something else ended, and their outcomes."""

_GOOD = {A.DRAINED, A.RELEASED, *LEFT_EARLIER}
_RELEASED = {A.RELEASED, A.ALREADY_RELEASED}
_OUTCOMES: Mapping[str | None, ExecutionOutcome] = {
    errors.RequestRefused.__name__: ExecutionOutcome.REFUSED,
    errors.GatewayBusy.__name__: ExecutionOutcome.BUSY,
    errors.DrainFailed.__name__: ExecutionOutcome.FAILED,
    errors.DrainOverdue.__name__: ExecutionOutcome.OVERDUE,
    errors.ReleaseFailed.__name__: ExecutionOutcome.RELEASE_FAILED,
}
_NO_ERROR = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The failure of a state of the workflow: the error's name, and what was wrong."""

    error: str
    problems: tuple[Problem, ...]
    trigger: Trigger | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any], gateway_id: str | None = None) -> Self:
        """Read a function's answer, a lock state's facts, or what a state caught, `{Error, Cause}`.

        Lambda's cause is an envelope around the message (Step Functions developer guide, error handling).
        """
        error = document.get("Error", _NO_ERROR)
        if problems := document.get("Problems"):
            trigger = Trigger.from_json(document["Trigger"]) if "Trigger" in document else None
            return cls(error=error, problems=tuple(map(Problem.from_json, problems)), trigger=trigger)
        if gateway_id and (lock := document.get(Busy.LOCK)):
            return cls(error=error, problems=(locked(gateway_id, lock),))
        cause = document.get("Cause", "")
        text = _envelope_message(cause) or cause or error
        return cls(error=error, problems=tuple(Problem(text=line) for line in text.splitlines()))


def _envelope_message(cause: str) -> str | None:
    # A cause is any text, and only Lambda's is JSON.
    try:
        envelope = json.loads(cause)
    except ValueError:
        return None
    return envelope.get("errorMessage") if isinstance(envelope, dict) else None


def conclude_quietly(gateway_id: str | None, end: Quiet) -> Conclusion:
    """Return the end of an execution that found nothing to do."""
    return Conclusion(
        gateway_id=gateway_id, outcome=end.outcome, outcomes={}, quiet=end.why, trigger=end.trigger
    )


def conclude(
    request: Request | None,
    drains: Sequence[Drain],
    *,
    failure: Failure | None = None,
    asking: Collection[str] = (),
    warnings: Sequence[Problem] = (),
    status: ExecutionStatus | None = None,
) -> Conclusion:
    """Bring what is known of every address, and a failure if there was one, into one end.

    `request` is None when the input could not be read as one. `failure` is what a state failed with, or why
    the request was refused; `asking` has the associations or allocations that EC2 was about to be asked for
    then. `status` is how an execution ended that something else ended.
    """
    request = request or Request(gateway_id=None)
    after = strategy_of(request.after_drain)
    absent = _absent(request, drains)
    if request.scheduled and failure is None and {d.outcome for d in drains} <= after.done_before:
        names = ", ".join([*absent, *map(label_of, drains)])
        why = details.NOTHING_TO_DO.with_(gateway=request.gateway_id, names=names)
        return conclude_quietly(request.gateway_id, Quiet(ExecutionOutcome.NOTHING_TO_DO, why))
    outcomes = {d.association_id: _became(d, request, failure, asking) for d in drains}
    changed = _changed(request, drains, outcomes)
    error = _error(drains, changed, failure, releases=after.releases and not request.dry_run)
    ended_by = ENDS_WITHOUT_CLOSE.get(status)
    return Conclusion(
        gateway_id=request.gateway_id,
        outcome=ended_by or _OUTCOMES.get(error) or _success(drains, request),
        error=None if ended_by else error,
        changed=changed,
        drains=tuple(drains),
        outcomes=outcomes,
        problems=_problems(drains, failure),
        warnings=tuple(warnings),
        failed=failure is not None,
        releases=after.releases,
        absent=tuple(absent),
        planned_limit_seconds=request.limit_seconds if request.dry_run else None,
        trigger=failure.trigger if failure else None,
    )


def _absent(request: Request, drains: Sequence[Drain]) -> list[str]:
    """Return what a schedule names and the gateway does not have."""
    found = set().union(*(drain.names for drain in drains))
    return [name for name in request.names if request.scheduled and name not in found]


def _success(drains: Sequence[Drain], request: Request) -> ExecutionOutcome:
    if request.dry_run:
        return ExecutionOutcome.PLANNED
    outcomes = {drain.outcome for drain in drains}
    released = A.RELEASED in outcomes or outcomes == {A.ALREADY_RELEASED}
    return ExecutionOutcome.RELEASED if released else ExecutionOutcome.DRAINED


def _became(drain: Drain, request: Request, failure: Failure | None, asking: Collection[str]) -> A:
    if request.dry_run:
        return drain.outcome or (A.NOT_ASKED if failure else A.PLANNED)
    touched = failure is not None and failure.error not in errors.UNTOUCHED
    asked = touched and not {drain.association_id, drain.allocation_id}.isdisjoint(asking)
    if asked or (drain.outcome is None and drain.leaving):
        return A.UNKNOWN
    return drain.outcome or A.NOT_ASKED


def _changed(request: Request, drains: Sequence[Drain], outcomes: Mapping[str, A]) -> Changed:
    if request.dry_run:
        return Changed.NONE
    if {A.UNKNOWN, A.GATEWAY_GONE} & set(outcomes.values()):
        return Changed.UNKNOWN
    ours = {drain.outcome for drain in drains if drain.ended_now}
    all_outcomes = {drain.outcome for drain in drains}
    releases = strategy_of(request.after_drain).releases
    if ours and (all_outcomes <= _RELEASED if releases else ours <= LEFT):
        return Changed.ALL
    return Changed.SOME if ours & {*LEFT, A.OVERDUE} else Changed.NONE


def _error(
    drains: Sequence[Drain], changed: Changed, failure: Failure | None, *, releases: bool
) -> str | None:
    outcomes = {drain.outcome for drain in drains}
    only_release_missing = outcomes <= {*_GOOD, A.RELEASE_FAILED}
    if failure is not None:
        if changed is Changed.NONE and failure.error in errors.EXECUTION_ERRORS:
            return failure.error
        all_left = releases and drains and only_release_missing
        return (errors.ReleaseFailed if all_left else errors.DrainFailed).__name__
    if outcomes <= {*_GOOD, None}:
        return None
    if only_release_missing:
        return errors.ReleaseFailed.__name__
    if outcomes - LEFT_EARLIER == {A.NOT_ASKED}:
        return errors.RequestRefused.__name__
    return (errors.DrainOverdue if outcomes == {A.OVERDUE} else errors.DrainFailed).__name__


def _problems(drains: Sequence[Drain], failure: Failure | None) -> tuple[Problem, ...]:
    if failure is not None:
        return failure.problems
    problems: dict[Problem, None] = {}
    for drain in (drain for drain in drains if drain.outcome not in _GOOD and drain.detail):
        text = f"{name_of(drain)}: {drain.detail}"
        problems |= dict.fromkeys(drain.problems or [Problem(subject=drain.association_id, text=text)])
    return tuple(problems)
