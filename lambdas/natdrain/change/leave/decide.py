"""The one decision: given the request, one look and what is known so far, what to do next.

Whatever EC2 answers to a call, the remedy is to look again and decide anew. A drain that is
already running, an address that left early, a restart, a gateway deleted meanwhile are therefore
no special cases of the workflow: they are rows in the tests of `decide`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from natdrain.change.after import release
from natdrain.change.leave.progress import begin, observe
from natdrain.change.leave.targets import find
from natdrain.guards.judging import Case, Judgement, judge
from natdrain.guards.policy import GuardPolicy
from natdrain.intake.request import AfterDrain, Request
from natdrain.model.drain import AddressOutcome, Drain
from natdrain.model.gateway import AVAILABLE, Address, Gateway
from natdrain.model.look import Look

__all__ = [
    "Decision",
    "Disassociate",
    "Finished",
    "Known",
    "Refuse",
    "Release",
    "Wait",
    "accepted",
    "answered",
    "decide",
    "recovered",
    "refused",
]


@dataclass(frozen=True, slots=True)
class _Decision:
    """What the guards warn of goes along with whatever is decided."""

    warnings: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Refuse(_Decision):
    """The request cannot be carried out; nothing was changed."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disassociate(_Decision):
    """Ask EC2 now to let these associations go."""

    drains: tuple[Drain, ...]
    association_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release(_Decision):
    """Give these allocations back to AWS now."""

    drains: tuple[Drain, ...]
    allocation_ids: tuple[str, ...]

    @classmethod
    def of(cls, drains: Sequence[Drain], some: Sequence[Drain], *, warnings: tuple[str, ...] = ()) -> Release:
        """The allocations of `some` of these drains, as far as they are still there."""
        there = [drain for drain in some if drain.outcome is not AddressOutcome.ALREADY_RELEASED]
        ids = tuple(drain.allocation_id for drain in there if drain.allocation_id)
        return cls(tuple(drains), ids, warnings=warnings)


@dataclass(frozen=True, slots=True)
class Wait(_Decision):
    """Look again at `until`."""

    drains: tuple[Drain, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Finished(_Decision):
    """Every address has its outcome."""

    drains: tuple[Drain, ...]


Decision = Refuse | Disassociate | Release | Wait | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known before a look.

    `drains` is empty before the first look. `remembered` holds, by association id, what our own
    table remembers of earlier executions: drains still running, and addresses that have left.
    """

    drains: tuple[Drain, ...] = ()
    remembered: Mapping[str, Drain] = field(default_factory=dict)
    policy: GuardPolicy = field(default_factory=GuardPolicy)


def decide(request: Request, look: Look, known: Known) -> Decision:
    """Decide what to do next.

    At the first look the named addresses are found and every guard is asked; later the guards are asked
    again before each further request to EC2. A primary address is never among those to disassociate. What a
    schedule names and is not on the gateway has left before, and is no problem.
    """
    if known.drains:
        return _go_on(request, look, known, known.drains)
    gateway = look.gateway
    if gateway is None:
        return Refuse(
            (f"There is no NAT gateway {request.gateway_id} here: check the id, the account and the region.",)
        )
    targets, left, problems = find(request, look, gateway, known.remembered)
    if request.scheduled and gateway.state == AVAILABLE and not (targets or left or problems):
        return Finished(())
    warnings: tuple[str, ...] = ()
    there = [drain for drain in left if drain.outcome is not AddressOutcome.ALREADY_RELEASED]
    releasing = _to_release(request, [*targets, *there])
    if targets or releasing or not left:
        said = _judge(request, look, known, gateway=gateway, targets=targets, releasing=releasing)
        problems, warnings = [*problems, *said.refusals], said.warnings
    if problems:
        return Refuse(tuple(problems), warnings=warnings)
    drains = [begin(target, look, known.remembered) for target in targets]
    decision = _go_on(request, look, known, (*drains, *left))
    return replace(decision, warnings=tuple(dict.fromkeys((*warnings, *decision.warnings))))


def accepted(drains: Sequence[Drain], ids: Sequence[str], *, at: datetime, limit_seconds: int) -> Wait:
    """EC2 has accepted the request for `ids`: what is known now, and when to look."""
    known = [
        replace(drain, requested_at=at, limit_seconds=limit_seconds, refusal=None)
        if drain.association_id in ids
        else drain
        for drain in drains
    ]
    return _wait(known, at)


def recovered(drains: Sequence[Drain], ids: Sequence[str], remembered: Mapping[str, Drain]) -> Wait | None:
    """What EC2 accepted for `ids` in an earlier attempt of this step whose answer got lost; else None."""
    since = {drain.association_id: drain.since_at for drain in drains}
    for before in (remembered[association_id] for association_id in ids if association_id in remembered):
        # Only what this execution asked: another one's drains were first seen at another time.
        ours = before.since_at == since[before.association_id]
        if ours and before.requested_at and before.limit_seconds:
            return accepted(drains, ids, at=before.requested_at, limit_seconds=before.limit_seconds)
    return None


def refused(
    drains: Sequence[Drain],
    ids: Sequence[str],
    *,
    at: datetime,
    refusal: str,
    busy: bool = False,
    denied: bool = False,
) -> Wait:
    """EC2 has answered the request for `ids` with `refusal`: look again, then judge by what is there.

    `busy` tells that waiting mends it, `denied` that a permission is missing.
    """
    known = [
        replace(drain, refusal=refusal, refusals=drain.refusals + (not busy), denied=denied)
        if drain.association_id in ids
        else drain
        for drain in drains
    ]
    return _wait(known, at)


def answered(drains: Sequence[Drain], *, at: datetime) -> Wait | Finished:
    """EC2 has answered every request to release: wait for what has no outcome of its own yet."""
    if open_ones := [drain for drain in drains if drain.outcome in release.RELEASABLE]:
        return Wait(tuple(drains), min(release.next_look_at(drain, at) for drain in open_ones))
    return Finished(tuple(drains))


def _judge(
    request: Request,
    look: Look,
    known: Known,
    *,
    gateway: Gateway,
    targets: Sequence[Address] = (),
    releasing: Mapping[str, str] | None = None,
) -> Judgement:
    case = Case(
        look=look,
        gateway=gateway,
        targets=targets,
        policy=known.policy,
        remembered=known.remembered,
        releasing=releasing or {},
    )
    return judge(case, automatic=request.automatic, override=request.override)


def _to_release(request: Request, some: Iterable[Address | Drain]) -> dict[str, str]:
    """The allocations that the request wants to give back, with their labels."""
    releases = request.after_drain is AfterDrain.RELEASE
    return {str(one.allocation_id): f"{one.public_ip} ({one.allocation_id})" for one in some if releases}


def _go_on(request: Request, look: Look, known: Known, before: Sequence[Drain]) -> Decision:
    if request.after_drain is AfterDrain.RELEASE:
        before = release.watch(before, look)
    drains = tuple(observe(drain, look) for drain in before)
    if all(drain.outcome for drain in drains):
        return _after_drain(request, look, known, drains)
    gateway = look.gateway
    ready = [drain for drain in drains if drain.outcome is None and drain.requested_at is None]
    if not ready or gateway is None:
        return _wait(drains, look.seen_at)
    if busy := [address for address in gateway.addresses if address.in_transition]:
        ours = {drain.association_id for drain in drains}
        others = ", ".join(address.label for address in busy if address.association_id not in ours)
        warning = f"EC2 is busy with {others}, and takes nothing else for {gateway.gateway_id} until then."
        return replace(_wait(drains, look.seen_at), warnings=(warning,) if others else ())
    ids = tuple(drain.association_id for drain in ready)
    targets = [a for a in gateway.addresses if a.association_id in ids]
    said = _judge(request, look, known, gateway=gateway, targets=targets)
    if not said.refusals:
        return Disassociate(drains, ids, warnings=said.warnings)
    why = " ".join(said.refusals)
    refused = [replace(d, outcome=AddressOutcome.NOT_ASKED, detail=why) if d in ready else d for d in drains]
    return replace(_go_on(request, look, known, refused), warnings=said.warnings)


def _after_drain(request: Request, look: Look, known: Known, drains: Sequence[Drain]) -> Decision:
    """Every address has its outcome: what becomes of the allocations."""
    if request.after_drain is AfterDrain.KEEP:
        return Finished(tuple(drains))
    drains = [release.confirm(drain, look) for drain in drains]
    if any(drain.outcome not in release.GOES_ON for drain in drains):
        return Finished(tuple(drains))
    ready = release.ready(drains)
    if look.gateway is None or not ready:
        return answered(drains, at=look.seen_at)
    warnings: list[str] = []
    for drain in ready:
        releasing = _to_release(request, [drain])
        said = _judge(request, look, known, gateway=look.gateway, releasing=releasing)
        warnings += said.warnings
        if said.refusals:
            drains[drains.index(drain)] = release.kept(drain, " ".join(said.refusals))
    if still_ready := release.ready(drains):
        return Release.of(drains, still_ready, warnings=tuple(warnings))
    return Finished(tuple(drains), warnings=tuple(warnings))


def _wait(drains: Sequence[Drain], now: datetime) -> Wait:
    still_open = [drain for drain in drains if drain.outcome is None]
    # Those in service wait for the ones that leave: only these set the pace.
    pace = [drain for drain in still_open if drain.leaving] or still_open
    return Wait(tuple(drains), min(drain.next_look_at(now) for drain in pace))
