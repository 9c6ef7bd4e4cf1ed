"""The decision about joins: given the request, one look and what is known so far, what to do next.

Whatever EC2 answers, the remedy is to look again. Nothing that is in service is ever taken off: only an
allocation that has failed to join is, and only if this request, or one before it, asked for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from natdrain.change.join.poll_plan import next_look_at
from natdrain.change.join.progress import begin, observe
from natdrain.change.known import Known
from natdrain.change.step import Associate, Disassociate, Finish, Reason, Refuse, Step, Wait
from natdrain.change.waiting import MAX_REFUSALS, warn_of_others
from natdrain.guards.case import Case
from natdrain.guards.judging import Judgement, forbidden, judge
from natdrain.model.gateway import GOING_OR_GONE, Gateway
from natdrain.model.join import Join
from natdrain.model.look import Look
from natdrain.model.outcome import IN_SERVICE_NOW, AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Request
from natdrain.report import details

NEW_ALLOCATION = timedelta(minutes=2)
"""For so long EC2 may not know a new allocation everywhere, nor show as free what has just left a gateway."""


def decide(request: Request, look: Look, known: Known) -> Step:
    """Decide what to do next.

    At the first look every guard is asked, and again before each further request to EC2.
    """
    gateway, now, first = look.gateway, look.seen_at, not known.joins
    if first and gateway is None:
        nowhere = details.NO_GATEWAY.about(request.gateway_id, gateway=request.gateway_id)
        return Refuse(problems=(nowhere,), reason=Reason.NO_GATEWAY)
    joins = known.joins or _begin(request, look, known)
    if _joining(joins):
        joins = tuple(join.noted(turn_at=now) if join.to_ask else join for join in joins)
    joins = tuple(observe(join, look) for join in joins)
    joining = _joining(joins)
    if gateway is None or not any(join.to_ask for join in joins):
        return _go_on(joins, look, known)
    if any(_spoilt(join) for join in joins):
        return _go_on(_not_asked(joins, details.ANOTHER_FAILED), look, known)
    if (gateway.busy or joining) and gateway.state not in GOING_OR_GONE and not first:
        return _wait_for_ec2(joins, gateway, now)
    judgement = _judge(request, look, known, gateway, joins)
    if judgement.refusals and (request.dry_run or not judgement.passing or _waited(joins, now)):
        step = _refuse(joins, judgement, look, known)
    elif gateway.busy or joining:
        step = _wait_for_ec2(joins, gateway, now)
    elif judgement.refusals:
        hindered = (_hindered(join, now) if join.to_ask else join for join in joins)
        step = wait_for(tuple(hindered), now, Reason.NOT_YET)
    else:
        step = _ask(request, joins)
    return replace(step, warnings=(*judgement.warnings, *step.warnings))


def _begin(request: Request, look: Look, known: Known) -> tuple[Join, ...]:
    gateway = look.gateway
    if gateway is None:
        return ()
    return tuple(
        begin(allocation_id, call.zone, look, gateway, known.intended.get(allocation_id))
        for call in request.associate
        for allocation_id in call.allocation_ids
    )


def _joining(joins: Sequence[Join]) -> bool:
    """Return True if EC2 has accepted a call of the request that has not ended: the next one has to wait."""
    return any(join.accepted and join.outcome is None for join in joins)


def _spoilt(join: Join) -> bool:
    """Return True if an allocation has not joined as it should: nothing more is asked for then."""
    return join.progress.failed_at is not None or join.outcome not in {None, *IN_SERVICE_NOW}


def _judge(request: Request, look: Look, known: Known, gateway: Gateway, joins: Sequence[Join]) -> Judgement:
    case = Case(
        look=look,
        gateway=gateway,
        targets=(),
        policy=known.policy,
        departed=known.departed,
        joining=[join for join in joins if join.to_ask],
        automatic=request.automatic,
    )
    return judge(case, override=request.override)


def _waited(joins: Sequence[Join], now: datetime) -> bool:
    since = [join.progress.hindered_at for join in joins if join.to_ask and join.progress.hindered_at]
    return bool(since) and now - min(since) >= NEW_ALLOCATION


def _hindered(join: Join, now: datetime) -> Join:
    return join.noted(hindered_at=join.progress.hindered_at or now)


def _refuse(joins: Sequence[Join], judgement: Judgement, look: Look, known: Known) -> Step:
    if not known.joins:
        return Refuse(problems=judgement.refusals, reason=Reason.REQUEST_OR_GUARDS_REFUSE)
    why = " ".join(map(str, judgement.refusals))
    return _go_on(_not_asked(joins, why, judgement.refusals), look, known)


def _not_asked(joins: Sequence[Join], why: str, problems: tuple[Problem, ...] = ()) -> tuple[Join, ...]:
    ended = (replace(join.ended(AddressOutcome.NOT_ASKED, why), problems=problems) for join in joins)
    return tuple(after if before.to_ask else before for before, after in zip(joins, ended, strict=True))


def _ask(request: Request, joins: Sequence[Join]) -> Associate:
    """Ask EC2 for the first call of the request that has something left to ask for."""
    to_ask = {join.allocation_id for join in joins if join.to_ask}
    ids = next(filter(None, (call.of(to_ask).allocation_ids for call in request.associate)))
    return Associate(joins=_unhindered(joins), allocation_ids=ids, reason=Reason.GUARDS_ALLOW)


def _unhindered(joins: Sequence[Join]) -> tuple[Join, ...]:
    return tuple(join.noted(hindered_at=None) for join in joins)


def _wait_for_ec2(joins: Sequence[Join], gateway: Gateway, now: datetime) -> Step:
    ours = {name for join in joins for name in (join.association_id, join.allocation_id)}
    return replace(wait_for(_unhindered(joins), now, Reason.EC2_BUSY), warnings=warn_of_others(gateway, ours))


def _to_remove(join: Join) -> bool:
    """Return True if EC2 is to be asked to take off again what has failed, and what natdrain asked for."""
    return join.to_remove and join.progress.removal_refusals < MAX_REFUSALS


def _may_remove(failed: Sequence[str], look: Look, known: Known) -> bool:
    """Return True if EC2 is idle and nobody has forbidden it since; it takes a look that shows the tags."""
    gateway = look.gateway
    if gateway is None or gateway.busy:
        return False
    targets = [address for address in gateway.addresses if address.association_id in failed]
    return not forbidden(Case(look=look, gateway=gateway, targets=targets, policy=known.policy))


def _go_on(joins: Sequence[Join], look: Look, known: Known) -> Step:
    """Take off what has failed, wait for what is still joining, or finish."""
    listed = [join for join in joins if join.progress.last_seen_at == look.seen_at]
    failed = tuple(str(join.association_id) for join in listed if _to_remove(join))
    if failed and _may_remove(failed, look, known):
        return Disassociate(joins=tuple(joins), association_ids=failed, reason=Reason.FAILED_TO_JOIN)
    if any(join.open for join in joins):
        return wait_for(joins, look.seen_at, Reason.JOINING)
    return Finish(joins=tuple(joins), reason=Reason.ALL_ENDED)


def wait_for(joins: Sequence[Join], now: datetime, reason: Reason) -> Wait:
    """Wait until the poll plan wants the next look."""
    until = min(next_look_at(join, now) for join in joins if join.open)
    return Wait(joins=tuple(joins), until=until, reason=reason)
