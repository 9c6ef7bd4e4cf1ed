"""The hand on the simulated EC2 of one account and region: what no AWS call can do."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import EC2Backend, ec2_backends

from .lookups import all_gateways, find_gateway
from .nat_gateways import NatGatewayBackend
from .settings import Lags, settings_of
from .timeline import now

_SETTLED = timedelta(days=1)


class Simulation:
    """The NAT gateways of one account and region. The state is moto's: resetting moto resets it."""

    def __init__(self, region: str = "us-east-1", account_id: str = DEFAULT_ACCOUNT_ID) -> None:
        self._region = region
        self._account_id = account_id

    @property
    def _backend(self) -> EC2Backend:
        # Looked up each time: starting a mock replaces moto's backends.
        return ec2_backends[self._account_id][self._region]

    def configure(self, *, lags: Lags | None = None, seed: int | None = None) -> None:
        """Set how long things take, and the seed of what is drawn; for what begins from now on."""
        settings = settings_of(self._backend)
        if lags is not None:
            settings.lags = lags
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
        gateway_id: str | None = None,
        association_ids: Sequence[str | None] = (),
        private_ips: Sequence[str | None] = (),
        tags: Mapping[str, str] | None = None,
        created_at: datetime | None = None,
    ) -> str:
        """Create a gateway with given ids, in service since `created_at` (by default a day ago).

        The first allocation is the primary one; `association_ids` and `private_ips` go with them in order.
        Without allocations it is a private gateway.

        Returns:
            The id of the gateway.

        Raises:
            EC2ClientError: CreateNatGateway would refuse it.
        """
        gateway = cast("NatGatewayBackend", self._backend).create_nat_gateway(
            subnet_id,
            allocation_ids[0] if allocation_ids else None,
            tags=dict(tags or {}),
            connectivity_type="public" if allocation_ids else "private",
            secondary_allocation_ids=allocation_ids[1:],
            wanted_private_ips=private_ips,
            gateway_id=gateway_id,
            association_ids=association_ids,
            created_at=created_at or now() - _SETTLED,
        )
        return gateway.id

    def set_gateway_state(self, gateway_id: str, state: str) -> None:
        """Put a gateway into a state (`failed`, `pending`, …) that DescribeNatGateways shows one lag later.

        Its addresses stay as they are; to delete it with them, call DeleteNatGateway.
        """
        find_gateway(self._backend, gateway_id).states.change(now(), state)

    def fail_when_drained(self, association_id: str, message: str) -> None:
        """Let a drain of this association, running or to come, end as `failed` with this FailureMessage.

        Raises:
            KeyError: no gateway holds such an association.
        """
        for gateway in all_gateways(self._backend):
            for address in gateway.held_at(now()):
                if address.association_id == association_id:
                    address.failure_message = message
                    if address.gone_at and address.status.at(now()) == "disassociating":
                        address.finish(address.gone_at)
                    return
        raise KeyError(association_id)

    def add_traffic(
        self, gateway_id: str, *, per_second: float, lifetime_seconds: tuple[float, float], seed: int = 0
    ) -> None:
        """Start connections at an even pace from now on, spread evenly over the addresses in service.

        Their lifetimes are drawn uniformly between the two bounds.
        """
        find_gateway(self._backend, gateway_id).traffic.add_stream(
            now(), per_second=per_second, lifetime_seconds=lifetime_seconds, seed=seed
        )

    def add_connection(self, gateway_id: str, association_id: str, *, lifetime_seconds: float) -> None:
        """Open one connection on one address.

        Raises:
            ValueError: the address is not in service, so it takes no new connection.
        """
        gateway = find_gateway(self._backend, gateway_id)
        gateway.traffic.place(now(), association_id, lifetime_seconds=lifetime_seconds)

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
