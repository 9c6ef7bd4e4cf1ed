"""The quota of EIPs on a NAT gateway, which Service Quotas tells and EC2 applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from support.account import code_of

if TYPE_CHECKING:
    from conftest import Network, Refused
    from mypy_boto3_ec2 import EC2Client

    from natdrain_sim.ec2 import Simulation
    from support.account import Account

QUOTA: Any = {"ServiceCode": "vpc", "QuotaCode": "L-5F53652F"}


@pytest.mark.fact("AWS's default quota of EIPs on a public NAT gateway is 2.", "documented")
def test_default_quota_is_two(account: Account) -> None:
    quota = account.quotas.get_aws_default_service_quota(**QUOTA)["Quota"]
    assert (quota["Value"], quota["QuotaCode"]) == (2, "L-5F53652F")


@pytest.mark.fact("The applied quota of EIPs on a public NAT gateway is 2 to 8, or not found.", "documented")
def test_applied_quota_is_two_to_eight_or_not_found(account: Account) -> None:
    """That a quota which was never raised may not be found: Service Quotas API reference."""
    get = account.quotas.get_service_quota
    if code_of(lambda: get(**QUOTA)) != "NoSuchResourceException":
        assert 2 <= get(**QUOTA)["Quota"]["Value"] <= 8


def test_applied_quota_has_been_raised_to_eight(account: Account) -> None:
    assert account.quotas.get_service_quota(**QUOTA)["Quota"]["Value"] == 8


def test_applied_quota_is_the_one_that_was_set(account: Account, simulation: Simulation) -> None:
    simulation.set_quota(5)
    assert account.quotas.get_service_quota(**QUOTA)["Quota"]["Value"] == 5


def test_quota_that_was_never_applied_is_not_found(
    account: Account, simulation: Simulation, refused: Refused
) -> None:
    simulation.set_quota(None)
    with refused("NoSuchResourceException"):
        account.quotas.get_service_quota(**QUOTA)


@pytest.mark.parametrize("call", ["get_service_quota", "get_aws_default_service_quota"])
def test_other_quotas_are_motos(account: Account, refused: Refused, call: str) -> None:
    get = getattr(account.quotas, call)
    assert get(ServiceCode="vpc", QuotaCode="L-FE5A380F")["Quota"]["Value"] == 5
    with refused("NoSuchResourceException"):
        get(ServiceCode="vpc", QuotaCode="L-00000000")


@pytest.mark.parametrize("quota", [(None, 2), (3, 3), (8, 8)])
def test_associate_refuses_more_addresses_than_the_quota(
    ec2: EC2Client, alone: Network, simulation: Simulation, refused: Refused, quota: tuple[int | None, int]
) -> None:
    applied, most = quota
    simulation.set_quota(applied)
    eips = [simulation.add_address() for _ in range(most)]
    with refused("PrivateIpAddressLimitExceeded", str(most)):
        ec2.associate_nat_gateway_address(NatGatewayId=alone.gateway_id, AllocationIds=eips)
    assert ec2.associate_nat_gateway_address(NatGatewayId=alone.gateway_id, AllocationIds=eips[1:])


def test_create_refuses_more_addresses_than_the_quota(
    account: Account, net: Network, simulation: Simulation, refused: Refused
) -> None:
    simulation.set_quota(2)
    with refused("PrivateIpAddressLimitExceeded"):
        account.make_gateway(net.subnet_id, account.spares(3))


def test_lowered_quota_leaves_the_addresses_of_a_gateway(
    account: Account, ec2: EC2Client, net: Network, simulation: Simulation, refused: Refused
) -> None:
    simulation.set_quota(2)
    assert len(account.look(net.gateway_id)["NatGatewayAddresses"]) == 3
    with refused("PrivateIpAddressLimitExceeded"):
        ec2.associate_nat_gateway_address(NatGatewayId=net.gateway_id, AllocationIds=account.spares(1))


def test_quota_does_not_concern_regional_gateways(
    account: Account, ec2: EC2Client, simulation: Simulation
) -> None:
    simulation.set_quota(1)
    vpc_id, _ = account.make_subnet()
    zone = {"AvailabilityZone": "us-east-1a", "AllocationIds": account.spares(9)}
    ec2.create_nat_gateway(AvailabilityMode="regional", VpcId=vpc_id, AvailabilityZoneAddresses=[zone])


@pytest.mark.usefixtures("simulation")
def test_server_tells_both_quotas(session: boto3.Session) -> None:
    """Over HTTP, on the real clock."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = session.client("service-quotas", endpoint_url=f"http://{host}:{port}")
        applied = client.get_service_quota(**QUOTA)["Quota"]["Value"]
        default = client.get_aws_default_service_quota(**QUOTA)["Quota"]["Value"]
    finally:
        server.stop()
    assert (applied, default) == (8, 2)
