"""The metrics of natdrain: name, unit, sets of dimensions, meaning.

The one table of metrics: the functions that emit them, the dashboard and the alarms all read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from natdrain.model.outcome import ExecutionOutcome
from natdrain.model.problem import Guard
from natdrain.model.request import BY_HAND, TriggerKind

OUTCOME = "Outcome"
TRIGGER = "Trigger"
GUARD = "Guard"
FUNCTION = "Function"

OTHER_REFUSAL = "request"
"""In place of a guard: a refusal before any guard is asked."""

VALUES: Mapping[str, tuple[str, ...]] = {
    OUTCOME: tuple(ExecutionOutcome),
    TRIGGER: (BY_HAND, *TriggerKind),
    GUARD: (*Guard, OTHER_REFUSAL),
    FUNCTION: (
        "read_request",
        "validate",
        "associate",
        "disassociate",
        "confirm",
        "release",
        "close",
        "record",
    ),
}
"""The values of each dimension."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as CloudWatch keeps it: once for each of its sets of dimensions, and for no other.

    `unit` is one of CloudWatch's (CloudWatch API reference, MetricDatum).
    """

    name: str
    unit: str
    dimension_sets: tuple[tuple[str, ...], ...]
    meaning: str


EXECUTIONS = Metric(
    "Executions",
    "Count",
    ((OUTCOME,), (OUTCOME, TRIGGER)),
    "ended executions, by outcome and by who or what asked",
)
DRAIN_DURATION = Metric(
    "DrainDuration", "Seconds", ((TRIGGER,),), "from the accepted request until a look found the address gone"
)
DRAIN_DURATION_OF_LIMIT = Metric(
    "DrainDurationOfLimit",
    "Percent",
    ((TRIGGER,),),
    "the same as a share of the drain limit; from 100 on connections may have been cut",
)
DETECTION_LAG = Metric(
    "DetectionLag",
    "Seconds",
    ((TRIGGER,),),
    "from the last look that showed the address, or from the request if none did, to the look that found "
    "it gone: the delay at most",
)
JOIN_DURATION = Metric(
    "JoinDuration",
    "Seconds",
    ((TRIGGER,),),
    "from the accepted request until a look found the address in service",
)
REFUSALS = Metric("Refusals", "Count", ((GUARD,),), "refused executions, once for each guard that refused")
ADOPTED = Metric(
    "Adopted",
    "Count",
    ((TRIGGER,),),
    "addresses that were draining or joining without a request of the execution",
)
RETRIES = Metric(
    "Retries", "Count", ((FUNCTION,),), "attempts of a function after its first in the same state"
)

METRICS = (
    *(EXECUTIONS, DRAIN_DURATION, DRAIN_DURATION_OF_LIMIT, DETECTION_LAG, JOIN_DURATION, REFUSALS, ADOPTED),
    RETRIES,
)
"""All of them."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of a metric; `dimensions` has a value for every dimension in the metric's sets."""

    metric: Metric
    value: float
    dimensions: Mapping[str, str]
