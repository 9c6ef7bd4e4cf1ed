"""The poll plan against what people use today: number of looks, costs, and how late each notices.

Every waiter watches the same drains and differs only in when it looks. EC2 is simulated by arithmetic;
natdrain runs its own code, look after look. Only the watching is compared, not the request and the look
before it, which every waiter needs.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from rich.console import Console
from rich.table import Table

from natdrain.change.decide import decide
from natdrain.change.known import Known
from natdrain.change.leave.answers import accepted
from natdrain.change.step import Step, Wait
from natdrain.model.drain import Drain, Progress
from natdrain.model.gateway import AVAILABLE, DRAINING, Address, Gateway
from natdrain.model.look import Look
from natdrain.model.request import Request

__all__ = ["LIMITS", "WAITERS", "Row", "Workflow", "measure", "print_table"]

LIMITS = (60, 350, 4000)
CALL_SECONDS = 0.3
"""The duration of one look, the same for every waiter."""
AFTER_LIMIT = range(41)
"""Seconds from the limit until an address leaves, as observed for idle ones."""
EARLY = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Instants at which addresses leave early, as fractions of the limit."""

TRANSITION_DOLLARS = 0.025 / 1000
"""AWS Step Functions pricing, Standard Workflows."""
INVOCATION_DOLLARS = 0.20 / 1_000_000
GB_SECOND_DOLLARS = 0.0000133334
"""AWS Lambda pricing, arm64, from memory; not verified recently."""
FUNCTION_GB = 0.5

START = datetime(2026, 10, 2, 17, 0, tzinfo=UTC)

Waiter = Callable[[int], Iterable[float]]
"""A function from a drain limit to the instants of the looks, in seconds since EC2 accepted."""


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """The costs of one drain in the workflow: a fixed part, and a part for each look."""

    transitions_per_look: int
    other_transitions: int
    other_invocations: int

    @classmethod
    def counted(cls, states: Sequence[str], invocations: int) -> Self:
        """Count in an execution that ended: the states that it entered, and the functions that it invoked."""
        first, second = [at for at, name in enumerate(states) if name == "Wait"][:2]
        looks = states.count("Wait")
        return cls(
            transitions_per_look=second - first,
            other_transitions=len(states) - looks * (second - first),
            other_invocations=invocations - looks,
        )

    def transitions(self, looks: float) -> float:
        """Return the state transitions of a drain that took this many looks."""
        return self.other_transitions + looks * self.transitions_per_look

    def dollars(self, looks: float) -> float:
        """Return what AWS charges for it if each function takes as long as a look."""
        invocations = self.other_invocations + looks
        compute = invocations * CALL_SECONDS * FUNCTION_GB * GB_SECOND_DOLLARS
        return self.transitions(looks) * TRANSITION_DOLLARS + invocations * INVOCATION_DOLLARS + compute


@dataclass(frozen=True, kw_only=True)
class Row:
    """One waiter at one limit: means and percentiles over addresses that leave after it, and early ones."""

    limit_seconds: int
    waiter: str
    looks: float
    lag_seconds: tuple[float, float, float]
    """p50, p95 and longest: from leaving to being noticed."""
    early_factor: float
    """The worst of the early ones: when it was noticed, in multiples of when it left."""


def natdrain(limit_seconds: int) -> Iterator[float]:
    """Return the instants of the product's own looks while the address stays."""
    address = Address(
        association_id="eipassoc-0",
        allocation_id="eipalloc-0",
        public_ip="203.0.113.7",
        private_ip="10.0.0.7",
        status=DRAINING,
        is_primary=False,
    )
    gateway = Gateway(
        gateway_id="nat-0",
        state=AVAILABLE,
        connectivity="public",
        availability_mode="zonal",
        tags={},
        addresses=(address,),
    )
    request = Request(gateway_id="nat-0", association_ids=("eipassoc-0",), limit_seconds=limit_seconds)
    drain = Drain(
        association_id="eipassoc-0",
        allocation_id=address.allocation_id,
        public_ip=address.public_ip,
        private_ip=address.private_ip,
        progress=Progress(since_at=START),
    )
    decision: Step = accepted(
        [drain], request.association_ids, at=START, answered_at=START, limit_seconds=limit_seconds
    )
    while isinstance(decision, Wait):
        yield (decision.until - START) / timedelta(seconds=1)
        look = Look(seen_at=decision.until, gateway=gateway)
        decision = decide(request, look, Known(drains=decision.drains))


def _by_gaps(gaps: Iterable[float]) -> Iterator[float]:
    at = 0.0
    for gap in gaps:
        yield at + gap
        at += gap + CALL_SECONDS


WAITERS: dict[str, Waiter] = {
    "natdrain": natdrain,
    # Its provider's gaps: a tenth of a second, doubling to at most 10 s.
    "Terraform": lambda _: _by_gaps(min(0.1 * 2**n, 10) for n in itertools.count()),
    # The loop that everybody writes, and the pace of boto3's waiters.
    "every 10 s": lambda _: _by_gaps(itertools.repeat(10)),
    "15 s waiter": lambda _: _by_gaps(itertools.repeat(15)),
    # A workflow's usual loop: sleep to the limit, then look every 15 s.
    "then every 15 s": lambda limit: _by_gaps(itertools.chain([limit], itertools.repeat(15))),
}


def measure(name: str, limit_seconds: int) -> Row:
    """Let a waiter watch every drain of one limit."""
    waiter = WAITERS[name]
    watched = [_watch(waiter(limit_seconds), limit_seconds + late) for late in AFTER_LIMIT]
    lags = [lag for _, lag in watched]
    percentiles = statistics.quantiles(lags, n=100, method="inclusive")
    early = [part * limit_seconds for part in EARLY]
    return Row(
        limit_seconds=limit_seconds,
        waiter=name,
        looks=statistics.mean(looks for looks, _ in watched),
        lag_seconds=(percentiles[49], percentiles[94], max(lags)),
        early_factor=max(1 + _watch(waiter(limit_seconds), left)[1] / left for left in early),
    )


def _watch(looks: Iterable[float], left_at: float) -> tuple[int, float]:
    """Return how many looks it takes to notice an address that left at `left_at`, and how late that is."""
    number, at = next((number, at) for number, at in enumerate(looks, 1) if at >= left_at)
    return number, at + CALL_SECONDS - left_at


def print_table(console: Console, workflow: Workflow) -> None:
    """Measure and print."""
    table = Table(title="Watching a drain", caption=_caption())
    for heading in ("limit s", "waiter", "looks", "of Terraform's", "transitions", "$ of 1,000"):
        table.add_column(heading, justify="left" if heading == "waiter" else "right", no_wrap=True)
    for heading in ("lag p50 s", "p95", "longest", "early"):
        table.add_column(heading, justify="right")
    for limit in LIMITS:
        usual = measure("Terraform", limit).looks
        for name in WAITERS:
            row = measure(name, limit)
            table.add_row(
                f"{limit:,}",
                name,
                f"{row.looks:.1f}",
                f"{row.looks / usual:.2f}",
                f"{workflow.transitions(row.looks):,.0f}",
                f"{1000 * workflow.dollars(row.looks):.2f}",
                *(f"{lag:.1f}" for lag in row.lag_seconds),
                f"{row.early_factor:.2f}",
            )
        table.add_section()
    console.print(table)


def _caption() -> str:
    first = ", ".join(f"{next(natdrain(limit)):g}" for limit in LIMITS)
    return (
        f"Of addresses that leave 0 to {AFTER_LIMIT[-1]} s after the limit, one each second. Looks: "
        "DescribeNatGateways. Transitions and $, of Step Functions and Lambda: of the whole drain, were it "
        "in the same workflow. Lag: from leaving to being noticed. Early: when the worst of those that leave "
        f"at {EARLY[0]:.0%} to {EARLY[-1]:.0%} of the limit was noticed, in multiples of when it left; what "
        f"leaves sooner waits for natdrain's first look, after {first} s."
    )
