"""*Disassociate*: ask EC2, under the lock. The only function with the right to change a gateway.

It decides nothing: what EC2 answers is written down, and the next look judges it.

Input: `{Execution, Request, Drains, AssociationIds}`. Output: the next step, `{Do, Drains, ...}`.
Errors: `GatewayBusy` when the lock is no longer ours; `RequestRefused` when a dry run finds the right
missing; `TransientFailure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natdrain import ec2, history
from natdrain.decide import Finished, accepted, recovered, refused
from natdrain.drains import Drain
from natdrain.errors import GatewayBusy
from natdrain.functions.task import answer, setting, task
from natdrain.names import TABLE_ENV
from natdrain.requests import Request

__all__ = ["handler"]


@task
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Prove the permission (dry run), or check the lock, ask, and remember what EC2 accepted."""
    request = Request.parse(event["Request"])
    gateway_id, ids = str(request.gateway_id), list(event["AssociationIds"])
    drains = [Drain.from_json(drain) for drain in event["Drains"]]
    if request.dry_run:
        ec2.prove_permission(gateway_id, ids, request.limit_seconds)
        return answer(Finished(tuple(drains)))

    table, owner = setting(TABLE_ENV), event["Execution"]
    asked = [drain for drain in drains if drain.association_id in ids]
    remembered = history.intend(table, gateway_id, owner, asked)
    if remembered is None:
        raise GatewayBusy(
            f"{gateway_id}: the lock was taken over from this execution; nothing was asked of EC2."
        )
    if earlier := recovered(drains, ids, remembered):
        return answer(earlier)
    said = ec2.disassociate(gateway_id, ids, request.limit_seconds)
    if isinstance(said, ec2.Refused):
        return answer(refused(drains, ids, at=said.at, refusal=said.text, busy=said.busy, denied=said.denied))
    step = accepted(drains, ids, at=said.at, limit_seconds=request.limit_seconds)
    history.remember(table, gateway_id, owner, [d for d in step.drains if d.association_id in ids])
    return answer(step)
