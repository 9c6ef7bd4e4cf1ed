"""*Release*: release allocations, under the lock. The only function with the right to call ReleaseAddress.

It exists only if the deployment allows it, and decides nothing: two looks have confirmed which allocations
may go.

Input: `{Execution, Request, Step}`, whose `AllocationIds` are to be released. Output: `{Step, Start,
Failure}`: the next step, or `RequestRefused` when a dry run finds the right missing.
Errors: `TransientFailure`.
"""

from natdrain.aws import clock, ec2
from natdrain.change.after import release
from natdrain.change.step import Finish, Reason, Step
from natdrain.contract import StepField
from natdrain.model.drain import Drain
from natdrain.model.request import Request
from natdrain.report import details
from natdrain.report.findings import held
from natdrain.steps.settings import Settings
from natdrain.steps.task import Event, deciding, task
from natdrain.store.holds import Holds
from natdrain.store.lock import GatewayLock


@task
@deciding
def handler(event: Event, request: Request, before: Step) -> Step:
    """Prove the permission (dry run), or check hold and lock before each allocation, and release it."""
    ids = event["Step"][StepField.ALLOCATION_IDS]
    if request.dry_run:
        for allocation_id in sorted(ids):
            ec2.prove_right_to_release(allocation_id)
        return Finish(drains=before.drains, reason=Reason.PERMISSION_PROVEN)
    lock = GatewayLock(Settings.from_env().table, str(request.gateway_id), event["Execution"])
    drains = [_release(drain, lock) if drain.allocation_id in ids else drain for drain in before.drains]
    return release.answered(drains, at=clock.now())


def _release(drain: Drain, lock: GatewayLock) -> Drain:
    if release.is_stale(drain, clock.now()):
        return release.refused(drain, details.ANSWER_TOO_LATE, final=False)
    if holds := Holds(lock.table).on(lock.gateway_id):
        # Set since the guards were judged: the next look judges them again.
        return release.refused(drain, str(held(holds[0])), final=False)
    # Under our name, so that *Record* knows what we asked for.
    drain = drain.noted(asked_by=lock.owner)
    if not lock.remember([drain]):
        return release.kept(drain, details.LOCK_TAKEN_OVER)
    said = ec2.release(str(drain.allocation_id))
    if isinstance(said, ec2.Refused):
        return release.refused(drain, said.text, final=not said.busy)
    return release.released(drain)
