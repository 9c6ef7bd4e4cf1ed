"""Event patterns, matched through lists of objects as EventBridge does; moto matches only through objects.

Source: the README of AWS's own matcher, aws/event-ruler. All that a pattern says of a list must hold within
one and the same element of it ("array consistency").
"""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from moto.events.models import EventPattern

from natdrain_sim.seams import Seam


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    matches_without_lists = EventPattern.matches_event

    def matches_event(self: EventPattern, event: Any) -> bool:
        named = json.dumps(self.get_pattern())
        return any(matches_without_lists(self, each) for each in _without_lists(event, named))

    yield EventPattern, "matches_event", matches_event


def _without_lists(node: Any, named: str) -> Iterator[Any]:
    """The event for each choice of one element from every list, with the keys that a pattern names at all."""
    if isinstance(node, list):
        for element in node:
            yield from _without_lists(element, named)
    elif isinstance(node, dict):
        members = {key: [*_without_lists(node[key], named)] for key in node if json.dumps(key) in named}
        present = {key: choices for key, choices in members.items() if choices}
        for chosen in product(*present.values()):
            # Never empty, which moto would take for a value; no object is one.
            yield dict(zip(present, chosen, strict=True)) or {"": None}
    else:
        yield node
