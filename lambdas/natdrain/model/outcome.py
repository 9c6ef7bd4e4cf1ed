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
    """EC2 was not asked to take it off, or denied the right: a guard or a permission stood in the way."""
    BLOCKED = "blocked"
    """EC2 accepted no request until the deadline."""
    OVERDUE = "overdue"
    """Still on the gateway after the deadline of its drain."""
    GATEWAY_GONE = "gateway_gone"
    """The gateway was deleted meanwhile; nothing can be said about the drain."""
    PLANNED = "planned"
    """A dry run would ask EC2 to take it off. In results only."""
    UNKNOWN = "unknown"
    """EC2 may have been asked, and no look has shown the answer. In results only."""


LEFT = frozenset(
    {AddressOutcome.DRAINED, AddressOutcome.PUT_BACK, AddressOutcome.RELEASED, AddressOutcome.RELEASE_FAILED}
)
"""The address has left, as an execution has seen."""

LEFT_EARLIER = frozenset({AddressOutcome.ALREADY_DRAINED, AddressOutcome.ALREADY_RELEASED})
"""The address had left before the execution began."""


class ExecutionOutcome(StrEnum):
    """The outcome of an execution."""

    DRAINED = "drained"
    RELEASED = "released"
    PLANNED = "planned"
    NOTHING_TO_DO = "nothing_to_do"
    """A schedule's addresses have all left before."""
    IGNORED = "ignored"
    """The event asks for nothing, or another execution handles it."""
    REFUSED = "refused"
    BUSY = "busy"
    FAILED = "failed"
    RELEASE_FAILED = "release_failed"
    OVERDUE = "overdue"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"


class Changed(StrEnum):
    """The part of the request that this execution has carried out."""

    NONE = "none"
    SOME = "some"
    """Some addresses have left, or are still leaving."""
    ALL = "all"
    UNKNOWN = "unknown"


class ExecutionStatus(StrEnum):
    """The end of an execution as Step Functions names it (API reference, DescribeExecution, status)."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    TIMED_OUT = "TIMED_OUT"
