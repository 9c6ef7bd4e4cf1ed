"""The guards: each a pure function of one look and the addresses to drain.

A guard yields what it has found, each with what mends it. All guards are asked, and everything that they
find is reported together; `natdrain.policy` says what is done about it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from natdrain.guards import capacity as room
from natdrain.guards import eligibility as touching
from natdrain.guards import ownership as others
from natdrain.guards.case import Case, Finding
from natdrain.guards.policy import RULES, Rule, Verdict

__all__ = ["Case", "Judgement", "judge"]

_GUARDS: Mapping[str, Callable[[Case], Iterator[Finding]]] = {
    "ec2": touching.ec2,
    "opt_in": touching.opt_in,
    "protect": touching.protect,
    "hold": touching.hold,
    "aws_managed": touching.aws_managed,
    "last": room.last,
    "remaining": room.remaining,
    "ports": room.ports,
    "capacity": room.capacity,
    "siblings": others.siblings,
    "put_back": others.put_back,
    "owner": others.owner,
    "calendar": others.calendar,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the guards say of a case, each finding beginning with its guard's name."""

    refusals: tuple[str, ...]
    warnings: tuple[str, ...]


def judge(case: Case, *, automatic: bool, override: Collection[str]) -> Judgement:
    """Ask every guard, by the verdicts of an automatic start or of one by hand; `override` lifts guards."""
    refusals, warnings = [], []
    for rule in RULES:
        verdict = case.policy.verdict(rule, automatic=automatic)
        for finding in () if verdict is Verdict.ALLOW else _GUARDS[rule.name](case):
            text = f"{rule.name}: {finding.text}"
            if not rule.fixed and rule.name in override:
                warnings.append(f"{text} (Overridden.)")
            elif verdict is Verdict.WARN and not finding.firm:
                warnings.append(text)
            else:
                refusals.append(f"{text}{_way_on(rule, automatic=automatic)}")
    return Judgement(tuple(refusals), tuple(warnings))


def _way_on(rule: Rule, *, automatic: bool) -> str:
    if rule.fixed:
        return ""
    where = ", in a request by hand or of a schedule" if automatic else ""
    return f" To go on all the same: {rule.override}{where}."
