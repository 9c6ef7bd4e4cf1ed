"""*Confirm*: look again, and decide on the next step.

Input: `{Execution, Request, Step, RetryCount}`. Output: `{Step, Start, Failure}`: the next step;
`RequestRefused` if the table cannot be understood. Errors: `TransientFailure`.
"""

from __future__ import annotations

from typing import Any

from natdrain.change.after.release import RELEASABLE
from natdrain.intake.request import AfterDrain, Request
from natdrain.steps.look_and_decide import look_and_decide
from natdrain.steps.settings import LookSettings
from natdrain.steps.task import Event, answer, drains_of, refusing, task

__all__ = ["handler"]


@task
@refusing
def handler(event: Event) -> dict[str, Any]:
    """Look and decide; what the guards need is read again only for what may be asked of EC2 next."""
    request = Request.parse(event["Request"])
    drains = drains_of(event)
    # Of a drain that somebody else began too: a stale read may show its address in service once more.
    names = [drain.association_id for drain in drains if not drain.outcome and not drain.requested_at]
    if request.after_drain is AfterDrain.RELEASE:
        names += [d.allocation_id for d in drains if d.outcome in RELEASABLE and d.allocation_id]
    return answer(event, look_and_decide(LookSettings.from_env(), event, request, names))
