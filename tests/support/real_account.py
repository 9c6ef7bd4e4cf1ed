"""An account behind an endpoint: one gateway is shared by all facts, and restored between them.

A new gateway for each fact would take minutes and cost money, and the default quotas are small: five EIPs
in a region, two on a gateway (VPC user guide, "Amazon VPC quotas").
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from support.account import DELETED_SECONDS, LONGEST_DRAIN_LIMIT_SECONDS, TAG, Account, Network, Seen

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_service_quotas import ServiceQuotasClient

STALE_SECONDS = 15
"""The time after a change until which a look may still show the state before it."""
CHANGED_SECONDS = 180
"""The time that an address may take to join or leave; after it, another gateway is made."""
CREATED_SECONDS = 600
LOOK_EVERY_SECONDS = 5
SHORTEST_PAUSE_REAL_SECONDS = 0.05
GRACE_REAL_SECONDS = 5.0
_CHANGING = (
    "AssociateNatGatewayAddress",
    "DisassociateNatGatewayAddress",
    "DeleteNatGateway",
    "ReleaseAddress",
)


@dataclass(frozen=True)
class Pace:
    """The speed of time in the account: real time, or `speed` times as fast in an embedded cloud.

    Its time never runs faster than its speed, but slower on a busy machine: hence the grace.
    """

    speed: float | None = None

    def sleep(self, seconds: float) -> None:
        """Let this many of EC2's seconds pass."""
        time.sleep(seconds / (self.speed or 1))

    def see(self, look: Callable[[], Seen], wanted: Seen, seconds: float) -> Seen:
        """Look until `wanted` is seen, for at most this many of EC2's seconds; return what was seen last."""
        grace = GRACE_REAL_SECONDS if self.speed else 0
        until = time.monotonic() + seconds / (self.speed or 1) + grace
        while (seen := look()) != wanted and time.monotonic() < until:
            time.sleep(max(SHORTEST_PAUSE_REAL_SECONDS, LOOK_EVERY_SECONDS / (self.speed or 1)))
        return seen


class NotThereError(Exception):
    """The error of an account that does not reach the state that a fact needs."""


class RealAccount(Account):
    """EC2 behind an endpoint. Call `prepare` first; `cleanup` removes what it creates."""

    in_process = False

    def __init__(self, ec2: EC2Client, quotas: ServiceQuotasClient, run_id: str, pace: Pace) -> None:
        super().__init__(ec2, quotas, run_id)
        self.pace = pace
        self._net: Network | None = None
        self._drains_long = False
        self._is = ""
        """The known state of the gateway; empty after every change."""
        for operation in _CHANGING:
            ec2.meta.events.register(f"after-call.ec2.{operation}", self._note_change)

    def prepare(self) -> None:
        """Create everything that costs money: first the EIPs, whose quota is the likeliest to be short."""
        allocation_ids = [self.allocate() for _ in range(2)]
        _, private_subnet_id = self.make_subnet()
        self._private = self.make_gateway(private_subnet_id)
        vpc_id, self._subnet_id = self.make_subnet()
        self.attach_internet_gateway(vpc_id)
        self._gateway_id = self.make_gateway(self._subnet_id, allocation_ids)
        for gateway_id in (self._private, self._gateway_id):
            self._require(partial(self._state, gateway_id), "available", CREATED_SECONDS)

    def wait(self, seconds: float) -> None:
        self.pace.sleep(seconds)

    def see(self, look: Callable[[], Seen], wanted: Seen, seconds: float) -> Seen:
        return self.pace.see(look, wanted, seconds)

    def private_gateway(self) -> str:
        return self._private

    def spares(self, count: int) -> list[str]:
        """Return EIPs of this run that are free, after allocating what is missing."""
        free = [one["AllocationId"] for one in self._eips() if "AssociationId" not in one]
        return (free + self.allocate_and_wait(count - len(free)))[:count]

    def network(self, addresses: int) -> Network:
        return self._bring(str(addresses), lambda: self._restore(addresses))

    def draining(self) -> Network:
        """Begin a long drain on the shared gateway, with three addresses if the quota allows it."""
        return self._bring("draining", self._begin_long_drain)

    def deleted(self) -> Network:
        """Delete the shared gateway, unless that was done already."""
        return self._bring("deleted", self._delete)

    def _note_change(self, http_response: Any, **_: Any) -> None:
        if http_response.status_code < 300:
            self._is = ""

    def _bring(self, wanted: str, how: Callable[[], Network]) -> Network:
        if self._net is None or self._is != wanted:
            self._net = how()
            self._is = wanted
        return self._net

    def _restore(self, addresses: int) -> Network:
        self.wait(STALE_SECONDS)
        if not self._serves():
            self._replace()
        self._wait_until_views_agree()
        held = list(self.statuses(self._gateway_id))
        if held[addresses:]:
            self.ec2.disassociate_nat_gateway_address(
                NatGatewayId=self._gateway_id, AssociationIds=held[addresses:], MaxDrainDurationSeconds=1
            )
        if spares := self.spares(max(0, addresses - len(held))):
            self.ec2.associate_nat_gateway_address(NatGatewayId=self._gateway_id, AllocationIds=spares)
        wanted = ["succeeded"] * addresses
        self._require(lambda: list(self.statuses(self._gateway_id).values()), wanted, CHANGED_SECONDS)
        self._wait_until_views_agree()
        return self._network(self._gateway_id)

    def _serves(self) -> bool:
        """Return whether the gateway is in service, once addresses that join or leave have done so."""
        if self._drains_long or self._state(self._gateway_id) != "available":
            return False
        statuses = self.see(
            lambda: set(self.statuses(self._gateway_id).values()), {"succeeded"}, CHANGED_SECONDS
        )
        return statuses == {"succeeded"}

    def _replace(self) -> None:
        if self._state(self._gateway_id) != "deleted":
            self._delete_and_wait()
        self._wait_until_views_agree()
        self._gateway_id = self.make_gateway(self._subnet_id, self.spares(2))
        self._drains_long = False
        self._require(lambda: self._state(self._gateway_id), "available", CREATED_SECONDS)

    def _begin_long_drain(self) -> Network:
        try:
            net = self.network(3)
        except (ClientError, NotThereError):  # by default the quota is two addresses
            net = self.network(2)
        self._drains_long = True
        self.drain(net, LONGEST_DRAIN_LIMIT_SECONDS)
        self._require(
            lambda: self.statuses(net.gateway_id)[net.association_ids[1]], "disassociating", CHANGED_SECONDS
        )
        return net

    def _delete(self) -> Network:
        if self._net and self._state(self._net.gateway_id) == "deleted":
            return self._net
        net = self.draining()
        self._delete_and_wait()
        return net

    def _delete_and_wait(self) -> None:
        self.ec2.delete_nat_gateway(NatGatewayId=self._gateway_id)
        self._require(lambda: self._state(self._gateway_id), "deleted", DELETED_SECONDS)

    def _wait_until_views_agree(self) -> None:
        def agree() -> bool:
            shown = {one["AssociationId"] for one in self._eips() if "AssociationId" in one}
            return shown == set(self.statuses(self._gateway_id))

        self._require(agree, wanted=True, seconds=CHANGED_SECONDS)

    def _require(self, look: Callable[[], Seen], wanted: Seen, seconds: float) -> None:
        if (seen := self.see(look, wanted, seconds)) != wanted:
            raise NotThereError(f"{self._gateway_id}: {seen} after {seconds} s, where {wanted} was awaited")

    def _state(self, gateway_id: str) -> str:
        try:
            return str(self.look(gateway_id)["State"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "NatGatewayNotFound":
                return "not shown yet"  # EC2's views lag behind what it has just created
            raise

    def _eips(self) -> list[Any]:
        answer = self.ec2.describe_addresses(Filters=[{"Name": f"tag:{TAG}", "Values": [self.run_id]}])
        return list(answer["Addresses"])
