"""The conclusion about addresses that were to leave."""

from collections.abc import Collection, Mapping, Sequence

from natdrain.change.after.release import strategy_of
from natdrain.change.failure import ENDS_WITHOUT_CLOSE, GOOD, OUTCOMES, Failure, problems_of
from natdrain.model import errors
from natdrain.model.conclusion import Conclusion, Quiet
from natdrain.model.drain import Drain
from natdrain.model.outcome import LEFT, LEFT_EARLIER, Changed, ExecutionOutcome, ExecutionStatus
from natdrain.model.outcome import AddressOutcome as A
from natdrain.model.problem import Problem
from natdrain.model.request import Request
from natdrain.report import details
from natdrain.report.wording import label_of

_RELEASED = {A.RELEASED, A.ALREADY_RELEASED}


def conclude_drains(
    request: Request,
    drains: Sequence[Drain],
    failure: Failure | None,
    *,
    asking: Collection[str],
    warnings: Sequence[Problem],
    status: ExecutionStatus | None,
) -> Conclusion:
    """Return the end of a request to take addresses off."""
    after = strategy_of(request.after_drain)
    absent = _absent(request, drains)
    if request.scheduled and failure is None and {d.outcome for d in drains} <= after.done_before:
        names = ", ".join([*absent, *map(label_of, drains)])
        why = details.NOTHING_TO_DO.with_(gateway=request.gateway_id, names=names)
        return Conclusion.quietly(request.gateway_id, Quiet(ExecutionOutcome.NOTHING_TO_DO, why))
    outcomes = {d.association_id: _became(d, request, failure, asking) for d in drains}
    changed = _changed(request, drains, outcomes)
    error = _error(drains, changed, failure, releases=after.releases and not request.dry_run)
    ended_by = ENDS_WITHOUT_CLOSE.get(status)
    return Conclusion(
        gateway_id=request.gateway_id,
        outcome=ended_by or OUTCOMES.get(error) or _success(drains, request),
        error=None if ended_by else error,
        changed=changed,
        drains=tuple(drains),
        outcomes=outcomes,
        problems=problems_of(drains, failure),
        warnings=tuple(warnings),
        failed=failure is not None,
        releases=after.releases,
        absent=tuple(absent),
        planned=request.dry_run,
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
    only_release_missing = outcomes <= {*GOOD, A.RELEASE_FAILED}
    if failure is not None:
        if changed is Changed.NONE and failure.error in errors.EXECUTION_ERRORS:
            return failure.error
        all_left = releases and drains and only_release_missing
        return (errors.ReleaseFailed if all_left else errors.DrainFailed).__name__
    if outcomes <= {*GOOD, None}:
        return None
    if only_release_missing:
        return errors.ReleaseFailed.__name__
    if outcomes - LEFT_EARLIER == {A.NOT_ASKED}:
        return errors.RequestRefused.__name__
    return (errors.DrainOverdue if outcomes == {A.OVERDUE} else errors.DrainFailed).__name__
