"""The settings of each function: what the stack put into its environment, read at each invocation."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from natdrain.contract import ALARM_POLICY_ENV, DRAIN_LIMIT_ENV, GUARD_POLICY_ENV, RELEASE_ENV, TABLE_ENV
from natdrain.guards.policy import GuardPolicy, Verdict
from natdrain.intake.alarms import AlarmPolicy
from natdrain.model.errors import NatdrainError
from natdrain.report import refusals
from natdrain.store.table import Table


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of every function, and all those of *Disassociate* and *Release*."""

    table: Table

    @classmethod
    def from_env(cls) -> Self:
        """Read the settings.

        Raises:
            NatdrainError: naming the variable that is missing or wrong.
        """
        return cls(**{field.name: _read(*_VARIABLES[field.name]) for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class RequestSettings(Settings):
    """The settings of *Read the request*."""

    limit_seconds: int
    alarms: AlarmPolicy
    may_release: bool


@dataclass(frozen=True, kw_only=True)
class LookSettings(Settings):
    """The settings of *Validate* and *Confirm*."""

    policy: GuardPolicy


@dataclass(frozen=True, kw_only=True)
class EndSettings(Settings):
    """The settings of *Close* and *Record*."""

    region: str


def _read(name: str, parse: Callable[[str], Any]) -> Any:
    if not (text := os.environ.get(name)):
        raise NatdrainError(refusals.VARIABLE_MISSING.about(None, name=name))
    try:
        return parse(text)
    except (AttributeError, TypeError, ValueError) as error:
        raise NatdrainError(refusals.VARIABLE_WRONG.about(None, name=name, error=error)) from error


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _guard_policy(text: str) -> GuardPolicy:
    policy = GuardPolicy.from_text(text)
    for verdict in (*policy.by_hand.values(), *policy.automatic.values()):
        Verdict(verdict)  # raises ValueError if there is no such verdict
    return policy


_VARIABLES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "table": (TABLE_ENV, Table),
    "limit_seconds": (DRAIN_LIMIT_ENV, int),
    "alarms": (ALARM_POLICY_ENV, lambda text: AlarmPolicy(**json.loads(text))),
    "may_release": (RELEASE_ENV, _flag),
    "policy": (GUARD_POLICY_ENV, _guard_policy),
    # Lambda itself sets it (Lambda developer guide, environment variables).
    "region": ("AWS_REGION", str),
}
"""The variable and the parser of each setting."""
