"""Controls of the simulated EC2 for everything that no AWS call can do."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest
from random import Random
from typing import Any, cast

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import EC2Backend, ec2_backends

from .addresses import AssociationFailure
from .models import NatGateway
from .nat_gateways import NatGatewayBackend, all_gateways, find_eip, find_gateway
from .regional import RegionalNatGateway
from .settings import Lags, settings_of
from .timeline import now

ACCOUNT, REGION = DEFAULT_ACCOUNT_ID, "us-east-1"


class Simulation:
    """Controls of the account's NAT gateways in this region; resetting moto resets them."""

    @property
    def _backend(self) -> EC2Backend:
        # Looked up each time, because starting a mock replaces moto's backends.
        return ec2_backends[ACCOUNT][REGION]

    def configure(self, *, lags: Lags | None = None, seed: int | None = None) -> None:
        """Set the lags, and the seed of random delays, of everything that begins from now on."""
        settings = settings_of(self._backend)
        settings.lags = lags or settings.lags
        if seed is not None:
            settings.random = Random(seed)  # noqa: S311 - a simulation

    def add_address(
        self,
        *,
        allocation_id: str | None = None,
        public_ip: str | None = None,
        tags: Mapping[str, str] | None = None,
        border_group: str | None = None,
        service_managed: str | None = None,
    ) -> str:
        """Allocate an EIP that is old, if wanted with given ids, and return its allocation id.

        The border group is by default the Region's own. With `service_managed`, such as `alb`, it belongs to
        another service.
        """
        eip: Any = self._backend.allocate_address("vpc", address=public_ip)
        eip.id = eip.allocation_id = allocation_id or eip.allocation_id
        eip.network_border_group = border_group or eip.network_border_group
        eip.service_managed = service_managed
        eip.add_tags(dict(tags or {}))
        return str(eip.allocation_id)

    def add_nat_gateway(
        self,
        subnet_id: str,
        allocation_ids: Sequence[str] = (),
        *,
        zones: Sequence[str] = (),
        automatic: bool = False,
        gateway_id: str | None = None,
        association_ids: Sequence[str | None] = (),
        private_ips: Sequence[str | None] = (),
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Create a gateway that is a day old, and return its id; without EIPs it is private.

        With `zones`, a name or id for each allocation, it is a regional gateway of the subnet's VPC; if it is
        `automatic` it is regional too, and AWS manages its EIPs: those given, or else some of AWS's own.
        The first allocation of a zonal gateway is primary; `association_ids` and `private_ips` have the same
        order. The zone's border group is that of the first EIP. If CreateNatGateway would refuse the gateway,
        moto's exception for that is raised.
        """
        backend, subnet = self._backend, self._backend.get_subnet(subnet_id)
        identity: dict[str, Any] = {"gateway_id": gateway_id, "created_at": now() - timedelta(days=1)}
        if zones or automatic:
            gateway: NatGateway = RegionalNatGateway(backend, subnet.vpc_id, automatic=automatic, **identity)
        else:
            kind = "public" if allocation_ids else "private"
            gateway = NatGateway(backend, subnet, connectivity_type=kind, **identity)
        if allocation_ids:
            gateway.border_group = find_eip(backend, allocation_ids[0]).network_border_group
        served = dict(zip_longest(allocation_ids, zones))
        cast("NatGatewayBackend", backend).set_up_nat_gateway(gateway, served, dict(tags or {}), private_ips)
        for address, association_id in zip(gateway.addresses, association_ids, strict=False):
            address.association_id = association_id or address.association_id
        return gateway.id

    def set_gateway_state(self, gateway_id: str, state: str) -> None:
        """Set a gateway's state, which DescribeNatGateways shows after its lag; the addresses stay."""
        find_gateway(self._backend, gateway_id).states.change(now(), state)

    def fail_when_drained(self, association_id: str, message: str | None) -> None:
        """Make a drain of this association, running or future, end as `failed` with this FailureMessage.

        Without a message its next drain succeeds.
        """
        held = (address for gateway in all_gateways(self._backend) for address in gateway.held_at(now()))
        address = next(address for address in held if address.association_id == association_id)
        address.drain_failure = message
        if address.drained_at and address.status.at(now()) == "disassociating":
            address.end_drain(address.drained_at)

    def fail_when_associated(
        self,
        allocation_id: str,
        message: str,
        *,
        association: bool = True,
        leaves_after_seconds: float | None = None,
    ) -> None:
        """Make the next association of this EIP end as `failed` with this FailureMessage.

        Without `association` the failed address has no association id, so that nobody can disassociate it.
        It leaves by itself so many seconds after it has failed; None: it stays until it is disassociated.
        """
        leaves_after = None if leaves_after_seconds is None else timedelta(seconds=leaves_after_seconds)
        find_eip(self._backend, allocation_id).next_failure = AssociationFailure(
            message=message, keeps_association=association, leaves_after=leaves_after
        )

    def hang_when_associated(self, allocation_id: str) -> None:
        """Make the next association of this EIP stay `associating` for ever."""
        find_eip(self._backend, allocation_id).next_failure = AssociationFailure(message=None)

    def remove_address(self, allocation_id: str) -> None:
        """Take an EIP off its gateway at once, even while it associates: then EC2 refuses to disassociate."""
        for gateway in all_gateways(self._backend):
            for address in gateway.held_at(now()):
                if address.allocation_id == allocation_id:
                    gateway.traffic.cut_off(now(), str(address.association_id), now())
                    address.status.change(now(), None)
                    return
        raise ValueError(f"no gateway has {allocation_id}")

    def set_quota(self, eips_per_nat_gateway: int | None) -> None:
        """Set the applied quota of EIPs on a zonal gateway; None: there is none, and AWS's default holds."""
        settings_of(self._backend).eips_per_nat_gateway = eips_per_nat_gateway

    def add_traffic(
        self, gateway_id: str, *, per_second: float, lifetime_seconds: tuple[float, float], seed: int = 0
    ) -> None:
        """Open connections at an even pace from now on, with random lifetimes between two bounds."""
        traffic = find_gateway(self._backend, gateway_id).traffic
        traffic.add_stream(now(), per_second=per_second, lifetime_seconds=lifetime_seconds, seed=seed)

    def add_connection(self, gateway_id: str, association_id: str, *, lifetime_seconds: float) -> None:
        """Open one connection on an address in service."""
        gateway = find_gateway(self._backend, gateway_id)
        gateway.traffic.add_connection(now(), association_id, lifetime_seconds=lifetime_seconds)

    def gateway_ids(self) -> list[str]:
        """Return the ids of the gateways that are available now."""
        return [gateway.id for gateway in all_gateways(self._backend) if gateway.state == "available"]

    def connections(self, gateway_id: str) -> dict[str, int]:
        """Count the connections that are open now, per association of the gateway."""
        gateway = find_gateway(self._backend, gateway_id)
        count = gateway.traffic.count_open(now())
        held = gateway.held_at(now())
        return {a.association_id: count[a.association_id] for a in held if a.association_id}

    def active(self, gateway_id: str, zone: str | None) -> int | None:
        """Count the connections that are open now on a zonal gateway, or in a zone of a regional one.

        None: a regional gateway reports by zone only, and a zonal one without (VPC user guide, metrics).
        """
        held = find_gateway(self._backend, gateway_id).held_at(now())
        there = [str(a.association_id) for a in held if (a.zone and a.zone.name) == zone]
        return sum(self.connections(gateway_id).get(one, 0) for one in there) if there else None

    def cut(self, gateway_id: str) -> dict[str, int]:
        """Count the connections that have been cut, per association that the gateway has or had."""
        gateway = find_gateway(self._backend, gateway_id)
        count = gateway.traffic.count_cut(now())
        return {a.association_id: count[a.association_id] for a in gateway.addresses if a.association_id}
