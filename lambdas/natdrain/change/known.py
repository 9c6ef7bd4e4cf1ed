"""The knowledge that a decision has beside the look."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.join import Join


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The knowledge before a look.

    `drains` and `joins` are empty before the first look. `remembered` holds, by association id, what our own
    table has of earlier executions: drains still running, and addresses that have left. `intended` holds, by
    allocation id, the joins that were begun and not seen in service. `departed` are associations of the
    allocations that are to join which our own record has seen to leave.
    """

    drains: tuple[Drain, ...] = ()
    joins: tuple[Join, ...] = ()
    remembered: Mapping[str, Drain] = field(default_factory=dict)
    intended: Mapping[str, Join] = field(default_factory=dict)
    departed: Collection[str] = ()
    policy: GuardPolicy = field(default_factory=GuardPolicy)
