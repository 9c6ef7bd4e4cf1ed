"""A NAT gateway and its addresses as EC2 shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

IN_SERVICE = "succeeded"
"""EC2's status of an address that is associated and carries traffic."""
DRAINING = "disassociating"
FAILED = "failed"
ASSOCIATING = {"associating", "assigning"}
_SETTLED = {IN_SERVICE, FAILED}

_REGIONAL = "regional"
AVAILABLE = "available"
PENDING = "pending"
GOING_OR_GONE = {"deleting", "deleted", "failed"}
"""Gateway states from which no drain can be confirmed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One entry of `NatGatewayAddresses` (EC2 API reference, NatGatewayAddress).

    `is_primary` is None where EC2 does not say, as it may on a regional gateway; only there has it a `zone`.
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
        """True if EC2 is working on it, and refuses other address operations on the gateway meanwhile."""
        return self.status not in _SETTLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A NAT gateway, public or private, zonal or regional (EC2 API reference, NatGateway)."""

    gateway_id: str
    state: str
    connectivity: str
    availability_mode: str
    aws_managed: bool = False
    """AWS allocates the addresses of a regional gateway itself, or decides in which zones it has some."""
    tags: Mapping[str, str]
    addresses: tuple[Address, ...]

    @classmethod
    def from_ec2(cls, shape: Mapping[str, Any]) -> Self:
        """Read one member of `NatGateways`.

        Absent `ConnectivityType` and `AvailabilityMode` mean what they meant before EC2 had them:
        public and zonal.
        """
        mode = shape.get("AvailabilityMode", "zonal")
        regional = mode == _REGIONAL
        return cls(
            gateway_id=shape["NatGatewayId"],
            state=shape["State"],
            connectivity=shape.get("ConnectivityType", "public"),
            availability_mode=mode,
            # If EC2 should say nothing of it, they are not taken for the owner's.
            aws_managed=regional
            and {shape.get("AutoScalingIps"), shape.get("AutoProvisionZones")} != {"disabled"},
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
                    # A zonal gateway's is not its addresses', and no parameter of a call about them.
                    zone=(entry.get("AvailabilityZoneId") or entry.get("AvailabilityZone"))
                    if regional
                    else None,
                    failure_message=entry.get("FailureMessage"),
                )
                for entry in shape.get("NatGatewayAddresses", [])
            ),
        )

    @property
    def regional(self) -> bool:
        """True if it has addresses in several zones, each of which serves only its own."""
        return self.availability_mode == _REGIONAL

    @property
    def busy(self) -> list[Address]:
        """The addresses on which EC2 is working; meanwhile it accepts no other address operation."""
        return [address for address in self.addresses if address.in_transition]

    def association(self, association_id: str) -> Address | None:
        """Return the address with this association, or None."""
        return next((a for a in self.addresses if a.association_id == association_id), None)

    def may_be_primary(self, address: Address) -> bool:
        """Return True if EC2 may take it for the primary; on a zonal gateway silence counts as yes."""
        return address.is_primary is True or (address.is_primary is None and not self.regional)


def is_zone_id(zone: str) -> bool:
    """Return True for an id such as use1-az1, False for a name such as us-east-1a (EC2 user guide, zones)."""
    return "-az" in zone


def zone_option(zone: str) -> str:
    """Return the AWS CLI's option for the zone of a regional gateway's address."""
    return f" --availability-zone{'-id' if is_zone_id(zone) else ''} {zone}"
