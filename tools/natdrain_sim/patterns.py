"""Event patterns, matched through lists of objects as EventBridge does; moto matches only through objects.

Source: the README of AWS's own matcher, aws/event-ruler. All fields of a pattern that lie in a list of
objects must match within one and the same element of it ("array consistency"). Of the values in a list it is
enough that one matches. `$or` stands for several patterns, of which one must match as a whole.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

from moto.events.models import UNDEFINED, EventPattern

from natdrain_sim.seams import Seam, private

Pattern = dict[str, Any]


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    value_matches = private(EventPattern, "_does_item_match_filters")

    def matches_event(self: EventPattern, event: Any) -> bool:
        def matches(pattern: Pattern, node: Any) -> bool:
            if isinstance(node, list) and node:
                return any(matches(pattern, element) for element in node)
            members = node if isinstance(node, dict) else {}
            return all(
                matches(wanted, members.get(key))
                if isinstance(wanted, dict)
                else value_matches(self, list(_values(members.get(key, UNDEFINED))) or UNDEFINED, wanted)
                for key, wanted in pattern.items()
            )

        return any(matches(alternative, event) for alternative in _alternatives(self.get_pattern()))

    yield EventPattern, "matches_event", matches_event


def _values(node: Any) -> Iterator[Any]:
    """The values at a place of the event; an object there is none."""
    if isinstance(node, list):
        for element in node:
            yield from _values(element)
    elif node is not UNDEFINED and not isinstance(node, dict):
        yield node


def _alternatives(pattern: Pattern) -> Iterator[Pattern]:
    """The patterns without `$or` for which one with `$or` stands."""
    choices: list[list[Pattern]] = []
    for key, wanted in pattern.items():
        if key == "$or":
            choices.append([part for option in wanted for part in _alternatives(option)])
        elif isinstance(wanted, dict):
            choices.append([{key: part} for part in _alternatives(wanted)])
        else:
            choices.append([{key: wanted}])
    for chosen in product(*choices):
        yield _merged(chosen)


def _merged(parts: Any) -> Pattern:
    whole: Pattern = {}
    for part in parts:
        for key, wanted in part.items():
            both = isinstance(wanted, dict) and key in whole
            whole[key] = _merged((whole[key], wanted)) if both else wanted
    return whole
