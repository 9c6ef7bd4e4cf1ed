"""The conclusion: what is known of every address, and a failure if there was one, become one end."""

from collections.abc import Collection, Sequence
from typing import Any

from natdrain.change.failure import Failure
from natdrain.change.join.conclude import conclude_joins
from natdrain.change.leave.conclude import conclude_drains
from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.join import Join
from natdrain.model.outcome import ExecutionStatus
from natdrain.model.problem import Problem
from natdrain.model.request import Request


def conclude(
    request: Request | None,
    drains: Sequence[Drain],
    joins: Sequence[Join] = (),
    *,
    failure: Failure | None = None,
    asking: Collection[str] = (),
    warnings: Sequence[Problem] = (),
    status: ExecutionStatus | None = None,
) -> Conclusion:
    """Bring what is known of every address, and a failure if there was one, into one end.

    `request` is None when the input could not be read as one. `failure` is what a state failed with, or why
    the request was refused; `asking` has the associations or allocations that EC2 was about to be asked for
    then. `status` is how an execution ended that something else ended.
    """
    request = request or Request(gateway_id=None)
    common: Any = {"asking": asking, "warnings": warnings, "status": status}
    if request.joins:
        return conclude_joins(request, joins, failure, **common)
    return conclude_drains(request, drains, failure, **common)
