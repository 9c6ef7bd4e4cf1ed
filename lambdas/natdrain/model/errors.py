"""The errors of natdrain: their names are an API.

Lambda reports a Python exception to Step Functions by its bare class name, so a class name here
is what a `Retry` or `Catch` matches and what a failed execution ends with.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "EXECUTION_ERRORS",
    "DrainFailed",
    "DrainOverdue",
    "GatewayBusy",
    "NatdrainError",
    "ReleaseFailed",
    "RequestRefused",
    "TransientFailure",
    "bounded",
]

MAX_PROBLEMS = 25
MAX_PROBLEM_CHARACTERS = 1_000


def bounded(texts: Sequence[str]) -> list[str]:
    """So many texts, each in one line, as an answer has room for."""
    lines = [text[:MAX_PROBLEM_CHARACTERS].replace("\n", " ") for text in texts[:MAX_PROBLEMS]]
    left_out = len(texts) - MAX_PROBLEMS
    return lines if left_out <= 0 else [*lines, f"... and {left_out} more."]


class NatdrainError(Exception):
    """Base of everything natdrain raises on purpose; one problem to a line of its message.

    The message is bounded, since it must fit into Step Functions' 32,768 characters of cause.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(bounded(problems)))


class RequestRefused(NatdrainError):
    """The request cannot or must not be carried out; nothing was changed."""


class GatewayBusy(NatdrainError):
    """Another running execution holds the gateway's lock; nothing was changed."""


class DrainFailed(NatdrainError):
    """At least one address did not leave, or nobody can say; the result tells which."""


class DrainOverdue(NatdrainError):
    """The address is still on the gateway although its drain limit and a margin have passed."""


class ReleaseFailed(NatdrainError):
    """Every address has left, and an allocation that was to be given back to AWS is still there."""


class TransientFailure(NatdrainError):
    """AWS could not answer now; the workflow retries it. Executions never end with this name."""


EXECUTION_ERRORS = tuple(
    error.__name__ for error in (RequestRefused, GatewayBusy, DrainFailed, DrainOverdue, ReleaseFailed)
)
"""Every name a failed execution can end with."""
