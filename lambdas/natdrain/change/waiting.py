"""The patience with EC2: what decisions about both kinds of change share."""

from collections.abc import Collection
from datetime import timedelta

from natdrain.model.gateway import Gateway
from natdrain.model.problem import Problem
from natdrain.report import details
from natdrain.report.wording import label_of

SETTLE_SECONDS = 60
"""EC2's reads are eventually consistent: for so long an accepted address may still look as it did before."""
SETTLE = timedelta(seconds=SETTLE_SECONDS)

MAX_REFUSALS = 3
"""After so many final refusals we believe EC2."""


def warn_of_others(gateway: Gateway, ours: Collection[str | None]) -> tuple[Problem, ...]:
    """Return a warning if EC2 is busy with addresses other than these associations or allocations."""
    others = [a for a in gateway.busy if a.association_id not in ours and a.allocation_id not in ours]
    names = ", ".join(map(label_of, others))
    busy = details.EC2_BUSY.about(gateway.gateway_id, others=names, gateway=gateway.gateway_id)
    return (busy,) if others else ()
