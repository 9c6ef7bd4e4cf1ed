"""Elastic IPs and the addresses of NAT gateways, whose states over time are kept in timelines."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.ec2.models.availability_zones_and_regions import Zone
from moto.ec2.models.elastic_ip_addresses import ElasticAddress as MotoElasticAddress

from .settings import settings_of
from .timeline import Timeline, now


@dataclass(frozen=True, kw_only=True)
class AssociationFailure:
    """An association that does not succeed: it ends as `failed`, or without a message never ends."""

    message: str | None
    keeps_association: bool = True
    """The failed address is shown with its association id."""
    leaves_after: timedelta | None = None
    """The time from the failure until the address leaves by itself, if it does."""


class ElasticAddress(MotoElasticAddress):
    """An EIP; the response shows moto's attributes and those added here."""

    network_border_group: str
    service_managed: str | None = None
    allocated_at: datetime | None = None
    """None: long ago."""
    next_failure: AssociationFailure | None = None
    """The outcome of its next association, unless that succeeds."""

    @property
    def network_interface_id(self) -> Any:
        """Return its interface; a free EIP has none, where moto shows an empty id."""
        return self.eni.id if self.eni else None

    @property
    def seen_at(self) -> datetime:
        """Return the instant as of which DescribeAddresses shows it now."""
        return now() - timedelta(seconds=settings_of(self.ec2_backend).lags.describe_addresses)

    @property
    def is_known(self) -> bool:
        """Return whether DescribeAddresses shows it at all."""
        return self.allocated_at is None or self.allocated_at <= self.seen_at


@dataclass(eq=False, kw_only=True)
class NatGatewayAddress:
    """An associated EIP of a NAT gateway, or the private IP of a private gateway."""

    private_ip: str
    network_interface_id: str
    is_primary: bool | None
    """None for an address of a regional gateway, which has a zone instead."""
    zone: Zone | None = None
    allocation_id: str | None = None
    public_ip: str | None = None
    association_id: str | None = None
    association_failure: AssociationFailure | None = None
    drain_failure: str | None = None
    """If set, a drain ends as `failed` with this FailureMessage, and the address stays."""
    drained_at: datetime | None = None
    """The end of the last drain, once one has begun."""
    status: Timeline = field(default_factory=Timeline)
    failure_message: Timeline = field(default_factory=Timeline)

    def join(self, since: datetime, lag: timedelta) -> None:
        """Associate: `associating` for the lag, then `succeeded` unless it is to fail."""
        self.status.change(since, "associating")
        failure, ends_at = self.association_failure, since + lag
        if failure is None:
            self.status.change(ends_at, "succeeded")
        elif failure.message is not None:
            self._fail(ends_at, failure.message)
            if failure.leaves_after is not None:
                self.status.change(ends_at + failure.leaves_after, None)

    def end_drain(self, at: datetime) -> None:
        """Set when the drain ends."""
        self.drained_at = at
        if self.drain_failure:
            self._fail(at, self.drain_failure)
        else:
            self.status.change(at, None)

    def association_at(self, instant: datetime) -> str | None:
        """Return the association id, which a failed association may have lost."""
        failure = self.association_failure
        lost = failure and not failure.keeps_association and self.status.at(instant) == "failed"
        return None if lost else self.association_id

    def to_dict(self, at: datetime) -> dict[str, Any]:
        """Return EC2's `NatGatewayAddress` as of `at`."""
        status = self.status.at(at)
        return {
            "AllocationId": self.allocation_id,
            "NetworkInterfaceId": self.network_interface_id,
            "PrivateIp": self.private_ip,
            "PublicIp": self.public_ip,
            "AssociationId": self.association_at(at),
            "IsPrimary": self.is_primary,
            "FailureMessage": self.failure_message.at(at) if status == "failed" else None,
            "Status": status,
            "AvailabilityZone": self.zone.name if self.zone else None,
            "AvailabilityZoneId": self.zone.zone_id if self.zone else None,
        }

    def _fail(self, at: datetime, message: str) -> None:
        self.status.change(at, "failed")
        self.failure_message.change(at, message)
