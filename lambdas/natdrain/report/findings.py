"""The sentences of the guards: what each has found, and what to do about it."""

from datetime import datetime

from natdrain.contract import OPT_IN_TAG, OPT_IN_VALUE
from natdrain.contract import GatewayRecord as R
from natdrain.model.gateway import ADDRESSES_QUOTA, Address, Gateway, zone_option
from natdrain.model.instants import timestamp
from natdrain.model.look import Hold
from natdrain.model.problem import Problem
from natdrain.report.sentence import Sentence
from natdrain.report.wording import count_of, delete_item

_FOR_GOOD = "Nothing overrides this."
_OPT_IN = f"{OPT_IN_TAG}={OPT_IN_VALUE}"

PRIVATE_GATEWAY = Sentence("{gateway} is a {kind} NAT gateway, which has no Elastic IPs.", _FOR_GOOD)
GATEWAY_PENDING = Sentence(
    "{gateway} is pending; its addresses can change only while it is available.", "Try again when it is."
)
GATEWAY_NOT_AVAILABLE = Sentence(
    "{gateway} is {state}; its addresses can change only while it is available.", _FOR_GOOD
)
PRIMARY = Sentence("{name} is the primary address of {gateway}: EC2 forbids to disassociate it.", _FOR_GOOD)
ZONE_OF_ZONAL = Sentence(
    "{gateway} is a zonal NAT gateway, and the request names a zone for it ({zones}).",
    "Leave AvailabilityZoneId out of Associate.",
)
ZONE_MISSING = Sentence(
    "{gateway} is a regional NAT gateway, and the request names no zone for an allocation.",
    "Give each entry of Associate its AvailabilityZoneId.",
)
NOT_OPTED_IN = Sentence(
    f"{{name}} does not carry the tag {_OPT_IN}{{has}}.",
    "To let natdrain touch it: aws ec2 create-tags --resources {resource} "
    f"--tags Key={OPT_IN_TAG},Value={OPT_IN_VALUE}",
)
OPTED_OTHERWISE = f" (it has {OPT_IN_TAG}={{value}})"
TAGS_UNREAD = Sentence(
    "The tags of the Elastic IPs could not be read ({why}), so they count as missing.", _FOR_GOOD
)
ALLOCATION_NOT_SHOWN = Sentence(
    "EC2 does not show the allocation {allocation} of {name}, so its tags are unknown.",
    "Try again when it does.",
)
NO_SUCH_ALLOCATION = Sentence(
    "EC2 does not show the allocation {allocation} in this account and region; one that is new appears "
    "within two minutes.",
    "Check the id, the account and the region.",
)
PROTECTED = Sentence(
    "{name} carries the tag {tag}, which no request can lift.",
    "To lift it: aws ec2 delete-tags --resources {resource} --tags Key={tag}",
)
HELD = Sentence("{what} is held ({why}).", "Anyone who may lift it: {command}")
EVERY_GATEWAY = "every gateway"
HELD_WITHOUT_REASON = "nobody says why"
MANAGED_BY_AWS = Sentence(
    "{gateway} is a regional NAT gateway whose addresses AWS manages: it would bring others, or refuse.",
    _FOR_GOOD,
)
SERVICE_MANAGED = Sentence(
    "{name} is managed by AWS ({service}), and not ours to associate.", "Name another one."
)
OTHER_BORDER_GROUP = Sentence(
    "{name} is of the network border group {group}, and {gateway} of {of_gateway}: EC2 cannot associate it.",
    "Name an allocation of that group.",
)
STILL_LEAVING = Sentence("{name} is still leaving {gateway}.", "Run the request again when it has left.")
FAILED_HERE = Sentence("{name} has failed on {gateway}, which still lists it.", "{way_out}")
IN_USE = Sentence(
    "{name} is in use: EC2 shows it associated as {used_as}.",
    "Name one that is free. If it was freed just now, EC2 shows that within a minute.",
)
QUOTA_UNREAD = Sentence(
    "The quota of Elastic IPs for each NAT gateway could not be read ({why}), so it is unknown whether "
    "{gateway} has room; EC2 refuses if it has not."
)
QUOTA_DISPROVED = Sentence(
    "{gateway} has {count} addresses, although Service Quotas says {quota} for each NAT gateway: the reading "
    "is out of date, and EC2 decides."
)
NO_ROOM = Sentence(
    "{where} lists {listed} addresses, and {wanted} more would make more than the {most} that it may have.",
    "{fix}",
)
RAISE_OR_DRAIN = (
    "Drain another address first, or raise the quota (aws service-quotas request-service-quota-increase "
    f"--service-code vpc --quota-code {ADDRESSES_QUOTA} --desired-value {{needed}})."
)
DRAIN_FIRST = "Drain another address first: AWS documents no higher limit."
NO_ADDRESS_STAYS = Sentence(
    "No address of {gateway} would stay in service.", "Associate another one first: {command}"
)
TOO_FEW_STAY = Sentence(
    "{where} would keep {count} in service, and must keep at least {least}.",
    "Associate another one first: {command}",
)
PORT_ERRORS = Sentence(
    "{where} could not allocate a port {errors} times in the last {minutes} minutes "
    "(ErrorPortAllocation): it needs more addresses, not fewer.",
    "Associate another one: {command}",
)
LOAD_UNREAD = Sentence("{metric} of {gateway} could not be read ({why}), so the load is unknown.")
LOAD_UNKNOWN = Sentence(
    "CloudWatch has no ActiveConnectionCount of {where} in the last {minutes} minutes, so neither this "
    "guard nor `ports` knows how busy it is."
)
PEAK_ABOVE_PORTS = Sentence(
    "{where} had up to {peak} connections at once in the last {minutes} minutes (ActiveConnectionCount), "
    "and would keep {count} with ports for {ports} to any one destination. This heuristic over-estimates: "
    "the metric counts the connections to all destinations together."
)
PACE_UNREAD = Sentence(
    "The pace of automatic requests could not be read ({why}), so that it is unknown how many addresses they "
    "have taken off."
)
PACE_OF_GATEWAY = Sentence(
    "Without {names}, {gateway} would have lost {loss} of its addresses in service since automatic requests "
    "took the first one off, less than {minutes} minutes ago; such requests may take off {most}. If several "
    "addresses are blocked at once, the cause is probably not the addresses.",
    "Put replacements into service first, or try again later.",
)
PACE_OF_ALL = Sentence(
    "With {names}, {loss} addresses would have left all gateways within {minutes} minutes, counting those "
    "that automatic requests took off; such requests may take off {most}. If several addresses are blocked "
    "at once, the cause is probably not the addresses.",
    "Find the cause, or try again later.",
)
SIBLING_FAILED = Sentence("{name} has failed ({why}).", "{way_out}")
TAKE_OFF = Sentence("To take it off: {command}")
NOT_TO_TAKE_OFF = "EC2 has no call that takes it off: if it stays, ask AWS Support."
NO_REASON = "EC2 gives no reason"
PUT_BACK = Sentence(
    "{name} had left as {association} {when}, and somebody has put it back since.",
    "Find out who, or it may come back again.",
)
STACK_OWNS_GATEWAY = Sentence(
    "{gateway} belongs to the CloudFormation stack {stack}, which compares templates and not gateways: it "
    "notices nothing until an update changes the addresses of the gateway. That update follows its template, "
    "whether the template still lists this address or not."
)
STACK_OWNS_ALLOCATION = Sentence(
    "{name} belongs to the CloudFormation stack {stack}, which keeps the allocation and does not mind where "
    "it is; once released, that stack cannot get it back."
)
TOOL_OWNS = Sentence("{name} carries the tag {tag}: {does_next}.")
TOOL_MAY_UNDO = Sentence(
    "{name} carries the tag {tag} of another tool, which does not know of this association, and may undo it."
)
TOOL_LOSES = Sentence(
    "{name} carries the tag {tag}: {does_next}. It is to be released, and would be lost to that tool."
)
CALENDAR_UNREAD = Sentence(
    "The change calendar ({names}) could not be read ({why}), so it counts as closed.",
    "It must be in this region, and `guards.change_calendars` must name it.",
)
UNTIL = Sentence(" until {at}")
CALENDAR_CLOSED = Sentence("The change calendar ({names}) is closed{until}.")


def held(hold: Hold) -> Problem:
    """Return the problem of a hold, with the command that lifts it."""
    everywhere = hold.held == R.ALL
    what = EVERY_GATEWAY if everywhere else hold.held
    command = delete_item(hold.table, hold.held, R.HOLD)
    return HELD.about(None if everywhere else hold.held, what=what, why=hold.why, command=command)


def left_by(gone_by: datetime | None) -> str:
    """Return when an address had left."""
    return f"by {timestamp(gone_by)}" if gone_by else "while nobody watched"


def too_few_stay(gateway: Gateway, zone: str | None, count: int, least: int) -> Problem:
    """Return the problem of a gateway, or of one zone of a regional one."""
    where, command = place(gateway, zone), associate(gateway, zone)
    stays = count_of(count, "address")
    return TOO_FEW_STAY.about(gateway.gateway_id, where=where, count=stays, least=least, command=command)


def place(gateway: Gateway, zone: str | None) -> str:
    """Return the name of a gateway, or of one zone of a regional one."""
    return gateway.gateway_id + (f" in {zone or 'an unnamed zone'}" if gateway.regional else "")


def take_off(gateway: Gateway, address: Address) -> str:
    """Return what to do about an address that has failed."""
    if address.association_id is None or gateway.may_be_primary(address):
        return NOT_TO_TAKE_OFF
    which = f"--nat-gateway-id {gateway.gateway_id} --association-ids {address.association_id}"
    return TAKE_OFF.with_(command=f"aws ec2 disassociate-nat-gateway-address {which}")


def associate(gateway: Gateway, zone: str | None = None) -> str:
    """Return the command that associates another address, for people to complete."""
    where = zone_option(zone or "...") if gateway.regional else ""
    to = f"--nat-gateway-id {gateway.gateway_id}{where}"
    return f"aws ec2 associate-nat-gateway-address {to} --allocation-ids ..."
