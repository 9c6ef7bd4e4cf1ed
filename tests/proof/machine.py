"""Requests, ticks of the clock, faults, stops and outside hands in any order, under the same invariants."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from natdrain_sim.calls import Fault
from proof import invariants as must
from proof.hands import DELETE, HANDS, Hand
from proof.invariants import Aftermath, Asked
from proof.meddling import Nothing, Site
from proof.paths import Scene
from proof.troubles import DENIED, IN_PROGRESS, INTERNAL, LOST, NOT_FOUND, THROTTLED, UNKNOWN, answer
from proof.world import World, new_world

SEED = 1
AT_ONCE = 3
MAY_GO = (1, 2, 5)
SITES = [
    Site("", operation)
    for operation in (
        "ec2:DescribeNatGateways",
        "ec2:DescribeAddresses",
        "ec2:DisassociateNatGatewayAddress",
        "ec2:ReleaseAddress",
        "dynamodb:UpdateItem",
        "dynamodb:BatchGetItem",
        "dynamodb:TransactWriteItems",
        "lambda:Invoke",
        "events:PutEvents",
    )
]
ALWAYS = (
    must.untouchable_is_untouched,
    must.enough_stay_in_service,
    must.release_follows_two_looks,
)


class DrainMachine(RuleBasedStateMachine):
    """One gateway, some executions at once, and whatever may happen to them."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.gateway = world, world.gateway()
        self.executions: list[str] = []
        self.hands: list[Hand] = []
        self.asked: set[int] = set()
        world.meddler.watch(Nothing(), ())

    @precondition(lambda self: len(self.executions) < AT_ONCE)
    @rule(
        numbers=st.sets(st.sampled_from(MAY_GO), min_size=1, max_size=2),
        waits=st.booleans(),
        gives_back=st.booleans(),
    )
    def somebody_asks(self, numbers: set[int], *, waits: bool, gives_back: bool) -> None:
        more = {"WhenBusy": "wait" if waits else "fail", "AfterDrain": "release" if gives_back else "keep"}
        self.executions.append(self.world.start(self.gateway.named(*sorted(numbers), **more)))
        self.asked |= numbers

    @rule(seconds=st.sampled_from([1, 10, 30, 60, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.cloud.clock.advance(seconds)

    @rule(
        site=st.sampled_from(SITES),
        kind=st.sampled_from([THROTTLED, INTERNAL, DENIED, UNKNOWN, LOST, IN_PROGRESS, NOT_FOUND]),
    )
    def aws_is_in_trouble(self, site: Site, kind: str) -> None:
        if kind == IN_PROGRESS and site.service != "ec2":
            kind = INTERNAL
        if kind == NOT_FOUND and site.service == "ec2":
            kind = UNKNOWN  # its word is all that anybody has
        spoilt: Fault = answer(site, kind)
        self.world.meddler.faults = (spoilt,)

    @rule()
    def aws_is_well(self) -> None:
        self.world.meddler.faults = ()

    @rule(name=st.sampled_from([name for name in HANDS if name != DELETE]))
    def somebody_else_acts(self, name: str) -> None:
        hand = Hand(Scene(self.gateway, {}), name)
        hand.act(len(self.world.meddler.made))
        self.hands.append(hand)

    @precondition(lambda self: self.executions)
    @rule(which=st.integers(0, AT_ONCE - 1))
    def somebody_stops_one(self, which: int) -> None:
        self.world.stop(self.executions[which % len(self.executions)])

    @invariant()
    def nothing_is_touched_that_must_not_be(self) -> None:
        _hold(what for holds in ALWAYS for what in holds(self._aftermath(_PENDING)))

    def teardown(self) -> None:
        world = self.world
        world.meddler.faults = ()
        endings = [world.wait(execution) for execution in self.executions]
        world.settle()
        for hand in self.hands:
            hand.lift()
        for ending in endings:
            self._judge(Asked(ending, self.gateway.statuses(), self._owned(), self.gateway.state()))
        # Whatever has happened: what may go goes, or a person must mend something.
        for _ in range(2):
            last = world.run(self.gateway.named(*sorted(self.asked or {1}), WhenBusy="fail"))
            world.settle()
        gone = all(self.gateway.statuses()[self.gateway.associations[n]] is None for n in self.asked or {1})
        _hold(
            []
            if gone or last.error == "RequestRefused" or self.hands
            else [f"not all has come about: {last}"]
        )
        _hold(["the gateway is busy with nothing"] if last.error == "GatewayBusy" else [])

    def _judge(self, asked: Asked) -> None:
        after = self._aftermath(asked)
        _hold(must.has_ended(after))
        _hold(must.ec2_is_asked_under_the_lock(after))

    def _aftermath(self, asked: Asked) -> Aftermath:
        scene = Scene(self.gateway, {}, touched_before=MAY_GO)
        made = self.world.meddler.made
        return Aftermath(
            scene=scene,
            expected="",
            first=asked,
            again=[],
            made=made,
            hand=None,
            stops=True,
            short=False,
            lost=True,
            lies=False,
        )

    def _owned(self) -> list[bool]:
        return [self.gateway.owned(number) for number in range(len(self.gateway.allocations))]


_PENDING = Asked(None, {}, [], None)  # type: ignore[arg-type]  # of executions that still run nothing is judged


def _hold(wrong: Iterator[str] | list[str]) -> None:
    if found := list(wrong):
        raise AssertionError("; ".join(found))


def play(*, examples: int, steps: int) -> None:
    """Play so many examples of so many steps, always the same."""
    with new_world() as world:
        run_state_machine_as_test(
            seed(SEED)(lambda: DrainMachine(world)),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                database=None,
                deadline=None,
                report_multiple_bugs=False,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
