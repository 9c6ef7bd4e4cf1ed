"""*Disassociate*: ask EC2, under the lock. The only function with the right to take an address off a gateway.

It decides nothing: it records what EC2 answers, and the next look judges it.

Input: `{Execution, Request, Step}`, whose `AssociationIds` are to be asked for. Output: `{Step, Start,
Failure}`: the next step, or `GatewayBusy` when the lock is no longer ours, or `RequestRefused` when a dry run
finds the right missing. Errors: `TransientFailure`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from natdrain.aws import clock, ec2
from natdrain.change.leave.decide import Decision, Finished, Release, accepted, recovered, refused
from natdrain.intake.request import AfterDrain, Request
from natdrain.model.drain import Drain
from natdrain.model.errors import GatewayBusy
from natdrain.steps.settings import Settings
from natdrain.steps.task import Event, answer, drains_of, refusing, task
from natdrain.store.holds import Holds
from natdrain.store.lock import GatewayLock
from natdrain.store.table import Table

__all__ = ["handler"]


@task
@refusing
def handler(event: Event) -> dict[str, Any]:
    """Prove the permission (dry run), or ask under the lock."""
    request = Request.parse(event["Request"])
    if request.dry_run:
        return answer(event, _prove(event, request))
    return answer(event, _ask(Settings.from_env().table, event, request))


def _prove(event: Event, request: Request) -> Decision:
    drains = drains_of(event)
    ec2.prove_permission(str(request.gateway_id), event["Step"]["AssociationIds"], request.limit_seconds)
    releases = request.after_drain is AfterDrain.RELEASE
    return Release.of(drains, drains) if releases else Finished(drains)


def _ask(table: Table, event: Event, request: Request) -> Decision:
    """Check hold and lock, ask, and record what EC2 accepted."""
    gateway_id, ids, drains = str(request.gateway_id), event["Step"]["AssociationIds"], drains_of(event)
    if held := Holds(table).on(gateway_id):
        # Set since the guards were judged: the next look judges them again.
        return refused(drains, ids, at=clock.now(), refusal=held[0].problem, busy=True)
    lock = GatewayLock(table, gateway_id, event["Execution"])
    asked = tuple(replace(d, asked_by=lock.owner) if d.association_id in ids else d for d in drains)
    remembered = lock.intend(_named(asked, ids))
    if remembered is None:
        raise GatewayBusy(
            f"{gateway_id}: the lock was taken over from this execution; nothing was asked of EC2."
        )
    if earlier := recovered(asked, ids, remembered):
        return earlier
    said = ec2.disassociate(gateway_id, ids, request.limit_seconds)
    if isinstance(said, ec2.Refused):
        # An earlier attempt, whose answer got lost, may have been accepted.
        known = asked if event["RetryCount"] else drains
        return refused(known, ids, at=said.at, refusal=said.text, busy=said.busy, denied=said.denied)
    step = accepted(asked, ids, at=said.at, limit_seconds=request.limit_seconds)
    lock.remember(_named(step.drains, ids))
    return step


def _named(drains: Iterable[Drain], association_ids: list[str]) -> list[Drain]:
    return [drain for drain in drains if drain.association_id in association_ids]
