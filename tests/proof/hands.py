"""Interference: changes that somebody else makes to the gateway right before a look."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from proof.paths import Scene

OTHER = 5
"""The number of an address that no path asks for."""


@dataclass
class Hand:
    """Somebody else, who acts once and may be refused by EC2."""

    scene: Scene
    name: str
    acted: bool = False
    refused: str | None = None
    made: int = 0
    """The number of calls that the executions had made by then."""

    def act(self, made: int) -> None:
        """Act as an outside client, in the thread of the execution that is about to look."""
        self.acted, self.made = True, made
        try:
            contextvars.Context().run(HANDS[self.name], self.scene)
        except ClientError as error:
            self.refused = str(error.response["Error"]["Code"])

    def lift(self) -> None:
        """Undo what would stop a repeated request."""
        if self.acted and self.name in LIFTED:
            LIFTED[self.name](self.scene)

    def touched(self, number: int) -> bool:
        """Return whether the hand may have changed this address."""
        return (
            self.acted
            and not self.refused
            and (self.name.endswith(f" {_WORDS.get(number)}") or self.name == DELETE)
        )


def _ec2(scene: Scene) -> Any:
    return scene.gateway.world.cloud.client("ec2")


def _disassociates(number: int | None) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        _ec2(scene).disassociate_nat_gateway_address(**scene.gateway.named(number or 1))

    return act


def _associates(number: int) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        ids = [scene.gateway.allocations[number]]
        _ec2(scene).associate_nat_gateway_address(NatGatewayId=scene.gateway.gateway_id, AllocationIds=ids)

    return act


def _associates_a_new_one(scene: Scene) -> None:
    allocation = _ec2(scene).allocate_address(Domain="vpc")["AllocationId"]
    ids = [allocation]
    _ec2(scene).associate_nat_gateway_address(NatGatewayId=scene.gateway.gateway_id, AllocationIds=ids)


def _deletes_the_gateway(scene: Scene) -> None:
    _ec2(scene).delete_nat_gateway(NatGatewayId=scene.gateway.gateway_id)


def _releases(number: int) -> Callable[[Scene], None]:
    return lambda scene: _ec2(scene).release_address(AllocationId=scene.gateway.allocations[number])


def _protects(number: int | None) -> Callable[[Scene], None]:
    tags = [{"Key": "natdrain:protect", "Value": "now"}]
    return lambda scene: _ec2(scene).create_tags(Resources=[_resource(scene, number)], Tags=tags)


def _opts_out(number: int | None) -> Callable[[Scene], None]:
    tags = [{"Key": "natdrain:managed"}]
    return lambda scene: _ec2(scene).delete_tags(Resources=[_resource(scene, number)], Tags=tags)


def _resource(scene: Scene, number: int | None) -> str:
    return scene.gateway.gateway_id if number is None else scene.gateway.allocations[number]


def _puts(sort: str, **attributes: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        cloud = scene.gateway.world.cloud
        item = {"NatGatewayId": scene.gateway.gateway_id, "Record": sort, **attributes}
        typed: dict[str, Any] = {key: {"S": value} for key, value in item.items()}
        if sort == "lock":
            typed["Drains"] = {"M": {}}
        cloud.client("dynamodb").put_item(TableName=cloud.outputs["TableName"], Item=typed)

    return act


def _removes(sort: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        cloud = scene.gateway.world.cloud
        key = {"NatGatewayId": {"S": scene.gateway.gateway_id}, "Record": {"S": sort}}
        cloud.client("dynamodb").delete_item(TableName=cloud.outputs["TableName"], Key=key)

    return act


HOLD, LOCK = "holds the gateway", "takes the lock by hand"
LIFTED = {HOLD: _removes("hold"), LOCK: _removes("lock")}
"""The undo of each action that would stop a repeated request."""
DELETE = "deletes the gateway"
_WORDS = {1: "this one", OTHER: "another one"}
HANDS: dict[str, Callable[[Scene], None]] = {
    "disassociates this one": _disassociates(1),
    "disassociates another one": _disassociates(OTHER),
    "associates this one": _associates(1),
    "associates a new one": _associates_a_new_one,
    DELETE: _deletes_the_gateway,
    "releases this one": _releases(1),
    "protects this one": _protects(1),
    "protects another one": _protects(OTHER),
    "protects the gateway": _protects(None),
    "opts out this one": _opts_out(1),
    "opts out the gateway": _opts_out(None),
    HOLD: _puts("hold", Hold="alice"),
    LOCK: _puts("lock", Owner="alice", Since="now"),
}
FORBIDS_THIS = {"protects this one", "opts out this one"}
FORBIDS_ALL = {"protects the gateway", "opts out the gateway", HOLD, LOCK}
STRONGEST = ("disassociates another one", "protects this one", DELETE, LOCK)
"""One action for each effect: EC2 is busy, a guard refuses, the gateway is deleted, the lock is lost."""
