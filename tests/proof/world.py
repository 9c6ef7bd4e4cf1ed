"""An embedded cloud with a meddler, and gateways that each have addresses which must not be touched.

Its addresses, by number: 0 is primary, 1 and 2 may go, 3 is protected, 4 is not opted in, 5 may go too.
"""

from __future__ import annotations

import contextvars
import itertools
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import REGION, Lags
from natdrain_sim.ec2.models import NatGatewayAddress
from natdrain_sim.ec2.nat_gateways import all_gateways
from natdrain_sim.synthesis import EXAMPLE
from proof.meddling import Meddler, seeing_states

MANAGED = {"natdrain:managed": "true"}
PROTECTED = {**MANAGED, "natdrain:protect": "yes"}
TAGS = [MANAGED, MANAGED, MANAGED, PROTECTED, {}, MANAGED]
UNTOUCHABLE = (0, 3, 4)
REMAINING = 4
"""The number of addresses that must stay in service: of a gateway's six, two may go."""
LEAVES_AFTER_LIMIT_SECONDS = 12
"""A fixed delay past the first look after the limit, so that each drain has more than one look."""


class Ending(NamedTuple):
    """The end of an execution; the result is the output or, where it is JSON, the cause."""

    execution: str
    status: str
    error: str | None
    result: dict[str, Any] | None
    at: datetime

    @property
    def outcome(self) -> str:
        """Return the outcome in one word."""
        if self.status == "ABORTED":
            return "stopped"
        return str(self.result["Outcome"]) if self.result else "unrecorded"


@dataclass
class World:
    """The cloud, with methods to start executions and to read their effects."""

    cloud: EmbeddedCloud
    meddler: Meddler
    subnet: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def gateway(self, zones: Sequence[str] = ()) -> Gateway:
        """Add a gateway, with `zones` a regional one whose addresses take turns in them.

        Nothing is counted yet of what automatic requests have taken off.
        """
        self.leaves_after(LEAVES_AFTER_LIMIT_SECONDS)
        key = {"NatGatewayId": {"S": "pace"}, "Record": {"S": "pace"}}
        self.cloud.client("dynamodb").delete_item(TableName=self.cloud.outputs["TableName"], Key=key)
        number = next(self._numbers)
        ips = [f"203.0.{number % 250}.{last}" for last in range(len(TAGS))]
        simulation = self.cloud.simulation
        ids = [simulation.add_address(public_ip=ip, tags=tags) for ip, tags in zip(ips, TAGS, strict=True)]
        served = [zones[place % len(zones)] for place in range(len(ids))] if zones else ()
        gateway_id = simulation.add_nat_gateway(self.subnet, ids, zones=served, tags=MANAGED)
        return Gateway(
            self,
            gateway_id,
            [address.association_id for address in self.truth(gateway_id)],
            ids,
            ips,
            regional=bool(zones),
        )

    def spares(self, count: int = 1, *, tags: dict[str, str] = MANAGED) -> tuple[str, ...]:
        """Allocate Elastic IPs that are free and a while old."""
        return tuple(self.cloud.simulation.add_address(tags=tags) for _ in range(count))

    def leaves_after(self, seconds: int, *, association: bool = True) -> None:
        """Let addresses leave this long after their limit, in drains that begin from now on.

        Without `association` DescribeNatGateways shows them without their association id meanwhile.
        """
        lags = Lags(leave_after_limit=(seconds, seconds), draining_association=association)
        self.cloud.simulation.configure(lags=lags)

    def owns(self, allocation_id: str) -> bool:
        """Return whether the account still has the allocation."""
        backend = self.cloud.simulation._backend
        return any(eip.allocation_id == allocation_id for eip in backend.addresses)

    def owner(self, gateway_id: str) -> str | None:
        """Return the holder of the gateway's lock."""
        key = {"NatGatewayId": {"S": gateway_id}, "Record": {"S": "lock"}}
        given = {"TableName": self.cloud.outputs["TableName"], "Key": key, "ConsistentRead": True}
        item = contextvars.Context().run(lambda: self.cloud.client("dynamodb").get_item(**given))
        return item.get("Item", {}).get("Owner", {}).get("S")

    def truth(self, gateway_id: str) -> list[NatGatewayAddress]:
        """Return every address that the gateway ever had, with its status over time: no call and no lag."""
        (found,) = (one for one in all_gateways(self.cloud.simulation._backend) if one.id == gateway_id)
        return found.addresses

    def run(self, request: object) -> Ending:
        return self.wait(self.start(request))

    def start(self, request: object) -> str:
        given = {"stateMachineArn": self.cloud.change_state_machine_arn, "input": json.dumps(request)}
        return str(self.cloud.client("stepfunctions").start_execution(**given)["executionArn"])

    def wait(self, execution: str) -> Ending:
        def described() -> Any:
            return self.cloud.client("stepfunctions").describe_execution(executionArn=execution)

        self.cloud.clock.run_until(lambda: described()["status"] != "RUNNING")
        ended = described()
        return Ending(execution, ended["status"], ended.get("error"), _result(ended), ended["stopDate"])

    def settle(self) -> None:
        """Let everything end that has begun, including the executions that record failed ones."""
        self.cloud.clock.advance(1)
        for execution in sorted({execution for execution, _ in self.meddler.entered}):
            self.wait(execution)

    def stop(self, execution: str) -> None:
        self.cloud.client("stepfunctions").stop_execution(executionArn=execution)


def _result(ended: dict[str, Any]) -> dict[str, Any] | None:
    text = ended.get("output") or ended.get("cause") or ""
    return json.loads(text) if text.startswith("{") else None


@dataclass
class Gateway:
    """A gateway and the ids of its first addresses, by number."""

    world: World
    gateway_id: str
    associations: list[str]
    allocations: list[str]
    public_ips: list[str]
    regional: bool = False

    def named(self, *numbers: int, **more: Any) -> dict[str, Any]:
        ids = [self.associations[number] for number in numbers]
        return {"NatGatewayId": self.gateway_id, "AssociationIds": ids, "MaxDrainDurationSeconds": 20, **more}

    def to_join(self, *allocation_ids: str, **more: Any) -> dict[str, Any]:
        return {"NatGatewayId": self.gateway_id, "Associate": [{"AllocationIds": [*allocation_ids]}], **more}

    def status(self, association_id: str, at: datetime | None = None) -> str | None:
        """Return EC2's own status of an association, now or at an instant; None if not on the gateway."""
        instant = at or self.world.cloud.clock.now
        return next(
            (
                a.status.at(instant)
                for a in self.world.truth(self.gateway_id)
                if a.association_id == association_id
            ),
            None,
        )

    def statuses(self) -> dict[str, str | None]:
        """Return EC2's own status of the first associations now."""
        return {association: self.status(association) for association in self.associations}

    def entries(self, allocation_id: str) -> list[NatGatewayAddress]:
        """Return every association that the allocation ever had on the gateway."""
        return [a for a in self.world.truth(self.gateway_id) if a.allocation_id == allocation_id]

    def listed(self, at: datetime | None = None) -> dict[str, list[str]]:
        """Return EC2's own statuses of each allocation that is on the gateway, now or at an instant."""
        listed, instant = defaultdict[str, list[str]](list), at or self.world.cloud.clock.now
        for address in self.world.truth(self.gateway_id):
            if status := address.status.at(instant):
                listed[str(address.allocation_id)].append(status)
        return dict(listed)

    def in_service(self, at: datetime) -> int:
        return sum(a.status.at(at) == "succeeded" for a in self.world.truth(self.gateway_id))

    def owned(self, number: int) -> bool:
        return self.world.owns(self.allocations[number])

    def state(self) -> str | None:
        backend = self.world.cloud.simulation._backend
        (found,) = (one for one in all_gateways(backend) if one.id == self.gateway_id)
        return found.states.at(self.world.cloud.clock.now)


def configuration(folder: Path) -> Path:
    """Write the example's configuration, with a limit of a guard that these gateways can reach."""
    given, text = "remaining_addresses = 1\n", EXAMPLE.read_text()
    if given not in text:
        raise LookupError(f"{given!r} is not in {EXAMPLE}")
    config = folder / "natdrain.toml"
    config.write_text(text.replace(given, f"remaining_addresses = {REMAINING}\n"))
    return config


@contextmanager
def new_world() -> Iterator[World]:
    """Open a cloud for a few cases; leftovers of more would make it slower."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _opened(EmbeddedCloud(config=configuration(Path(folder)))) as world,
    ):
        yield world


@contextmanager
def _opened(cloud: EmbeddedCloud) -> Iterator[World]:
    meddler = cloud.recorder = Meddler()
    with cloud, seeing_states(meddler):
        ec2 = cloud.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        given = {"CidrBlock": "10.0.0.0/16", "AvailabilityZone": f"{REGION}a"}
        subnet = ec2.create_subnet(VpcId=vpc, **given)["Subnet"]["SubnetId"]
        world = World(cloud, meddler, str(subnet))
        meddler.stop, meddler.owner = world.stop, world.owner
        meddler.machine = cloud.change_state_machine_arn.rpartition(":")[2]
        yield world
