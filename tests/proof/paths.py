"""The paths through the workflow that are proven: each sets up its scene and its request."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from natdrain_sim.calls import Fault
from proof.world import LEAVES_AFTER_LIMIT_SECONDS, MANAGED, PROTECTED, Gateway, World
from support.alarms import stamp
from support.places import SAMPLES

ZONES = ("us-east-1a", "us-east-1b")


@dataclass
class Scene:
    """A gateway and a request about it.

    `again` is the request as a person would repeat it. `targets` are the numbers of the addresses that are to
    leave, `joins` the allocations that are to join. `bystanders` are executions that began before and are not
    disturbed; `faults` are in the cloud from the beginning. `touched_before` are addresses that somebody has
    already begun to drain, by number, or joins that somebody has changed. `stuck`: before the request can
    succeed, a person must fix something.
    """

    gateway: Gateway
    request: dict[str, Any]
    targets: tuple[int, ...] = ()
    joins: tuple[str, ...] = ()
    again: dict[str, Any] | None = None
    bystanders: tuple[str, ...] = ()
    releases: bool = False
    stopped_after_seconds: int | None = None
    touched_before: tuple[int | str, ...] = ()
    stuck: bool = False
    untouchable: tuple[str, ...] = ()
    """Allocations that nobody must ask for."""
    faults: tuple[Fault, ...] = ()
    pause_seconds: int = 0
    """The pause before the request is repeated."""


class Path(NamedTuple):
    """The setup of a scene, and the outcome of its request when nothing goes wrong."""

    set_scene: Callable[[World], Scene]
    ends: str


def by_hand(world: World) -> Scene:
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, Reason="proof"), (1,))


def several(world: World) -> Scene:
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, 2), (1, 2))


def by_allocation(world: World) -> Scene:
    gateway = world.gateway()
    request = gateway.named(Disassociate={"AllocationIds": [gateway.allocations[1]]})
    del request["AssociationIds"]
    return Scene(gateway, request, (1,))


def by_public_ip(world: World) -> Scene:
    gateway = world.gateway()
    request = {"PublicIps": [gateway.public_ips[1]], "MaxDrainDurationSeconds": 20}
    return Scene(gateway, request, (1,), again={**request, "NatGatewayId": gateway.gateway_id})


def adopted(world: World) -> Scene:
    """Set up a drain of the address by somebody else."""
    gateway = world.gateway()
    _drain(gateway, 1, 30)
    world.cloud.clock.advance(5)
    return Scene(gateway, gateway.named(1), (1,), touched_before=(1,))


def unnamed(world: World) -> Scene:
    """Set up an EC2 that shows draining addresses without their association id."""
    gateway = world.gateway()
    world.leaves_after(LEAVES_AFTER_LIMIT_SECONDS, association=False)
    return Scene(gateway, gateway.named(1), (1,))


def release_unnamed(world: World) -> Scene:
    gateway = unnamed(world).gateway
    return Scene(gateway, gateway.named(1, AfterDrain="release"), (1,), releases=True)


def joining(world: World) -> Scene:
    """Set up an address that somebody is associating."""
    gateway = world.gateway()
    _associate(gateway, world.spares())
    return Scene(gateway, gateway.named(1), (1,))


def past_the_pace(world: World) -> Scene:
    """Set up an alarm on a gateway of which another one has just taken an address off."""
    gateway = world.gateway()
    before = world.run(_of_alarm(gateway, 2, "before")).execution
    again = _of_alarm(gateway, 1, "again")
    request = _of_alarm(gateway, 1, "now")
    return Scene(gateway, request, bystanders=(before,), touched_before=(2,), again=again)


def _of_alarm(gateway: Gateway, number: int, at: str) -> dict[str, Any]:
    return gateway.named(number, Trigger={"Kind": "alarm", "Name": gateway.gateway_id, "At": at})


def ec2_busy(world: World) -> Scene:
    """Set up a drain of another address by somebody else, which no look shows yet."""
    gateway = world.gateway()
    _drain(gateway, 2, 10)
    return Scene(gateway, gateway.named(1), (1,), touched_before=(2,))


def busy(world: World) -> Scene:
    return _behind_another(world)


def in_line(world: World) -> Scene:
    return _behind_another(world, WhenBusy="wait")


def take_over(world: World) -> Scene:
    """Set up a stopped execution that was draining the address and left its lock behind."""
    gateway = world.gateway()
    before = world.start(gateway.named(1))
    world.cloud.clock.advance(5)
    world.stop(before)
    world.cloud.clock.advance(1)
    return Scene(gateway, gateway.named(1), (1,), bystanders=(before,), touched_before=(1,))


def left_before(world: World) -> Scene:
    gateway = world.gateway()
    before = world.run(gateway.named(1)).execution
    return Scene(gateway, gateway.named(1), (1,), bystanders=(before,), touched_before=(1,))


def dry_run(world: World) -> Scene:
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, DryRun=True))


def release(world: World) -> Scene:
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, AfterDrain="release"), (1,), releases=True)


def release_several(world: World) -> Scene:
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, 2, AfterDrain="release"), (1, 2), releases=True)


def release_dry_run(world: World) -> Scene:
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, AfterDrain="release", DryRun=True))


def alarm(world: World) -> Scene:
    gateway = world.gateway()
    event = json.loads((SAMPLES / "alarm-event.blocked-egress-ip.json").read_text())
    event["detail"]["state"]["timestamp"] = stamp(world.cloud.clock.now)
    metric = event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]
    metric["dimensions"] = {"NatGatewayId": gateway.gateway_id, "PublicIp": gateway.public_ips[1]}
    # A repeated event belongs to the execution that had it first, so the repeated request is made by hand.
    return Scene(gateway, event, (1,), again=gateway.named(1))


def alarm_over(world: World) -> Scene:
    """Set up an alarm that went back to OK."""
    event = json.loads((SAMPLES / "alarm-event.back-to-ok.json").read_text())
    return Scene(world.gateway(), event)


def nothing_to_do(world: World) -> Scene:
    """Set up a schedule that names an address which is on no gateway."""
    gateway = world.gateway()
    request = {"NatGatewayId": gateway.gateway_id, "PublicIps": ["198.51.100.1"]}
    now, next_month = (
        {"Kind": "schedule", "Name": f"of {gateway.gateway_id}", "At": at} for at in ("now", "next month")
    )
    return Scene(gateway, {**request, "Trigger": now}, again={**request, "Trigger": next_month})


def protected(world: World) -> Scene:
    """Set up a request that a guard refuses."""
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, 3))


def stopped(world: World) -> Scene:
    """Set up a person who stops the execution in mid-drain."""
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1), (1,), stopped_after_seconds=5)


def unpublished(world: World) -> Scene:
    """Set up an EventBridge that accepts no event."""
    gateway = world.gateway()
    refusal = Fault(operation="events:PutEvents", error="InternalException", status=500)
    return Scene(gateway, gateway.named(1), (1,), faults=(refusal,))


def release_left_before(world: World) -> Scene:
    """Set up an allocation that was kept when its address left, and is now requested by its id."""
    gateway = left_before(world).gateway
    world.cloud.clock.advance(60)
    leave = {"AllocationIds": [gateway.allocations[1]]}
    request = gateway.named(Disassociate=leave, AfterDrain="release")
    del request["AssociationIds"]
    return Scene(gateway, request, (1,), releases=True, touched_before=(1,))


def primary(world: World) -> Scene:
    gateway = world.gateway()
    return Scene(gateway, gateway.named(0))


def too_many(world: World) -> Scene:
    """Set up a request that would leave fewer addresses in service than the guard allows."""
    gateway = world.gateway()
    return Scene(gateway, gateway.named(1, 2, 5))


def overdue(world: World) -> Scene:
    """Set up an address that leaves only after the deadline of its drain."""
    gateway = world.gateway()
    world.leaves_after(320)
    return Scene(gateway, gateway.named(1), (1,), pause_seconds=60)


def join(world: World) -> Scene:
    return _to_join(world.gateway(), world.spares())


def join_several(world: World) -> Scene:
    return _to_join(world.gateway(), world.spares(2))


def join_zones(world: World) -> Scene:
    """Set up a regional gateway of which two zones get an address each, one call after the other."""
    gateway, joins = world.gateway(ZONES), world.spares(2)
    calls = [
        {"AllocationIds": [joining], "AvailabilityZone": zone}
        for joining, zone in zip(joins, ZONES, strict=True)
    ]
    return Scene(gateway, {"NatGatewayId": gateway.gateway_id, "Associate": calls}, joins=joins)


def join_there_already(world: World) -> Scene:
    gateway = world.gateway()
    return _to_join(gateway, (gateway.allocations[1],))


def join_new(world: World) -> Scene:
    """Set up an allocation that EC2 does not know everywhere yet."""
    tags = [{"Key": key, "Value": value} for key, value in MANAGED.items()]
    given = {"Domain": "vpc", "TagSpecifications": [{"ResourceType": "elastic-ip", "Tags": tags}]}
    return _to_join(world.gateway(), (world.cloud.client("ec2").allocate_address(**given)["AllocationId"],))


def join_adopted(world: World) -> Scene:
    """Set up an allocation that somebody else is associating."""
    gateway, joins = world.gateway(), world.spares()
    _associate(gateway, joins)
    return _to_join(gateway, joins)


def join_adopted_fails(world: World) -> Scene:
    """Set up an association by somebody else that will fail: it is not natdrain's to take off."""
    gateway, joins = world.gateway(), world.spares()
    world.cloud.simulation.fail_when_associated(joins[0], "no luck")
    _associate(gateway, joins)
    return _to_join(gateway, joins, stuck=True)


def join_ec2_busy(world: World) -> Scene:
    """Set up a drain of another address by somebody else."""
    gateway, joins = world.gateway(), world.spares()
    _drain(gateway, 2, 10)
    world.cloud.clock.advance(3)
    return _to_join(gateway, joins, touched_before=(2,))


def join_take_over(world: World) -> Scene:
    """Set up a stopped execution that was associating the allocation and left its lock behind."""
    gateway, joins = world.gateway(), world.spares()
    before = world.start(gateway.to_join(*joins))
    world.cloud.clock.advance(0.5)
    world.stop(before)
    world.cloud.clock.advance(0.5)  # so that no look shows yet what EC2 has accepted
    return _to_join(gateway, joins, bystanders=(before,))


def join_fails(world: World) -> Scene:
    joins = world.spares()
    world.cloud.simulation.fail_when_associated(joins[0], "no luck")
    return _to_join(world.gateway(), joins)


def join_one_fails(world: World) -> Scene:
    """Set up two allocations of which the second fails."""
    joins = world.spares(2)
    world.cloud.simulation.fail_when_associated(joins[1], "no luck")
    return _to_join(world.gateway(), joins)


def join_fails_unnamed(world: World) -> Scene:
    """Set up an association that fails and has no id any more, so that nobody can take it off."""
    joins = world.spares()
    world.cloud.simulation.fail_when_associated(joins[0], "no luck", association=False)
    return _to_join(world.gateway(), joins, stuck=True)


def join_hangs(world: World) -> Scene:
    joins = world.spares()
    world.cloud.simulation.hang_when_associated(joins[0])
    return _to_join(world.gateway(), joins, stuck=True)


def put_back(world: World) -> Scene:
    """Set up a drain, and the request with which its result puts back what has left."""
    gateway = world.gateway()
    drained = world.run(gateway.named(1))
    assert drained.result is not None
    request = drained.result["PutBack"]["Request"]
    joins = (gateway.allocations[1],)
    return Scene(gateway, request, joins=joins, bystanders=(drained.execution,))


def join_dry_run(world: World) -> Scene:
    gateway, joins = world.gateway(), world.spares()
    return Scene(gateway, gateway.to_join(*joins, DryRun=True), joins=joins)


def join_protected(world: World) -> Scene:
    joins = world.spares(tags=PROTECTED)
    return _to_join(world.gateway(), joins, stuck=True, untouchable=joins)


def join_no_room(world: World) -> Scene:
    """Set up a request for more than EC2 allows: six addresses are there, and eight may be."""
    return _to_join(world.gateway(), world.spares(3), stuck=True)


def join_stopped(world: World) -> Scene:
    return _to_join(world.gateway(), world.spares(), stopped_after_seconds=3)


def _to_join(gateway: Gateway, joins: tuple[str, ...], **of_scene: Any) -> Scene:
    return Scene(gateway, gateway.to_join(*joins), joins=joins, **of_scene)


def _associate(gateway: Gateway, joins: tuple[str, ...]) -> None:
    given = {"NatGatewayId": gateway.gateway_id, "AllocationIds": [*joins]}
    gateway.world.cloud.client("ec2").associate_nat_gateway_address(**given)
    gateway.world.cloud.clock.advance(3)


def _behind_another(world: World, **more: Any) -> Scene:
    gateway = world.gateway()
    before = world.start(gateway.named(2, MaxDrainDurationSeconds=150))
    world.cloud.clock.advance(5)
    return Scene(gateway, gateway.named(1, **more), (1,), bystanders=(before,), touched_before=(2,))


def _drain(gateway: Gateway, number: int, limit_seconds: int) -> None:
    request = gateway.named(number, MaxDrainDurationSeconds=limit_seconds)
    gateway.world.cloud.client("ec2").disassociate_nat_gateway_address(**request)


PATHS: dict[str, Path] = {
    path.__name__: Path(path, ends)
    for path, ends in (
        (by_hand, "drained"),
        (release, "released"),
        (several, "drained"),
        (by_allocation, "drained"),
        (by_public_ip, "drained"),
        (adopted, "drained"),
        (ec2_busy, "drained"),
        (busy, "busy"),
        (in_line, "drained"),
        (take_over, "drained"),
        (left_before, "drained"),
        (dry_run, "planned"),
        (release_several, "released"),
        (release_dry_run, "planned"),
        (alarm, "drained"),
        (alarm_over, "ignored"),
        (nothing_to_do, "nothing_to_do"),
        (protected, "refused"),
        (stopped, "stopped"),
        (unpublished, "drained"),
        (release_left_before, "released"),
        (primary, "refused"),
        (too_many, "refused"),
        (overdue, "overdue"),
        (unnamed, "drained"),
        (release_unnamed, "released"),
        (joining, "drained"),
        (past_the_pace, "refused"),
        (join, "joined"),
        (join_several, "joined"),
        (join_zones, "joined"),
        (join_there_already, "joined"),
        (join_new, "joined"),
        (join_adopted, "joined"),
        (join_ec2_busy, "joined"),
        (join_take_over, "joined"),
        (join_fails, "join_failed"),
        (join_adopted_fails, "join_failed"),
        (join_one_fails, "join_failed"),
        (join_fails_unnamed, "join_failed"),
        (join_hangs, "join_failed"),
        (put_back, "joined"),
        (join_dry_run, "planned"),
        (join_protected, "refused"),
        (join_no_room, "refused"),
        (join_stopped, "stopped"),
    )
}
"""The paths in order: a call that several make in the same state meets every fault on the first of them."""
