"""*Confirm*: look again, and decide what is next.

Input: `{Execution, Request, Step, LastAttempt}`. Output: the next step, `{Do, Drains, Warnings, ...}`.
Errors: `RequestRefused` if the table cannot be understood; `TransientFailure`.
"""

from __future__ import annotations

from typing import Any

from natdrain.decide import decide
from natdrain.functions.looking import look_and_recall
from natdrain.functions.task import Event, answer, drains_of, task
from natdrain.release import RELEASABLE
from natdrain.requests import AfterDrain, Request

__all__ = ["handler"]


@task
def handler(event: Event) -> dict[str, Any]:
    """Look and decide; what guards want to know is read again for what may have to be asked of EC2 next."""
    request = Request.parse(event["Request"])
    drains = drains_of(event)
    # Of a drain that somebody else began too: a stale read may show its address in service once more.
    names = [drain.association_id for drain in drains if not drain.outcome and not drain.requested_at]
    if request.after_drain is AfterDrain.RELEASE:
        names += [d.allocation_id for d in drains if d.outcome in RELEASABLE and d.allocation_id]
    look, known = look_and_recall(event, request, names)
    return answer(event, decide(request, look, known))
