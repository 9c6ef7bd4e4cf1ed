"""What an execution comes to, in terms of `natdrain.metrics`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from natdrain.change.conclude import Outcome
from natdrain.intake.request import BY_HAND, Request
from natdrain.model.drain import AddressOutcome, Drain
from natdrain.model.errors import RequestRefused
from natdrain.report.metrics import (
    ADOPTED,
    DETECTION_LAG,
    DRAIN_DURATION,
    DRAIN_DURATION_OF_LIMIT,
    EXECUTIONS,
    FUNCTION,
    GUARD,
    OTHER_REFUSAL,
    OUTCOME,
    REFUSALS,
    RETRIES,
    TRIGGER,
    VALUES,
    Measure,
)

__all__ = ["of_end", "of_retry"]

_SEEN_TO_LEAVE = {AddressOutcome.DRAINED, AddressOutcome.RELEASED, AddressOutcome.RELEASE_FAILED}


def of_end(outcome: Outcome, request: Request | None, drains: Sequence[Drain]) -> list[Measure]:
    """What the end of an execution comes to; without a request, its input could not be read as one."""
    asked = {TRIGGER: request.trigger.kind.value if request and request.trigger else BY_HAND}
    measures = [Measure(EXECUTIONS, 1, {OUTCOME: outcome.name, **asked})]
    if outcome.error == RequestRefused.__name__:
        # But for the note that there are more problems than a result has room for.
        guards = sorted({_guard(p) for p in outcome.problems if not p.startswith("... and ")})
        measures += [Measure(REFUSALS, 1, {GUARD: guard}) for guard in guards]
    if adopted := sum(drain.adopted for drain in drains):
        measures.append(Measure(ADOPTED, adopted, asked))
    return measures + [measure for drain in drains for measure in _of_leaving(drain, asked)]


def of_retry(function: str) -> Measure:
    """An attempt of a function, by the name of its module, that is not the first of its state."""
    return Measure(RETRIES, 1, {FUNCTION: function})


def _guard(problem: str) -> str:
    """The guard with whose name a refusal begins."""
    name = problem.partition(":")[0]
    return name if name in VALUES[GUARD] else OTHER_REFUSAL


def _of_leaving(drain: Drain, asked: dict[str, str]) -> Iterator[Measure]:
    """Of an address that this execution asked for and saw leave: not of one that it found leaving or gone."""
    shown_at = drain.last_seen_at or drain.requested_at
    not_ours = drain.left_before or drain.adopted
    if drain.outcome not in _SEEN_TO_LEAVE or not_ours or not (shown_at and drain.gone_by):
        return
    yield Measure(DETECTION_LAG, (drain.gone_by - shown_at).total_seconds(), asked)
    if drain.requested_at and drain.limit_seconds:
        seconds = (drain.gone_by - drain.requested_at).total_seconds()
        yield Measure(DRAIN_DURATION, seconds, asked)
        yield Measure(DRAIN_DURATION_OF_LIMIT, 100 * seconds / drain.limit_seconds, asked)
