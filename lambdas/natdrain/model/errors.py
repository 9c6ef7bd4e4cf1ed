"""The errors of natdrain: their names are an API.

Lambda reports a Python exception to Step Functions by its bare class name, so a class name here
is what a `Retry` or `Catch` matches and what a failed execution ends with.
"""

from natdrain.model.problem import Problem, bounded
from natdrain.model.request import Request, Trigger


class NatdrainError(Exception):
    """Base of everything that natdrain raises on purpose, with its problems as data.

    The message has a line for each problem. It is bounded, since it must fit into Step Functions' 32,768
    characters of cause.
    """

    def __init__(self, *problems: Problem | str) -> None:
        values = [Problem(text=one) if isinstance(one, str) else one for one in problems]
        self.problems = tuple(bounded(values))
        super().__init__("\n".join(map(str, self.problems)))


class RequestRefused(NatdrainError):
    """The request cannot or must not be carried out; nothing was changed.

    `request` is there if the input could be read as one; else `trigger` says what asked, if that is known.
    """

    def __init__(
        self, *problems: Problem | str, request: Request | None = None, trigger: Trigger | None = None
    ) -> None:
        super().__init__(*problems)
        self.request, self.trigger = request, trigger


class GatewayBusy(NatdrainError):
    """Another running execution holds the gateway's lock; nothing was changed."""


class DrainFailed(NatdrainError):
    """At least one address did not leave, or that is unknown; the result says which."""


class DrainOverdue(NatdrainError):
    """The address is still on the gateway although its drain limit and a margin have passed."""


class ReleaseFailed(NatdrainError):
    """Every address has left, and an allocation that was to be released is still there."""


class AssociateFailed(NatdrainError):
    """At least one address did not come into service, or that is unknown; the result says which."""


class TransientFailure(NatdrainError):
    """AWS could not answer now; the workflow retries it. Executions never end with this name.

    `throttled`: AWS has said that it did not do what it was asked.
    """

    def __init__(self, *problems: Problem | str, throttled: bool = False) -> None:
        super().__init__(*problems)
        self.throttled = throttled


EXECUTION_ERRORS = tuple(
    error.__name__
    for error in (RequestRefused, GatewayBusy, DrainFailed, DrainOverdue, ReleaseFailed, AssociateFailed)
)
"""Every name a failed execution can end with."""

UNTOUCHED = {RequestRefused.__name__, GatewayBusy.__name__}
"""The names after which nothing was changed."""
