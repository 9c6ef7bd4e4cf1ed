"""The one vocabulary: for every outcome of an address and of an execution, the words for people.

`verb` is part of the result's summary. `title` and `sentence` stand in messages; `{where}` is the gateway,
and of `[is|are]` the number of addresses chooses. `next_step` says what to do, and there the number of
problems chooses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from natdrain.model.outcome import AddressOutcome as A
from natdrain.model.outcome import ExecutionOutcome as E
from natdrain.model.request import Direction
from natdrain.report.wording import ALLOCATIONS

_SAFE = "Running the same request again is safe: natdrain looks first, and continues from what it finds."


@dataclass(frozen=True, slots=True)
class AddressWords:
    """The words for what became of an address; `after_left`: the sentence follows how it left."""

    verb: str
    sentence: str
    after_left: bool = False


ADDRESSES: Mapping[A, AddressWords] = {
    A.DRAINED: AddressWords("has left", "", after_left=True),
    A.PUT_BACK: AddressWords(
        "has left and is back", "; somebody has put [it|them] back since", after_left=True
    ),
    A.RELEASED: AddressWords("has left", f"; {ALLOCATIONS} [was|were] released to AWS", after_left=True),
    A.RELEASE_FAILED: AddressWords(
        "has left", f"; {ALLOCATIONS} [was|were] not released to AWS", after_left=True
    ),
    A.ALREADY_DRAINED: AddressWords("had left already", "had left {where} before"),
    A.ALREADY_RELEASED: AddressWords(
        "had left already, and its allocation was released",
        f"had left {{where}} before, and {ALLOCATIONS} [was|were] released to AWS then",
    ),
    A.FAILED: AddressWords("could not be taken off", "could not be taken off {where}"),
    A.NOT_ASKED: AddressWords("was not touched", "[was|were] not touched"),
    A.BLOCKED: AddressWords(
        "could not be taken off", "could not be taken off {where}, because EC2 accepted no request"
    ),
    A.OVERDUE: AddressWords(
        "is overdue",
        "[is|are] still on {where}, although [its|their] limit has passed; connections may have been cut",
    ),
    A.GATEWAY_GONE: AddressWords(
        "is in an unknown state", "[is|are] in an unknown state, because {where} was deleted"
    ),
    A.JOINED: AddressWords("is in service", "[was|were] seen in service on {where}"),
    A.ALREADY_JOINED: AddressWords("was in service already", "[was|were] in service on {where} before"),
    A.JOIN_FAILED: AddressWords("has not joined", "[has|have] not joined {where}"),
    A.JOIN_OVERDUE: AddressWords(
        "is still joining", "[is|are] still joining {where}, long after [it|they] should be in service"
    ),
    A.TAKEN_AWAY: AddressWords(
        "was taken away",
        "[was|were] taken off {where} again by something else, which natdrain does not fight",
    ),
    A.PLANNED: AddressWords("would be taken off", "would be taken off {where}"),
    A.UNKNOWN: AddressWords(
        "is in an unknown state", "may be leaving {where}: it is not known whether EC2 accepted the request"
    ),
}
"""The words for each outcome of an address."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The words for how an execution ended: the message's title and first sentence, and what to do next."""

    title: str
    sentence: str = ""
    next_step: str = ""


ENDINGS: Mapping[E, Ending] = {
    E.DRAINED: Ending("{names} left {gateway}"),
    E.RELEASED: Ending("{names} left {gateway} and [was|were] released to AWS"),
    E.JOINED: Ending("{names} joined {gateway}"),
    E.NOTHING_TO_DO: Ending("nothing to do on {gateway}", "{summary}"),
    E.REFUSED: Ending(
        "refused to take {names} off {gateway}",
        "natdrain refused to take {names} off {where}.",
        "Run the request again when [the problem is|the problems are] fixed.",
    ),
    E.BUSY: Ending(
        "{gateway} is busy; {names} [was|were] not taken off",
        "natdrain did not take {names} off {where}, because something else holds the lock of {where}.",
    ),
    E.FAILED: Ending(
        "the drain of {names} on {gateway} failed", "The drain of {names} on {where} failed.", _SAFE
    ),
    E.OVERDUE: Ending(
        "{names} [is|are] still on {gateway} after the limit",
        "The drain of {names} on {where} is overdue.",
        "Only EC2 can end it; run the same request again to continue watching, which is safe.",
    ),
    E.RELEASE_FAILED: Ending(
        "{names} left {gateway}, but the release to AWS failed",
        "The drain on {where} is done, but the release to AWS failed.",
        "Run the same request again when [the problem is|the problems are] fixed; until then you keep the "
        "allocation and pay for it.",
    ),
    E.JOIN_FAILED: Ending(
        "{names} [has not|have not all] joined {gateway}",
        "natdrain could not associate {names} with {where} as requested.",
        _SAFE,
    ),
    E.STOPPED: Ending(
        "the drain of {names} on {gateway} was stopped",
        "The execution that was to take {names} off {where} was stopped before its end.",
        _SAFE,
    ),
    E.TIMED_OUT: Ending(
        "the drain of {names} on {gateway} timed out",
        "The execution that was to take {names} off {where} ran out of time before its end.",
        _SAFE,
    ),
}
"""The words for each outcome of an execution that publishes an event: no dry run, no ignored trigger."""

_JOIN_ENDINGS: Mapping[E, Ending] = {
    E.REFUSED: Ending(
        "refused to associate {names} with {gateway}",
        "natdrain refused to associate {names} with {where}.",
        ENDINGS[E.REFUSED].next_step,
    ),
    E.BUSY: Ending(
        "{gateway} is busy; {names} [was|were] not associated",
        "natdrain did not associate {names} with {where}, because something else holds the lock of {where}.",
    ),
    E.STOPPED: Ending(
        "the association of {names} with {gateway} was stopped",
        "The execution that was to associate {names} with {where} was stopped before its end.",
        _SAFE,
    ),
    E.TIMED_OUT: Ending(
        "the association of {names} with {gateway} timed out",
        "The execution that was to associate {names} with {where} ran out of time before its end.",
        _SAFE,
    ),
}


def ending_of(outcome: E, direction: Direction) -> Ending:
    """Return the words for an outcome of a change in this direction."""
    joins = _JOIN_ENDINGS if direction is Direction.JOIN else {}
    return joins.get(outcome) or ENDINGS[outcome]
