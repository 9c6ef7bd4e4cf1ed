"""A request in order: what one execution is to do. `natdrain.intake` makes it from whatever asks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

# EC2 API reference, DisassociateNatGatewayAddress: MaxDrainDurationSeconds.
MIN_DRAIN_LIMIT_SECONDS = 1
MAX_DRAIN_LIMIT_SECONDS = 4000
DEFAULT_DRAIN_LIMIT_SECONDS = 350

MAX_ADDRESSES = 8
"""The most addresses of one request, and of a zonal gateway (VPC user guide, quotas)."""

MAX_REASON_CHARACTERS = 500


class TriggerKind(StrEnum):
    """The triggers that start executions without a person."""

    ALARM = "alarm"
    SCHEDULE = "schedule"


BY_HAND = "hand"
"""The kind of trigger of a request that a person made."""


class Direction(StrEnum):
    """The one kind of change that a request asks for."""

    LEAVE = "leave"
    """Addresses leave their gateway: EC2 is asked to disassociate them."""
    JOIN = "join"
    """Allocations join it: EC2 is asked to associate them."""


class AfterDrain(StrEnum):
    """The fate of the allocation when its address has left."""

    KEEP = "keep"
    RELEASE = "release"
    """It is released to AWS, for good."""


class WhenBusy(StrEnum):
    """The behaviour of a request whose gateway is locked by another one."""

    FAIL = "fail"
    WAIT = "wait"
    """It waits for its turn, within the bound of the deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The one state change of an alarm, or the one time of a schedule, that asks.

    Both are delivered at least once; `name` and `at`, as AWS writes the instant, tell deliveries apart.
    """

    kind: TriggerKind
    name: str
    at: str

    def to_json(self) -> dict[str, str]:
        """Return the trigger as a request carries it."""
        return {"Kind": self.kind.value, "Name": self.name, "At": self.at}

    @classmethod
    def from_json(cls, document: Mapping[str, str]) -> Self:
        """Read what `to_json` returned."""
        return cls(kind=TriggerKind(document["Kind"]), name=document["Name"], at=document["At"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """One call of EC2's AssociateNatGatewayAddress: allocations of one zone.

    `private_ips` is empty, or has one for each allocation. A zone is for regional gateways only, by its id or
    by its name.
    """

    allocation_ids: tuple[str, ...]
    private_ips: tuple[str, ...] = ()
    zone_id: str | None = None
    zone_name: str | None = None

    @property
    def zone(self) -> str | None:
        """The zone as the request calls it."""
        return self.zone_id or self.zone_name

    def of(self, allocation_ids: Collection[str]) -> Self:
        """Return the call for these of its allocations alone."""
        kept = [place for place, one in enumerate(self.allocation_ids) if one in allocation_ids]
        ips = tuple(self.private_ips[place] for place in kept) if self.private_ips else ()
        return replace(
            self, allocation_ids=tuple(self.allocation_ids[place] for place in kept), private_ips=ips
        )

    def to_json(self) -> dict[str, Any]:
        """Return the call in EC2's own parameter names."""
        fields = {
            "AllocationIds": list(self.allocation_ids),
            "PrivateIpAddresses": list(self.private_ips),
            "AvailabilityZoneId": self.zone_id,
            "AvailabilityZone": self.zone_name,
        }
        return {name: value for name, value in fields.items() if value not in (None, [])}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        return cls(
            allocation_ids=tuple(document["AllocationIds"]),
            private_ips=tuple(document.get("PrivateIpAddresses", ())),
            zone_id=document.get("AvailabilityZoneId"),
            zone_name=document.get("AvailabilityZone"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request in order: ids well-formed, no duplicates, the limit in EC2's range.

    With `associate`, allocations join; else the named addresses leave. `gateway_id` is None only when public
    IPs were named without a gateway. When addresses are named in more than one way, all the ways must mean
    the same addresses; a look decides that. `override` names the guards that it lifts.
    """

    gateway_id: str | None
    association_ids: tuple[str, ...] = ()
    allocation_ids: tuple[str, ...] = ()
    public_ips: tuple[str, ...] = ()
    associate: tuple[Association, ...] = ()
    limit_seconds: int = DEFAULT_DRAIN_LIMIT_SECONDS
    dry_run: bool = False
    after_drain: AfterDrain = AfterDrain.KEEP
    when_busy: WhenBusy = WhenBusy.FAIL
    override: tuple[str, ...] = ()
    reason: str | None = None
    trigger: Trigger | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of an address."""
        joining = (one for call in self.associate for one in call.allocation_ids)
        return (*self.association_ids, *self.allocation_ids, *self.public_ips, *joining)

    @property
    def direction(self) -> Direction:
        """The one kind of change that it asks for."""
        return Direction.JOIN if self.associate else Direction.LEAVE

    @property
    def joins(self) -> bool:
        """True if allocations are to join."""
        return bool(self.associate)

    @property
    def automatic(self) -> bool:
        """True if no person has started it."""
        return self.trigger is not None

    @property
    def scheduled(self) -> bool:
        """True if a schedule asks, perhaps every month: what has left already is then no mistake."""
        return self.trigger is not None and self.trigger.kind is TriggerKind.SCHEDULE

    def to_json(self) -> dict[str, Any]:
        """Return the request as the workflow carries it, and as an input that `intake` accepts."""
        common = {
            "NatGatewayId": self.gateway_id,
            "DryRun": self.dry_run,
            "Reason": self.reason,
            "WhenBusy": self.when_busy.value,
            "Override": list(self.override),
            "Trigger": self.trigger and self.trigger.to_json(),
        }
        asked = self._joining() if self.joins else self._leaving()
        return {name: value for name, value in (asked | common).items() if value not in (None, [])}

    def _joining(self) -> dict[str, Any]:
        return {"Associate": [call.to_json() for call in self.associate]}

    def _leaving(self) -> dict[str, Any]:
        named = {"AssociationIds": list(self.association_ids), "PublicIps": list(self.public_ips)}
        if self.allocation_ids:
            named["Disassociate"] = {"AllocationIds": list(self.allocation_ids)}  # type: ignore[assignment]
        return {**named, "MaxDrainDurationSeconds": self.limit_seconds, "AfterDrain": self.after_drain.value}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a request that is in order already: what `to_json` returned, or `intake` has checked.

        Left-out fields have the defaults of this class; `intake` knows the deployment's. Executions of
        earlier versions carry the allocations that leave beside the other names.
        """
        trigger, leave = document.get("Trigger"), document.get("Disassociate", {})
        limit_seconds = document.get("MaxDrainDurationSeconds", DEFAULT_DRAIN_LIMIT_SECONDS)
        return cls(
            gateway_id=document.get("NatGatewayId"),
            association_ids=tuple(document.get("AssociationIds", ())),
            allocation_ids=tuple(leave.get("AllocationIds", document.get("AllocationIds", ()))),
            associate=tuple(map(Association.from_json, document.get("Associate", ()))),
            public_ips=tuple(document.get("PublicIps", ())),
            limit_seconds=leave.get("MaxDrainDurationSeconds", limit_seconds),
            dry_run=document.get("DryRun", False),
            after_drain=AfterDrain(document.get("AfterDrain", AfterDrain.KEEP)),
            # Nobody repeats the request of a trigger that has found its gateway locked.
            when_busy=WhenBusy(document.get("WhenBusy", WhenBusy.WAIT if trigger else WhenBusy.FAIL)),
            override=tuple(document.get("Override", ())),
            reason=document.get("Reason"),
            trigger=Trigger.from_json(trigger) if trigger else None,
        )
