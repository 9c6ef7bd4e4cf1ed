"""EC2's NAT gateways on top of moto, with addresses that take time to associate and to drain.

Call `install()` before creating anything. The time is that of moto's clock, which the caller may simulate.
`Simulation` configures the simulated EC2; everything else goes through the EC2 API.
"""

import os

from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend as _MotoElasticAddressBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend as _MotoNatGatewayBackend
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses as _MotoElasticIPAddresses
from moto.ec2.responses.nat_gateways import NatGateways as _MotoNatGateways

from .elastic_ips import ElasticAddressBackend
from .nat_gateways import NatGatewayBackend
from .responses import ElasticIPAddresses, NatGateways
from .settings import Lags
from .simulation import ACCOUNT, REGION, Simulation

__all__ = ["ACCOUNT", "REGION", "SEAM", "Lags", "Simulation", "install"]

SEAM: dict[type, type] = {
    _MotoElasticAddressBackend: ElasticAddressBackend,
    _MotoElasticIPAddresses: ElasticIPAddresses,
    _MotoNatGatewayBackend: NatGatewayBackend,
    _MotoNatGateways: NatGateways,
}
"""moto's classes, and ours whose methods they are given."""


def install() -> None:
    """Set our methods on moto's classes, for the whole process; a second call changes nothing."""
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # not needed, and slow to read
    for moto_class, ours in SEAM.items():
        for name, method in vars(ours).items():
            if not name.startswith("_"):
                setattr(moto_class, name, method)
