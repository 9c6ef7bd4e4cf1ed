"""The simulated EC2, with time standing still at a known instant until a test moves it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from moto import mock_aws

from natdrain_sim.ec2 import Simulation, install

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

START = datetime(2026, 10, 2, 17, tzinfo=UTC)


@dataclass(frozen=True)
class Network:
    """A gateway in service, and what it stands on; the lists begin with the primary address."""

    gateway_id: str
    subnet_id: str
    vpc_id: str
    allocation_ids: list[str]
    association_ids: list[str]


BuildNetwork = Callable[..., Network]
Statuses = Callable[[Network], dict[str, str]]
Refused = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Keep one session, so that EC2's large service model is read once and not for every test."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def ec2(clock: time_machine.Traveller, session: boto3.Session) -> Iterator["EC2Client"]:  # noqa: ARG001  # time must stand still
    install()
    with mock_aws():
        yield session.client("ec2")


@pytest.fixture
def simulation(ec2: "EC2Client") -> Simulation:  # noqa: ARG001  # moto must be there
    return Simulation()


@pytest.fixture
def network(ec2: "EC2Client", simulation: Simulation) -> BuildNetwork:
    """Build a VPC, a subnet, tagged EIPs and a gateway that has held them for a day."""

    def build(addresses: int = 3, cidr: str = "10.0.0.0/24") -> Network:
        vpc_id = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr)["Subnet"]["SubnetId"]
        allocation_ids = [simulation.add_address(tags={"team": "egress"}) for _ in range(addresses)]
        gateway_id = simulation.add_nat_gateway(subnet_id, allocation_ids, tags={"Name": "egress-a"})
        [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
        association_ids = [address["AssociationId"] for address in gateway["NatGatewayAddresses"]]
        return Network(gateway_id, subnet_id, vpc_id, allocation_ids, association_ids)

    return build


@pytest.fixture
def net(network: BuildNetwork) -> Network:
    return network()


@pytest.fixture
def statuses(ec2: "EC2Client") -> Statuses:
    """Describe a gateway's addresses: status per association id."""

    def look(net: Network) -> dict[str, str]:
        [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[net.gateway_id])["NatGateways"]
        return {one["AssociationId"]: one["Status"] for one in gateway["NatGatewayAddresses"]}

    return look


@pytest.fixture
def refused() -> Refused:
    """Expect EC2 to refuse a call with a code, and perhaps with a text."""

    @contextmanager
    def expect(code: str, text: str = "") -> Iterator[None]:
        with pytest.raises(ClientError) as caught:
            yield
        error = caught.value.response["Error"]
        assert error["Code"] == code
        assert text in error["Message"]

    return expect
