"""The sentences of refusals before any guard is asked: what an input, an event or the table has wrong."""

import json
from collections.abc import Mapping
from typing import Any

from natdrain.contract import Busy
from natdrain.contract import GatewayRecord as R
from natdrain.model.problem import Problem
from natdrain.report.sentence import Sentence

_MAX_SHOWN_CHARACTERS = 60


def shown(value: object) -> str:
    """Return the value as JSON, cut so that no input can flood an answer."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}..."


# The input as a whole.
NO_OBJECT = Sentence(
    "The input must be a JSON object with NatGatewayId and AssociationIds, PublicIps, Disassociate or "
    "Associate; it is {value}."
)
UNKNOWN_FIELD = Sentence("Unknown field {key}: {hint}")
KNOWN_FIELDS = Sentence("known are {known}.")
GATEWAY_MISSING = Sentence("NatGatewayId is missing (it may be left out only when PublicIps are named).")
GATEWAY_TO_JOIN_MISSING = Sentence("NatGatewayId is missing: the gateway that the allocations are to join.")
ADDRESSES_MISSING = Sentence(
    "No address is named: give AssociationIds, PublicIps or Disassociate for those that are to leave, or "
    "Associate for those that are to join."
)
ASSOCIATE_AT_TOP = Sentence(
    "At the top level {fields} could mean two opposite things.",
    'To associate: "Associate": [{{"AllocationIds": [...]}}], with the other parameters of that call beside '
    'them. To take off by allocation: "Disassociate": {{"AllocationIds": [...]}}.',
)
BOTH_DIRECTIONS = Sentence(
    "Associate and {fields} are in one request, and one request either associates addresses or takes some "
    "off.",
    "Make a request to associate, and when it has ended a second one for those that are to leave.",
)
ONLY_FOR_LEAVING = Sentence(
    "Associate is for addresses that join, and {fields} only for addresses that leave.", "Leave {fields} out."
)
LIMIT_TWICE = Sentence(
    "MaxDrainDurationSeconds is there twice, also in Disassociate.", "Leave one of them out."
)
WRONG_FIELD = Sentence("{field} {wrong}.")

# What is wrong with a field.
NOT_AN_ID = Sentence("must look like {prefix}-0123456789abcdef0, not {value}")
NOT_AN_IPV4 = Sentence("must be an IPv4 address such as 203.0.113.7, not {value}")
NOT_A_LIST = Sentence("must be a list, not {value}")
EMPTY_LIST = Sentence("must name at least one address; the list is empty")
TOO_MANY = Sentence("names {count} addresses; one request takes at most {most}")
MORE_THAN_ONCE = Sentence("names {names} more than once")
NOT_AN_OBJECT = Sentence("must be an object with {required}, not {value}")
FIELD_MISSING = Sentence("lacks {field}")
FIELD_UNKNOWN = Sentence("has an unknown field {key} ({hint})")
KNOWN_IN_IT = Sentence("known are {known}")
NOT_CALLS = Sentence('must be a list such as [{{"AllocationIds": ["eipalloc-..."]}}], not {value}')
TOO_MANY_CALLS = Sentence("has {count} calls; one request takes at most {most}")
PRIVATE_IPS_DIFFER = Sentence(
    "has {ips} PrivateIpAddresses for {allocations} AllocationIds: give one for each, or none"
)
ZONE_TWICE = Sentence("has AvailabilityZone and AvailabilityZoneId: give one of them")
NOT_A_ZONE = Sentence("must be a zone such as use1-az1, not {value}")
NOT_A_LIMIT = Sentence("must be a whole number of seconds from {least} to {most}, not {value}")
NOT_A_FLAG = Sentence("must be true or false, not {value}")
NOT_A_REASON = Sentence("must be a text of at most {most} characters, not {value}{length}")
LENGTH = Sentence(", which has {length}")
NOT_ONE_OF = Sentence("must be {known}, not {value}")
NOT_GUARDS = Sentence("must be a list of guards, such as {example}; not {value}")
NOT_LIFTABLE = Sentence("{wrong}: what can be overridden is {liftable}")
FIXED_GUARD = Sentence("{name} cannot be overridden")
NO_GUARD = Sentence("{name} is no guard")
NOT_A_TRIGGER = Sentence(
    "is for alarms and schedules: it has Kind ({kinds}), Name and At, each a text of 1 to {most} characters; "
    "not {value}"
)

# What the deployment, the account or the table does not allow.
RELEASE_SWITCHED_OFF = Sentence(
    'AfterDrain "release" is switched off in this deployment: no function of it has the right to release an '
    "allocation.",
    "Leave it out, or deploy with after_drain.release = true in the configuration.",
)
NO_GATEWAY_HAS = Sentence("PublicIps: no NAT gateway of this account and region has {public_ip}.")
ON_SEVERAL_GATEWAYS = Sentence(
    "PublicIps are on several gateways ({where}).", "Make a request for each gateway."
)
NO_MAP = Sentence("{name} is no map")
AN_ADDRESS_IN_IT = "an address in it"
UNREADABLE_ITEM = Sentence(
    "The item {record} of {gateway} is not as natdrain writes it ({why}): another version or a person has "
    "changed it.",
    "Look at it: aws dynamodb get-item --table-name {table} --key {key}. If nothing drains on that gateway, "
    "it may be deleted.",
)
UNREADABLE_PACE = Sentence(
    "The item of the pace is not as natdrain writes it ({why}): another version or a person has changed it.",
    "Look at it: aws dynamodb get-item --table-name {table} --key {key}. It may be deleted, if automatic "
    "requests have taken nothing off lately.",
)
LOCKED = Sentence(
    "{gateway} is locked by {owner}{since}{reason}.",
    'Run the request again when that has ended, or let it wait in line: WhenBusy: "wait".',
)
LOCKED_TOO_LONG = Sentence(
    "{gateway} is locked by {owner}{since}{reason}. Waiting in line ended after {waited} s, "
    "wait_in_line_seconds of the configuration.",
    "Run the request again when that has ended.",
)
LOCKED_BY_A_STRANGER = Sentence(
    "{gateway} is locked by {owner}{since}{reason}, which is no execution of this workflow.",
    "If nothing runs there, remove the attribute {attribute} from the item lock of that gateway.",
)
LOCK_LOST = Sentence("{gateway}: the lock was taken over from this execution; nothing more was asked of EC2.")
ADDRESSES_OF = Sentence("{gateway} with {names}")
DENIED = Sentence(
    "EC2 denies {action} on {resource} ({answer}).",
    "The gateway and its Elastic IPs must carry the opt-in tag and no protect tag.",
)
DRY_RUN_ANSWERED = Sentence("EC2 answered the dry run with {answer}")
DRY_RUN_CARRIED_OUT = Sentence("EC2 carried out a dry run, which it documents never to do.")

# Where there is nothing to do.
NO_GATEWAY_HAS_ANY = Sentence("No NAT gateway here has {public_ips}: nothing to do.")
HANDLED_ELSEWHERE = Sentence(
    "The {kind} {name} of {at} is handled by {handler}. To run it all the same, start an execution with "
    "{request}."
)
ALARM_ASKS_FOR_NOTHING = Sentence(
    "The alarm {alarm} went {origin}to {state}; only a change into {wanted} asks for a drain."
)
ALARM_WAS = Sentence("from {before} ")
ALARM_MUTED = Sentence(
    "The alarm {alarm} is muted by {rule} until {until}, so that nothing is done about it. If the address "
    "must go, make the request by hand."
)
ALARM_SUPPRESSED = Sentence("The actions of the alarm {alarm} are suppressed by {suppressor}.")
ALARM_GROUPED = Sentence(
    "The alarm {alarm} groups its metric: each of its contributors sends an event of its own, and that one "
    "asks for a drain."
)

# What AWS did not answer, or the stack did not set.
METRIC_NOT_ANSWERED = Sentence("CloudWatch answered {status} for {metric}.")
READ_IN_PART = Sentence("DynamoDB returned only a part of what was read from {table}.")
LOOK_RECORDED_MEANWHILE = Sentence("{gateway}: another look was recorded meanwhile.")
COUNTED_MEANWHILE = Sentence("Other requests keep counting what they take off gateways.")
VARIABLE_MISSING = Sentence("The environment variable {name} is missing: the stack sets it.")
VARIABLE_WRONG = Sentence("The environment variable {name} is wrong ({error}): the stack sets it.")

# What is wrong with an alarm or its event.
WANTED_DIMENSIONS = Sentence("{gateway} and {others} or {last}")
METRIC_HAS = Sentence("{metric} has {dimensions}")
NOT_WHOLE = Sentence(
    "The input looks like the event of a CloudWatch alarm, but is not whole: {kind}: {error}."
)
_BY_HAND = "If it is true all the same, drain {address} of {gateway} by hand."
ALARM_NOT_ALLOWED = Sentence(
    "The alarm {alarm} is none of those that may start a drain here: their names begin with {prefixes}."
)
ALARM_TOO_OLD = Sentence(
    "The alarm {alarm} changed {minutes} minutes ago, and what it says may be over; alarms act for {most} "
    "minutes (max_age_minutes of the configuration).",
    _BY_HAND,
)
ALARM_REPLAYED = Sentence(
    "The event of the alarm {alarm} comes from an archive, by the replay {replay}, and may be long over.",
    _BY_HAND,
)
ALARM_WITHOUT_DATA = Sentence(
    "The alarm {alarm} went off because data are missing, and so says nothing about the address: {reason}",
    f"{_BY_HAND} For the future, let missing data not count as breaching: set TreatMissingData "
    f"(--treat-missing-data) to notBreaching or missing. Or set alarms.act_without_data = true in the "
    f"configuration.",
)
ALARM_ON_PORTS = Sentence(
    "The alarm {alarm} watches {seen:.100}, which means that the gateway has too little, not too much: one "
    "address fewer makes it worse.",
    "Associate another one: aws ec2 associate-nat-gateway-address --nat-gateway-id ... --allocation-ids ...",
)
ALARM_ON_DROPS = Sentence(
    "The alarm {alarm} watches {seen:.100}, which means that the gateway is in trouble, and one address "
    "fewer does not help it."
)
_WORKS = "Use an alarm on a metric whose dimensions are {wanted}, or on a query that groups by them."
ALARM_COMPOSITE = Sentence(
    "The alarm {alarm} is a composite one, whose event has no metric and so names no address.", _WORKS
)
ALARM_ON_PROMQL = Sentence(
    "The alarm {alarm} watches a PromQL query, and its own event names no address.", _WORKS
)
ALARM_ON_LOGS = Sentence("The alarm {alarm} watches logs, and its own event names no address.", _WORKS)
ALARM_ON_QUERY = Sentence(
    "The alarm {alarm} watches no metric by name, but a query that groups by nothing, and so names no "
    "address.",
    "Let the query group by {wanted}, for instance GROUP BY NatGatewayId, PublicIp.",
)
ALARM_BY_SNS = Sentence(
    "The input is the SNS notification of the alarm {alarm}, and not its event.",
    "Let the rule start executions (alarms.enabled), or a Lambda function that is the alarm's action and "
    "passes on its event, unchanged.",
)
ALARM_WITHOUT_METRIC = Sentence("The alarm {alarm} watches no metric by name, and so no address.", _WORKS)
ALARM_WITHOUT_ADDRESS = Sentence(
    "The alarm {alarm} names no address: its metric needs the dimensions {wanted}. Its {seen}."
)
ALARM_NAMES_SEVERAL = Sentence(
    "The alarm {alarm} names several in {dimension}: {values}.", "It must name one address."
)


def locked(gateway_id: str, lock: Mapping[str, Any]) -> Problem:
    """Return who holds the lock and what to do about it; `lock` has the fields of `Busy`."""
    if lock[Busy.FOREIGN]:
        sentence = LOCKED_BY_A_STRANGER
    else:
        sentence = LOCKED_TOO_LONG if lock[Busy.WAITED_SECONDS] else LOCKED
    return sentence.about(
        gateway_id,
        gateway=gateway_id,
        owner=lock[Busy.OWNER],
        since=f" since {lock[Busy.SINCE]}" if lock[Busy.SINCE] else "",
        reason=f" ({lock[Busy.REASON]})" if lock[Busy.REASON] else "",
        waited=lock[Busy.WAITED_SECONDS],
        attribute=R.OWNER,
    )
