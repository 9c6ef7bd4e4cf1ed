"""Invariants that hold after every case, whatever went wrong; each is a function that yields violations.

A new one (of history or events, say) is a function of an `Aftermath`, added to `INVARIANTS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from natdrain.model.errors import EXECUTION_ERRORS
from natdrain_sim.ec2.models import NatGatewayAddress
from proof.hands import DELETE, FORBIDS_ALL, FORBIDS_JOINING, FORBIDS_THIS, LOCK, LOOK_LAG_SECONDS, Hand
from proof.meddling import ASSOCIATE, CHANGES, DISASSOCIATE, Made
from proof.paths import Scene
from proof.troubles import leaves_open
from proof.world import REMAINING, UNTOUCHABLE, Ending

RELEASE, LOOK = "ec2:ReleaseAddress", "ec2:DescribeNatGateways"
TWO_LOOKS_APART = timedelta(seconds=30)
LOOK_LAG = timedelta(seconds=LOOK_LAG_SECONDS)
PACE_WINDOW = timedelta(minutes=60)
A_MOMENT = timedelta(microseconds=1)
SETTLE = timedelta(seconds=59)
"""The time after a request without an answer in which EC2 is not asked again, as whole seconds show it."""
ENDED = "Change Ended"
LEFT = {"drained", "already_drained", "released", "already_released", "release_failed", "put_back"}
RELEASED = {"released", "already_released"}
STAYED = {"not_asked", "blocked", "planned"}
IN_SERVICE = "succeeded"
COMING_OR_THERE = {"associating", IN_SERVICE}


@dataclass
class Asked:
    """A request, its ending, and the state of the addresses then."""

    ending: Ending
    statuses: dict[str, str | None]
    owned: list[bool]
    gateway_state: str | None
    listed: Mapping[str, list[str]]
    """The statuses of each allocation that the gateway has."""
    began_at: datetime | None = None


@dataclass
class Aftermath:
    """All facts at the end of a case: the execution under test, and the repeated requests."""

    scene: Scene
    expected: str
    first: Asked
    again: list[Asked]
    made: list[Made]
    earlier: list[Made]
    """The calls from before the execution under test."""
    joining: Collection[str]
    """The executions of which allocations are to join."""
    hand: Hand | None
    stops: bool
    short: bool
    """The trouble is none, or one from which a retry recovers."""
    lost: bool
    """The trouble hits recording or publishing itself, perhaps for good."""
    lies: bool
    """A fault makes EC2 deny that something exists, and no other source could correct it."""

    @property
    def all_asked(self) -> list[Asked]:
        return [self.first, *self.again]

    def changes(self) -> Iterator[Made]:
        """Yield the calls that were to change something in EC2, without dry runs."""
        return _changes_of(self.made)

    def took_effect(self, made: Made) -> bool:
        if made.fault is None:
            return made.call.error is None
        return made.fault.after_effect and made.call.name in CHANGES and self._has_begun(made)

    def _has_begun(self, made: Made) -> bool:
        gateway, at = self.scene.gateway, made.call.at
        if made.call.name == ASSOCIATE:
            return any(self.associated_by(made))
        return all(
            gateway.status(i, at - A_MOMENT) in {IN_SERVICE, "failed"}
            and gateway.status(i, at) == "disassociating"
            for i in made.call.parameters["AssociationIds"]
        )

    def associated_by(self, made: Made) -> list[NatGatewayAddress]:
        """Return the addresses of the gateway that began to join with this call."""
        at, allocations = made.call.at, made.call.parameters["AllocationIds"]
        entries = [entry for allocation in allocations for entry in self.scene.gateway.entries(allocation)]
        return [one for one in entries if one.status.at(at) and not one.status.at(at - A_MOMENT)]

    def own_entries(self, until: Made | None = None) -> list[NatGatewayAddress]:
        """Return the addresses that natdrain has put on the gateway, before a call or at all."""
        made = [*_changes_of(self.earlier), *self.changes()]
        before = made[: made.index(until)] if until else made
        asked = [one for one in before if one.call.name == ASSOCIATE and self.took_effect(one)]
        return [entry for one in asked for entry in self.associated_by(one)]

    def meddled(self, address: int | str) -> bool:
        """Return whether something else than natdrain may have changed an address or a join."""
        by_hand = self.hand is not None and self.hand.touched(address)
        return by_hand or address in self.scene.touched_before or address in self.forgotten

    @property
    def forgotten(self) -> set[str]:
        """Return the allocations of which a hand erased, with the lock's item, who had asked for them."""
        if self.hand is None or self.hand.name != LOCK or not self.hand.has_acted:
            return set()
        asked = (made.call for made in _changes_of(self.earlier) if made.call.name == ASSOCIATE)
        return {allocation for call in asked for allocation in call.parameters["AllocationIds"]}


def _changes_of(made: Iterable[Made]) -> Iterator[Made]:
    for one in made:
        if one.call.name in {*CHANGES, RELEASE} and not one.call.parameters.get("DryRun"):
            yield one


Invariant = Callable[[Aftermath], Iterator[str]]


def has_ended(after: Aftermath) -> Iterator[str]:
    """Check that each execution succeeded, failed with an error of the taxonomy, or was stopped."""
    for asked in after.all_asked:
        status, error = asked.ending.status, asked.ending.error
        stopped = after.stops and asked is after.first and status == "ABORTED"
        failed = status == "FAILED" and error in EXECUTION_ERRORS
        if not (stopped or failed or (status, error) == ("SUCCEEDED", None)):
            yield f"ended as {status} with {error}"


def next_is_accepted(after: Aftermath) -> Iterator[str]:
    """Check that the next request is accepted at once: no trouble blocks the gateway."""
    yield from (
        "the next request is refused as busy" for one in after.again if one.ending.error == "GatewayBusy"
    )


def untouchable_is_untouched(after: Aftermath) -> Iterator[str]:
    """Check that no primary, protected, foreign or newly forbidden address was asked for, or has left."""
    gateway = after.scene.gateway
    for number in UNTOUCHABLE:
        names = {gateway.associations[number], gateway.allocations[number]}
        if any(not names.isdisjoint(_named(made)) for made in after.changes()):
            yield f"address {number} was asked for"
        gone = gateway.status(gateway.associations[number]) != IN_SERVICE
        if gone and not (after.hand and after.hand.name == DELETE and after.hand.acted):
            yield f"address {number} is not in service"
    yield from _untouchable_spares(after)
    yield from _forbidden_by_hand(after)


def ec2_is_asked_under_the_lock(after: Aftermath) -> Iterator[str]:
    """Check that only the execution that holds the gateway's lock asks EC2 to change the gateway."""
    for made in after.changes():
        if made.call.name in CHANGES and made.owner != made.execution:
            yield f"EC2 was asked by {made.execution}, and the lock is held by {made.owner}"


def automatic_requests_keep_the_pace(
    after: Aftermath, automatic: Collection[str], joined: int
) -> Iterator[str]:
    """Check that automatic executions take off one address within the window, and one for each joined."""
    taken = {
        association: made.call.at
        for made in after.changes()
        if made.call.name == DISASSOCIATE and made.execution in automatic and after.took_effect(made)
        for association in made.call.parameters["AssociationIds"]
    }
    for at in taken.values():
        if sum(at <= other < at + PACE_WINDOW for other in taken.values()) > 1 + joined:
            yield f"automatic requests took {sorted(taken)} within the window"


def _untouchable_spares(after: Aftermath) -> Iterator[str]:
    """Find requests for an allocation that was protected from the beginning."""
    spares = {*after.scene.untouchable}
    yield from (f"{made.call.name} of {spares}" for made in after.changes() if spares & {*_named(made)})


def lock_is_free_in_the_end(after: Aftermath) -> Iterator[str]:
    """Check that nobody holds the lock when nothing runs."""
    if (owner := after.scene.gateway.world.owner(after.scene.gateway.gateway_id)) is not None:
        yield f"nothing runs any more, and the lock is held by {owner}"


def release_follows_two_looks(after: Aftermath) -> Iterator[str]:
    """Check that the execution looked and missed the address at least half a minute before its release."""
    gateway = after.scene.gateway
    for made in after.changes():
        if made.call.name != RELEASE:
            continue
        association = gateway.associations[gateway.allocations.index(made.call.parameters["AllocationId"])]
        looks = [m.call.at for m in after.made if m.call.name == LOOK and m.execution == made.execution]
        missed = [at for at in looks if at <= made.call.at and not gateway.status(association, at - LOOK_LAG)]
        if not missed or made.call.at - missed[0] < TWO_LOOKS_APART:
            yield f"{made.call.parameters['AllocationId']} was released after one look"


def short_trouble_is_never_seen(after: Aftermath) -> Iterator[str]:
    """Check that trouble which a retry or one minute ends does not change the outcome."""
    expected = {after.expected}
    if after.expected == "overdue":
        # If EC2's answer was lost, the limit is unknown, and the execution waits longer.
        expected.add("drained")
    if after.short and after.first.ending.outcome not in expected:
        yield f"ended as {after.first.ending.outcome} and not {after.expected}"


def _forbidden_by_hand(after: Aftermath) -> Iterator[str]:
    if (hand := after.hand) is None or not hand.acted or hand.refused:
        return
    later = after.made[hand.made :]
    for made in after.changes():
        if made in later and made.moment.number and forbids(hand, made):
            yield f"{made.call.name} although somebody {hand.name}"


def forbids(hand: Hand, made: Made) -> bool:
    """Return whether the hand, once seen, forbids a change."""
    gateway = hand.scene.gateway
    this = {gateway.associations[1], gateway.allocations[1]} if hand.name in FORBIDS_THIS else set()
    if hand.name in FORBIDS_JOINING:
        joining = hand.scene.joins[0]
        this = {joining, *(str(entry.association_id) for entry in gateway.entries(joining))}
    return not this.isdisjoint(_named(made)) or hand.name in FORBIDS_ALL


def _named(made: Made) -> list[str]:
    parameters = made.call.parameters
    ids = [*parameters.get("AssociationIds", ()), *parameters.get("AllocationIds", ())]
    return [*ids, *filter(None, [parameters.get("AllocationId")])]


def enough_stay_in_service(after: Aftermath) -> Iterator[str]:
    """Check that no change of ours leaves fewer addresses in service than the guard allows."""
    for made in after.changes():
        if made.call.name == DISASSOCIATE and after.took_effect(made):
            left = after.scene.gateway.in_service(made.call.at)
            if left < REMAINING:
                yield f"{left} addresses were left in service"


def result_agrees_with_ec2(after: Aftermath) -> Iterator[str]:
    """Check that a result is right about each address, or says that the outcome is unknown."""
    for number, asked in enumerate(after.all_asked):
        lies = after.lies and number == 0
        if asked.ending.result and not lies:
            yield from (
                f"request {number + 1}: {what}" for what in _disagreements(after, asked, asked.ending.result)
            )


def _disagreements(after: Aftermath, asked: Asked, result: dict[str, Any]) -> Iterator[str]:
    gateway = after.scene.gateway
    for row in result["Addresses"]:
        if "StillListed" in row:
            yield from _disagreements_of_join(after, asked, row)
            continue
        number = gateway.associations.index(row["AssociationId"])
        status = asked.statuses[row["AssociationId"]]
        said, owned = row["Outcome"], asked.owned[number]
        meddled = after.meddled(number)
        if (
            (said in LEFT and status is not None)
            or (said in RELEASED and owned and not after.lies)
            or (said == "release_failed" and not owned and not meddled)
            or (said in STAYED and status != "succeeded" and not meddled)
            or (said == "overdue" and status != "disassociating")
            or (said == "failed" and status is None)
            or (said == "gateway_gone" and asked.gateway_state == "available")
        ):
            ours = "ours" if owned else "gone"
            yield f"address {number} is reported as {said}; it is {status}, its allocation {ours}"
    own = [m for m in after.changes() if m.execution == asked.ending.execution and after.took_effect(m)]
    if asked.ending.execution in after.joining:
        # What has failed and been taken off again has left nothing.
        own = [m for m in own if m.call.name == ASSOCIATE and _is_there(after, asked, m)]
    if result["Changed"] == "none" and own:
        yield f"reported to have changed nothing, after {own[0].call.name}"


def _is_there(after: Aftermath, asked: Asked, made: Made) -> bool:
    """Return whether something that the call has associated was on the gateway at the end of the request."""
    there = (entry.status.at(asked.ending.at) for entry in after.associated_by(made))
    return any(there) and not any(map(after.meddled, made.call.parameters["AllocationIds"]))


def _disagreements_of_join(after: Aftermath, asked: Asked, row: dict[str, Any]) -> Iterator[str]:
    allocation, said, listed = row["AllocationId"], row["Outcome"], row["StillListed"]
    statuses = asked.listed.get(allocation, [])
    gone = asked.gateway_state != "available"
    wrong = {
        "joined": statuses != [IN_SERVICE],
        "already_joined": statuses != [IN_SERVICE],
        "join_failed": IN_SERVICE in statuses or bool(statuses) != listed,
        "join_overdue": statuses != ["associating"],
        "taken_away": IN_SERVICE in statuses,
        "gateway_gone": not gone,
        **dict.fromkeys(STAYED, bool(statuses)),
    }
    if wrong.get(said, False) and not (after.meddled(allocation) or (said != "gateway_gone" and gone)):
        yield f"{allocation} is reported as {said}, listed: {listed}; it is {statuses}"


def repeated_requests_converge(after: Aftermath) -> Iterator[str]:
    """Check that two more requests achieve all that was asked for, or name what a person must fix."""
    last, gateway = after.all_asked[-1], after.scene.gateway
    meddled = after.hand is not None and after.hand.has_acted
    if after.scene.joins and not after.scene.request.get("DryRun"):
        yield from _joins_converge(after, last, must_fix=meddled or after.scene.stuck)
        return
    if not after.scene.targets:
        if last.ending.outcome != after.expected and not meddled:
            yield f"the repeated request ends as {last.ending.outcome} and not {after.expected}"
        return
    gone = all(last.statuses[gateway.associations[n]] is None for n in after.scene.targets)
    released = not after.scene.releases or after.lies or not any(last.owned[n] for n in after.scene.targets)
    must_fix = meddled and last.ending.error is not None
    if not ((gone and released) or must_fix):
        yield f"the repeated request ends as {last.ending.outcome}, and not all has come about"


def _joins_converge(after: Aftermath, last: Asked, *, must_fix: bool) -> Iterator[str]:
    there = all(last.listed.get(joining) == [IN_SERVICE] for joining in after.scene.joins)
    result = last.ending.result or {}
    # What EC2 never let natdrain take off again stays.
    kept = any(made.call.name == DISASSOCIATE and made.fault for made in after.changes()) and not after.short
    must_fix |= kept and any("failed" in last.listed.get(joining, ()) for joining in after.scene.joins)
    if not (there or (must_fix and last.ending.error and result.get("Problems"))):
        yield f"the repeated request ends as {last.ending.outcome}, and is it there? {last.listed}"


def nothing_is_associated_twice(after: Aftermath) -> Iterator[str]:
    """Check that natdrain never asks again for what it has put on the gateway, or may just have put there.

    It may have if the answer was lost, for the minute in which EC2 may not show it.
    """
    asked = [made for made in after.changes() if made.call.name == ASSOCIATE]
    for number, made in enumerate(asked):
        wanted, at = {*made.call.parameters["AllocationIds"]} - after.forgotten, made.call.at
        for entry in after.own_entries(until=made):
            if entry.allocation_id in wanted and entry.status.at(at) in COMING_OR_THERE:
                yield f"{entry.allocation_id} was asked for while it was {entry.status.at(at)}"
        for before in asked[:number]:
            again = wanted & {*before.call.parameters["AllocationIds"]}
            if again and leaves_open(before.fault) and at - before.call.at < SETTLE:
                yield f"{again} was asked for {at - before.call.at} after an answer that was lost"
    for one in after.all_asked:
        for allocation, statuses in one.listed.items():
            if len([status for status in statuses if status != "failed"]) > 1:
                yield f"{allocation} is there more than once: {statuses}"


def no_undo_takes_off_what_is_in_service(after: Aftermath) -> Iterator[str]:
    """Check that a join only takes off what has failed, and what natdrain has asked for."""
    for made in after.changes():
        if made.call.name != DISASSOCIATE or made.execution not in after.joining:
            continue
        own = {entry.association_id for entry in after.own_entries(until=made)}
        for association in made.call.parameters["AssociationIds"]:
            status = after.scene.gateway.status(association, made.call.at - A_MOMENT)
            if status in COMING_OR_THERE:
                yield f"{association} was taken off while it was {status}"
            if association not in own:
                yield f"{association} was taken off, and natdrain never asked for it"


def joins_leave_what_is_in_service(after: Aftermath) -> Iterator[str]:
    """Check that what was in service when a join began still is when it has ended, unless a hand took it."""
    for asked in after.all_asked:
        if asked.ending.execution not in after.joining or asked.began_at is None:
            continue
        for address in after.scene.gateway.world.truth(after.scene.gateway.gateway_id):
            was, now = (address.status.at(at) for at in (asked.began_at, asked.ending.at))
            if was == IN_SERVICE != now and not after.meddled(str(address.allocation_id)):
                yield f"{address.allocation_id} was in service, and is {now} after a join"


def history_and_last_event_agree(after: Aftermath) -> Iterator[str]:
    """Check that history and event agree on how an execution ended, and that at least one exists."""
    for number, asked in enumerate(after.all_asked):
        records = [*_entries(after, asked), *_events(after, asked)]
        request = after.scene.request if number == 0 else after.scene.again or after.scene.request
        quiet = (
            request.get("DryRun")
            or "ignored" in {asked.ending.outcome, after.expected}
            or (after.lost and number == 0)
        )
        if not records and not quiet:
            yield f"request {number + 1}: its end was neither recorded nor published"
        result = asked.ending.result
        for record in records:
            if record["Execution"] != asked.ending.execution:
                yield f"request {number + 1}: recorded as {record['Execution']}"
            if result and any(record[key] != result[key] for key in ("Outcome", "Changed", "Summary")):
                yield f"request {number + 1}: {record['Outcome']} is recorded, {result['Outcome']} the result"
            # Trouble may have delayed the record: it must be right for that moment or for now.
            gateway = after.scene.gateway
            late = replace(asked, statuses=gateway.statuses(), listed=gateway.listed())
            if not result and all([*_disagreements(after, at, record)] for at in (asked, late)):
                yield f"record of request {number + 1} is so neither then nor later: {record['Addresses']}"


def _entries(after: Aftermath, asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the history's entries of this end."""
    cloud, gateway_id = after.scene.gateway.world.cloud, after.scene.gateway.gateway_id
    for row in cloud.client("dynamodb").query(
        TableName=cloud.outputs["TableName"],
        KeyConditionExpression="NatGatewayId = :gateway AND begins_with(#record, :history)",
        ExpressionAttributeNames={"#record": "Record"},
        ExpressionAttributeValues={":gateway": {"S": gateway_id}, ":history": {"S": "history#"}},
    )["Items"]:
        entry = {key: TypeDeserializer().deserialize(value) for key, value in row.items()}
        if entry["Event"] == "ended" and entry["Execution"] == asked.ending.execution:
            yield entry


def _events(after: Aftermath, asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the events of this end that EventBridge accepted, or else the dead letters."""
    for made in after.made:
        if made.call.name == "events:PutEvents" and made.call.error is None:
            published = [
                json.loads(e["Detail"]) for e in made.call.parameters["Entries"] if e["DetailType"] == ENDED
            ]
        elif made.call.name == "sqs:SendMessage" and made.call.error is None:
            letter = json.loads(made.call.parameters["MessageBody"])
            published = [letter["Detail"]] if letter["DetailType"] == ENDED else []
        else:
            continue
        yield from (one for one in published if one["Execution"] == asked.ending.execution)


INVARIANTS: tuple[Invariant, ...] = (
    has_ended,
    next_is_accepted,
    untouchable_is_untouched,
    ec2_is_asked_under_the_lock,
    lock_is_free_in_the_end,
    release_follows_two_looks,
    short_trouble_is_never_seen,
    enough_stay_in_service,
    result_agrees_with_ec2,
    repeated_requests_converge,
    history_and_last_event_agree,
    nothing_is_associated_twice,
    no_undo_takes_off_what_is_in_service,
    joins_leave_what_is_in_service,
)
