"""A request in order: what one execution is to do. `natdrain.intake` makes it from whatever asks."""

from collections.abc import Mapping
from dataclasses import dataclass
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
class Request:
    """A request in order: ids well-formed, no duplicates, the limit in EC2's range.

    `gateway_id` is None only when public IPs were named without a gateway. When addresses are named in more
    than one way, all the ways must mean the same addresses; a look decides that. `override` names the guards
    that it lifts.
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

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of an address."""
        return (*self.association_ids, *self.allocation_ids, *self.public_ips)

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

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a request that is in order already: what `to_json` returned, or `intake` has checked.

        Left-out fields have the defaults of this class; `intake` knows the deployment's.
        """
        trigger = document.get("Trigger")
        return cls(
            gateway_id=document.get("NatGatewayId"),
            association_ids=tuple(document.get("AssociationIds", ())),
            allocation_ids=tuple(document.get("AllocationIds", ())),
            public_ips=tuple(document.get("PublicIps", ())),
            limit_seconds=document.get("MaxDrainDurationSeconds", DEFAULT_DRAIN_LIMIT_SECONDS),
            dry_run=document.get("DryRun", False),
            after_drain=AfterDrain(document.get("AfterDrain", AfterDrain.KEEP)),
            # Nobody repeats the request of a trigger that has found its gateway locked.
            when_busy=WhenBusy(document.get("WhenBusy", WhenBusy.WAIT if trigger else WhenBusy.FAIL)),
            override=tuple(document.get("Override", ())),
            reason=document.get("Reason"),
            trigger=Trigger.from_json(trigger) if trigger else None,
        )
