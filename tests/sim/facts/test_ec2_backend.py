"""The simulated EC2 as a part of moto, which resets it and serves it over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from moto.server import ThreadedMotoServer

from natdrain_sim.ec2 import Lags, Simulation, install

if TYPE_CHECKING:
    from conftest import Network, Refused


@pytest.mark.usefixtures("clock")
def test_settings_and_gateways_are_reset_with_moto(session: boto3.Session) -> None:
    install()
    for _ in range(2):
        with mock_aws():
            ec2 = session.client("ec2")
            vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
            subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
            allocation_id = ec2.allocate_address(Domain="vpc")["AllocationId"]
            gateway = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=allocation_id)["NatGateway"]
            assert gateway["State"] == "available"
            assert len(ec2.describe_nat_gateways()["NatGateways"]) == 1
            Simulation().configure(lags=Lags(create_gateway=60))


def test_regions_are_isolated(net: Network, session: boto3.Session, refused: Refused) -> None:
    elsewhere = session.client("ec2", region_name="eu-west-1")
    with refused("NatGatewayNotFound"):
        elsewhere.describe_nat_gateways(NatGatewayIds=[net.gateway_id])


def test_server_gives_the_same_response_as_the_process(session: boto3.Session) -> None:
    """Over HTTP, on the real clock."""
    install()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        ec2 = session.client("ec2", endpoint_url=f"http://{host}:{port}")
        subnet_id = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        first, second = (ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(2))
        gateway = ec2.create_nat_gateway(
            SubnetId=subnet_id, AllocationId=first, SecondaryAllocationIds=[second]
        )["NatGateway"]
        association_id = gateway["NatGatewayAddresses"][1]["AssociationId"]
        answer = ec2.disassociate_nat_gateway_address(
            NatGatewayId=gateway["NatGatewayId"], AssociationIds=[association_id]
        )
        assert answer["NatGatewayAddresses"][0]["Status"] == "disassociating"
    finally:
        server.stop()
