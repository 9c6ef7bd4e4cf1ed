"""How messages put things: names, numbers, instants and other people's words, in plain English."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

__all__ = [
    "ALLOCATIONS",
    "alike",
    "at",
    "by_at_the_latest",
    "cut",
    "first_few",
    "listed",
    "name",
    "number",
    "numbered",
    "plain",
    "sentence",
]

_MAX_PART_CHARACTERS = 400
_MAX_NAMES = 4
_MAX_PARTS = 3

ALLOCATIONS = "[its|their] allocation[|s]"

_One = TypeVar("_One")
_Key = TypeVar("_Key")


def number(template: str, count: int) -> str:
    """`[is|are]` in a template is `is` for one and `are` for several."""
    return re.sub(r"\[([^|\]]*)\|([^\]]*)\]", r"\1" if count == 1 else r"\2", template)


def at(when: datetime, start: datetime | None) -> str:
    """An instant as a clock shows it, with the date unless it is the day of the start."""
    date = "" if start and start.date() == when.date() else f" on {when:%Y-%m-%d}"
    return f"{when:%H:%M:%S} UTC{date}"


def by_at_the_latest(limit_at: datetime, start: datetime | None) -> str:
    """When an address has left, and what that means for connections."""
    return f"by {at(limit_at, start)} at the latest, when EC2 cuts what is still open"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`; of many only the first."""
    if len(names) > _MAX_NAMES:
        names = [*names[: _MAX_NAMES - 1], f"{len(names) - _MAX_NAMES + 1} more"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def first_few(names: Sequence[str]) -> str:
    """What a title has room for."""
    return listed(names) if len(names) < _MAX_PARTS else f"{len(names)} addresses"


def plain(text: str) -> str:
    """One line without what spoils JSON, and without the association that follows a public IP."""
    text = re.sub(r" \(eipassoc-[0-9a-f]+\)", "", " ".join(text.split()))
    text = text.translate({ord('"'): "'", ord("\\"): "/"})
    return "".join(character for character in text if character.isprintable())


def cut(text: str, most: int = _MAX_PART_CHARACTERS) -> str:
    """At most so many characters of it."""
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


def sentence(text: str) -> str:
    """The text with a full stop; after a command a semicolon, which a shell forgives."""
    if text.endswith((".", "!", "?", ";")):
        return text
    return f"{text}{';' if 'aws ' in text else '.'}"


def numbered(one: str, several: str, texts: Sequence[str]) -> list[str]:
    """The texts as one sentence under a heading for one or for several, of many only the first."""
    shown = [cut(plain(text)) for text in texts[:_MAX_PARTS]]
    if len(texts) <= 1:
        return [sentence(f"{one}: {text}") for text in shown]
    parts = [f"({place}) {_unended(text)}" for place, text in enumerate(shown, 1)]
    if more := len(texts) - len(shown):
        parts.append(f"and {more} more")
    return [sentence(f"{several.format(count=len(texts))}: {'; '.join(parts)}")]


def _unended(text: str) -> str:
    return text if text.endswith("...") else text.removesuffix(".")


def alike(some: Sequence[_One], by: Callable[[_One], _Key]) -> dict[_Key, list[_One]]:
    """Those of whom the same is said, together."""
    groups: dict[_Key, list[_One]] = {}
    for one in some:
        groups.setdefault(by(one), []).append(one)
    return groups


def name(*names: str | None) -> str:
    """What an address is called: the first of these that there is."""
    return next((one for one in names if one), "an address")
