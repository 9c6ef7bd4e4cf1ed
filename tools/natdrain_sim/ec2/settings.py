"""What can be set per account and region; kept in moto's backend object, so that moto resets it."""

import random
from dataclasses import dataclass, field

from moto.ec2.models import EC2Backend


@dataclass(frozen=True, kw_only=True)
class Lags:
    """How long things take in the simulated EC2, in seconds.

    DescribeAddresses was seen 15 to 30 s behind DescribeNatGateways, and an idle address 10 to 40 s behind
    its drain limit, in public reports; the other defaults are plausible, not measured.
    """

    describe_nat_gateways: float = 2
    """How old the view of DescribeNatGateways is. A gateway's creation is seen at once."""
    describe_addresses: float = 20
    """How old the view of DescribeAddresses is."""
    associate: float = 5
    """How long an address is `associating`."""
    leave_after_limit: tuple[float, float] = (0, 40)
    """An address leaves this long after the drain limit: drawn uniformly, seeded."""
    leave_when_idle: bool = False
    """Whether an address already leaves when its last connection ends."""
    create_gateway: float = 0
    """How long a new gateway is `pending`."""
    delete_gateway: float = 30
    """How long a gateway is `deleting`."""


@dataclass
class Settings:
    """How the simulated EC2 of one account and region behaves."""

    lags: Lags = field(default_factory=Lags)
    delays: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # a simulation


def settings_of(backend: EC2Backend) -> Settings:
    """Return the settings of a backend; the same ones until moto resets it."""
    settings: Settings = vars(backend).setdefault("nat_gateway_settings", Settings())
    return settings
