"""The sentences of the decisions: why an address has its outcome, and what a request names wrongly."""

from natdrain.model.outcome import ExecutionStatus
from natdrain.report.sentence import Sentence

# Details of an outcome.
GATEWAY_GONE = Sentence("the gateway is {state}")
UNKNOWN_TO_EC2 = "no longer known to EC2"
PUT_BACK_AS = Sentence("it left, and somebody has put it back as {association}")
EC2_FAILED = Sentence("EC2 says: {message}")
FAILED_WITHOUT_REASON = "failed, without a reason"
IS_PRIMARY = "it is the primary address, which EC2 forbids to disassociate"
NO_ASSOCIATION = "EC2 shows no association of it, by which alone it could be taken off"
KEEPS_REFUSING = Sentence("EC2 keeps refusing: {refusal}")
OVERDUE = Sentence("still on the gateway, {longest} after its drain began")
BLOCKED = Sentence("EC2 accepted no request in time: {why}")
ALWAYS_BUSY = "other address operations ran on the gateway all the time"

# Details of an allocation that was to join.
FAILED_IN_SERVICE = Sentence("it came into service, and failed then: {why}")
STILL_LISTED = Sentence("{why}; the gateway still lists it, and it takes up room")
NOT_TAKEN_OFF = Sentence(
    "{why}; the gateway still lists it, and it takes up room, since EC2 refused to take it off ({refusal})"
)
TAKEN_OFF_AGAIN = Sentence("{why}; it is off the gateway again")
STILL_JOINING = Sentence("EC2 still shows it as {status}, and lets nothing else change meanwhile")
UNSEEN = Sentence("the gateway is {state}, and while it is, no look shows whether the allocation has joined")
NEVER_LISTED = "EC2 accepted the request, and no look has shown it on the gateway"
TAKEN_AWAY = "something else has taken it off again; natdrain does not fight that"
ANOTHER_FAILED = "another allocation of the request has not joined, so EC2 was not asked for this one"

# Details of an allocation that is not released, or had been.
KEPT = Sentence("its allocation is kept: {why}")
UNKNOWN_ALLOCATION = Sentence("EC2 no longer knows its allocation {allocation}")
GATEWAY_DELETED = "the gateway was deleted, so that no second look can confirm that the address has left"
GATEWAY_UNAVAILABLE = Sentence("the gateway is {state}, so that no second look can confirm anything")
ALLOCATION_UNREAD = Sentence("it could not be looked at ({why})")
ALLOCATION_NOT_RECORDED = "our record does not say which it is"
EC2_ANSWERS = Sentence("EC2 answers {refusal}")
REFUSED_TO_THE_END = Sentence("it was refused until the end ({refusal})")
ASSOCIATED = Sentence("EC2 shows it associated as {association}")
ANSWER_TOO_LATE = "no answer of EC2's came in time"
COUNTED_MEANWHILE = "another automatic request has taken an address off a gateway meanwhile"
LOCK_TAKEN_OVER = "the lock was taken over from this execution"

# Problems of what a request names.
NONE = "none"
NOTHING_HERE = "nothing here"
NO_GATEWAY = Sentence("There is no NAT gateway {gateway} here.", "Check the id, the account and the region.")
NOT_ASSOCIATED = Sentence("{name} is {status} on {gateway}.", "Try again when it is in service.")
LEAVES_UNASSOCIATED = Sentence(
    "{name} is {status} on {gateway}, and EC2 shows no association, so that it cannot be watched.",
    "Run the request again when it has left.",
)
FAILED_UNASSOCIATED = Sentence(
    "{name} is {status} on {gateway}, and EC2 shows no association, by which alone it could be taken off.",
    "If it stays, ask AWS Support.",
)
NOT_ON_GATEWAY = Sentence(
    "{name} is not on {gateway}: it may have left, be mistyped or belong to another gateway, which EC2 does "
    "not distinguish.",
    "On this gateway: {here}.",
)
WAYS_DISAGREE = Sentence(
    "The request names its addresses in ways that disagree ({meant}).", "Name them in one way."
)
ALREADY_THERE = Sentence("{gateway} has {names} in service already: nothing to do.")
NOTHING_TO_DO = Sentence("{gateway} does not have {names}: nothing to do.")
EC2_BUSY = Sentence(
    "While EC2 works on {others}, it accepts nothing else for {gateway}: the request waits for that."
)

# Why an execution ended without *Close*.
ENDED_BY = {
    ExecutionStatus.ABORTED: "somebody stopped the execution",
    ExecutionStatus.TIMED_OUT: "the execution took longer than it may",
    ExecutionStatus.FAILED: "the execution failed, and could not record why",
}
