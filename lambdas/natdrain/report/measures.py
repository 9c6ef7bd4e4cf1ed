"""The measures of an execution, as values of the metrics in `natdrain.report.metrics`."""

from collections.abc import Iterator

from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.join import Join
from natdrain.model.outcome import AddressOutcome
from natdrain.model.request import BY_HAND, Request
from natdrain.report import metrics
from natdrain.report.metrics import Measure

_SEEN_TO_LEAVE = {AddressOutcome.DRAINED, AddressOutcome.RELEASED, AddressOutcome.RELEASE_FAILED}


def measure_end(end: Conclusion, request: Request | None) -> list[Measure]:
    """Return the measures of an end; without a request, the input could not be read as one."""
    trigger = end.trigger_of(request)
    if request and request.dry_run and end.error:
        return []  # nothing was missed
    asked = {metrics.TRIGGER: trigger.kind.value if trigger else BY_HAND}
    measures = [Measure(metrics.EXECUTIONS, 1, {metrics.OUTCOME: end.outcome.value, **asked})]
    if end.error == RequestRefused.__name__:
        guards = sorted({problem.guard or metrics.OTHER_REFUSAL for problem in end.problems})
        measures += [Measure(metrics.REFUSALS, 1, {metrics.GUARD: guard}) for guard in guards]
    addresses: list[Drain | Join] = [*end.drains, *end.joins]
    if adopted := sum(address.progress.adopted for address in addresses):
        measures.append(Measure(metrics.ADOPTED, adopted, asked))
    for progress in (join.progress for join in end.joins if join.outcome is AddressOutcome.JOINED):
        if progress.in_service_at and progress.requested_at and not progress.adopted:
            seconds = (progress.in_service_at - progress.requested_at).total_seconds()
            measures.append(Measure(metrics.JOIN_DURATION, seconds, asked))
    return measures + [measure for drain in end.drains for measure in _measure_drain(drain, asked)]


def measure_retry(function: str) -> Measure:
    """Return the measure of an attempt of a function, named as its module, after the first of its state."""
    return Measure(metrics.RETRIES, 1, {metrics.FUNCTION: function})


def _measure_drain(drain: Drain, asked: dict[str, str]) -> Iterator[Measure]:
    """Yield the measures of an address that this execution asked for and saw leave, and of no other."""
    progress = drain.progress
    shown_at = progress.last_seen_at or progress.requested_at
    not_ours = progress.left_before or progress.adopted
    if drain.outcome not in _SEEN_TO_LEAVE or not_ours or not (shown_at and progress.gone_by):
        return
    yield Measure(metrics.DETECTION_LAG, (progress.gone_by - shown_at).total_seconds(), asked)
    if progress.requested_at and progress.limit_seconds:
        seconds = (progress.gone_by - progress.requested_at).total_seconds()
        yield Measure(metrics.DRAIN_DURATION, seconds, asked)
        yield Measure(metrics.DRAIN_DURATION_OF_LIMIT, 100 * seconds / progress.limit_seconds, asked)
