"""*Validate*: the first look, every guard, and the plan.

Input: `{Execution, Request}`. Output: the next step, `{Do, Drains, ...}`.
Errors: `RequestRefused` with every reason; `TransientFailure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natdrain import ec2, history
from natdrain.decide import Disassociate, Finished, Known, Wait, decide
from natdrain.functions.task import answer, setting, task
from natdrain.gateways import Look
from natdrain.names import TABLE_ENV
from natdrain.requests import Request

__all__ = ["handler"]


@task
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Look, ask every guard, decide; a dry run goes on to prove the permission that will be needed."""
    request = Request.parse(event["Request"])
    remembered = history.recall(setting(TABLE_ENV), str(request.gateway_id), request.association_ids)
    decision = decide(request, _first_look(request), Known(remembered=remembered))
    if request.dry_run and isinstance(decision, Wait):
        later = tuple(
            drain.association_id for drain in decision.drains if not drain.outcome and not drain.leaving
        )
        decision = Disassociate(decision.drains, later) if later else Finished(decision.drains)
    return answer(decision)


def _first_look(request: Request) -> Look:
    return ec2.look(
        str(request.gateway_id),
        tags_of=lambda address: (
            not {address.association_id, address.allocation_id, address.public_ip}.isdisjoint(request.names)
        ),
    )
