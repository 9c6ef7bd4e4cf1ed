"""Methods of moto that the simulated NAT gateways replace: a moto without one of them fails here.

Another process reads moto's source, because `install` changes moto's classes for the whole process.
"""

import subprocess
import sys
from functools import cache

import pytest

from natdrain_sim.ec2 import SEAM, install

PRINT_METHODS = """
import inspect
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.responses import EC2Response
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses
from moto.ec2.responses.nat_gateways import NatGateways
assert issubclass(EC2Backend, NatGatewayBackend) and issubclass(EC2Backend, ElasticAddressBackend)
assert issubclass(EC2Response, NatGateways) and issubclass(EC2Response, ElasticIPAddresses)
for owner in (NatGatewayBackend, NatGateways, ElasticAddressBackend, ElasticIPAddresses):
    for name, method in sorted(vars(owner).items()):
        if not name.startswith("_"):
            print(f"{owner.__name__}.{name}({', '.join(inspect.signature(method).parameters)})")
"""


@cache
def moto_methods() -> frozenset[str]:
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_METHODS], check=True, capture_output=True, text=True
    )
    return frozenset(printed.stdout.split("\n"))


@pytest.mark.parametrize(
    "method",
    [
        "NatGateways.create_nat_gateway(self)",
        "NatGateways.delete_nat_gateway(self)",
        "NatGateways.describe_nat_gateways(self)",
        "NatGatewayBackend.create_nat_gateway(self, subnet_id, allocation_id, tags, connectivity_type)",
        "NatGatewayBackend.delete_nat_gateway(self, nat_gateway_id)",
        "NatGatewayBackend.describe_nat_gateways(self, filters, nat_gateway_ids)",
        "ElasticIPAddresses.allocate_address(self)",
        "ElasticAddressBackend.allocate_address(self, domain, address, tags)",
        "ElasticAddressBackend.describe_addresses(self, allocation_ids, public_ips, filters)",
        "ElasticAddressBackend.release_address(self, address, allocation_id)",
    ],
)
def test_moto_has_the_method_that_is_replaced(method: str) -> None:
    assert method in moto_methods()


@pytest.mark.parametrize("action", ["associate_nat_gateway_address", "disassociate_nat_gateway_address"])
def test_moto_still_lacks_the_actions_that_are_added(action: str) -> None:
    """If moto adds its own, ours may be removed."""
    assert not [line for line in moto_methods() if f".{action}(" in line]


def test_every_replaced_or_added_method_is_on_motos_class_after_install() -> None:
    install()
    for moto_class, ours in SEAM.items():
        for name, method in vars(ours).items():
            if not name.startswith("_"):
                assert vars(moto_class)[name] is method


def test_install_twice_changes_nothing() -> None:
    install()
    once = [dict(vars(moto_class)) for moto_class in SEAM]
    install()
    assert [dict(vars(moto_class)) for moto_class in SEAM] == once
