"""One address of a NAT gateway."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.ec2.models.availability_zones_and_regions import Zone

from .timeline import Timeline


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
    failure_message: str | None = None
    """If set, a drain ends as `failed` and the address stays."""
    drained_at: datetime | None = None
    """The end of the last drain, once one has begun."""
    status: Timeline = field(default_factory=Timeline)

    def end_drain(self, at: datetime) -> None:
        """Set when the drain ends."""
        self.drained_at = at
        self.status.change(at, "failed" if self.failure_message else None)

    def to_dict(self, at: datetime) -> dict[str, Any]:
        """Return EC2's `NatGatewayAddress` as of `at`."""
        status = self.status.at(at)
        return {
            "AllocationId": self.allocation_id,
            "NetworkInterfaceId": self.network_interface_id,
            "PrivateIp": self.private_ip,
            "PublicIp": self.public_ip,
            "AssociationId": self.association_id,
            "IsPrimary": self.is_primary,
            "FailureMessage": self.failure_message if status == "failed" else None,
            "Status": status,
            "AvailabilityZone": self.zone.name if self.zone else None,
            "AvailabilityZoneId": self.zone.zone_id if self.zone else None,
        }
