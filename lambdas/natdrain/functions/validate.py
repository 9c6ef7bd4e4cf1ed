"""*Validate*: the first look, every guard, and the plan.

Input: `{Execution, Request, Step, LastAttempt}`. Output: the next step, `{Do, Drains, Warnings, ...}`, which
may be to refuse. Errors: `RequestRefused` if the table cannot be understood; `TransientFailure`.
"""

from __future__ import annotations

from typing import Any

from natdrain.decide import Decision, Disassociate, Finished, Release, Wait, decide
from natdrain.functions.looking import look_and_recall
from natdrain.functions.task import Event, answer, task
from natdrain.requests import AfterDrain, Request

__all__ = ["handler"]


@task
def handler(event: Event) -> dict[str, Any]:
    """Look, ask every guard, decide; a dry run goes on to prove the permissions that will be needed."""
    request = Request.parse(event["Request"])
    look, known = look_and_recall(event, request, request.names)
    decision = decide(request, look, known)
    return answer(event, _to_prove(request, decision) if request.dry_run else decision)


def _to_prove(request: Request, decision: Decision) -> Decision:
    """In a dry run nothing is waited for: what will have to be asked later is proven now."""
    if not isinstance(decision, Wait):
        return decision
    drains = decision.drains
    if later := tuple(d.association_id for d in drains if not d.outcome and not d.leaving):
        return Disassociate(drains, later, warnings=decision.warnings)
    if request.after_drain is AfterDrain.RELEASE:
        return Release.of(drains, drains, warnings=decision.warnings)
    return Finished(drains, warnings=decision.warnings)
