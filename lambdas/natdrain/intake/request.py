"""The execution input, read strictly.

The input is the request of EC2's own DisassociateNatGatewayAddress, or a list of requests of its
AssociateNatGatewayAddress, and beside it natdrain's own fields. `parse_request` reports every problem of an
input at once.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeGuard

from natdrain.guards.policy import RULES
from natdrain.model.errors import RequestRefused
from natdrain.model.problem import Problem
from natdrain.model.request import (
    DEFAULT_DRAIN_LIMIT_SECONDS,
    MAX_ADDRESSES,
    MAX_DRAIN_LIMIT_SECONDS,
    MAX_REASON_CHARACTERS,
    MIN_DRAIN_LIMIT_SECONDS,
    AfterDrain,
    Request,
    Trigger,
    TriggerKind,
    WhenBusy,
)
from natdrain.report import refusals
from natdrain.report.hints import did_you_mean
from natdrain.report.refusals import shown

_MAX_TRIGGER_CHARACTERS = 300
"""CloudWatch API reference, PutMetricAlarm: an alarm's name has at most 255 characters."""

Check = Callable[[object], str | None]
"""Returns what is wrong with a value; None or nothing if it is good."""


def parse_request(document: object, *, default_limit_seconds: int = DEFAULT_DRAIN_LIMIT_SECONDS) -> Request:
    """Read an execution input; `default_limit_seconds` (1 to 4000) is the drain limit if it names none.

    Raises:
        RequestRefused: with every problem that was found.
    """
    if not isinstance(document, Mapping):
        raise RequestRefused(refusals.NO_OBJECT.about(None, value=shown(document)))
    if problems := [*_wrong_fields(document), *_missing_fields(document)]:
        raise RequestRefused(*problems, trigger=trigger_of(document))
    return Request.from_json({_LIMIT: default_limit_seconds, **document})


def trigger_of(document: Mapping[str, Any]) -> Trigger | None:
    """Return the trigger of an input, if there is one in order, whatever else is wrong."""
    trigger = document.get("Trigger")
    return None if trigger is None or _check_trigger(trigger) else Trigger.from_json(trigger)


def _wrong_fields(document: Mapping[str, Any]) -> Iterator[Problem]:
    of_ec2 = [key for key in _ASSOCIATE_AT_TOP if key in document]
    if of_ec2:
        yield refusals.ASSOCIATE_AT_TOP.about(None, fields=", ".join(of_ec2))
    for key in (key for key in document if key not in of_ec2):
        if key not in _FIELDS:
            # A field of EC2's with a slip is none of ours: AllocationIDs must not lead to AssociationIds.
            hint = did_you_mean(str(key), [*_FIELDS, *_ASSOCIATE_AT_TOP])
            hint = hint or refusals.KNOWN_FIELDS.with_(known=", ".join(_FIELDS))
            yield refusals.UNKNOWN_FIELD.about(None, key=shown(key), hint=hint)
    for name, check in _FIELDS.items():
        if name in document and (wrong := check(document[name])):
            yield refusals.WRONG_FIELD.about(None, field=name, wrong=wrong)
    leave = document.get("Disassociate")
    if _LIMIT in document and isinstance(leave, Mapping) and _LIMIT in leave:
        yield refusals.LIMIT_TWICE.about(None)


def _missing_fields(document: Mapping[str, Any]) -> Iterator[Problem]:
    joins, leaves = "Associate" in document, [key for key in _LEAVE_NAMES if key in document]
    if joins and leaves:
        yield refusals.BOTH_DIRECTIONS.about(None, fields=", ".join(leaves))
    elif joins and (fields := [key for key in _LEAVE_ONLY if key in document]):
        yield refusals.ONLY_FOR_LEAVING.about(None, fields=", ".join(fields))
    if "NatGatewayId" not in document and (joins or "PublicIps" not in document):
        yield (refusals.GATEWAY_TO_JOIN_MISSING if joins else refusals.GATEWAY_MISSING).about(None)
    if not document.keys() & {"Associate", *_LEAVE_NAMES, *_ASSOCIATE_AT_TOP}:
        yield refusals.ADDRESSES_MISSING.about(None)


def _check_id(prefix: str) -> Check:
    # EC2 ids: the prefix and 8 or 17 hexadecimal digits (EC2 user guide, resource IDs).
    pattern = re.compile(rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})")

    def check(value: object) -> str | None:
        good = isinstance(value, str) and pattern.fullmatch(value)
        return None if good else refusals.NOT_AN_ID.with_(prefix=prefix, value=shown(value))

    return check


def _check_ipv4(value: object) -> str | None:
    try:
        ipaddress.IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        return refusals.NOT_AN_IPV4.with_(value=shown(value))
    return None


def _check_list(check_entry: Check) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return refusals.NOT_A_LIST.with_(value=shown(value))
        if not value:
            return refusals.EMPTY_LIST.text
        wrong = [problem for entry in value[: MAX_ADDRESSES + 1] if (problem := check_entry(entry))]
        if len(value) > MAX_ADDRESSES:
            wrong.append(refusals.TOO_MANY.with_(count=len(value), most=MAX_ADDRESSES))
        texts = [entry for entry in value if isinstance(entry, str)]
        if twice := sorted({text for text in texts if texts.count(text) > 1}):
            wrong.append(refusals.MORE_THAN_ONCE.with_(names=", ".join(map(shown, twice))))
        return "; ".join(wrong)

    return check


def _check_object(fields: Mapping[str, Check], required: str) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, Mapping):
            return refusals.NOT_AN_OBJECT.with_(required=required, value=shown(value))
        wrong = [refusals.FIELD_MISSING.with_(field=required)] if required not in value else []
        for key in (key for key in value if key not in fields):
            hint = did_you_mean(str(key), fields) or refusals.KNOWN_IN_IT.with_(known=", ".join(fields))
            wrong.append(refusals.FIELD_UNKNOWN.with_(key=shown(key), hint=hint))
        for name, check_field in fields.items():
            if name in value and (problem := check_field(value[name])):
                wrong.append(f"{name} {problem}")
        return "; ".join(wrong)

    return check


def _check_associate(value: object) -> str | None:
    if not isinstance(value, list) or not value:
        return refusals.NOT_CALLS.with_(value=shown(value))
    if len(value) > MAX_ADDRESSES:
        return refusals.TOO_MANY_CALLS.with_(count=len(value), most=MAX_ADDRESSES)
    wrong = []
    for place, call in enumerate(value):
        if problem := _check_call(call) or (isinstance(call, Mapping) and _check_together(call)):
            wrong.append(f"[{place}] {problem}")
    for field in () if wrong else ("AllocationIds", "PrivateIpAddresses"):
        named = [one for call in value for one in call.get(field, ())]
        if twice := sorted({one for one in named if named.count(one) > 1}):
            wrong.append(refusals.MORE_THAN_ONCE.with_(names=", ".join(map(shown, twice))))
        if len(named) > MAX_ADDRESSES:
            wrong.append(refusals.TOO_MANY.with_(count=len(named), most=MAX_ADDRESSES))
    return "; ".join(wrong)


def _check_together(call: Mapping[str, Any]) -> str | None:
    """Return what is wrong with fields of a call that are in order each by itself."""
    ips, allocations = call.get("PrivateIpAddresses"), call["AllocationIds"]
    if ips is not None and len(ips) != len(allocations):
        return refusals.PRIVATE_IPS_DIFFER.with_(ips=len(ips), allocations=len(allocations))
    if "AvailabilityZone" in call and "AvailabilityZoneId" in call:
        return refusals.ZONE_TWICE.text
    return None


def _check_zone(value: object) -> str | None:
    # EC2 user guide, zones: names such as us-east-1a or us-west-2-lax-1a, ids such as use1-az1.
    good = isinstance(value, str) and re.fullmatch("[a-z0-9-]{4,64}", value)
    return None if good else refusals.NOT_A_ZONE.with_(value=shown(value))


def _check_limit(value: object) -> str | None:
    # bool is an int in Python, but `true` is no number of seconds.
    least, most = MIN_DRAIN_LIMIT_SECONDS, MAX_DRAIN_LIMIT_SECONDS
    if type(value) is int and least <= value <= most:
        return None
    return refusals.NOT_A_LIMIT.with_(least=least, most=most, value=shown(value))


def _check_flag(value: object) -> str | None:
    return None if isinstance(value, bool) else refusals.NOT_A_FLAG.with_(value=shown(value))


def _is_text(value: object) -> TypeGuard[str]:
    """Return True for a text that UTF-8 can encode: JSON may hold halves of characters."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _check_reason(value: object) -> str | None:
    if _is_text(value) and len(value) <= MAX_REASON_CHARACTERS:
        return None
    length = refusals.LENGTH.with_(length=len(value)) if isinstance(value, str) else ""
    return refusals.NOT_A_REASON.with_(most=MAX_REASON_CHARACTERS, value=shown(value), length=length)


def _check_word(kind: type[StrEnum]) -> Check:
    known = [each.value for each in kind]

    def check(value: object) -> str | None:
        if value in known:
            return None
        return refusals.NOT_ONE_OF.with_(known=" or ".join(map(shown, known)), value=shown(value))

    return check


def _check_override(value: object) -> str | None:
    liftable = [rule.name.value for rule in RULES if not rule.fixed]
    if not isinstance(value, list):
        return refusals.NOT_GUARDS.with_(example=shown(liftable[:1]), value=shown(value))
    fixed = [rule.name.value for rule in RULES if rule.fixed]
    wrong = [
        (refusals.FIXED_GUARD if name in fixed else refusals.NO_GUARD).with_(name=shown(name))
        for name in value
        if name not in liftable
    ]
    not_liftable = refusals.NOT_LIFTABLE.with_(wrong="; ".join(wrong), liftable=", ".join(liftable))
    return not_liftable if wrong else None


def _check_trigger(value: object) -> str | None:
    kinds = [kind.value for kind in TriggerKind]
    if (
        isinstance(value, Mapping)
        and value.keys() == {"Kind", "Name", "At"}
        and value["Kind"] in kinds
        and all(_is_text(text) and 0 < len(text) <= _MAX_TRIGGER_CHARACTERS for text in value.values())
    ):
        return None
    return refusals.NOT_A_TRIGGER.with_(
        kinds=" or ".join(kinds), most=_MAX_TRIGGER_CHARACTERS, value=shown(value)
    )


_LIMIT = "MaxDrainDurationSeconds"
_LEAVE_NAMES = ("AssociationIds", "PublicIps", "Disassociate")
_LEAVE_ONLY = (_LIMIT, "AfterDrain")
_ASSOCIATE_AT_TOP = ("AllocationIds", "PrivateIpAddresses", "AvailabilityZone", "AvailabilityZoneId")
"""Fields of EC2's own AssociateNatGatewayAddress, which belong into `Associate`."""
_check_allocations = _check_list(_check_id("eipalloc"))
_check_call = _check_object(
    {
        "AllocationIds": _check_allocations,
        "PrivateIpAddresses": _check_list(_check_ipv4),
        "AvailabilityZoneId": _check_zone,
        "AvailabilityZone": _check_zone,
    },
    "AllocationIds",
)

_FIELDS: dict[str, Check] = {
    "NatGatewayId": _check_id("nat"),
    "AssociationIds": _check_list(_check_id("eipassoc")),
    "PublicIps": _check_list(_check_ipv4),
    "Disassociate": _check_object(
        {"AllocationIds": _check_allocations, _LIMIT: _check_limit}, "AllocationIds"
    ),
    "Associate": _check_associate,
    _LIMIT: _check_limit,
    "DryRun": _check_flag,
    "AfterDrain": _check_word(AfterDrain),
    "WhenBusy": _check_word(WhenBusy),
    "Override": _check_override,
    "Reason": _check_reason,
    "Trigger": _check_trigger,
}
