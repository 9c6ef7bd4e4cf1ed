"""The end of an execution, as facts: `natdrain.report` makes result, event and message of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from natdrain.model.drain import Drain
from natdrain.model.join import Join
from natdrain.model.outcome import AddressOutcome, Changed, ExecutionOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import Direction, Request, Trigger


@dataclass(frozen=True, slots=True)
class Quiet:
    """The end of an execution that found nothing to do; `why` is a sentence for people.

    `trigger` says what asked, if the input made no request that says so.
    """

    outcome: ExecutionOutcome
    why: str
    trigger: Trigger | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the workflow carries it."""
        trigger = {"Trigger": self.trigger.to_json()} if self.trigger else {}
        return {"Outcome": self.outcome.value, "Why": self.why, **trigger}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        trigger = document.get("Trigger")
        # Executions of earlier versions carry the name with a space.
        outcome = ExecutionOutcome(document["Outcome"].replace(" ", "_"))
        return cls(outcome, document["Why"], Trigger.from_json(trigger) if trigger else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The end of an execution.

    `error` is None for a success and for an execution that was stopped, else one of `EXECUTION_ERRORS`.
    `drains` or `joins`, and `outcomes` by their keys, say what became of each address. `problems` are what
    stood in the way, of the request as a whole if `failed`, else of single addresses. `releases`: allocations
    were to be released. `absent` are the names that a schedule asked for and the gateway did not have.
    `quiet` is there for an execution that found nothing to do, `planned` for a dry run, and
    `planned_limit_seconds` for one of a drain. `trigger` says what asked, if the input made no request that
    says so.
    """

    gateway_id: str | None
    outcome: ExecutionOutcome
    direction: Direction = Direction.LEAVE
    error: str | None = None
    changed: Changed = Changed.NONE
    drains: tuple[Drain, ...] = ()
    joins: tuple[Join, ...] = ()
    outcomes: Mapping[str, AddressOutcome]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    failed: bool = False
    releases: bool = False
    absent: tuple[str, ...] = ()
    planned: bool = False
    planned_limit_seconds: int | None = None
    quiet: str | None = None
    trigger: Trigger | None = None

    @classmethod
    def quietly(cls, gateway_id: str | None, end: Quiet) -> Self:
        """Return the end of an execution that found nothing to do."""
        return cls(
            gateway_id=gateway_id, outcome=end.outcome, outcomes={}, quiet=end.why, trigger=end.trigger
        )

    def trigger_of(self, request: Request | None) -> Trigger | None:
        """Return what asked: the request's trigger, or that of an input which made none."""
        return request.trigger if request else self.trigger

    def of(self, address: Drain | Join) -> AddressOutcome:
        """Return what became of an address."""
        return self.outcomes[address.key]
