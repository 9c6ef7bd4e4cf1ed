"""The step between two states of the workflow: what a decision says is next, and what is known by then.

A function decides on a step, the workflow carries it as JSON to the state that does it, and the function of
that state reads it again. Field names are those of `natdrain.contract`, which the stack's states use too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from natdrain.contract import Do
from natdrain.contract import StepField as F
from natdrain.model.drain import Drain
from natdrain.model.instants import instant, timestamp
from natdrain.model.join import Join
from natdrain.model.pace import Take
from natdrain.model.problem import Problem, bounded


class Reason(StrEnum):
    """The reason for a step, for logs and for people who look at an execution."""

    NOT_RECORDED = "not_recorded"
    """A step of an earlier version."""
    NO_GATEWAY = "no_gateway"
    REQUEST_OR_GUARDS_REFUSE = "request_or_guards_refuse"
    ABSENT_AS_SCHEDULED = "absent_as_scheduled"
    """A schedule asks for addresses that have all left."""
    EC2_BUSY = "ec2_busy"
    """EC2 works on an address of the gateway and accepts nothing else."""
    GUARDS_ALLOW = "guards_allow"
    DRAINING = "draining"
    """EC2 was asked, and not every address has left."""
    ALL_ENDED = "all_ended"
    """Every address has its outcome."""
    ALLOCATION_KEPT = "allocation_kept"
    """An address did not leave as it should, or a guard stands in the way: nothing is released."""
    ALLOCATION_UNCONFIRMED = "allocation_unconfirmed"
    """It takes another look before allocations may be released."""
    ALLOCATION_CONFIRMED = "allocation_confirmed"
    EC2_ACCEPTED = "ec2_accepted"
    EC2_REFUSED = "ec2_refused"
    ANSWER_LOST = "answer_lost"
    """EC2 may have accepted a request: the next looks show it."""
    PERMISSION_TO_PROVE = "permission_to_prove"
    """A dry run proves now what will have to be asked later."""
    NOT_YET = "not_yet"
    """What stands in the way ends by itself within two minutes."""
    JOINING = "joining"
    """EC2 was asked, and not every allocation is in service."""
    FAILED_TO_JOIN = "failed_to_join"
    """An allocation that has failed is to be taken off again."""
    PERMISSION_PROVEN = "permission_proven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The common part: the addresses as they are known, why this step is next, what the guards warn of."""

    drains: tuple[Drain, ...] = ()
    joins: tuple[Join, ...] = ()
    reason: Reason
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Step):
    """The request cannot be carried out; nothing was changed."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disassociate(Step):
    """Ask EC2 to take these associations off the gateway.

    `takes` are to be counted before, if the pace has still the version that was judged.
    """

    association_ids: tuple[str, ...]
    takes: tuple[Take, ...] = ()
    pace_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Associate(Step):
    """Ask EC2 to associate these allocations, in one call."""

    allocation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Step):
    """Release these allocations to AWS."""

    allocation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Look again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(Step):
    """Every address has its outcome."""


def to_json(step: Step) -> dict[str, Any]:
    """Return the step as the workflow carries it."""
    document: dict[str, Any] = {
        F.REASON: step.reason.value,
        F.DRAINS: [drain.to_json() for drain in step.drains],
        F.JOINS: [join.to_json() for join in step.joins],
        F.WARNINGS: [warning.to_json() for warning in bounded(step.warnings)],
        F.ASSOCIATION_IDS: [],
        F.ALLOCATION_IDS: [],
    }
    match step:
        case Refuse():
            return document | {F.DO: Do.REFUSE, F.PROBLEMS: [p.to_json() for p in bounded(step.problems)]}
        case Disassociate():
            takes = [take.to_json() for take in step.takes]
            return document | {
                F.DO: Do.DISASSOCIATE,
                F.ASSOCIATION_IDS: list(step.association_ids),
                **({F.TAKES: takes, F.PACE_VERSION: step.pace_version} if takes else {}),
            }
        case Associate():
            return document | {F.DO: Do.ASSOCIATE, F.ALLOCATION_IDS: list(step.allocation_ids)}
        case Release():
            return document | {F.DO: Do.RELEASE, F.ALLOCATION_IDS: list(step.allocation_ids)}
        case Wait():
            return document | {F.DO: Do.WAIT, F.WAIT_UNTIL: timestamp(step.until)}
    return document | {F.DO: Do.FINISH}


def from_json(document: Mapping[str, Any]) -> Step:
    """Read what `to_json` returned, now or in an earlier version."""
    common: dict[str, Any] = {
        "drains": tuple(Drain.from_json(one) for one in document.get(F.DRAINS) or ()),
        "joins": tuple(Join.from_json(one) for one in document.get(F.JOINS) or ()),
        "reason": Reason(document.get(F.REASON, Reason.NOT_RECORDED)),
        "warnings": tuple(Problem.from_json(one) for one in document.get(F.WARNINGS) or ()),
    }
    match Do(document[F.DO]):
        case Do.REFUSE:
            problems = tuple(Problem.from_json(one) for one in document[F.PROBLEMS])
            return Refuse(**common, problems=problems)
        case Do.DISASSOCIATE:
            takes = tuple(Take.from_json(one) for one in document.get(F.TAKES) or ())
            version = document.get(F.PACE_VERSION, 0)
            ids = tuple(document[F.ASSOCIATION_IDS])
            return Disassociate(**common, association_ids=ids, takes=takes, pace_version=version)
        case Do.ASSOCIATE:
            return Associate(**common, allocation_ids=tuple(document[F.ALLOCATION_IDS]))
        case Do.RELEASE:
            return Release(**common, allocation_ids=tuple(document[F.ALLOCATION_IDS]))
        case Do.WAIT:
            return Wait(**common, until=instant(document[F.WAIT_UNTIL]))
        case Do.FINISH:
            return Finish(**common)
