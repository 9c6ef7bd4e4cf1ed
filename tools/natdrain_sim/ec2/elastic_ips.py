"""The backend operations on Elastic IPs, where a NAT gateway matters. `install` puts them over moto's."""

from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend as MotoBackend
from moto.ec2.utils import generic_filter

from .errors import AuthFailureError, InvalidIPAddressInUseError
from .lookups import holder
from .settings import settings_of
from .timeline import now

# Kept before `install` replaces them: what concerns no NAT gateway is still moto's.
_describe = MotoBackend.describe_addresses
_associate = MotoBackend.associate_address
_disassociate = MotoBackend.disassociate_address
_release = MotoBackend.release_address


@dataclass(frozen=True)
class _Interface:
    """What DescribeAddresses shows of a gateway's network interface, with the EIP's own private IP."""

    id: str
    owner_id: str
    private_ip_address: str


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

    def associate_address(
        self,
        instance: Any = None,
        eni: Any = None,
        address: str | None = None,
        allocation_id: str | None = None,
        reassociate: bool = False,  # noqa: FBT001, FBT002  # moto's own signature
    ) -> ElasticAddress:
        """Associate an EIP with an instance or interface.

        Raises:
            AuthFailureError: a NAT gateway holds it.
        """
        if _is_held(self, public_ip=address, allocation_id=allocation_id):
            raise AuthFailureError
        return _associate(self, instance, eni, address, allocation_id, reassociate)

    def disassociate_address(self, address: str | None = None, association_id: str | None = None) -> None:
        """Take an EIP off an instance or interface.

        Raises:
            AuthFailureError: a NAT gateway holds it.
        """
        if _is_held(self, public_ip=address, association_id=association_id):
            raise AuthFailureError
        _disassociate(self, address, association_id)

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        """Give an allocation back. Whether something other than a NAT gateway uses it is left to moto.

        Raises:
            InvalidIPAddressInUseError: a NAT gateway holds it.
        """
        if _is_held(self, public_ip=address, allocation_id=allocation_id):
            raise InvalidIPAddressInUseError(str(allocation_id or address))
        _release(self, address, allocation_id)


def _is_held(
    backend: EC2Backend,
    *,
    public_ip: str | None = None,
    allocation_id: str | None = None,
    association_id: str | None = None,
) -> bool:
    held = filter(None, (holder(backend, eip.allocation_id, now()) for eip in backend.addresses))
    return any(
        (public_ip and address.public_ip == public_ip)
        or (allocation_id and address.allocation_id == allocation_id)
        or (association_id and address.association_id == association_id)
        for address in held
    )


def _as_seen(backend: EC2Backend, eip: ElasticAddress) -> ElasticAddress:
    lag = timedelta(seconds=settings_of(backend).lags.describe_addresses)
    address = holder(backend, eip.allocation_id, now() - lag)
    if address is None:
        return eip
    seen = copy(eip)
    seen.association_id = address.association_id
    interface: Any = _Interface(address.network_interface_id, backend.account_id, address.private_ip)
    seen.eni = interface
    return seen
