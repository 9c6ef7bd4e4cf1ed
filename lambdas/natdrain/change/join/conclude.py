"""The conclusion about allocations that were to join."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from natdrain.change.failure import ENDS_WITHOUT_CLOSE, OUTCOMES, Failure, problems_of
from natdrain.model import errors
from natdrain.model.conclusion import Conclusion, Quiet
from natdrain.model.join import Join
from natdrain.model.outcome import IN_SERVICE_NOW, Changed, ExecutionOutcome, ExecutionStatus
from natdrain.model.outcome import AddressOutcome as A
from natdrain.model.problem import Problem
from natdrain.model.request import Request
from natdrain.report import details
from natdrain.report.wording import label_of


def conclude_joins(
    request: Request,
    joins: Sequence[Join],
    failure: Failure | None,
    *,
    asking: Collection[str],
    warnings: Sequence[Problem],
    status: ExecutionStatus | None,
) -> Conclusion:
    """Return the end of a request to associate allocations."""
    if request.scheduled and failure is None and {join.outcome for join in joins} == {A.ALREADY_JOINED}:
        names = ", ".join(map(label_of, joins))
        why = details.ALREADY_THERE.with_(gateway=request.gateway_id, names=names)
        end = Conclusion.quietly(request.gateway_id, Quiet(ExecutionOutcome.NOTHING_TO_DO, why))
        return replace(end, direction=request.direction)
    outcomes = {join.allocation_id: _became(join, request, failure, asking) for join in joins}
    changed = _changed(request, joins, outcomes)
    error = _error(outcomes, changed, failure)
    good = ExecutionOutcome.PLANNED if request.dry_run else ExecutionOutcome.JOINED
    ended_by = ENDS_WITHOUT_CLOSE.get(status)
    return Conclusion(
        gateway_id=request.gateway_id,
        outcome=ended_by or OUTCOMES.get(error) or good,
        direction=request.direction,
        error=None if ended_by else error,
        changed=changed,
        joins=tuple(joins),
        outcomes=outcomes,
        problems=problems_of(joins, failure),
        warnings=tuple(warnings),
        failed=failure is not None,
        planned=request.dry_run,
        trigger=failure.trigger if failure else None,
    )


def _became(join: Join, request: Request, failure: Failure | None, asking: Collection[str]) -> A:
    if request.dry_run:
        return join.outcome or (A.NOT_ASKED if failure else A.PLANNED)
    touched = failure is not None and failure.error not in errors.UNTOUCHED
    asked = touched and not {join.allocation_id, join.association_id}.isdisjoint(asking)
    if join.outcome is None and (asked or join.accepted or join.progress.pending):
        return A.UNKNOWN
    return join.outcome or A.NOT_ASKED


def _changed(request: Request, joins: Sequence[Join], outcomes: Mapping[str, A]) -> Changed:
    became = {*outcomes.values()}
    if request.dry_run:
        return Changed.NONE
    if {A.UNKNOWN, A.GATEWAY_GONE} & became:
        return Changed.UNKNOWN
    if A.JOINED in became and became <= IN_SERVICE_NOW:
        return Changed.ALL
    asked = [join for join in joins if join.progress.requested_at]
    touched = any(join.listed or outcomes[join.allocation_id] is A.TAKEN_AWAY for join in asked)
    return Changed.SOME if touched or A.JOINED in became else Changed.NONE


def _error(outcomes: Mapping[str, A], changed: Changed, failure: Failure | None) -> str | None:
    became = {*outcomes.values()}
    if failure is not None:
        untouched = changed is Changed.NONE and failure.error in errors.EXECUTION_ERRORS
        return failure.error if untouched else errors.AssociateFailed.__name__
    if became <= {*IN_SERVICE_NOW, A.PLANNED}:
        return None
    if became - {A.ALREADY_JOINED} == {A.NOT_ASKED}:
        return errors.RequestRefused.__name__
    return errors.AssociateFailed.__name__
