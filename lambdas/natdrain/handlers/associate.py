"""*Associate*: ask EC2, under the lock. The only function with the right to associate an address.

It decides nothing: it records what EC2 answers, and the next look judges it.

Input: `{Execution, Request, Step}`, whose `AllocationIds` are to be asked for in one call. Output: `{Step,
Start, Failure}`: the next step, or `GatewayBusy` when the lock is no longer ours, or `RequestRefused` when a
dry run finds the right missing. Errors: `TransientFailure`.
"""

from collections.abc import Mapping
from typing import Any

from natdrain.aws import clock, ec2
from natdrain.change.join.answers import accepted, recovered, refused
from natdrain.change.join.decide import NEW_ALLOCATION
from natdrain.change.step import Associate, Finish, Reason, Step
from natdrain.model.errors import GatewayBusy, TransientFailure
from natdrain.model.join import Join
from natdrain.model.request import Request
from natdrain.report import refusals
from natdrain.report.findings import held
from natdrain.steps.settings import Settings
from natdrain.steps.task import Event, deciding, task
from natdrain.store.holds import Holds
from natdrain.store.lock import GatewayLock


@task
@deciding
def handler(event: Event, request: Request, before: Step) -> Step:
    """Prove the permission for all calls (dry run), or make one call under the lock."""
    if not isinstance(before, Associate):
        raise TypeError(f"the step before is {type(before).__name__}")
    if request.dry_run:
        to_ask = [join.allocation_id for join in before.joins if join.to_ask]
        for call in (call.of(to_ask) for call in request.associate):
            if call.allocation_ids:
                ec2.prove_right_to_associate(str(request.gateway_id), call)
        return Finish(joins=before.joins, reason=Reason.PERMISSION_PROVEN)
    lock = GatewayLock(Settings.from_env().table, str(request.gateway_id), event["Execution"])
    return _ask(lock, before, request)


def _ask(lock: GatewayLock, before: Associate, request: Request) -> Step:
    """Find what an earlier attempt asked, check hold and lock, record the intent, ask, record the answer."""
    joins, ids = before.joins, before.allocation_ids
    written = lock.intended()
    if earlier := _asked_by_an_earlier_attempt(written, joins, ids):
        return recovered(joins, earlier, clock.now())
    if holds := Holds(lock.table).on(lock.gateway_id):
        # Set since the guards were judged: the next look judges them again.
        return refused(joins, ids, at=clock.now(), refusal=str(held(holds[0])), busy=True)
    by: dict[str, Any] = {"asked_by": lock.owner, "asked_reason": request.reason}
    by |= {"asked_trigger": request.trigger, "asked_at": clock.now(), "pending": True, "adopted": False}
    asked = tuple(join.noted(**by) if join.allocation_id in ids else join for join in joins)
    if not lock.intend_joins(_these(asked, ids), written):
        # An earlier attempt, which Step Functions has given up, may still be at work.
        if earlier := _asked_by_an_earlier_attempt(lock.intended(), joins, ids):
            return recovered(joins, earlier, clock.now())
        raise GatewayBusy(refusals.LOCK_LOST.about(lock.gateway_id, gateway=lock.gateway_id))
    [call] = [call.of(ids) for call in request.associate if ids[0] in call.allocation_ids]
    try:
        said = ec2.associate(lock.gateway_id, call)
    except TransientFailure as failure:
        if failure.throttled:
            # EC2 has not begun with it: the next attempt may ask.
            lock.remember(_these(joins, ids))
            raise
        return recovered(joins, _these(asked, ids), clock.now())
    if isinstance(said, ec2.Refused):
        new = said.at - min(join.progress.since_at for join in _these(asked, ids)) < NEW_ALLOCATION
        busy = said.busy or (new and (said.denied or said.unknown))
        step: Step = refused(asked, ids, at=said.at, refusal=said.text, busy=busy, denied=said.denied)
        # What this leaves behind, should the execution be stopped, must not look as if EC2 may have accepted.
        lock.remember(_these(step.joins, ids))
        return step
    step = accepted(asked, ids, at=said.at, answered_at=said.answered_at)
    lock.remember(_these(step.joins, ids))
    return step


def _asked_by_an_earlier_attempt(
    intended: Mapping[str, Join], joins: tuple[Join, ...], ids: tuple[str, ...]
) -> list[Join]:
    """Return the intents that an earlier attempt of this state has recorded: EC2 may have been asked."""
    found = []
    for join in _these(joins, ids):
        written = intended.get(join.allocation_id)
        ours = written is not None and written.progress.since_at == join.progress.since_at
        if written is not None and ours and written.progress.asked_at not in {None, join.progress.asked_at}:
            found.append(written)
    return found


def _these(joins: tuple[Join, ...], ids: tuple[str, ...]) -> list[Join]:
    return [join for join in joins if join.allocation_id in ids]
