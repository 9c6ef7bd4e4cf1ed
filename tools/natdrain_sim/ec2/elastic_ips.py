"""Backend operations on Elastic IPs that NAT gateways affect; `install` replaces moto's by them."""

from copy import copy
from datetime import timedelta
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend as MotoBackend
from moto.ec2.utils import generic_filter

from .exceptions import ec2_error
from .nat_gateways import address_of
from .settings import settings_of
from .timeline import now

# Kept before `install` replaces them, for everything that NAT gateways do not affect.
_describe = MotoBackend.describe_addresses
_release = MotoBackend.release_address


class ElasticAddressBackend(EC2Backend):
    """Methods for moto's `ElasticAddressBackend`, typed as methods of the whole backend."""

    def describe_addresses(
        self,
        allocation_ids: list[str] | None = None,
        public_ips: list[str] | None = None,
        filters: Any = None,
    ) -> list[ElasticAddress]:
        """Return the EIPs, each with the NAT gateway association that it had one lag ago."""
        eips = _describe(self, allocation_ids, public_ips)
        return generic_filter(filters, [_as_seen(self, eip) for eip in eips])

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        """Release an EIP, unless a NAT gateway has it; moto checks all other uses."""
        for eip in self.addresses:
            named = (allocation_id or address) in (eip.allocation_id, eip.public_ip)
            if named and address_of(self, eip, now()):
                raise ec2_error("InvalidIPAddress.InUse", eip.public_ip)
        _release(self, address, allocation_id)


def _as_seen(backend: EC2Backend, eip: ElasticAddress) -> ElasticAddress:
    lag = timedelta(seconds=settings_of(backend).lags.describe_addresses)
    address = address_of(backend, eip, now() - lag)
    if address is None:
        return eip
    seen = copy(eip)
    seen.association_id = address.association_id
    # The gateway's interface has a private IP for each of its EIPs.
    interface: Any = copy(backend.get_network_interface(address.network_interface_id))
    interface.private_ip_address = address.private_ip
    seen.eni = interface
    return seen
