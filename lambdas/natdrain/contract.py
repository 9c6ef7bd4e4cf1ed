"""Names that the functions and the stack must agree on."""

from enum import StrEnum

SERVICE = "natdrain"
"""Service of every log line; with the stack's name, namespace of every metric."""

OPT_IN_TAG = "natdrain:managed"
OPT_IN_VALUE = "true"
"""natdrain touches only gateways and Elastic IPs that carry this tag with this value."""

PROTECT_TAG = "natdrain:protect"
"""natdrain never touches a gateway or Elastic IP that carries this tag, whatever its value."""

EVENT_SOURCE = "natdrain"
CHANGE_STARTED = "Change Started"
CHANGE_ENDED = "Change Ended"
"""Source and types of the published events."""

FORMER_TYPES = ("Drain Started", "Drain Ended")
"""Their types before there were joins: executions that began then still publish them after an upgrade."""

# Environment variables of the functions.
TABLE_ENV = "NATDRAIN_TABLE"
"""The name of the table of locks and history."""
DRAIN_LIMIT_ENV = "NATDRAIN_DRAIN_LIMIT_SECONDS"
"""The drain limit of a request that names none."""
ALARM_POLICY_ENV = "NATDRAIN_ALARM_POLICY"
"""The settings of alarms: the fields of `AlarmPolicy`, as JSON."""
GUARD_POLICY_ENV = "NATDRAIN_GUARD_POLICY"
"""The settings of the guards: `GuardPolicy`, as JSON."""
RELEASE_ENV = "NATDRAIN_RELEASE"
"""`true` where a request may ask to release an allocation, else `false`."""

MAX_RETRIES = 7
"""The retries of a state."""


class GatewayRecord:
    """Attribute names in the table; one item with the sort key `LOCK` for each gateway.

    - A gateway is locked while its item has an `OWNER`. `DRAINS` maps the association ids that were asked of
      EC2 and have not been seen to leave yet to what was asked, and `JOINS` the allocation ids that have not
      been seen in service yet; both outlive the owner.
    - In place of a gateway, `TRIGGERS` has an item for each trigger that is being handled, or was lately, and
      `EXECUTIONS` one for each execution: its request, and in the end its event in `TOLD`; a failed one also
      when that was published, in `TOLD_AT`.
    - An item with the sort key `HOLD` lets nothing be changed on its gateway, or on any if that is `ALL`; the
      attribute `HOLD_WHY` says by whom and why. Only people write and delete it.
    - The item `PACE` of the partition `PACE` has the `TAKES` of automatic requests, of all gateways.
    - The item with the sort key `SEEN` has the addresses that the last look saw in service; each change goes
      into the history, whose sort keys begin with `HISTORY` and the instant, and whose items are never
      changed. By public IP they are found through the index `BY_PUBLIC_IP`.
    - Items with an `EXPIRES_AT`, in seconds since the epoch, go by themselves.
    """

    GATEWAY = "NatGatewayId"
    SORT = "Record"
    LOCK = "lock"
    OWNER = "Owner"
    SINCE = "Since"
    REASON = "Reason"
    DRAINS = "Drains"
    JOINS = "Joins"
    ASKED_AT = "AskedAt"
    TRIGGERS = "triggers"
    HOLD = "hold"
    HOLD_WHY = "Hold"
    ALL = "all"
    PACE = "pace"
    REQUEST = "Request"
    EXECUTION = "Execution"
    EXPIRES_AT = "ExpiresAt"
    EXECUTIONS = "executions"
    ENDED_AT = "EndedAt"
    TOLD = "Told"
    TOLD_AT = "ToldAt"
    SEEN = "seen"
    TAKES = "Takes"
    VERSION = "Version"
    LOOKED_AT = "LookedAt"
    ADDRESSES = "Addresses"
    HISTORY = "history#"
    PUBLIC_IP = "PublicIp"
    BY_PUBLIC_IP = "ByPublicIp"


def item_key(partition: str, record: str) -> str:
    """The key of an item as the AWS CLI takes it: without quote marks, so that it can stand in any message.

    AWS CLI user guide, shorthand syntax.
    """
    return f"{GatewayRecord.GATEWAY}={{S={partition}}},{GatewayRecord.SORT}={{S={record}}}"


class Answer:
    """Field names of what the functions answer, and of what the workflow hands back to them."""

    EXECUTION = "Execution"
    REQUEST = "Request"
    QUIET = "Quiet"
    FAILURE = "Failure"
    STEP = "Step"
    START = "Start"
    RESULT = "Result"
    ERROR = "Error"
    CAUSE = "Cause"
    EVENT = "Event"


class Do(StrEnum):
    """Values of `StepField.DO`: what the workflow does next."""

    REFUSE = "refuse"
    ASSOCIATE = "associate"
    DISASSOCIATE = "disassociate"
    RELEASE = "release"
    WAIT = "wait"
    FINISH = "finish"


class StepField(StrEnum):
    """Field names of the step that one state hands on to the next."""

    DO = "Do"
    REASON = "Reason"
    DRAINS = "Drains"
    JOINS = "Joins"
    WAIT_UNTIL = "WaitUntil"
    ASSOCIATION_IDS = "AssociationIds"
    ALLOCATION_IDS = "AllocationIds"
    TAKES = "Takes"
    PACE_VERSION = "PaceVersion"
    WARNINGS = "Warnings"
    PROBLEMS = "Problems"


class Busy:
    """Field names of the facts about a held lock, under `LOCK` in the failure `GatewayBusy`."""

    LOCK = "Lock"
    OWNER = "Owner"
    SINCE = "Since"
    REASON = "Reason"
    FOREIGN = "Foreign"
    WAITED_SECONDS = "WaitedSeconds"
