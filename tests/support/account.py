"""The accounts in which EC2's facts are tested: a simulated one in this process, or one behind an endpoint.

A fact states only what is true of both, so it waits with a limit where EC2 gives no exact time. What only the
simulated account can do (its lags, its connections) is tested by tests without the marker `fact`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pytest
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from time_machine import Traveller

Seen = TypeVar("Seen")

TAG = "natdrain:verify"
"""The tag of everything that a run creates, from its creation on; the value names the run."""
CIDR = "10.0.0.0/24"
LONGEST_DRAIN_LIMIT_SECONDS = 4000
VIEWS_AGREE_SECONDS = 60
"""DescribeAddresses was seen 15 to 30 s behind DescribeNatGateways (kubernetes-sigs/cluster-api-provider-aws
issue 1752)."""
DELETED_SECONDS = 600
"""Deleting a gateway was seen to take about one minute; the limit is ten."""


@dataclass(frozen=True)
class Network:
    """A public gateway and the resources it needs; the lists begin with the primary address."""

    gateway_id: str
    subnet_id: str
    vpc_id: str
    allocation_ids: list[str]
    association_ids: list[str]


class Account(ABC):
    """An account and region of EC2, simulated or not, in which everything is made by API calls alone."""

    in_process: ClassVar[bool]

    def __init__(self, ec2: EC2Client, quotas: ServiceQuotasClient, run_id: str) -> None:
        self.ec2 = ec2
        self.quotas = quotas
        self.run_id = run_id
        self.created: list[str] = []
        """The id of everything that was created here, oldest first."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Let this many of EC2's seconds pass."""

    @abstractmethod
    def see(self, look: Callable[[], Seen], wanted: Seen, seconds: float) -> Seen:
        """Look until `wanted` is seen, for at most this many of EC2's seconds; return what was seen last."""

    @abstractmethod
    def network(self, addresses: int) -> Network:
        """Return a public gateway with exactly this many addresses, all in service."""

    @abstractmethod
    def draining(self) -> Network:
        """Return a public gateway whose first secondary address drains for longer than any test takes."""

    @abstractmethod
    def deleted(self) -> Network:
        """Return a public gateway that was deleted while an address drained."""

    @abstractmethod
    def spares(self, count: int) -> list[str]:
        """Return the ids of this many EIPs that nothing uses."""

    @abstractmethod
    def private_gateway(self) -> str:
        """Return a private gateway in a VPC of its own."""

    def look(self, gateway_id: str) -> Any:
        [gateway] = self.ec2.describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
        return gateway

    def statuses(self, gateway_id: str) -> dict[str, str]:
        """Return the status per association of a gateway, the primary one first."""
        return {one["AssociationId"]: one["Status"] for one in self._addresses(gateway_id)}

    def drain(self, net: Network, limit_seconds: int) -> None:
        """Begin to drain the first secondary address."""
        self.ec2.disassociate_nat_gateway_address(
            NatGatewayId=net.gateway_id,
            AssociationIds=net.association_ids[1:2],
            MaxDrainDurationSeconds=limit_seconds,
        )

    def tagged(self, resource_type: str) -> list[Any]:
        return [{"ResourceType": resource_type, "Tags": [{"Key": TAG, "Value": self.run_id}]}]

    def allocate(self) -> str:
        """Allocate an EIP, which EC2's other calls may not know yet; unlike after `allocate_and_wait`."""
        answer = self.ec2.allocate_address(Domain="vpc", TagSpecifications=self.tagged("elastic-ip"))
        return self._note(answer["AllocationId"])

    def allocate_and_wait(self, count: int) -> list[str]:
        """Allocate EIPs and wait until DescribeAddresses shows them, so that they can be associated."""
        allocation_ids = [self.allocate() for _ in range(count)]
        if allocation_ids:
            self.see(
                lambda: code_of(lambda: self.ec2.describe_addresses(AllocationIds=allocation_ids)),
                "",
                VIEWS_AGREE_SECONDS,
            )
        return allocation_ids

    def make_subnet(self) -> tuple[str, str]:
        """Create a VPC with one subnet and no routes to the outside; return the ids of both."""
        vpc = self.ec2.create_vpc(CidrBlock=CIDR, TagSpecifications=self.tagged("vpc"))["Vpc"]
        vpc_id = self._note(vpc["VpcId"])
        self.ec2.get_waiter("vpc_exists").wait(VpcIds=[vpc_id])
        subnet = self.ec2.create_subnet(
            VpcId=vpc_id, CidrBlock=CIDR, TagSpecifications=self.tagged("subnet")
        )["Subnet"]
        return vpc_id, self._note(subnet["SubnetId"])

    def attach_internet_gateway(self, vpc_id: str) -> None:
        """Attach the internet gateway that a VPC needs for a public NAT gateway (VPC user guide)."""
        answer = self.ec2.create_internet_gateway(TagSpecifications=self.tagged("internet-gateway"))
        igw_id = self._note(answer["InternetGateway"]["InternetGatewayId"])
        self.ec2.attach_internet_gateway(InternetGatewayId=igw_id, VpcId=vpc_id)

    def make_gateway(self, subnet_id: str, allocation_ids: Sequence[str] = ()) -> str:
        """Create a gateway, private if there are no EIPs; return its id while it may still be `pending`."""
        parameters: dict[str, Any] = {"ConnectivityType": "private"}
        if allocation_ids:
            parameters = {"AllocationId": allocation_ids[0]}
        if allocation_ids[1:]:
            parameters["SecondaryAllocationIds"] = list(allocation_ids[1:])
        answer = self.ec2.create_nat_gateway(
            SubnetId=subnet_id, TagSpecifications=self.tagged("natgateway"), **parameters
        )
        return self._note(answer["NatGateway"]["NatGatewayId"])

    def _network(self, gateway_id: str) -> Network:
        gateway, addresses = self.look(gateway_id), self._addresses(gateway_id)
        return Network(
            gateway_id,
            gateway["SubnetId"],
            gateway["VpcId"],
            [one["AllocationId"] for one in addresses],
            [one["AssociationId"] for one in addresses],
        )

    def _addresses(self, gateway_id: str) -> list[Any]:
        return sorted(self.look(gateway_id)["NatGatewayAddresses"], key=lambda one: not one["IsPrimary"])

    def _note(self, resource_id: str) -> str:
        self.created.append(resource_id)
        return resource_id


VERIFIED = pytest.StashKey[Account]()
"""The key of pytest's configuration for the account that is verified, if any."""


class SimulatedAccount(Account):
    """EC2 in this process, new for each test; time stands still until somebody waits."""

    in_process = True

    def __init__(self, ec2: EC2Client, quotas: ServiceQuotasClient, clock: Traveller) -> None:
        super().__init__(ec2, quotas, "in-process")
        self._clock = clock

    def wait(self, seconds: float) -> None:
        self._clock.shift(seconds)

    def see(self, look: Callable[[], Seen], wanted: Seen, seconds: float) -> Seen:
        while (seen := look()) != wanted and seconds > 0:
            self._clock.shift(1)
            seconds -= 1
        return seen

    def network(self, addresses: int) -> Network:
        vpc_id, subnet_id = self.make_subnet()
        self.attach_internet_gateway(vpc_id)
        gateway_id = self.make_gateway(subnet_id, self.spares(addresses))
        self.wait(VIEWS_AGREE_SECONDS)
        return self._network(gateway_id)

    def draining(self) -> Network:
        net = self.network(3)
        self.drain(net, LONGEST_DRAIN_LIMIT_SECONDS)
        self.wait(VIEWS_AGREE_SECONDS)
        return net

    def deleted(self) -> Network:
        net = self.draining()
        self.ec2.delete_nat_gateway(NatGatewayId=net.gateway_id)
        self.wait(VIEWS_AGREE_SECONDS)
        return net

    def spares(self, count: int) -> list[str]:
        return self.allocate_and_wait(count)

    def private_gateway(self) -> str:
        _, subnet_id = self.make_subnet()
        return self.make_gateway(subnet_id)


def code_of(call: Callable[[], object]) -> str:
    """Make a call and return EC2's error code; empty for a success."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


_ABOUT_THE_CALLER = {
    *("AccessDeniedException", "TooManyRequestsException"),  # of Service Quotas
    *("UnauthorizedOperation", "ExpiredToken", "RequestExpired", "InvalidClientTokenId"),
    *("Throttling", "InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable"),
}


def is_no_answer(error: BaseException) -> bool:
    """Return whether an error says nothing about a fact: rights, quotas, throttling, the network."""
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        return code in _ABOUT_THE_CALLER or code.endswith("LimitExceeded")
    return isinstance(error, BotoCoreError)
