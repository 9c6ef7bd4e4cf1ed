"""The one decision: given the request, one look and what is known so far, what to do next.

Whatever EC2 answers to a call, the remedy is to look again and decide anew. A drain that is already running,
an address that left early, a restart, a gateway deleted meanwhile are therefore no special cases of the
workflow: they are rows in the tests of `decide`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from natdrain.change.after.keep import Keep
from natdrain.change.after.release import strategy_of
from natdrain.change.known import Known
from natdrain.change.leave.progress import at_stake, begin, next_look_at, observe
from natdrain.change.leave.targets import find_targets
from natdrain.change.step import Disassociate, Finish, Reason, Refuse, Step, Wait
from natdrain.change.waiting import warn_of_others
from natdrain.guards.case import Case
from natdrain.guards.judging import Judgement, judge
from natdrain.guards.pace import takes
from natdrain.model.drain import Drain
from natdrain.model.gateway import AVAILABLE, FAILED, Address, Gateway
from natdrain.model.look import Look
from natdrain.model.outcome import AddressOutcome
from natdrain.model.pace import Pace
from natdrain.model.request import Request
from natdrain.report import details


def decide(request: Request, look: Look, known: Known) -> Step:
    """Decide what to do next.

    At the first look the named addresses are found and every guard is asked; later the guards are asked again
    before each further request to EC2. At no look are they asked twice.
    """
    after = strategy_of(request.after_drain)
    drains: Sequence[Drain] = known.drains
    judgement: Judgement | None = None
    if not drains:
        begun = _begin(request, look, known, after)
        if isinstance(begun, Step):
            return begun
        drains, judgement = begun

    drains = tuple(observe(drain, look) for drain in after.watch(drains, look))
    if look.gateway is not None and any(drain.to_ask for drain in drains):
        drains = tuple(at_stake(drain, look, look.gateway) for drain in drains)
        if look.gateway.busy:
            step = _wait_for_ec2(look.gateway, drains, look.seen_at)
            # A dry run waits for nothing, so it says what may stand in the way; else all is judged again.
            found = (*judgement.warnings, *judgement.refusals) if judgement and request.dry_run else ()
            return replace(step, warnings=(*found, *step.warnings))
        judgement = judgement or _judge_again(request, look, known, look.gateway, drains)
        if not judgement.refusals:
            return _warn(_ask(request, look, known, look.gateway, drains), judgement)
        drains = _not_asked(drains, judgement)

    if not all(drain.outcome for drain in drains):
        return _warn(wait_for(drains, look.seen_at, Reason.DRAINING), judgement)
    return _warn(after.decide(drains, look, partial(_judge, request, look, known)), judgement)


def _warn(step: Step, judgement: Judgement | None) -> Step:
    return replace(step, warnings=(*judgement.warnings, *step.warnings)) if judgement else step


def _ask(request: Request, look: Look, known: Known, gateway: Gateway, drains: Sequence[Drain]) -> Step:
    """Ask EC2; for addresses that have failed in a call of their own, whose answer is about them only."""
    to_ask = {drain.association_id for drain in drains if drain.to_ask}
    targets = [address for address in gateway.addresses if address.association_id in to_ask]
    targets = [address for address in targets if address.status != FAILED] or targets
    if not targets:  # EC2 shows them without their associations
        return wait_for(drains, look.seen_at, Reason.EC2_BUSY)
    pace = look.pace if request.automatic and isinstance(look.pace, Pace) else None
    return Disassociate(
        drains=tuple(drains),
        association_ids=tuple(str(target.association_id) for target in targets),
        takes=takes(gateway, targets, pace, look.seen_at + known.policy.pace_window) if pace else (),
        pace_version=pace.version if pace else 0,
        reason=Reason.GUARDS_ALLOW,
    )


def _not_asked(drains: Sequence[Drain], judgement: Judgement) -> tuple[Drain, ...]:
    why = " ".join(map(str, judgement.refusals))
    ended = (replace(d.ended(AddressOutcome.NOT_ASKED, why), problems=judgement.refusals) for d in drains)
    return tuple(after if before.to_ask else before for before, after in zip(drains, ended, strict=True))


def _wait_for_ec2(gateway: Gateway, drains: Sequence[Drain], now: datetime) -> Step:
    """Wait while EC2 is busy, and warn if it is with addresses of others."""
    warnings = warn_of_others(gateway, {drain.association_id for drain in drains})
    return replace(wait_for(drains, now, Reason.EC2_BUSY), warnings=warnings)


def _begin(
    request: Request, look: Look, known: Known, after: Keep
) -> Step | tuple[Sequence[Drain], Judgement | None]:
    """Find the addresses and ask every guard; return the drains that begin, or the step that ends it all."""
    gateway = look.gateway
    if gateway is None:
        nowhere = details.NO_GATEWAY.about(request.gateway_id, gateway=request.gateway_id)
        return Refuse(problems=(nowhere,), reason=Reason.NO_GATEWAY)
    targets = find_targets(request, look, gateway, known.remembered)
    nothing = not (targets.here or targets.left or targets.problems)
    if request.scheduled and gateway.state == AVAILABLE and nothing:
        return Finish(reason=Reason.ABSENT_AS_SCHEDULED)
    problems = tuple(targets.problems)
    judgement = None
    releasing = after.to_release([*targets.here, *targets.left])
    if targets.here or releasing or not targets.left:
        judgement = _judge(request, look, known, gateway, targets=targets.here, releasing=releasing)
        if not judgement.passing:
            problems = (*problems, *judgement.refusals)
    if problems:
        refuse = Refuse(problems=problems, reason=Reason.REQUEST_OR_GUARDS_REFUSE)
        return _warn(refuse, judgement)
    begun = [begin(target, look, known.remembered) for target in targets.here]
    return (*begun, *targets.left), judgement


def wait_for(drains: Sequence[Drain], now: datetime, reason: Reason) -> Wait:
    """Wait until the poll plan wants the next look."""
    still_open = [drain for drain in drains if drain.outcome is None]
    # Those in service wait for the ones that leave: only these set the pace.
    pace = [drain for drain in still_open if drain.leaving] or still_open
    until = min(next_look_at(drain, now) for drain in pace)
    return Wait(drains=tuple(drains), until=until, reason=reason)


def _judge_again(
    request: Request, look: Look, known: Known, gateway: Gateway, drains: Sequence[Drain]
) -> Judgement:
    ids = {drain.association_id for drain in drains if drain.to_ask}
    targets = [address for address in gateway.addresses if address.association_id in ids]
    return _judge(request, look, known, gateway, targets=targets)


def _judge(
    request: Request,
    look: Look,
    known: Known,
    gateway: Gateway,
    *,
    targets: Sequence[Address] = (),
    releasing: Mapping[str, str | None] | None = None,
) -> Judgement:
    case = Case(
        look=look,
        gateway=gateway,
        targets=targets,
        policy=known.policy,
        remembered=known.remembered,
        releasing=releasing or {},
        automatic=request.automatic,
    )
    return judge(case, override=request.override)
