"""The state of one address of a NAT gateway."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.ec2.models.availability_zones_and_regions import Zone

from .timeline import Timeline


@dataclass(eq=False, kw_only=True)
class NatGatewayAddress:
    """One address of a NAT gateway: an association of an EIP, or a private IP alone (private gateways)."""

    private_ip: str
    network_interface_id: str
    is_primary: bool | None
    """Unknown of a regional gateway's addresses, which have a zone instead."""
    zone: Zone | None = None
    allocation_id: str | None = None
    public_ip: str | None = None
    association_id: str | None = None
    failure_message: str | None = None
    """With it, a drain ends as `failed` instead of with the address leaving."""
    gone_at: datetime | None = None
    """When the last drain ends, once there is one."""
    status: Timeline = field(default_factory=Timeline)

    def finish(self, gone_at: datetime) -> None:
        """Let the drain end at `gone_at`."""
        self.gone_at = gone_at
        self.status.change(gone_at, "failed" if self.failure_message else None)

    def to_dict(self, at: datetime) -> dict[str, Any]:
        """Return EC2's `NatGatewayAddress` as it is at `at`."""
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
