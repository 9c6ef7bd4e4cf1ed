"""*Validate*: the first look, every guard, and the plan.

Input: `{Execution, Request, Step, RetryCount}`. Output: `{Step, Start, Failure}`: the next step, which may be
to refuse; `RequestRefused` if the table cannot be understood. Errors: `TransientFailure`.
"""

from __future__ import annotations

from typing import Any

from natdrain.change.leave.decide import Decision, Disassociate, Finished, Release, Wait
from natdrain.intake.request import AfterDrain, Request
from natdrain.steps.look_and_decide import look_and_decide
from natdrain.steps.settings import LookSettings
from natdrain.steps.task import Event, answer, refusing, task

__all__ = ["handler"]


@task
@refusing
def handler(event: Event) -> dict[str, Any]:
    """Look, judge every guard, decide; a dry run goes on to prove the permissions that will be needed."""
    request = Request.parse(event["Request"])
    decision = look_and_decide(LookSettings.from_env(), event, request, request.names)
    return answer(event, _to_prove(request, decision) if request.dry_run else decision)


def _to_prove(request: Request, decision: Decision) -> Decision:
    """Return what to prove now instead of waiting, since a dry run waits for nothing."""
    if not isinstance(decision, Wait):
        return decision
    drains = decision.drains
    if later := tuple(d.association_id for d in drains if not d.outcome and not d.leaving):
        return Disassociate(drains, later, warnings=decision.warnings)
    if request.after_drain is AfterDrain.RELEASE:
        return Release.of(drains, drains, warnings=decision.warnings)
    return Finished(drains, warnings=decision.warnings)
