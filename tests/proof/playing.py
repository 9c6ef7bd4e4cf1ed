"""The player of paths and cases, and the judge of their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from proof.cases import Case, Trace, is_short
from proof.disturbance import Disturbance
from proof.hands import Hand
from proof.invariants import INVARIANTS, Aftermath, Asked
from proof.meddling import ASSOCIATE, INVOKE, INVOKING, Nothing
from proof.paths import PATHS, Scene
from proof.troubles import NOT_FOUND
from proof.world import World, new_world

BATCH = 20
"""The number of cases that share a cloud."""
MORE_REQUESTS = 2
LAST = "Record: "
"""The prefix of states of the Record workflow, which nothing records; its own failure is an alarm."""


class PathLostError(AssertionError):
    """The error of a path that does not end as it should, although nothing goes wrong."""


class Verdict(NamedTuple):
    """The outcome of a case, and its violations."""

    case: Case
    outcome: str
    wrong: tuple[str, ...]


def record(names: Iterable[str]) -> dict[str, Trace]:
    """Record each path when nothing goes wrong."""
    with new_world() as world:
        return {name: _recorded(world, name) for name in names}


def _recorded(world: World, name: str) -> Trace:
    scene, meddler = PATHS[name].set_scene(world), world.meddler
    meddler.watch(Nothing(), scene.bystanders)
    meddler.faults = scene.faults
    asked = _ask(world, scene, scene.request, stop_after=scene.stopped_after_seconds)
    world.settle()
    meddler.faults = ()
    calls = Counter(made.moment.site for made in meddler.made if made.moment.number)
    states = Counter(state for execution, state in meddler.entered if execution not in meddler.bystanders)
    if asked.ending.outcome != PATHS[name].ends:
        raise PathLostError(f"{name} ends as {asked.ending}")
    return Trace(dict(calls), dict(states), joins=PATHS[name].ends if scene.joins else "")


def play(cases: Sequence[Case], traces: Mapping[str, Trace]) -> list[Verdict]:
    """Play some cases, one after the other, in one cloud."""
    # Each process must know these before the first call of a function.
    INVOKING.update(s.state for trace in traces.values() for s in trace.calls if s.operation == INVOKE)
    with new_world() as world:
        return [_played(world, case) for case in cases]


def _played(world: World, case: Case) -> Verdict:
    path, meddler = PATHS[case.path], world.meddler
    scene = path.set_scene(world)
    hand = Hand(scene, case.trouble) if case.sort == "hand" else None
    meddler.watch(Disturbance(case, meddler, hand), scene.bystanders)
    meddler.faults = scene.faults
    first = _ask(world, scene, scene.request, stop_after=scene.stopped_after_seconds)
    for bystander in scene.bystanders:
        world.wait(bystander)
    if hand:
        hand.lift()
    # A failed execution is recorded by another one, which may still meet the trouble.
    again = list(_repeat(world, scene))
    world.settle()
    meddler.meddling, meddler.faults = Nothing(), ()
    after = Aftermath(
        scene=scene,
        expected=path.ends,
        short=is_short(case),
        first=first,
        again=again,
        made=meddler.made,
        earlier=meddler.earlier,
        joining={asked.ending.execution for asked in (first, *again)} if scene.joins else set(),
        hand=hand,
        stops=case.sort == "stop" or scene.stopped_after_seconds is not None,
        lost=case.site.state.startswith(LAST) and not is_short(case),
        lies=case.trouble == NOT_FOUND and case.site.service == "ec2" and case.site.operation != ASSOCIATE,
    )
    wrong = tuple(f"{holds.__name__}: {what}" for holds in INVARIANTS for what in holds(after))
    return Verdict(case, first.ending.outcome, wrong)


def _ask(
    world: World,
    scene: Scene,
    request: dict[str, Any],
    *,
    stop_after: int | None = None,
    in_peace: bool = False,
) -> Asked:
    began_at, gateway = world.cloud.clock.now, scene.gateway
    execution = world.start(request)
    if in_peace:
        world.meddler.bystanders.add(execution)
    if stop_after is not None:
        world.cloud.clock.advance(stop_after)
        world.stop(execution)
    ending = world.wait(execution)
    # Read now, since the repeated request comes at the same instant.
    owned = [gateway.owned(number) for number in range(len(gateway.allocations))]
    return Asked(ending, gateway.statuses(), owned, gateway.state(), gateway.listed(), began_at)


def _repeat(world: World, scene: Scene) -> Iterator[Asked]:
    """Repeat the request until it succeeds, within bounds."""
    for _ in range(MORE_REQUESTS):
        world.cloud.clock.advance(scene.pause_seconds)
        asked = _ask(world, scene, scene.again or scene.request, in_peace=True)
        yield asked
        if asked.ending.status == "SUCCEEDED":
            return
