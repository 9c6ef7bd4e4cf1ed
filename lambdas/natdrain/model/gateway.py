"""A NAT gateway and its addresses as EC2 shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

IN_SERVICE = "succeeded"
"""EC2's status of an address that is associated and carries traffic."""
DRAINING = "disassociating"
LEAVING = {DRAINING, "unassigning"}
FAILED = "failed"
ASSOCIATING = {"associating", "assigning"}
_SETTLED = {IN_SERVICE, FAILED}

ADDRESSES_QUOTA = "L-5F53652F"
"""The quota of Elastic IPs for each public NAT gateway: 2 by default, 8 at most (VPC user guide, quotas)."""

_REGIONAL = "regional"
AVAILABLE = "available"
PENDING = "pending"
GOING_OR_GONE = {"deleting", "deleted", "failed"}
"""Gateway states from which no drain can be confirmed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One entry of `NatGatewayAddresses` (EC2 API reference, NatGatewayAddress).

    `is_primary` is None where EC2 does not say, as it may on a regional gateway; only there has it a `zone`,
    and a `zone_name`, by which CloudWatch knows the zone.
    """

    association_id: str | None
    allocation_id: str | None
    public_ip: str | None
    private_ip: str | None
    status: str
    is_primary: bool | None = None
    zone: str | None = None
    zone_name: str | None = None
    failure_message: str | None = None

    @property
    def stays(self) -> bool:
        """True if it is in service or coming, by an association that EC2 shows."""
        return self.association_id is not None and self.status not in {*LEAVING, FAILED}

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
                    zone_name=entry.get("AvailabilityZone") if regional else None,
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

    def identified(self, known: Mapping[str | None, str]) -> Self:
        """Return the gateway with the association ids that entries of leaving addresses may lack.

        `known` has associations by allocation. Nothing documents that DescribeNatGateways shows the id of an
        association until it has left.
        """
        listed = {address.association_id for address in self.addresses}
        addresses = []
        for address in self.addresses:
            association_id = known.get(address.allocation_id) if address.allocation_id else None
            unnamed = address.association_id is None and address.status in LEAVING
            if association_id and unnamed and association_id not in listed:
                listed.add(association_id)
                address = replace(address, association_id=association_id)  # noqa: PLW2901 - the same address
            addresses.append(address)
        return replace(self, addresses=tuple(addresses))

    def entry_of(self, association_id: str, allocation_id: str | None) -> Address | None:
        """Return the entry of an association that is to leave, or None.

        EC2 may show it without its id, or while it leaves by another one: only an entry of the allocation by
        another id that stays is another association.
        """
        same = (a for a in self.with_allocation(allocation_id) if not a.association_id or a.status in LEAVING)
        return self.association(association_id) or next(same, None)

    def with_allocation(self, allocation_id: str | None) -> list[Address]:
        """Return the entries of an allocation: an association that has failed may be one more."""
        return [a for a in self.addresses if allocation_id and a.allocation_id == allocation_id]

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
