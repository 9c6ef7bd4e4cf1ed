"""*Disassociate*: ask EC2, under the lock. The only function with the right to take an address off a gateway.

It decides nothing: it records what EC2 answers, and the next look judges it.

Input: `{Execution, Request, Step}`, whose `AssociationIds` are to be asked for. Output: `{Step, Start,
Failure}`: the next step, or `GatewayBusy` when the lock is no longer ours, or `RequestRefused` when a dry run
finds the right missing. Errors: `TransientFailure`.
"""

from natdrain.aws import clock, ec2
from natdrain.change.after.release import strategy_of
from natdrain.change.join.answers import removal_accepted, removal_refused
from natdrain.change.leave.answers import accepted, recovered, refused
from natdrain.change.step import Disassociate, Finish, Reason, Step
from natdrain.contract import StepField
from natdrain.model.errors import GatewayBusy, TransientFailure
from natdrain.model.request import MIN_DRAIN_LIMIT_SECONDS, Request
from natdrain.report import details, refusals
from natdrain.report.findings import held
from natdrain.steps.settings import Settings
from natdrain.steps.task import Event, deciding, task
from natdrain.store.holds import Holds
from natdrain.store.lock import GatewayLock
from natdrain.store.pace import Paces


@task
@deciding
def handler(event: Event, request: Request, before: Step) -> Step:
    """Prove the permission (dry run), or ask under the lock."""
    ids = event["Step"][StepField.ASSOCIATION_IDS]
    if request.dry_run and request.joins:
        return Finish(joins=before.joins, reason=Reason.ALL_ENDED)
    if request.dry_run:
        ec2.prove_permission(str(request.gateway_id), ids, request.limit_seconds)
        return strategy_of(request.after_drain).to_prove(before.drains)
    lock = GatewayLock(Settings.from_env().table, str(request.gateway_id), event["Execution"])
    if request.joins:
        return _remove(lock, before, ids)
    return _ask(lock, before, ids, request, retried=event["RetryCount"] > 0)


def _ask(lock: GatewayLock, before: Step, ids: list[str], request: Request, *, retried: bool) -> Step:
    """Check hold and lock, count what an automatic request takes, ask, and record what EC2 accepted."""
    drains = before.drains
    if holds := Holds(lock.table).on(lock.gateway_id):
        # Set since the guards were judged: the next look judges them again.
        return refused(drains, ids, at=clock.now(), refusal=str(held(holds[0])), busy=True)
    by = {"asked_by": lock.owner, "asked_reason": request.reason, "asked_trigger": request.trigger}
    asked = tuple(d.noted(**by) if d.association_id in ids else d for d in drains)
    remembered = lock.intend(drain for drain in asked if drain.association_id in ids)
    if remembered is None:
        raise GatewayBusy(refusals.LOCK_LOST.about(lock.gateway_id, gateway=lock.gateway_id))
    if earlier := recovered(asked, ids, remembered):
        return earlier
    pace, counted = Paces(lock.table), set[str]()
    if isinstance(before, Disassociate) and before.takes:
        new = pace.count_takes(before.takes, before.pace_version, lock.owner, clock.now())
        if new is None:
            # The next look judges the guards again.
            return refused(drains, ids, at=clock.now(), refusal=details.COUNTED_MEANWHILE, busy=True)
        counted = new
    try:
        said = ec2.disassociate(lock.gateway_id, ids, request.limit_seconds)
    except TransientFailure as failure:
        if failure.throttled:
            pace.give_back(counted, lock.owner)
        raise
    if isinstance(said, ec2.Refused):
        pace.give_back(counted, lock.owner)
        # An earlier attempt, whose answer got lost, may have been accepted.
        known = asked if retried else drains
        return refused(known, ids, at=said.at, refusal=said.text, busy=said.busy, denied=said.denied)
    times = {"at": said.at, "answered_at": said.answered_at}
    step = accepted(asked, ids, **times, limit_seconds=request.limit_seconds)
    lock.remember(drain for drain in step.drains if drain.association_id in ids)
    return step


def _remove(lock: GatewayLock, before: Step, ids: list[str]) -> Step:
    """Take off again what has failed to join: it has never been in service, so that nothing drains."""
    joins = before.joins
    if holds := Holds(lock.table).on(lock.gateway_id):
        held_back = str(held(holds[0]))
        return removal_refused(joins, ids, at=clock.now(), refusal=held_back, busy=True)
    if not lock.remember(join for join in joins if join.association_id in ids):
        raise GatewayBusy(refusals.LOCK_LOST.about(lock.gateway_id, gateway=lock.gateway_id))
    said = ec2.disassociate(lock.gateway_id, ids, MIN_DRAIN_LIMIT_SECONDS)
    if isinstance(said, ec2.Refused):
        return removal_refused(joins, ids, at=said.at, refusal=said.text, busy=said.busy)
    return removal_accepted(joins, ids, at=said.at)
