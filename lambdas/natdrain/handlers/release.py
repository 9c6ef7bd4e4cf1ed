"""*Release*: release allocations, under the lock. The only function with the right to.

It exists only if the deployment allows it, and decides nothing: two looks have confirmed which allocations
may go.

Input: `{Execution, Request, Step}`, whose `AllocationIds` are to be released. Output: `{Step, Start,
Failure}`: the next step, or `RequestRefused` when a dry run finds the right
missing. Errors: `TransientFailure`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from natdrain.aws import clock, ec2
from natdrain.change.after import release
from natdrain.change.leave.decide import Finished, answered
from natdrain.intake.request import Request
from natdrain.model.drain import Drain
from natdrain.steps.settings import Settings
from natdrain.steps.task import Event, answer, drains_of, refusing, task
from natdrain.store.holds import Holds
from natdrain.store.lock import GatewayLock

__all__ = ["handler"]


@task
@refusing
def handler(event: Event) -> dict[str, Any]:
    """Prove the permission (dry run), or check hold and lock before each allocation, and release it."""
    request = Request.parse(event["Request"])
    allocation_ids = set(event["Step"]["AllocationIds"])
    drains = drains_of(event)
    if request.dry_run:
        for allocation_id in sorted(allocation_ids):
            ec2.prove_right_to_release(allocation_id)
        return answer(event, Finished(drains))
    lock = GatewayLock(Settings.from_env().table, str(request.gateway_id), event["Execution"])
    done = [_release(drain, lock) if drain.allocation_id in allocation_ids else drain for drain in drains]
    return answer(event, answered(done, at=clock.now()))


def _release(drain: Drain, lock: GatewayLock) -> Drain:
    if release.is_stale(drain, clock.now()):
        return release.refused(drain, "no answer of EC2's came in time", final=False)
    if held := Holds(lock.table).on(lock.gateway_id):
        # Set since the guards were judged: the next look judges them again.
        return release.refused(drain, held[0].problem, final=False)
    # Under our name, so that *Record* knows what we asked for.
    drain = replace(drain, asked_by=lock.owner)
    if not lock.remember([drain]):
        return release.kept(drain, "the lock was taken over from this execution")
    said = ec2.release(str(drain.allocation_id))
    if isinstance(said, ec2.Refused):
        return release.refused(drain, said.text, final=not said.busy)
    return release.released(drain)
