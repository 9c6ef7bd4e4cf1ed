"""Interference: changes that somebody else makes to the gateway right before a look."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from proof.paths import ZONES, Scene

LOOK_LAG_SECONDS = 2
OTHER = 5
"""The number of an address that no path asks for."""


class NothingToDoError(Exception):
    """The error of a hand that finds nothing to act on."""


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
        except NothingToDoError as error:
            self.refused = str(error)

    def lift(self) -> None:
        """Undo what would stop a repeated request."""
        if self.acted and self.name in LIFTED:
            LIFTED[self.name](self.scene)

    def touched(self, address: int | str) -> bool:
        """Return whether the hand may have changed this address, by number, or this allocation."""
        joining = address in self.scene.joins[:1]
        word = _JOINING if joining else _WORDS.get(self._number(address))
        return self.has_acted and (self.name == DELETE or (word is not None and word in self.name))

    @property
    def has_acted(self) -> bool:
        """Return whether the hand has changed something."""
        return self.acted and not self.refused

    def _number(self, address: int | str) -> int | None:
        allocations = self.scene.gateway.allocations
        if isinstance(address, str):
            return allocations.index(address) if address in allocations else None
        return address


def _ec2(scene: Scene) -> Any:
    return scene.gateway.world.cloud.client("ec2")


def _disassociates(number: int | None) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        _ec2(scene).disassociate_nat_gateway_address(**scene.gateway.named(number or 1))

    return act


def _address(number: int) -> Callable[[Scene], str]:
    return lambda scene: scene.gateway.allocations[number]


def _joining(scene: Scene) -> str:
    return scene.joins[0]


def _gateway(scene: Scene) -> str:
    return scene.gateway.gateway_id


def _associates(which: Callable[[Scene], str]) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        zone = {"AvailabilityZone": ZONES[0]} if scene.gateway.regional else {}
        given = {"NatGatewayId": _gateway(scene), "AllocationIds": [which(scene)], **zone}
        _ec2(scene).associate_nat_gateway_address(**given)

    return act


def _associates_a_new_one(scene: Scene) -> None:
    allocation = _ec2(scene).allocate_address(Domain="vpc")["AllocationId"]
    _associates(lambda _: str(allocation))(scene)


def _associates_elsewhere(scene: Scene) -> None:
    world = scene.gateway.world
    other = world.cloud.simulation.add_nat_gateway(world.subnet, world.spares())
    _ec2(scene).associate_nat_gateway_address(NatGatewayId=other, AllocationIds=[_joining(scene)])


def _takes_off(scene: Scene) -> None:
    """Take the joining address off with the shortest drain, or at once if it is not in service."""
    gateway, joining = scene.gateway, _joining(scene)
    statuses = gateway.listed().get(joining, [])
    if not statuses:
        raise NothingToDoError(f"{joining} is not on the gateway")
    if statuses != ["succeeded"]:
        gateway.world.cloud.simulation.remove_address(joining)
        return
    ids = [gateway.entries(joining)[-1].association_id]
    given = {"NatGatewayId": gateway.gateway_id, "AssociationIds": ids, "MaxDrainDurationSeconds": 1}
    _ec2(scene).disassociate_nat_gateway_address(**given)


def _deletes_the_gateway(scene: Scene) -> None:
    _ec2(scene).delete_nat_gateway(NatGatewayId=scene.gateway.gateway_id)


def _releases(which: Callable[[Scene], str]) -> Callable[[Scene], None]:
    return lambda scene: _ec2(scene).release_address(AllocationId=which(scene))


def _protects(which: Callable[[Scene], str]) -> Callable[[Scene], None]:
    tags = [{"Key": "natdrain:protect", "Value": "now"}]
    return lambda scene: _ec2(scene).create_tags(Resources=[which(scene)], Tags=tags)


def _opts_out(which: Callable[[Scene], str]) -> Callable[[Scene], None]:
    tags = [{"Key": "natdrain:managed"}]
    return lambda scene: _ec2(scene).delete_tags(Resources=[which(scene)], Tags=tags)


def _puts(sort: str, **attributes: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        cloud = scene.gateway.world.cloud
        item = {"NatGatewayId": scene.gateway.gateway_id, "Record": sort, **attributes}
        typed: dict[str, Any] = {key: {"S": value} for key, value in item.items()}
        if sort == "lock":
            typed |= {"Drains": {"M": {}}, "Joins": {"M": {}}}
        cloud.client("dynamodb").put_item(TableName=cloud.outputs["TableName"], Item=typed)

    return act


def _removes(sort: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        cloud = scene.gateway.world.cloud
        key = {"NatGatewayId": {"S": scene.gateway.gateway_id}, "Record": {"S": sort}}
        cloud.client("dynamodb").delete_item(TableName=cloud.outputs["TableName"], Key=key)

    return act


def _lets_ec2_show_it(scene: Scene) -> None:
    scene.gateway.world.cloud.clock.advance(LOOK_LAG_SECONDS)


HOLD, LOCK = "holds the gateway", "takes the lock by hand"
TAKE_OFF = "takes off the joining one"
LIFTED = {HOLD: _removes("hold"), LOCK: _removes("lock"), TAKE_OFF: _lets_ec2_show_it}
"""The undo of each action that would stop a repeated request, or of which no look would show it anything."""
DELETE = "deletes the gateway"
_WORDS = {1: "this one", OTHER: "another one"}
_JOINING = "the joining one"
_OF_BOTH: dict[str, Callable[[Scene], None]] = {
    "disassociates another one": _disassociates(OTHER),
    "associates a new one": _associates_a_new_one,
    DELETE: _deletes_the_gateway,
    "protects the gateway": _protects(_gateway),
    "opts out the gateway": _opts_out(_gateway),
    HOLD: _puts("hold", Hold="alice"),
    LOCK: _puts("lock", Owner="alice", Since="now"),
}
_OF_DRAINS: dict[str, Callable[[Scene], None]] = {
    "disassociates this one": _disassociates(1),
    "associates this one": _associates(_address(1)),
    "releases this one": _releases(_address(1)),
    "protects this one": _protects(_address(1)),
    "protects another one": _protects(_address(OTHER)),
    "opts out this one": _opts_out(_address(1)),
}
_OF_JOINS: dict[str, Callable[[Scene], None]] = {
    "associates the joining one": _associates(_joining),
    "associates the joining one elsewhere": _associates_elsewhere,
    TAKE_OFF: _takes_off,
    "releases the joining one": _releases(_joining),
    "protects the joining one": _protects(_joining),
    "opts out the joining one": _opts_out(_joining),
}
HANDS = _OF_BOTH | _OF_DRAINS | _OF_JOINS
FORBIDS_THIS = {"protects this one", "opts out this one"}
FORBIDS_JOINING = {"protects the joining one", "opts out the joining one"}
FORBIDS_ALL = {"protects the gateway", "opts out the gateway", HOLD, LOCK}
_STRONGEST = ("disassociates another one", DELETE, LOCK)
"""One action for each effect: EC2 is busy, the gateway is deleted, the lock is lost; and of the others:"""
_STRONGEST_OF_DRAINS = ("protects this one",)
_STRONGEST_OF_JOINS = ("associates the joining one", TAKE_OFF, "protects the joining one")


def hands_of(*, joins: bool) -> list[str]:
    """Return the actions on a gateway that addresses are to leave, or that allocations are to join."""
    return [*_OF_BOTH, *(_OF_JOINS if joins else _OF_DRAINS)]


def strongest_of(*, joins: bool) -> list[str]:
    """Return one action for each effect."""
    return [*_STRONGEST, *(_STRONGEST_OF_JOINS if joins else _STRONGEST_OF_DRAINS)]
