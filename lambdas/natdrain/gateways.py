"""A NAT gateway and its addresses as EC2 shows them: one fresh view is a *look*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["IN_SERVICE", "Address", "Gateway", "Look"]

IN_SERVICE = "succeeded"
"""EC2's status of an address that is associated and carries traffic."""
DRAINING = "disassociating"
FAILED = "failed"
_SETTLED = {IN_SERVICE, FAILED}

AVAILABLE = "available"
GOING_OR_GONE = {"deleting", "deleted", "failed"}
"""Gateway states from which no drain can be confirmed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One entry of `NatGatewayAddresses` (EC2 API reference, NatGatewayAddress).

    `is_primary` is None where EC2 does not say, as it may on a regional gateway.
    """

    association_id: str | None
    allocation_id: str | None
    public_ip: str | None
    private_ip: str | None
    status: str
    is_primary: bool | None = None
    zone: str | None = None
    failure_message: str | None = None

    @property
    def in_transition(self) -> bool:
        """EC2 is working on it, and refuses other address operations on the gateway meanwhile."""
        return self.status not in _SETTLED

    @property
    def label(self) -> str:
        """How messages name it: the public IP, which people know, and the association."""
        return f"{self.public_ip or self.private_ip} ({self.association_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A NAT gateway, public or private, zonal or regional (EC2 API reference, NatGateway)."""

    gateway_id: str
    state: str
    connectivity: str
    availability_mode: str
    tags: Mapping[str, str]
    addresses: tuple[Address, ...]

    @classmethod
    def from_ec2(cls, shape: Mapping[str, Any]) -> Gateway:
        """Read one member of `NatGateways`.

        Absent `ConnectivityType` and `AvailabilityMode` mean what they meant before EC2 had them:
        public and zonal.
        """
        return cls(
            gateway_id=shape["NatGatewayId"],
            state=shape["State"],
            connectivity=shape.get("ConnectivityType", "public"),
            availability_mode=shape.get("AvailabilityMode", "zonal"),
            tags={tag["Key"]: tag["Value"] for tag in shape.get("Tags", [])},
            addresses=tuple(
                Address(
                    association_id=entry.get("AssociationId"),
                    allocation_id=entry.get("AllocationId"),
                    public_ip=entry.get("PublicIp"),
                    private_ip=entry.get("PrivateIp"),
                    # Gateways made before EC2 reported statuses show none for addresses in service.
                    status=entry.get("Status", IN_SERVICE),
                    is_primary=entry.get("IsPrimary"),
                    zone=entry.get("AvailabilityZoneId") or entry.get("AvailabilityZone"),
                    failure_message=entry.get("FailureMessage"),
                )
                for entry in shape.get("NatGatewayAddresses", [])
            ),
        )

    def association(self, association_id: str) -> Address | None:
        """The address now bound by this association, if it still is."""
        return next((a for a in self.addresses if a.association_id == association_id), None)

    def may_be_primary(self, address: Address) -> bool:
        """Whether EC2 may hold it for the primary; on a zonal gateway silence counts as yes."""
        return address.is_primary is True or (
            address.is_primary is None and self.availability_mode == "zonal"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One fresh view: what EC2 showed at `seen_at` (aware UTC).

    `gateway` is None when EC2 knows no such gateway. `allocation_tags` holds the tags of the
    allocations that were asked for; one that is missing there was not found.
    """

    seen_at: datetime
    gateway: Gateway | None
    allocation_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
