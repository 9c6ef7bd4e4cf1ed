"""A walk of one execution through states of the definition, one at a time.

It knows the part of the States Language that the lock's states use. The caller makes the calls of the states,
and may lose their answers; nothing of the workflow is copied here.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from natdrain_sim.stepfunctions import jsonata
from support.builders import START

_evaluate = functools.lru_cache(maxsize=None)(jsonata.evaluate)


def instant(seconds: float) -> str:
    """Return the instant as Step Functions writes it."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Walk:
    """The position of one execution; instants are seconds since the start."""

    states: Mapping[str, Any]
    state_machine_name: str
    execution_arn: str
    variables: dict[str, Any]
    began_at: float
    at: str = ""
    entered_at: float = 0
    due_at: float = 0
    """The instant before which it does not continue: the end of a wait, or the next retry."""
    tried: Counter[int] = field(default_factory=Counter)
    """The number of retries by each retrier of this state."""

    @property
    def state(self) -> Mapping[str, Any]:
        return dict(self.states[self.at])

    @property
    def arguments(self) -> Any:
        """Return the arguments of the current task."""
        return self._value(self.state["Arguments"])

    def enter(self, name: str, now: float) -> None:
        self.at, self.entered_at, self.due_at = name, now, now + self.states[name].get("Seconds", 0)
        self.tried.clear()

    def choose(self, now: float) -> None:
        """Continue from a choice, or from a wait that is over."""
        for choice in self.state.get("Choices", ()):
            if self._value(choice["Condition"]):
                return self._leave(choice, choice["Next"], now)
        return self._leave({}, self.state.get("Default") or self.state["Next"], now)

    def answered(self, result: Mapping[str, Any], now: float) -> None:
        """Continue from a task with its answer."""
        self._leave(self.state, self.state["Next"], now, result=result)

    def failed(self, error: str, cause: str, now: float) -> None:
        """Retry the task, or enter the state to which its failure leads."""
        for number, retrier in enumerate(self.state["Retry"]):
            if _matches(retrier, error):
                if (tried := self.tried[number]) < retrier["MaxAttempts"]:
                    delay = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** tried
                    self.due_at = now + min(delay, retrier.get("MaxDelaySeconds", delay))
                    self.tried[number] += 1
                    return
                break
        catcher = next(catcher for catcher in self.state["Catch"] if _matches(catcher, error))
        self._leave(catcher, catcher["Next"], now, errorOutput={"Error": error, "Cause": cause})

    def _leave(self, how: Mapping[str, Any], to: str, now: float, **more: Any) -> None:
        self.variables |= {name: self._value(value, **more) for name, value in how.get("Assign", {}).items()}
        self.enter(to, now)

    def _value(self, template: Any, **more: Any) -> Any:
        if isinstance(template, Mapping):
            return {key: self._value(value, **more) for key, value in template.items()}
        if not (isinstance(template, str) and template.startswith("{%")):
            return template
        # Only the variables that the expression names, so that equal evaluations are cached.
        context = {name: value for name, value in self._context().items() if f"context.{name}." in template}
        known = {"states": {"context": context, **more}, **self.variables}
        bindings = {f"${name}": value for name, value in known.items() if f"${name}" in template}
        return _evaluate(f"({jsonata.declare(bindings)}{template[2:-2]})")

    def _context(self) -> Mapping[str, Any]:
        return {
            "Execution": {"Id": self.execution_arn, "StartTime": instant(self.began_at)},
            "State": {"EnteredTime": instant(self.entered_at), "RetryCount": self.tried.total()},
            "StateMachine": {"Name": self.state_machine_name},
        }


def _matches(rule: Mapping[str, Any], error: str) -> bool:
    every = {"States.ALL"} | ({"States.TaskFailed"} if error != "States.Timeout" else set())
    return not {error, *every}.isdisjoint(rule["ErrorEquals"])
