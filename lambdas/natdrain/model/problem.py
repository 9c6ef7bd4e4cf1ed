"""A problem or a warning as a value, from the guard that finds it to the result, the event and the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

MAX_PROBLEMS = 25
MAX_PROBLEM_CHARACTERS = 1_000


class Guard(StrEnum):
    """The guards, in the order in which they report; `natdrain.guards.policy` says what they do."""

    EC2 = "ec2"
    OPT_IN = "opt_in"
    PROTECT = "protect"
    HOLD = "hold"
    AWS_MANAGED = "aws_managed"
    FREE = "free"
    ROOM = "room"
    LAST = "last"
    REMAINING = "remaining"
    PORTS = "ports"
    CAPACITY = "capacity"
    PACE = "pace"
    SIBLINGS = "siblings"
    PUT_BACK = "put_back"
    OWNER = "owner"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that stands in the way, or that somebody should know.

    `guard` is the name of the guard that found it, None for a problem of the request or of AWS. `subject` is
    the id of what it is about: a gateway, an allocation or an association. `text` is one sentence for people
    and `fix` says what to do, both from `natdrain.report`; code never reads them.
    """

    text: str
    guard: str | None = None
    subject: str | None = None
    fix: str | None = None

    def __str__(self) -> str:
        parts = (self.guard and f"{self.guard}:", self.text, self.fix)
        return " ".join(part for part in parts if part)

    def to_json(self) -> dict[str, str | None]:
        """Return the problem as results, events and steps carry it."""
        return {"Guard": self.guard, "Subject": self.subject, "Text": self.text, "Fix": self.fix}

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | str) -> Self:
        """Read a problem; executions that began before problems were objects carry their texts alone."""
        if isinstance(document, str):
            return cls(text=document)
        guard, subject, fix = (document.get(key) for key in ("Guard", "Subject", "Fix"))
        return cls(guard=guard, subject=subject, text=document["Text"], fix=fix)


def bounded(problems: Iterable[Problem]) -> list[Problem]:
    """Return each problem once, each in one line, and no more of them than an answer has room for."""
    unique = list(dict.fromkeys(problems))
    shown = [one_line(problem) for problem in unique[:MAX_PROBLEMS]]
    if left_out := unique[MAX_PROBLEMS:]:
        # It stands for the first of them, so that no guard is counted that found nothing.
        shown.append(Problem(guard=left_out[0].guard, text=f"... and {len(left_out)} more."))
    return shown


def one_line(problem: Problem) -> Problem:
    """Return the problem with texts of one line and of bounded length."""
    fix = problem.fix and problem.fix[:MAX_PROBLEM_CHARACTERS].replace("\n", " ")
    return replace(problem, text=problem.text[:MAX_PROBLEM_CHARACTERS].replace("\n", " "), fix=fix)
