"""The backend operations on Elastic IPs, where a NAT gateway matters. `install` puts them over moto's."""

from copy import copy
from datetime import timedelta
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend as MotoBackend
from moto.ec2.utils import generic_filter

from .errors import InvalidIPAddressInUseError
from .nat_gateways import holder
from .settings import settings_of
from .timeline import now

# Kept before `install` replaces them: what concerns no NAT gateway is still moto's.
_describe = MotoBackend.describe_addresses
_release = MotoBackend.release_address


class ElasticAddressBackend(EC2Backend):
    """Methods for moto's `ElasticAddressBackend`; a subclass of the whole backend only to be typed."""

    def describe_addresses(
        self,
        allocation_ids: list[str] | None = None,
        public_ips: list[str] | None = None,
        filters: Any = None,
    ) -> list[ElasticAddress]:
        """Return the EIPs, each with the NAT gateway association it had one lag ago."""
        eips = _describe(self, allocation_ids, public_ips)
        return generic_filter(filters, [_as_seen(self, eip) for eip in eips])

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        """Give an allocation back that no NAT gateway holds; whatever else uses it is left to moto."""
        for eip in self.addresses:
            if (allocation_id or address) in (eip.allocation_id, eip.public_ip) and holder(self, eip, now()):
                raise InvalidIPAddressInUseError(eip.public_ip)
        _release(self, address, allocation_id)


def _as_seen(backend: EC2Backend, eip: ElasticAddress) -> ElasticAddress:
    lag = timedelta(seconds=settings_of(backend).lags.describe_addresses)
    address = holder(backend, eip, now() - lag)
    if address is None:
        return eip
    seen = copy(eip)
    seen.association_id = address.association_id
    # The gateway's interface, as it is for this EIP.
    interface: Any = copy(backend.get_network_interface(address.network_interface_id))
    interface.private_ip_address = address.private_ip
    seen.eni = interface
    return seen
