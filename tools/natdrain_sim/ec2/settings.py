"""Settings of the simulated EC2 per account and region, kept in moto's backend so that moto resets them."""

from dataclasses import dataclass, field
from random import Random

from moto.ec2.models import EC2Backend
from pydantic import NonNegativeFloat


@dataclass(frozen=True, kw_only=True)
class Lags:
    """Delays of the simulated EC2, in seconds, and what is not documented of it.

    In public reports DescribeAddresses was 15 to 30 s behind DescribeNatGateways, and an idle address left 10
    to 40 s after its drain limit. That associating takes tens of seconds is inferred from how long tests of
    Terraform's provider took; the other defaults are plausible, not measured.
    """

    describe_nat_gateways: NonNegativeFloat = 2
    """The age of what DescribeNatGateways shows, except that a gateway's creation shows at once."""
    describe_addresses: NonNegativeFloat = 20
    """The age of what DescribeAddresses shows; until then a new EIP cannot be associated either."""
    associate: NonNegativeFloat = 30
    """The time for which an address is `associating`."""
    expand_zone: NonNegativeFloat = 600
    """The same in a zone where a regional gateway has nothing in service; up to an hour (VPC user guide)."""
    leave_after_limit: tuple[float, float] = (0, 40)
    """The bounds of the random time from the drain limit until an address leaves."""
    leave_when_idle: bool = False
    """An address leaves before the limit when its last connection ends."""
    draining_association: bool = True
    """DescribeNatGateways shows the association id of an address that drains (inferred)."""
    create_gateway: NonNegativeFloat = 0
    """The time for which a new gateway is `pending`."""
    delete_gateway: NonNegativeFloat = 30
    """The time for which a gateway is `deleting`."""


DEFAULT_EIPS_PER_NAT_GATEWAY = 2
"""AWS's default of the quota; it can be raised to eight (VPC user guide, "Amazon VPC quotas")."""


@dataclass
class Settings:
    """The lags, the quota and the random numbers of one account and region."""

    eips_per_nat_gateway: int | None = 8
    """The applied quota; None: AWS's default holds, and Service Quotas has no applied one."""
    lags: Lags = field(default_factory=Lags)
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - a simulation


def settings_of(backend: EC2Backend) -> Settings:
    """Return the settings of a backend, the same until moto resets it."""
    settings: Settings = vars(backend).setdefault("nat_gateway_settings", Settings())
    return settings
