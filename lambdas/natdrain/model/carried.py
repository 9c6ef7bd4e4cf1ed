"""The JSON form of values that the workflow carries and the table keeps: a key for each field, checked types.

Running executions and stored items have these keys, so a key is never renamed without reading the old one.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from natdrain.model.instants import instant, timestamp
from natdrain.model.problem import Problem
from natdrain.model.request import Trigger

Keys = Mapping[str, tuple[str, Callable[[Any], Any]]]
"""The JSON key of each field, and the function that reads it."""

_MAX_NUMBER = 4_000  # EC2's longest limit; counts of our own are smaller
_MAX_COUNT = 10**9  # more connections than any gateway has


def write(*parts: tuple[Any, Keys]) -> dict[str, Any]:
    """Return the fields of values as JSON; those that are empty or have their default are left out."""
    document = {}
    for part, keys in parts:
        defaults = {one.name: one.default for one in fields(part)}
        for name, (key, _) in keys.items():
            if (value := getattr(part, name)) not in (None, defaults[name]):
                document[key] = _json(value)
    return document


def read(document: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """Return the fields that a document has.

    Raises:
        TypeError, ValueError: a field is not as `write` writes it.
    """
    found = {}
    for name, (key, parse) in keys.items():
        if (value := document.get(key)) is not None:
            try:
                found[name] = parse(value)
            except (ArithmeticError, TypeError, ValueError) as error:
                raise ValueError(f"{key} is {value!r}: {error}") from error
    return found


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Problem | Trigger):
        return value.to_json()
    return [_json(one) for one in value] if isinstance(value, tuple) else value


def text(value: object) -> str:
    """Read a text."""
    if isinstance(value, str):
        return value
    raise TypeError("not a text")


def texts(value: object) -> tuple[str, ...]:
    """Read a list of texts."""
    if isinstance(value, list):
        return tuple(map(text, value))
    raise TypeError("not a list")


def flag(value: object) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    raise TypeError("neither true nor false")


def moment(value: object) -> datetime:
    """Read an instant."""
    return instant(text(value))


def number(value: object, most: int = _MAX_NUMBER) -> int:
    """Read a drain limit or a number of attempts."""
    # DynamoDB has decimal numbers only; a bool is an int in Python, and no number here.
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and 0 <= value <= most:
        return int(value)
    raise ValueError(f"not a number from 0 to {most}")


def count(value: object) -> int:
    """Read a number that may be large."""
    return number(value, _MAX_COUNT)


def trigger(value: object) -> Trigger:
    """Read a trigger."""
    if isinstance(value, Mapping) and value.keys() == {"Kind", "Name", "At"}:
        return Trigger.from_json({key: text(one) for key, one in value.items()})
    raise TypeError("not a trigger")


def problems(value: object) -> tuple[Problem, ...]:
    """Read a list of problems."""
    if not (isinstance(value, list) and all(isinstance(one, Mapping) and "Text" in one for one in value)):
        raise TypeError("not a list of problems")
    return tuple(Problem.from_json(one) for one in value)
