"""Event patterns that match within lists of objects, as on EventBridge; moto matches only within objects.

Source: the README of AWS's own matcher, aws/event-ruler. Everything that a pattern says about a list must be
true of the same element ("array consistency").
"""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from moto.events.models import EventPattern

from natdrain_sim.seams import Seam


def seams() -> Iterator[Seam]:
    """Yield the seam where a pattern is matched."""
    matches = EventPattern.matches_event

    def matches_event(self: EventPattern, event: Any) -> bool:
        pattern = json.dumps(self.get_pattern())
        return any(matches(self, variant) for variant in _variants(event, pattern))

    yield EventPattern, "matches_event", matches_event


def _variants(node: Any, pattern: str) -> Iterator[Any]:
    """Yield an event without lists for each choice of their elements, with only the keys in the pattern."""
    if isinstance(node, list):
        for element in node:
            yield from _variants(element, pattern)
    elif isinstance(node, dict):
        members = {key: [*_variants(node[key], pattern)] for key in node if json.dumps(key) in pattern}
        present = {key: variants for key, variants in members.items() if variants}
        for values in product(*present.values()):
            # Not an empty object, which moto would treat as a value.
            yield dict(zip(present, values, strict=True)) or {"": None}
    else:
        yield node
