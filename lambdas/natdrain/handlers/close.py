"""*Close*: the one exit of every path, and of executions that something else ended.

It records how the execution ended, frees the lock if it is ours, and says what is to be told.

Input: `{Execution, Request, Quiet, Failure, Step}`, each as far as the path got; or, of an execution that has
ended, `{Execution, Status, Cause}`.
Output: `{Result}` of a success, or `{Error, Cause}` of a failure; with `Event`, what is to be told of it,
which may be nothing.
Errors: `TransientFailure`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from natdrain.aws import ec2
from natdrain.change.after.release import RELEASABLE
from natdrain.change.conclude import Failure, Outcome, Quiet, conclude, quiet
from natdrain.contract import TABLE_ENV
from natdrain.history.entries import ended
from natdrain.intake.request import AfterDrain, Request
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.report import event as events
from natdrain.report import measures
from natdrain.steps.emit import emit
from natdrain.steps.task import Event, drains_of, setting, task
from natdrain.store import history, lock
from natdrain.store import triggers as claims

__all__ = ["handler"]

_SUCCEEDED, _FAILED = "SUCCEEDED", "FAILED"
_WHY = {
    "ABORTED": "somebody stopped the execution",
    "TIMED_OUT": "the execution took longer than it may",
    _FAILED: "the execution failed, and could not record why",
}


@task
def handler(event: Event) -> dict[str, Any]:
    """Conclude, record, free the lock."""
    if "Status" in event:
        return _record(event)
    request = Request.parse(event["Request"]) if event.get("Request") else None
    drains = drains_of(event)
    if event.get("Quiet"):
        outcome = quiet(request.gateway_id if request else None, Quiet.from_json(event["Quiet"]))
    else:
        outcome = _conclude(event, request, drains)
        if request and not request.dry_run:
            lock.close(
                setting(TABLE_ENV), str(request.gateway_id), event["Execution"], drains, request.reason
            )
    told, _ = _end(event["Execution"], request, outcome, _FAILED if outcome.error else _SUCCEEDED)
    # Also if an earlier attempt has recorded it: it may have died before it could say so.
    emit(measures.of_end(outcome, request, drains))
    _unclaim(event["Execution"], request, told)
    if outcome.error:
        return {"Error": outcome.error, "Cause": outcome.to_cause(), "Event": told}
    return {"Result": outcome.to_result(), "Event": told}


def _conclude(event: Event, request: Request | None, drains: Sequence[Drain]) -> Outcome:
    step = event["Step"]
    failure = Failure.from_catch(event["Failure"]) if event.get("Failure") else None
    if problems := step.get("Problems"):
        failure = Failure(error=RequestRefused.__name__, message="\n".join(problems))
    return conclude(
        gateway_id=request.gateway_id if request else None,
        drains=drains,
        limit_seconds=request.limit_seconds if request else None,
        dry_run=bool(request and request.dry_run),
        releases=bool(request and request.after_drain is AfterDrain.RELEASE),
        failure=failure,
        asking=[*step.get("AssociationIds", ()), *step.get("AllocationIds", ())],
        told=step.get("Warnings", ()),
        absent=_absent(request, drains) if request and request.scheduled else None,
        region=os.environ["AWS_REGION"],
    )


def _absent(request: Request, drains: Sequence[Drain]) -> list[str]:
    seen = {name for d in drains for name in (d.association_id, d.allocation_id, d.public_ip)}
    return [name for name in request.names if name not in seen]


def _record(event: Event) -> dict[str, Any]:
    """Conclude in place of an execution that was stopped, timed out, or failed where nothing catches it."""
    execution = event["Execution"]
    known = history.find(setting(TABLE_ENV), execution)
    if not known.ended:
        known = _recorded(event, known)
    _unclaim(execution, known.request, known.news)
    return {"Event": {} if known.told else known.news}


def _recorded(event: Event, known: history.Execution) -> history.Execution:
    """What is recorded of the execution when its end is: by us, or by itself at the same moment."""
    table, execution, status = setting(TABLE_ENV), event["Execution"], event["Status"]
    request = known.request
    if request and request.dry_run:
        history.end(table, execution, request, {}, None)
        return known
    drains = _asked_by(execution, request) if request else []
    outcome = conclude(
        gateway_id=request.gateway_id if request else None,
        drains=drains,
        releases=bool(request and request.after_drain is AfterDrain.RELEASE),
        failure=Failure(error=status, message=": ".join(filter(None, [_WHY[status], event["Cause"]]))),
        asking=_perhaps_asked(drains, request) if request else (),
        status=status,
        region=os.environ["AWS_REGION"],
    )
    if request:
        lock.free(table, str(request.gateway_id), execution)
    else:
        # It was cut off before it could be recorded, or began before there were records.
        outcome = replace(outcome, changed="unknown")
    told, recorded = _end(execution, request, outcome, status)
    if not recorded:
        return history.find(table, execution)
    emit(measures.of_end(outcome, request, drains))
    return replace(known, news=told)


def _asked_by(execution: str, request: Request) -> list[Drain]:
    """What this execution asked of EC2, or was about to, as the table remembers it."""
    associations, names = set(request.association_ids), {*request.allocation_ids, *request.public_ips}
    memory = lock.recall(setting(TABLE_ENV), str(request.gateway_id), associations, names)
    return [drain for drain in memory.drains.values() if drain.asked_by == execution]


def _perhaps_asked(drains: Sequence[Drain], request: Request) -> list[str]:
    """What EC2 may have been asked without that its answer is known."""
    asked = [drain.association_id for drain in drains if not drain.outcome]
    if request.after_drain is AfterDrain.RELEASE:
        asked += [d.allocation_id for d in drains if d.outcome in RELEASABLE and d.allocation_id]
    return asked


def _end(
    execution: str, request: Request | None, outcome: Outcome, status: str
) -> tuple[dict[str, Any], bool]:
    """Record what is to be told of the end; also tells whether nobody had recorded it before."""
    told: dict[str, Any] = {}
    entry = None
    if events.is_told(request, outcome):
        told = events.ended(execution=execution, request=request, outcome=outcome, status=status)
        entry = ended(at=ec2.now(), execution=execution, request=request, told=told)
    recorded = history.end(setting(TABLE_ENV), execution, request, told, entry)
    return told, recorded


def _unclaim(execution: str, request: Request | None, told: Mapping[str, Any]) -> None:
    """Let the trigger be given again; last, so that whoever is asked again finds the lock free."""
    if request and request.trigger and told and told["Changed"] == "none" and told["Status"] != _SUCCEEDED:
        claims.unclaim(setting(TABLE_ENV), request, execution)
