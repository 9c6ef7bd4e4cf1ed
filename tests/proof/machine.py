"""Games: requests, ticks of the clock, faults, stops and outside hands, in any order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from proof import invariants as must
from proof.hands import DELETE, HANDS, LIFTED, LOCK, Hand
from proof.invariants import Aftermath, Asked
from proof.meddling import Nothing, Site
from proof.paths import Scene
from proof.troubles import (
    CODES,
    DENIED,
    IN_PROGRESS,
    INTERNAL,
    LOST,
    NOT_FOUND,
    ODD,
    THROTTLED,
    UNKNOWN,
    answer,
    changes,
)
from proof.world import Ending, new_world

AT_ONCE = 3
MAY_GO = (1, 2, 5)
JOINS = {"associates this one", "associates a new one"}
"""The hands that make up for an address that automatic requests have taken off."""
SITES = [
    Site("", operation)
    for operation in (
        "ec2:DescribeNatGateways",
        "ec2:DescribeAddresses",
        "ec2:DisassociateNatGatewayAddress",
        "ec2:AssociateNatGatewayAddress",
        "ec2:ReleaseAddress",
        "service-quotas:GetServiceQuota",
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
    must.ec2_is_asked_under_the_lock,
    must.nothing_is_associated_twice,
    must.no_undo_takes_off_what_is_in_service,
)
OF_EACH_END = (must.has_ended, must.result_agrees_with_ec2)


class ChangeMachine(RuleBasedStateMachine):
    """One gateway in a new cloud, some executions at once, and anything that may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.world = self._open.enter_context(new_world())
        self.gateway = self.world.gateway()
        # Beside two spares an address that may leave, and then join again.
        self.joinable = (*self.world.spares(2), self.gateway.allocations[MAY_GO[0]])
        self.executions: list[str] = []
        self.hands: list[Hand] = []
        self.forbidding: list[Hand] = []
        self.asked: set[int] = set()
        self.joins: dict[str, tuple[str, ...]] = {}
        """What each execution of a join asks for."""
        self.automatic: set[str] = set()
        self.world.meddler.watch(Nothing(), ())

    @precondition(lambda self: len(self.executions) < AT_ONCE)
    @rule(
        numbers=st.sets(st.sampled_from(MAY_GO), min_size=1, max_size=2),
        waits=st.booleans(),
        releases=st.booleans(),
        automatic=st.booleans(),
    )
    def somebody_asks(self, numbers: set[int], *, waits: bool, releases: bool, automatic: bool) -> None:
        more: dict[str, Any] = {"AfterDrain": "release" if releases else "keep"}
        more["WhenBusy"] = "wait" if waits else "fail"
        if automatic:
            trigger = f"{self.gateway.gateway_id} {len(self.executions)}"
            more["Trigger"] = {"Kind": "alarm", "Name": trigger, "At": "now"}
        self.executions.append(self.world.start(self.gateway.named(*sorted(numbers), **more)))
        if automatic:
            self.automatic.add(self.executions[-1])
        self.asked |= numbers

    @precondition(lambda self: len(self.executions) < AT_ONCE)
    @rule(which=st.sets(st.integers(0, 2), min_size=1, max_size=2), waits=st.booleans())
    def somebody_asks_to_join(self, which: set[int], *, waits: bool) -> None:
        allocations = tuple(self.joinable[one] for one in sorted(which))
        request = self.gateway.to_join(*allocations, WhenBusy="wait" if waits else "fail")
        self.executions.append(self.world.start(request))
        self.joins[self.executions[-1]] = allocations

    @rule(which=st.integers(0, 2))
    def ec2_is_going_to_fail(self, which: int) -> None:
        if self.world.owns(self.joinable[which]):
            self.world.cloud.simulation.fail_when_associated(self.joinable[which], "no luck")

    @rule(seconds=st.sampled_from([1, 10, 30, 60, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.cloud.clock.advance(seconds)

    @rule(
        site=st.sampled_from(SITES),
        kind=st.sampled_from([THROTTLED, INTERNAL, DENIED, UNKNOWN, LOST, IN_PROGRESS, NOT_FOUND, ODD]),
    )
    def aws_is_in_trouble(self, site: Site, kind: str) -> None:
        if kind == IN_PROGRESS and site.service != "ec2":
            kind = INTERNAL
        if kind == NOT_FOUND and site.service == "ec2":
            kind = UNKNOWN  # no other source could correct EC2's denial
        if kind == ODD and (changes(site) or ODD not in CODES[site.service]):
            kind = INTERNAL  # it is about reads
        self.world.meddler.faults = (answer(site, kind),)

    @rule()
    def aws_is_well(self) -> None:
        self.world.meddler.faults = ()

    @rule(name=st.sampled_from([name for name in HANDS if name != DELETE]), which=st.integers(0, 2))
    def somebody_else_acts(self, name: str, which: int) -> None:
        hand = Hand(Scene(self.gateway, {}, joins=(self.joinable[which],)), name)
        hand.act(len(self.world.meddler.made))
        self.hands.append(hand)
        self.forbidding.append(hand)

    @precondition(lambda self: self.executions)
    @rule(which=st.integers(0, AT_ONCE - 1))
    def somebody_stops_one(self, which: int) -> None:
        self.world.stop(self.executions[which % len(self.executions)])

    @invariant()
    def nothing_is_touched_that_must_not_be(self) -> None:
        after = self._aftermath(_PENDING)
        forgotten = {must.nothing_is_associated_twice} if self._lock_was_overwritten() else set()
        _hold(wrong for holds in ALWAYS if holds not in forgotten for wrong in holds(after))
        _hold(self._changes_that_were_forbidden())
        joined = sum(hand.name in JOINS and hand.acted for hand in self.hands) + len(after.own_entries())
        _hold(must.automatic_requests_keep_the_pace(after, self.automatic, joined))

    def teardown(self) -> None:
        with self._open:
            self._let_all_end()

    def _let_all_end(self) -> None:
        world = self.world
        world.meddler.faults = ()
        endings = [world.wait(execution) for execution in self.executions]
        world.settle()
        unrecorded = self._unrecorded()
        self.nothing_is_touched_that_must_not_be()
        self._lift_hands()
        for ending in endings:
            after = self._aftermath(self._asked(ending), lost=ending.execution in unrecorded)
            _hold(wrong for holds in OF_EACH_END for wrong in holds(after))
            if ending.result or not self._lock_was_overwritten():
                _hold(must.history_and_last_event_agree(after))
        if world.owner(self.gateway.gateway_id) not in unrecorded:
            _hold(must.lock_is_free_in_the_end(self._aftermath(_PENDING)))
        self._repeat_the_requests()
        self.nothing_is_touched_that_must_not_be()
        _hold(must.lock_is_free_in_the_end(self._aftermath(_PENDING)))

    def _lock_was_overwritten(self) -> bool:
        """Return whether a hand erased what *Record* reads of an execution that was stopped: its drains."""
        return any(hand.name == LOCK and hand.acted for hand in self.hands)

    def _lift_hands(self) -> None:
        for hand in self.hands:
            hand.lift()
        self.forbidding = [hand for hand in self.hands if hand.name not in LIFTED]

    def _repeat_the_requests(self) -> None:
        """Repeat all requests twice: everything is achieved, or the result names what a person must fix."""
        asked = sorted(self.asked or {1})
        for _ in range(2):
            last = self.world.run(self.gateway.named(*asked, WhenBusy="fail"))
            self.world.settle()
            _hold(["the gateway is busy with nothing"] if last.error == "GatewayBusy" else [])
        gone = all(self.gateway.status(self.gateway.associations[number]) is None for number in asked)
        _hold([] if gone or self._must_be_fixed(last) else [f"not all has come about: {last}"])
        if joins := sorted({allocation for asked in self.joins.values() for allocation in asked}):
            for _ in range(2):
                last = self.world.run(self.gateway.to_join(*joins))
                self.joins[last.execution] = tuple(joins)
            there = all(self.gateway.listed().get(joining) == [must.IN_SERVICE] for joining in joins)
            _hold([] if there or self._must_be_fixed(last) else [f"not all has joined: {last}"])

    def _must_be_fixed(self, last: Ending) -> bool:
        """Return whether a person must fix something first."""
        by_hand = any(hand.acted for hand in self.hands)
        return last.error == "RequestRefused" or (last.error is not None and by_hand)

    def _asked(self, ending: Ending) -> Asked:
        gateway = self.gateway
        statuses = {
            association: gateway.status(association, ending.at) for association in gateway.associations
        }
        owned = [gateway.owned(number) for number in range(len(gateway.allocations))]
        return Asked(ending, statuses, owned, gateway.state(), gateway.listed(ending.at))

    def _aftermath(self, asked: Asked, *, lost: bool = False) -> Aftermath:
        return Aftermath(
            scene=Scene(self.gateway, {}, touched_before=(*MAY_GO, *self._changed_joins())),
            expected="",
            first=asked,
            again=[],
            made=self.world.meddler.made,
            earlier=[],
            joining=self.joins,
            hand=None,
            stops=True,
            short=False,
            lost=lost,
            lies=False,
        )

    def _changed_joins(self) -> Iterator[str]:
        """Find the allocations that something else than one execution of a join may have changed."""
        for allocation in self.joinable:
            asked = sum(allocation in joins for joins in self.joins.values())
            may_leave = allocation in self.gateway.allocations and self.asked
            if asked > 1 or may_leave or any(hand.touched(allocation) for hand in self.hands):
                yield allocation

    def _unrecorded(self) -> set[str]:
        """Return the executions whose *Record* workflow failed: its failure is an alarm of its own."""
        client, succeeded = self.world.cloud.client("stepfunctions"), {}
        for execution in {execution for execution, _ in self.world.meddler.entered} - {*self.executions}:
            described = client.describe_execution(executionArn=execution)
            ended = json.loads(described["input"])["detail"]["executionArn"]
            succeeded[ended] = succeeded.get(ended, False) or described["status"] == "SUCCEEDED"
        return {execution for execution, well in succeeded.items() if not well}

    def _changes_that_were_forbidden(self) -> Iterator[str]:
        """Find changes by executions that have looked since somebody forbade them."""
        made = self.world.meddler.made
        for hand in self.forbidding:
            looked: set[str] = set()
            for one in made[hand.made :] if not hand.refused else []:
                if one.call.name == must.LOOK:
                    looked.add(one.execution)
                change = one.call.name in {*must.CHANGES, must.RELEASE} and one.execution in looked
                if change and must.forbids(hand, one):
                    yield f"{one.call.name} although somebody {hand.name}"


_PENDING = Asked(None, {}, [], None, {})  # type: ignore[arg-type]  # executions that still run are not judged


def _hold(wrong: Iterable[str]) -> None:
    if found := list(wrong):
        raise AssertionError("; ".join(found))


def play(number: int, *, examples: int, steps: int, shortens: bool = True) -> None:
    """Play the games of this seed; shorten a failing one, which takes up to five minutes.

    Raises:
        AssertionError: a game has failed; `script_of` makes a script of it.
    """
    # Hypothesis also draws numbers that occur in our modules: a seed would then depend on the imports.
    with patch.object(providers, "_get_local_constants", Constants):
        run_state_machine_as_test(
            seed(number)(ChangeMachine),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                database=None,
                deadline=None,
                report_multiple_bugs=False,
                print_blob=False,
                phases=[Phase.generate, *([Phase.shrink] if shortens else [])],
                suppress_health_check=list(HealthCheck),
            ),
        )


def script_of(error: BaseException) -> str:
    """Return a script that replays the game that failed so, as Hypothesis has shortened it."""
    notes = "\n".join(getattr(error, "__notes__", ()))
    steps = [line for line in notes.splitlines() if line.startswith("state")]
    imports = ["from proof.machine import ChangeMachine", "from proof.meddling import Site"]
    return "\n".join(["PYTHONPATH=tests .venv/bin/python - <<'END'", *imports, *steps, "END"])
