"""The hand on the simulated EC2: what no AWS call can do."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import zip_longest
from typing import Any, cast

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import EC2Backend, ec2_backends

from .models import NatGateway
from .nat_gateways import NatGatewayBackend, all_gateways, find_gateway
from .regional import RegionalNatGateway
from .settings import Lags, settings_of
from .timeline import now

ACCOUNT, REGION = DEFAULT_ACCOUNT_ID, "us-east-1"


class Simulation:
    """The NAT gateways of the account in this region. The state is moto's: resetting moto resets it."""

    @property
    def _backend(self) -> EC2Backend:
        # Looked up each time: starting a mock replaces moto's backends.
        return ec2_backends[ACCOUNT][REGION]

    def configure(self, *, lags: Lags | None = None, seed: int | None = None) -> None:
        """Set how long things take, and the seed of what is drawn; for what begins from now on."""
        settings = settings_of(self._backend)
        settings.lags = lags or settings.lags
        if seed is not None:
            settings.delays = random.Random(seed)  # noqa: S311  # a simulation

    def add_address(
        self,
        *,
        allocation_id: str | None = None,
        public_ip: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Allocate an EIP with given ids and return its allocation id."""
        eip = self._backend.allocate_address("vpc", address=public_ip)
        eip.id = eip.allocation_id = allocation_id or eip.allocation_id
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
        """Create a gateway that has been there for a day, and return its id; without EIPs it is private.

        With `zones`, the name or id of one for each allocation, it is a regional gateway of the subnet's VPC.
        `automatic` is regional too, and AWS manages its EIPs: those given, or else some of AWS's own.

        The first allocation of a zonal one is primary; `association_ids` and `private_ips` go with them in
        order. What CreateNatGateway would refuse raises moto's exception for it.
        """
        backend, subnet = self._backend, self._backend.get_subnet(subnet_id)
        given: dict[str, Any] = {"gateway_id": gateway_id, "created_at": now() - timedelta(days=1)}
        if zones or automatic:
            gateway: NatGateway = RegionalNatGateway(backend, subnet.vpc_id, automatic=automatic, **given)
        else:
            kind = "public" if allocation_ids else "private"
            gateway = NatGateway(backend, subnet, connectivity_type=kind, **given)
        served = dict(zip_longest(allocation_ids, zones))
        cast("NatGatewayBackend", backend).set_up_nat_gateway(gateway, served, dict(tags or {}), private_ips)
        for address, association_id in zip(gateway.addresses, association_ids, strict=False):
            address.association_id = association_id or address.association_id
        return gateway.id

    def set_gateway_state(self, gateway_id: str, state: str) -> None:
        """Put a gateway into a state that DescribeNatGateways shows one lag later; its addresses stay."""
        find_gateway(self._backend, gateway_id).states.change(now(), state)

    def fail_when_drained(self, association_id: str, message: str) -> None:
        """Let a drain of this association, running or to come, end as `failed` with this FailureMessage."""
        held = (one for gateway in all_gateways(self._backend) for one in gateway.held_at(now()))
        address = {one.association_id: one for one in held}[association_id]
        address.failure_message = message
        if address.gone_at and address.status.at(now()) == "disassociating":
            address.finish(address.gone_at)

    def add_traffic(
        self, gateway_id: str, *, per_second: float, lifetime_seconds: tuple[float, float], seed: int = 0
    ) -> None:
        """Start connections at an even pace from now on, with lifetimes drawn between the two bounds."""
        traffic = find_gateway(self._backend, gateway_id).traffic
        traffic.add_stream(now(), per_second=per_second, lifetime_seconds=lifetime_seconds, seed=seed)

    def add_connection(self, gateway_id: str, association_id: str, *, lifetime_seconds: float) -> None:
        """Open one connection on one address, which must be in service."""
        gateway = find_gateway(self._backend, gateway_id)
        gateway.traffic.place(now(), association_id, lifetime_seconds=lifetime_seconds)

    def gateway_ids(self) -> list[str]:
        """Return the gateways that carry traffic now."""
        return [gateway.id for gateway in all_gateways(self._backend) if gateway.state == "available"]

    def connections(self, gateway_id: str) -> dict[str, int]:
        """Count the connections open now, per association that the gateway holds."""
        gateway = find_gateway(self._backend, gateway_id)
        count = gateway.traffic.open(now())
        held = gateway.held_at(now())
        return {a.association_id: count[a.association_id] for a in held if a.association_id}

    def cut(self, gateway_id: str) -> dict[str, int]:
        """Count the connections cut until now, per association that the gateway ever had."""
        gateway = find_gateway(self._backend, gateway_id)
        count = gateway.traffic.cut(now())
        return {a.association_id: count[a.association_id] for a in gateway.addresses if a.association_id}
