"""The end of an execution, as facts: `natdrain.report` makes result, event and message of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from natdrain.model.drain import Drain
from natdrain.model.outcome import AddressOutcome, Changed, ExecutionOutcome
from natdrain.model.problem import Problem


@dataclass(frozen=True, slots=True)
class Quiet:
    """The end of an execution that found nothing to do; `why` is a sentence for people."""

    outcome: ExecutionOutcome
    why: str

    def to_json(self) -> dict[str, str]:
        """Return it as the workflow carries it."""
        return {"Outcome": self.outcome.value, "Why": self.why}

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> Self:
        """Read what `to_json` returned."""
        # Executions of earlier versions carry the name with a space.
        return cls(ExecutionOutcome(document["Outcome"].replace(" ", "_")), document["Why"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The end of an execution.

    `error` is None for a success and for an execution that was stopped, else one of `EXECUTION_ERRORS`.
    `drains` and `outcomes` (by association id) say what became of each address. `problems` are what stood in
    the way, of the request as a whole if `failed`, else of single addresses. `releases`: allocations were to
    be released. `absent` are the names that a schedule asked for and the gateway did not have. `quiet` is
    there for an execution that found nothing to do, `planned_limit_seconds` for a dry run.
    """

    gateway_id: str | None
    outcome: ExecutionOutcome
    error: str | None = None
    changed: Changed = Changed.NONE
    drains: tuple[Drain, ...] = ()
    outcomes: Mapping[str, AddressOutcome]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    failed: bool = False
    releases: bool = False
    absent: tuple[str, ...] = ()
    planned_limit_seconds: int | None = None
    quiet: str | None = None

    def of(self, drain: Drain) -> AddressOutcome:
        """Return what became of an address."""
        return self.outcomes[drain.association_id]
