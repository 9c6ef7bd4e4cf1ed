"""*Confirm*: look again, and decide what is next.

Input: `{Execution, Request, Drains}`. Output: the next step, `{Do, Drains, ...}`.
Errors: `TransientFailure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natdrain import ec2
from natdrain.decide import Known, decide
from natdrain.drains import Drain
from natdrain.functions.task import answer, task
from natdrain.requests import Request

__all__ = ["handler"]


@task
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Look and decide; the tags are read again for those that may have to be asked for."""
    request = Request.parse(event["Request"])
    drains = tuple(Drain.from_json(drain) for drain in event["Drains"])
    not_leaving = {drain.association_id for drain in drains if not drain.outcome and not drain.leaving}
    look = ec2.look(str(request.gateway_id), tags_of=lambda address: address.association_id in not_leaving)
    return answer(decide(request, look, Known(drains=drains)))
