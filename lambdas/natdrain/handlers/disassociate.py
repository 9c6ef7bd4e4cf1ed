"""*Disassociate*: ask EC2, under the lock. The only function with the right to take an address off a gateway.

It decides nothing: what EC2 answers is written down, and the next look judges it.

Input: `{Execution, Request, Step}`, whose `AssociationIds` are to be asked for. Output: `{Step, Start,
Failure}`: the next step, or `GatewayBusy` when the lock is no longer ours, or `RequestRefused` when a dry run
finds the right missing. Errors: `TransientFailure`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from natdrain.aws import ec2
from natdrain.change.leave.decide import Finished, Release, accepted, recovered, refused
from natdrain.contract import TABLE_ENV
from natdrain.intake.request import AfterDrain, Request
from natdrain.model.errors import GatewayBusy
from natdrain.steps.task import Event, answer, drains_of, refusing, setting, task
from natdrain.store import lock

__all__ = ["handler"]


@task
@refusing
def handler(event: Event) -> dict[str, Any]:
    """Prove the permission (dry run), or check hold and lock, ask, and remember what EC2 accepted."""
    request = Request.parse(event["Request"])
    gateway_id, ids = str(request.gateway_id), list(event["Step"]["AssociationIds"])
    drains = drains_of(event)
    if request.dry_run:
        ec2.prove_permission(gateway_id, ids, request.limit_seconds)
        releases = request.after_drain is AfterDrain.RELEASE
        return answer(event, Release.of(drains, drains) if releases else Finished(drains))

    table, owner = setting(TABLE_ENV), event["Execution"]
    if held := lock.holds(table, gateway_id):
        # Set since the guards were asked: they are asked again at the next look.
        return answer(event, refused(drains, ids, at=ec2.now(), refusal=held[0].problem, busy=True))
    asked = tuple(replace(d, asked_by=owner) if d.association_id in ids else d for d in drains)
    remembered = lock.intend(table, gateway_id, owner, [d for d in asked if d.association_id in ids])
    if remembered is None:
        raise GatewayBusy(
            f"{gateway_id}: the lock was taken over from this execution; nothing was asked of EC2."
        )
    if earlier := recovered(asked, ids, remembered):
        return answer(event, earlier)
    said = ec2.disassociate(gateway_id, ids, request.limit_seconds)
    if isinstance(said, ec2.Refused):
        # An earlier attempt, whose answer got lost, may have been accepted.
        known = asked if event["RetryCount"] else drains
        step = refused(known, ids, at=said.at, refusal=said.text, busy=said.busy, denied=said.denied)
        return answer(event, step)
    step = accepted(asked, ids, at=said.at, limit_seconds=request.limit_seconds)
    lock.remember(table, gateway_id, owner, [d for d in step.drains if d.association_id in ids])
    return answer(event, step)
