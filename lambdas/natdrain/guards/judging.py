"""The judgement: every guard is asked, and everything that they find is reported together."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from natdrain.guards import capacity, eligibility, joining, ownership, pace
from natdrain.guards.case import Case, Finding
from natdrain.guards.policy import RULES, Rule, Verdict
from natdrain.model.problem import Guard, Problem
from natdrain.report.wording import joined, overridden, way_on

_GUARDS: Mapping[Guard, Callable[[Case], Iterator[Finding]]] = {
    Guard.EC2: eligibility.ec2,
    Guard.OPT_IN: eligibility.opt_in,
    Guard.PROTECT: eligibility.protect,
    Guard.HOLD: eligibility.hold,
    Guard.AWS_MANAGED: eligibility.aws_managed,
    Guard.FREE: joining.free,
    Guard.ROOM: joining.room,
    Guard.LAST: capacity.last,
    Guard.REMAINING: capacity.remaining,
    Guard.PORTS: capacity.ports,
    Guard.CAPACITY: capacity.capacity,
    Guard.PACE: pace.pace,
    Guard.SIBLINGS: ownership.siblings,
    Guard.PUT_BACK: ownership.put_back,
    Guard.OWNER: ownership.owner,
    Guard.CALENDAR: ownership.calendar,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings of all guards in a case, each with its guard's name.

    `passing`: there are refusals, and all end by themselves.
    """

    refusals: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    passing: bool = False


def judge(case: Case, *, override: Collection[str]) -> Judgement:
    """Ask every guard, by the verdicts for an automatic start or for one by hand; `override` lifts guards."""
    refusals, warnings, passing = [], [], True
    for rule in (rule for rule in RULES if case.direction in rule.directions):
        verdict = case.policy.verdict(rule, automatic=case.automatic)
        for finding in () if verdict is Verdict.ALLOW else _GUARDS[rule.name](case):
            problem = replace(finding.problem, guard=rule.name)
            if not rule.fixed and rule.name in override:
                warnings.append(overridden(problem))
            elif finding.mild or (verdict is Verdict.WARN and not finding.firm):
                warnings.append(problem)
            else:
                fix = None if rule.fixed else _way_on(case, rule, finding)
                refusals.append(replace(problem, fix=joined(problem.fix, fix) or None))
                passing = passing and finding.passing
    return Judgement(tuple(refusals), tuple(warnings), passing=bool(refusals) and passing)


_OF_OWNERS = (Guard.OPT_IN, Guard.PROTECT, Guard.HOLD, Guard.AWS_MANAGED)


def forbidden(case: Case) -> bool:
    """Return True if gateway or addresses are not natdrain's to touch, whatever for; unknown tags count."""
    return any(True for guard in _OF_OWNERS for _ in _GUARDS[guard](case))


def _way_on(case: Case, rule: Rule, finding: Finding) -> str:
    by_hand_warns = not finding.firm and case.policy.verdict(rule, automatic=False) is not Verdict.REFUSE
    return way_on(rule.override, automatic=case.automatic, by_hand_warns=by_hand_warns)
