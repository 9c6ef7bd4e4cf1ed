"""The outcomes of addresses and executions: the words of results, events, metrics and the table."""

from enum import StrEnum


class AddressOutcome(StrEnum):
    """The outcome of one address."""

    DRAINED = "drained"
    """It has left the gateway."""
    ALREADY_DRAINED = "already_drained"
    """It had left before this execution began; our own history shows it."""
    PUT_BACK = "put_back"
    """It left, and somebody has associated its allocation again."""
    RELEASED = "released"
    """It has left, and its allocation is released to AWS."""
    RELEASE_FAILED = "release_failed"
    """It has left; its allocation was to be released, and is still there."""
    ALREADY_RELEASED = "already_released"
    """Its allocation had been released before this execution began; our own history shows it."""
    FAILED = "failed"
    """EC2 failed to take it off, or keeps refusing to."""
    NOT_ASKED = "not_asked"
    """EC2 was not asked, or denied the right: a guard, a permission or another address stood in the way."""
    BLOCKED = "blocked"
    """EC2 accepted no request until the deadline."""
    OVERDUE = "overdue"
    """Still on the gateway after the deadline of its drain."""
    GATEWAY_GONE = "gateway_gone"
    """The gateway was deleted meanwhile; nothing can be said about the drain."""
    JOINED = "joined"
    """It has come into service on the gateway."""
    ALREADY_JOINED = "already_joined"
    """It was in service on the gateway before this execution began."""
    JOIN_FAILED = "join_failed"
    """It has not come into service; the row says whether the gateway still lists it."""
    JOIN_OVERDUE = "join_overdue"
    """EC2 still works on it after the longest time that an association should take."""
    TAKEN_AWAY = "taken_away"
    """It had begun to join, or was in service, and something else has taken it off the gateway."""
    PLANNED = "planned"
    """A dry run would ask EC2 to take it off, or to associate it. In results only."""
    UNKNOWN = "unknown"
    """EC2 may have been asked, and no look has shown the answer. In results only."""


LEFT = frozenset(
    {AddressOutcome.DRAINED, AddressOutcome.PUT_BACK, AddressOutcome.RELEASED, AddressOutcome.RELEASE_FAILED}
)
"""The address has left, as an execution has seen."""

LEFT_EARLIER = frozenset({AddressOutcome.ALREADY_DRAINED, AddressOutcome.ALREADY_RELEASED})
"""The address had left before the execution began."""


IN_SERVICE_NOW = frozenset({AddressOutcome.JOINED, AddressOutcome.ALREADY_JOINED})
"""The address is in service, as it was to be."""


class ExecutionOutcome(StrEnum):
    """The outcome of an execution."""

    DRAINED = "drained"
    RELEASED = "released"
    JOINED = "joined"
    PLANNED = "planned"
    NOTHING_TO_DO = "nothing_to_do"
    """A schedule's addresses have all left, or joined, before."""
    IGNORED = "ignored"
    """The event asks for nothing, or another execution handles it."""
    REFUSED = "refused"
    BUSY = "busy"
    FAILED = "failed"
    RELEASE_FAILED = "release_failed"
    OVERDUE = "overdue"
    JOIN_FAILED = "join_failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"


class Changed(StrEnum):
    """The part of the request that this execution has carried out."""

    NONE = "none"
    SOME = "some"
    """Some addresses have left or joined, or are still leaving or joining."""
    ALL = "all"
    UNKNOWN = "unknown"


class ExecutionStatus(StrEnum):
    """The end of an execution as Step Functions names it (API reference, DescribeExecution, status)."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    TIMED_OUT = "TIMED_OUT"
