"""*Release*: give allocations back to AWS, under the lock. The only function with the right to.

It is there only if the deployment allows it, and decides nothing: which allocations may go, two looks have
confirmed.

Input: `{Execution, Request, Step}`, whose `AllocationIds` are to go. Output: `{Step, Start, Failure}`: the
next step, or `RequestRefused` when a dry run finds the right missing. Errors: `TransientFailure`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from natdrain.aws import ec2
from natdrain.change.after import release
from natdrain.change.leave.decide import Finished, answered
from natdrain.contract import TABLE_ENV
from natdrain.intake.request import Request
from natdrain.model.drain import Drain
from natdrain.steps.task import Event, answer, drains_of, refusing, setting, task
from natdrain.store import lock

__all__ = ["handler"]


@task
@refusing
def handler(event: Event) -> dict[str, Any]:
    """Prove the permission (dry run), or check hold and lock before each allocation, and give it back."""
    request = Request.parse(event["Request"])
    allocation_ids = set(event["Step"]["AllocationIds"])
    drains = drains_of(event)
    if request.dry_run:
        for allocation_id in sorted(allocation_ids):
            ec2.prove_right_to_release(allocation_id)
        return answer(event, Finished(drains))
    done = [
        _release(drain, str(request.gateway_id), event["Execution"])
        if drain.allocation_id in allocation_ids
        else drain
        for drain in drains
    ]
    return answer(event, answered(done, at=ec2.now()))


def _release(drain: Drain, gateway_id: str, owner: str) -> Drain:
    table = setting(TABLE_ENV)
    if release.is_stale(drain, ec2.now()):
        return release.refused(drain, "no answer of EC2's came in time", final=False)
    if held := lock.holds(table, gateway_id):
        # Set since the guards were asked: they are asked again at the next look.
        return release.refused(drain, held[0].problem, final=False)
    # Under our name, so that whoever records in our place knows what we asked for.
    drain = replace(drain, asked_by=owner)
    if not lock.remember(table, gateway_id, owner, [drain]):
        return release.kept(drain, "the lock was taken over from this execution")
    said = ec2.release(str(drain.allocation_id))
    if isinstance(said, ec2.Refused):
        return release.refused(drain, said.text, final=not said.busy)
    return release.released(drain)
