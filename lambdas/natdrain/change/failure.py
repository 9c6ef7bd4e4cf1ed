"""The failure of a state of the workflow, and the ends that are no success."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from natdrain.contract import Busy
from natdrain.model import errors
from natdrain.model.drain import Drain
from natdrain.model.join import Join
from natdrain.model.outcome import IN_SERVICE_NOW, LEFT_EARLIER, ExecutionOutcome, ExecutionStatus
from natdrain.model.outcome import AddressOutcome as A
from natdrain.model.problem import Problem
from natdrain.model.request import Trigger
from natdrain.report.refusals import locked
from natdrain.report.wording import name_of

ENDS_WITHOUT_CLOSE: Mapping[ExecutionStatus | None, ExecutionOutcome] = {
    ExecutionStatus.ABORTED: ExecutionOutcome.STOPPED,
    ExecutionStatus.TIMED_OUT: ExecutionOutcome.TIMED_OUT,
}
"""The statuses of executions that something else ended, and their outcomes."""

OUTCOMES: Mapping[str | None, ExecutionOutcome] = {
    errors.RequestRefused.__name__: ExecutionOutcome.REFUSED,
    errors.GatewayBusy.__name__: ExecutionOutcome.BUSY,
    errors.DrainFailed.__name__: ExecutionOutcome.FAILED,
    errors.DrainOverdue.__name__: ExecutionOutcome.OVERDUE,
    errors.ReleaseFailed.__name__: ExecutionOutcome.RELEASE_FAILED,
    errors.AssociateFailed.__name__: ExecutionOutcome.JOIN_FAILED,
}
"""The outcome of an execution by its error."""

GOOD = {A.DRAINED, A.RELEASED, *LEFT_EARLIER, *IN_SERVICE_NOW}
_NO_ERROR = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The failure of a state of the workflow: the error's name, and what was wrong."""

    error: str
    problems: tuple[Problem, ...]
    trigger: Trigger | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any], gateway_id: str | None = None) -> Self:
        """Read a function's answer, a lock state's facts, or what a state caught, `{Error, Cause}`.

        Lambda's cause is an envelope around the message (Step Functions developer guide, error handling).
        """
        error = document.get("Error", _NO_ERROR)
        if problems := document.get("Problems"):
            trigger = Trigger.from_json(document["Trigger"]) if "Trigger" in document else None
            return cls(error=error, problems=tuple(map(Problem.from_json, problems)), trigger=trigger)
        if gateway_id and (lock := document.get(Busy.LOCK)):
            return cls(error=error, problems=(locked(gateway_id, lock),))
        cause = document.get("Cause", "")
        text = _envelope_message(cause) or cause or error
        return cls(error=error, problems=tuple(Problem(text=line) for line in text.splitlines()))


def _envelope_message(cause: str) -> str | None:
    # A cause is any text, and only Lambda's is JSON.
    try:
        envelope = json.loads(cause)
    except ValueError:
        return None
    return envelope.get("errorMessage") if isinstance(envelope, dict) else None


def problems_of(addresses: Sequence[Drain | Join], failure: Failure | None) -> tuple[Problem, ...]:
    """Return why addresses are not as they should be, or why everything failed."""
    if failure is not None:
        return failure.problems
    problems: dict[Problem, None] = {}
    for address in (one for one in addresses if one.outcome not in GOOD and one.detail):
        text = f"{name_of(address)}: {address.detail}"
        problems |= dict.fromkeys(address.problems or [Problem(subject=address.key, text=text)])
    return tuple(problems)
