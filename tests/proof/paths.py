"""The paths through the workflow that are proven: each sets up its scene and its request."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from natdrain_sim.calls import Fault
from proof.world import LEAVES_AFTER_LIMIT_SECONDS, MANAGED, Gateway, World
from support.alarms import stamp
from support.places import SAMPLES


@dataclass
class Scene:
    """A gateway and a request about it.

    `again` is the request as a person would repeat it. `targets` are the numbers of the addresses that are to
    leave. `bystanders` are executions that began before and are not disturbed; `faults` are in the cloud from
    the beginning. `touched_before` are addresses that somebody has already begun to drain.
    """

    gateway: Gateway
    request: dict[str, Any]
    targets: tuple[int, ...] = ()
    again: dict[str, Any] | None = None
    bystanders: tuple[str, ...] = ()
    releases: bool = False
    stopped_after_seconds: int | None = None
    touched_before: tuple[int, ...] = ()
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
    request = gateway.named(AllocationIds=[gateway.allocations[1]])
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
    spare = world.cloud.simulation.add_address(tags=MANAGED)
    given = {"NatGatewayId": gateway.gateway_id, "AllocationIds": [spare]}
    world.cloud.client("ec2").associate_nat_gateway_address(**given)
    world.cloud.clock.advance(3)
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
    request = gateway.named(AllocationIds=[gateway.allocations[1]], AfterDrain="release")
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
    )
}
"""The paths in order: a call that several make in the same state meets every fault on the first of them."""
