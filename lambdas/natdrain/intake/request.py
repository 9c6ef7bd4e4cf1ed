"""What is asked of natdrain: the execution input, read strictly.

The input is the request of EC2's own DisassociateNatGatewayAddress, and beside it natdrain's own
fields. `Request.parse` reports every problem of an input at once.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard

from natdrain.guards.policy import RULES
from natdrain.model.errors import RequestRefused
from natdrain.report.hints import did_you_mean

__all__ = [
    "BY_HAND",
    "DEFAULT_DRAIN_LIMIT_SECONDS",
    "MAX_ADDRESSES",
    "MAX_DRAIN_LIMIT_SECONDS",
    "MAX_REASON_CHARACTERS",
    "MIN_DRAIN_LIMIT_SECONDS",
    "AfterDrain",
    "Request",
    "Trigger",
    "TriggerKind",
    "WhenBusy",
]

# EC2 API reference, DisassociateNatGatewayAddress: MaxDrainDurationSeconds.
MIN_DRAIN_LIMIT_SECONDS = 1
MAX_DRAIN_LIMIT_SECONDS = 4000
DEFAULT_DRAIN_LIMIT_SECONDS = 350

MAX_ADDRESSES = 8
"""The most addresses of one request, and of a zonal gateway (VPC user guide, quotas)."""

MAX_REASON_CHARACTERS = 500
_MAX_SHOWN_CHARACTERS = 60
_MAX_TRIGGER_CHARACTERS = 300
"""CloudWatch API reference, PutMetricAlarm: an alarm's name has at most 255 characters."""


class TriggerKind(StrEnum):
    """What asks of itself; who asks by hand is no trigger's kind."""

    ALARM = "alarm"
    SCHEDULE = "schedule"


BY_HAND = "hand"
"""What stands for the kind of trigger of a request that somebody made."""


class AfterDrain(StrEnum):
    """What becomes of the allocation when its address has left."""

    KEEP = "keep"
    RELEASE = "release"
    """It is given back to AWS, for good."""


class WhenBusy(StrEnum):
    """What a request does that finds its gateway busy with another one."""

    FAIL = "fail"
    WAIT = "wait"
    """It waits for its turn, within the bound of the deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The one change of an alarm, or the one time of a schedule, that asks.

    Both are delivered at least once; `name` and `at`, as AWS writes the instant, tell deliveries apart.
    """

    kind: TriggerKind
    name: str
    at: str

    def to_json(self) -> dict[str, str]:
        """As a request carries it."""
        return {"Kind": self.kind.value, "Name": self.name, "At": self.at}

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"the {self.kind} {self.name} of {self.at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request in order: ids well-formed, no duplicates, the limit in EC2's range.

    `gateway_id` is None only when public IPs were named without a gateway. When addresses are
    named in more than one way, all the ways must mean the same addresses; a look decides that.
    `override` names the guards that it lifts.
    """

    gateway_id: str | None
    association_ids: tuple[str, ...] = ()
    allocation_ids: tuple[str, ...] = ()
    public_ips: tuple[str, ...] = ()
    limit_seconds: int = DEFAULT_DRAIN_LIMIT_SECONDS
    dry_run: bool = False
    after_drain: AfterDrain = AfterDrain.KEEP
    when_busy: WhenBusy = WhenBusy.FAIL
    override: tuple[str, ...] = ()
    reason: str | None = None
    trigger: Trigger | None = None

    @classmethod
    def parse(cls, document: object, *, default_limit_seconds: int = DEFAULT_DRAIN_LIMIT_SECONDS) -> Request:
        """Read an execution input.

        Args:
            document: the input, from JSON.
            default_limit_seconds: the drain limit of an input that names none, 1 to 4000.

        Raises:
            RequestRefused: with one line for every problem found.
        """
        if not isinstance(document, Mapping):
            raise RequestRefused(
                f"The input must be a JSON object with NatGatewayId and AssociationIds, "
                f"AllocationIds or PublicIps; it is {_shown(document)}."
            )
        problems = [_unknown_field(key) for key in document if key not in _FIELDS]
        for name, check in _FIELDS.items():
            if name in document and (problem := check(document[name])):
                problems.append(f"{name} {problem}.")
        problems += _missing(document)
        if problems:
            raise RequestRefused(*problems)
        return cls(
            gateway_id=document.get("NatGatewayId"),
            association_ids=tuple(document.get("AssociationIds", ())),
            allocation_ids=tuple(document.get("AllocationIds", ())),
            public_ips=tuple(document.get("PublicIps", ())),
            limit_seconds=document.get("MaxDrainDurationSeconds", default_limit_seconds),
            dry_run=document.get("DryRun", False),
            after_drain=AfterDrain(document.get("AfterDrain", AfterDrain.KEEP)),
            # Nobody asks again for a trigger that has found its gateway busy.
            when_busy=WhenBusy(
                document.get("WhenBusy", WhenBusy.WAIT if "Trigger" in document else WhenBusy.FAIL)
            ),
            override=tuple(document.get("Override", ())),
            reason=document.get("Reason"),
            trigger=_trigger(document["Trigger"]) if "Trigger" in document else None,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of an address."""
        return (*self.association_ids, *self.allocation_ids, *self.public_ips)

    @property
    def automatic(self) -> bool:
        """No person has started it."""
        return self.trigger is not None

    @property
    def scheduled(self) -> bool:
        """A schedule asks, perhaps every month: what has left already is then no mistake."""
        return self.trigger is not None and self.trigger.kind is TriggerKind.SCHEDULE

    def to_json(self) -> dict[str, Any]:
        """The normalised request, as an input that `parse` accepts."""
        fields: dict[str, Any] = {
            "NatGatewayId": self.gateway_id,
            "AssociationIds": list(self.association_ids),
            "AllocationIds": list(self.allocation_ids),
            "PublicIps": list(self.public_ips),
            "MaxDrainDurationSeconds": self.limit_seconds,
            "DryRun": self.dry_run,
            "Reason": self.reason,
            "AfterDrain": self.after_drain.value,
            "WhenBusy": self.when_busy.value,
            "Override": list(self.override),
            "Trigger": self.trigger and self.trigger.to_json(),
        }
        return {name: value for name, value in fields.items() if value not in (None, [])}


def _shown(value: object) -> str:
    """The value as JSON, cut so that no input can flood an answer."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}..."


def _unknown_field(key: str) -> str:
    hint = did_you_mean(str(key), _FIELDS) or f"known are {', '.join(_FIELDS)}."
    return f"Unknown field {_shown(key)}: {hint}"


def _missing(document: Mapping[str, Any]) -> list[str]:
    named = [name for name in ("AssociationIds", "AllocationIds", "PublicIps") if name in document]
    problems = []
    if "NatGatewayId" not in document and "PublicIps" not in document:
        problems.append("NatGatewayId is missing (it may be left out only when PublicIps are named).")
    if not named:
        problems.append("No address is named: give AssociationIds, AllocationIds or PublicIps.")
    return problems


def _id_check(prefix: str) -> Callable[[object], str | None]:
    # EC2 ids: the prefix and 8 or 17 hexadecimal digits (EC2 user guide, resource IDs).
    pattern = re.compile(rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})")

    def check(value: object) -> str | None:
        if isinstance(value, str) and pattern.fullmatch(value):
            return None
        return f"must look like {prefix}-0123456789abcdef0, not {_shown(value)}"

    return check


def _public_ip_problem(value: object) -> str | None:
    try:
        ipaddress.IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        return f"must be an IPv4 address such as 203.0.113.7, not {_shown(value)}"
    return None


def _list_of(check_entry: Callable[[object], str | None]) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return f"must be a list, not {_shown(value)}"
        if not value:
            return "must name at least one address; the list is empty"
        wrong = [problem for entry in value[: MAX_ADDRESSES + 1] if (problem := check_entry(entry))]
        if len(value) > MAX_ADDRESSES:
            wrong.append(f"names {len(value)} addresses; one request takes at most {MAX_ADDRESSES}")
        texts = [entry for entry in value if isinstance(entry, str)]
        if twice := sorted({text for text in texts if texts.count(text) > 1}):
            wrong.append(f"names {', '.join(map(_shown, twice))} more than once")
        return "; ".join(wrong) or None

    return check


def _limit_problem(value: object) -> str | None:
    # bool is an int in Python, but `true` is no number of seconds.
    if type(value) is int and MIN_DRAIN_LIMIT_SECONDS <= value <= MAX_DRAIN_LIMIT_SECONDS:
        return None
    return (
        f"must be a whole number of seconds from {MIN_DRAIN_LIMIT_SECONDS} to "
        f"{MAX_DRAIN_LIMIT_SECONDS}, not {_shown(value)}"
    )


def _flag_problem(value: object) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"


def _is_text(value: object) -> TypeGuard[str]:
    """A text that can be written down: JSON may hold halves of characters, which no encoding knows."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _reason_problem(value: object) -> str | None:
    if _is_text(value) and len(value) <= MAX_REASON_CHARACTERS:
        return None
    length = f", which has {len(value)}" if isinstance(value, str) else ""
    return f"must be a text of at most {MAX_REASON_CHARACTERS} characters, not {_shown(value)}{length}"


def _one_of(kind: type[StrEnum]) -> Callable[[object], str | None]:
    known = [each.value for each in kind]

    def check(value: object) -> str | None:
        if isinstance(value, str) and value in known:
            return None
        return f"must be {' or '.join(map(_shown, known))}, not {_shown(value)}"

    return check


def _override_problem(value: object) -> str | None:
    liftable = [rule.name for rule in RULES if not rule.fixed]
    if not isinstance(value, list):
        return f"must be a list of guards, such as {_shown(liftable[:1])}; not {_shown(value)}"
    fixed = [rule.name for rule in RULES if rule.fixed]
    wrong = [
        f"{_shown(name)} cannot be overridden" if name in fixed else f"{_shown(name)} is no guard"
        for name in value
        if name not in liftable
    ]
    return f"{'; '.join(wrong)}: what can be overridden is {', '.join(liftable)}" if wrong else None


def _trigger(document: Mapping[str, str]) -> Trigger:
    return Trigger(kind=TriggerKind(document["Kind"]), name=document["Name"], at=document["At"])


def _trigger_problem(value: object) -> str | None:
    kinds = [kind.value for kind in TriggerKind]
    if (
        isinstance(value, Mapping)
        and value.keys() == {"Kind", "Name", "At"}
        and value["Kind"] in kinds
        and all(_is_text(text) and 0 < len(text) <= _MAX_TRIGGER_CHARACTERS for text in value.values())
    ):
        return None
    return (
        f"is for alarms and schedules: it has Kind ({' or '.join(kinds)}), Name and At, each a text of 1 to "
        f"{_MAX_TRIGGER_CHARACTERS} characters; not {_shown(value)}"
    )


_FIELDS: dict[str, Callable[[object], str | None]] = {
    "NatGatewayId": _id_check("nat"),
    "AssociationIds": _list_of(_id_check("eipassoc")),
    "AllocationIds": _list_of(_id_check("eipalloc")),
    "PublicIps": _list_of(_public_ip_problem),
    "MaxDrainDurationSeconds": _limit_problem,
    "DryRun": _flag_problem,
    "AfterDrain": _one_of(AfterDrain),
    "WhenBusy": _one_of(WhenBusy),
    "Override": _override_problem,
    "Reason": _reason_problem,
    "Trigger": _trigger_problem,
}
