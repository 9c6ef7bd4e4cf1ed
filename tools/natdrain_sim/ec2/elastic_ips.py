"""Backend operations on Elastic IPs; `install` replaces moto's by them."""

from copy import copy
from typing import Any

from moto.ec2.exceptions import InvalidAddressError, InvalidAllocationIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress as MotoElasticAddress
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend as MotoBackend
from moto.ec2.utils import generic_filter

from .addresses import ElasticAddress
from .exceptions import ec2_error
from .nat_gateways import address_of
from .timeline import now

# Kept before `install` replaces them, for everything that NAT gateways do not affect.
_describe = MotoBackend.describe_addresses
_release = MotoBackend.release_address


class ElasticAddressBackend(EC2Backend):
    """Methods for moto's `ElasticAddressBackend`, typed as methods of the whole backend."""

    def allocate_address(
        self,
        domain: str | None = None,
        address: str | None = None,
        tags: dict[str, str] | None = None,
        border_group: str | None = None,
    ) -> ElasticAddress:
        """Allocate an EIP as if it was done long ago, by default in the Region's own border group."""
        del domain  # EC2-Classic, the other one, has been retired
        eip = ElasticAddress(self, "vpc", address, tags)  # type: ignore[abstract]  # in moto
        eip.network_border_group = border_group or self.region_name
        self.addresses.append(eip)
        return eip

    def describe_addresses(
        self,
        allocation_ids: list[str] | None = None,
        public_ips: list[str] | None = None,
        filters: Any = None,
    ) -> list[MotoElasticAddress]:
        """Return the EIPs of one lag ago, each with the NAT gateway association that it had."""
        eips: list[Any] = _describe(self, allocation_ids, public_ips)
        for eip in eips:
            if not eip.is_known and allocation_ids:
                raise InvalidAllocationIdError(eip.allocation_id)
            if not eip.is_known and public_ips:
                raise InvalidAddressError(eip.public_ip)
        return generic_filter(filters, [_as_seen(self, eip) for eip in eips if eip.is_known])

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        """Release an EIP, unless a NAT gateway has it; moto checks all other uses."""
        for eip in self.addresses:
            named = (allocation_id or address) in (eip.allocation_id, eip.public_ip)
            if named and address_of(self, eip.allocation_id, now()):
                raise ec2_error("InvalidIPAddress.InUse", eip.public_ip)
        _release(self, address, allocation_id)


def _as_seen(backend: EC2Backend, eip: ElasticAddress) -> ElasticAddress:
    address = address_of(backend, eip.allocation_id, eip.seen_at)
    if address is None:
        return eip
    seen = copy(eip)
    seen.association_id = address.association_at(eip.seen_at)
    # The gateway's interface has a private IP for each of its EIPs.
    interface: Any = copy(backend.get_network_interface(address.network_interface_id))
    interface.private_ip_address = address.private_ip
    seen.eni = interface
    return seen
