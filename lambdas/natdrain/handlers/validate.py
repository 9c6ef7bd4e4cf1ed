"""*Validate*: the first look, every guard, and the plan.

Input: `{Execution, Request, Step, RetryCount}`. Output: `{Step, Start, Failure}`: the next step, which may be
to refuse; `RequestRefused` if the table cannot be understood. Errors: `TransientFailure`.
"""

from dataclasses import replace
from typing import Any

from natdrain.change.after.release import strategy_of
from natdrain.change.step import Associate, Disassociate, Finish, Reason, Step, Wait
from natdrain.model.request import Request
from natdrain.steps.look_and_decide import look_and_decide
from natdrain.steps.task import Event, deciding, task


@task
@deciding
def handler(event: Event, request: Request, _before: Step) -> Step:
    """Look, ask every guard, decide; a dry run goes on to prove the permissions that will be needed."""
    step = look_and_decide(event, request, None, request.names)
    return _to_prove(request, step) if request.dry_run else step


def _to_prove(request: Request, step: Step) -> Step:
    """Return what to prove now: in a dry run nothing is waited for."""
    if not isinstance(step, Wait):
        return step
    if step.joins:
        waiting = tuple(join.allocation_id for join in step.joins if join.to_ask)
        common: Any = {"joins": step.joins, "warnings": step.warnings, "reason": Reason.PERMISSION_TO_PROVE}
        return Associate(**common, allocation_ids=waiting) if waiting else Finish(**common)
    if later := tuple(d.association_id for d in step.drains if not d.outcome and not d.leaving):
        warnings, reason = step.warnings, Reason.PERMISSION_TO_PROVE
        return Disassociate(drains=step.drains, association_ids=later, warnings=warnings, reason=reason)
    return replace(strategy_of(request.after_drain).to_prove(step.drains), warnings=step.warnings)
