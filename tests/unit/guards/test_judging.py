"""The fate of a finding: by verdict, by who starts, by override, and with everything at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from natdrain.guards.judging import Judgement, judge
from natdrain.guards.policy import RULES, GuardPolicy, Rule, Verdict
from natdrain.model.drain import Drain
from natdrain.model.look import ChangeCalendar, Hold, Load, Unread
from natdrain.model.pace import Pace
from natdrain.model.problem import Problem
from natdrain.model.request import Direction
from support.builders import GATEWAY, MANAGED, address, association, drain, gateway, ip, taken
from support.guard_rows import (
    DEFAULTS,
    DRAINS_TOO,
    FIXED,
    FOUND,
    LIFTABLE,
    OF_STACK,
    OTHER_ZONE,
    RULE,
    ZONE,
    Found,
    in_zone,
    left,
    regional,
    rows,
)

by_start = pytest.mark.parametrize("start", ["by_hand", "automatic"])


def judged(found: Found, start: str, override: Collection[str] = (), **policy: Any) -> Judgement:
    return judge(replace(found, automatic=start == "automatic").case(**policy), override=override)


def only(judgement: Judgement, verdict: Verdict) -> str:
    """Return the one finding as text, if it has that verdict."""
    found, nothing = judgement.refusals, judgement.warnings
    if verdict is Verdict.WARN:
        found, nothing = nothing, found
    assert nothing == ()
    (problem,) = found
    return str(problem)


def names_of(found: tuple[Problem, ...]) -> list[str | None]:
    """Return the guards that found this."""
    return [problem.guard for problem in found]


def test_guards_all_have_their_rows_here() -> None:
    assert list(FOUND) == list(RULE)
    assert [rule.name for rule in RULES if rule.fixed] == FIXED
    assert [rule.name for rule in RULES if not rule.fixed] == LIFTABLE


@by_start
def test_guards_say_nothing_of_an_ordinary_address(start: str) -> None:
    assert judged(Found(), start) == Judgement((), ())


@by_start
@rows(*FOUND)
def test_finding_has_the_guard_and_the_id_of_what_it_is_about(rule: Rule, found: Found, start: str) -> None:
    judgement = judged(found, start)
    [problem] = judgement.refusals or judgement.warnings
    assert (problem.guard, problem.subject) == (rule.name, found.subject)


@by_start
@rows(*FIXED)
def test_fixed_guard_refuses_and_says_what_fixes_it(rule: Rule, found: Found, start: str) -> None:
    text = only(judged(found, start), Verdict.REFUSE)
    assert text.startswith(f"{rule.name}: ")
    assert [part for part in found.says if part not in text] == []
    assert re.search(
        r"(: aws \w+ \S+ --.*|Nothing overrides this\.|[Ii]f it stays, ask AWS Support\."
        r"|(Try|Run the request) again when it (is|does|has left)\.|Name .*\.|within a minute\.)$",
        text,
    )
    assert "Override" not in text


@by_start
@rows(*FIXED)
def test_fixed_guard_is_lifted_by_no_override_and_no_policy(rule: Rule, found: Found, start: str) -> None:
    as_ever = judged(found, start)
    assert judged(found, start, override=list(RULE)) == as_ever
    assert judged(found, start, by_hand={rule.name: "allow"}, automatic={rule.name: "allow"}) == as_ever


@by_start
@rows(*LIFTABLE)
def test_guard_warns_or_refuses_by_its_default(rule: Rule, found: Found, start: str) -> None:
    text = only(judged(found, start), DEFAULTS[rule.name][start == "automatic"])
    assert text.startswith(f"{rule.name}: ")
    assert [part for part in found.says if part not in text] == []


@by_start
@rows(*LIFTABLE)
def test_refusal_ends_with_the_override_that_lifts_it(rule: Rule, found: Found, start: str) -> None:
    text = only(judged(found, start, **{start: {rule.name: "refuse"}}), Verdict.REFUSE)
    override = f'Override: ["{rule.name}"]'
    ends = {
        "by_hand": f"To go on all the same: {override}.",
        "automatic": f"To go on all the same: {override}, in a request by hand or of a schedule.",
    }
    if DEFAULTS[rule.name][0] is Verdict.WARN:
        ends["automatic"] = f"start it by hand, where it only warns. A schedule needs {override}."
    assert text.endswith(ends[start])


@by_start
@rows(*LIFTABLE)
def test_guard_that_is_overridden_warns(rule: Rule, found: Found, start: str) -> None:
    refuses = {start: {rule.name: "refuse"}}
    text = only(judged(found, start, [rule.name], **refuses), Verdict.WARN)
    assert [part for part in found.says if part not in text] == []
    assert text.endswith(" (Overridden.)")


@by_start
@rows(*LIFTABLE)
def test_guard_is_lifted_by_its_own_name_only(rule: Rule, found: Found, start: str) -> None:
    others = [name for name in RULE if name != rule.name]
    assert judged(found, start, others) == judged(found, start)


@by_start
@rows(*LIFTABLE)
def test_guard_does_what_the_policy_says_of_this_start(rule: Rule, found: Found, start: str) -> None:
    other = "by_hand" if start == "automatic" else "automatic"

    def by_policy(here: str, there: str) -> Judgement:
        return judged(found, start, **{start: {rule.name: here}, other: {rule.name: there}})

    assert by_policy("allow", "refuse") == Judgement((), ())
    assert rule.name in only(by_policy("warn", "refuse"), Verdict.WARN)
    assert rule.name in only(by_policy("refuse", "allow"), Verdict.REFUSE)


@rows(*(r.name for r in RULES if r.name not in DRAINS_TOO and r.directions != (Direction.JOIN,)))
def test_guard_says_nothing_of_what_drains_already(rule: Rule, found: Found) -> None:
    seen = found.seen
    named = [association(target) for target in found.targets]
    draining = tuple(
        replace(a, status="disassociating") if a.association_id in named else a for a in seen.addresses
    )
    judgement = judged(replace(found, seen=replace(seen, addresses=draining)), "automatic")
    assert rule.name not in names_of(judgement.refusals + judgement.warnings)


EVERYTHING = Found(
    seen=regional(
        in_zone("a", ZONE),
        in_zone("b", ZONE, "failed"),
        in_zone("c", OTHER_ZONE, "failed"),
        aws_managed=True,
        connectivity="private",
        tags={"natdrain:protect": "", "tool": ""},
    ),
    targets="ab",
    of_look={
        "holds": (Hold(held="all", why="bob", table="table"),),
        "load": {ZONE: Load(port_errors=1, peak_connections=440_001)},
        "pace": Pace(takes=(taken("d", zone=ZONE, in_service=5),)),
        "calendar": ChangeCalendar(closed=True),
    },
    policy={"owner_tags": {"tool": "it restores that"}},
    remembered=left("a", as_="d"),
)
IN_SERVICE_ELSEWHERE = replace(
    EVERYTHING,
    seen=replace(
        EVERYTHING.seen, addresses=(*EVERYTHING.seen.addresses, in_zone("e", OTHER_ZONE)), aws_managed=False
    ),
)


@pytest.mark.parametrize(
    ("found", "silent"),
    [(EVERYTHING, {"remaining"}), (IN_SERVICE_ELSEWHERE, {"last", "aws_managed"})],
    ids=["none in service", "none in this zone"],
)
def test_guards_report_everything_at_once_in_their_order(found: Found, silent: set[str]) -> None:
    judgement = judged(found, "by_hand")
    warned = [name for name in LIFTABLE if DEFAULTS[name][0] is Verdict.WARN]
    assert list(dict.fromkeys(names_of(judgement.warnings))) == warned
    leave = [rule.name for rule in RULES if Direction.LEAVE in rule.directions]
    refused = [name for name in leave if name not in {*warned, *silent}]
    assert list(dict.fromkeys(names_of(judgement.refusals))) == refused


# Zones


def test_regional_gateway_keeps_what_the_policy_wants_in_each_zone_that_loses_one() -> None:
    seen = regional(*(in_zone(name, ZONE) for name in "abc"), *(in_zone(name, OTHER_ZONE) for name in "def"))
    found = Found(seen=seen, targets="abd", policy={"remaining_addresses": 2})
    text = only(judged(found, "by_hand"), Verdict.REFUSE)
    assert f"in {ZONE} would keep 1 address" in text
    assert judged(found, "by_hand", remaining_addresses=1) == Judgement((), ())
    assert len(judged(found, "by_hand", remaining_addresses=3).refusals) == 2


def test_zone_that_loses_nothing_may_have_less_than_the_policy_wants() -> None:
    seen = regional(in_zone("a", ZONE), in_zone("b", ZONE), in_zone("c", OTHER_ZONE, "disassociating"))
    assert judged(Found(seen=seen), "by_hand") == Judgement((), ())


@pytest.mark.parametrize("status", ["associating", "disassociating", "failed"])
def test_address_that_is_not_in_service_does_not_count_as_remaining(status: str) -> None:
    found = Found(seen=gateway(address("a"), address("b", status), primary=False))
    assert "last" in names_of(judged(found, "by_hand").refusals)


def test_address_without_a_word_on_whether_it_is_primary_may_leave_a_regional_gateway_only() -> None:
    silent = Found(seen=regional(in_zone("a", ZONE), in_zone("b", ZONE)))
    assert judged(silent, "by_hand") == Judgement((), ())
    zonal = replace(silent, seen=replace(silent.seen, availability_mode="zonal"))
    assert names_of(judged(zonal, "by_hand").refusals) == ["ec2"]


def test_primary_address_of_a_regional_gateway_is_refused_if_there_is_one() -> None:
    primary = replace(in_zone("a", ZONE), is_primary=True)
    found = Found(seen=regional(primary, in_zone("b", ZONE)))
    assert names_of(judged(found, "by_hand").refusals) == ["ec2"]


# What could not be read

NOT_READ = Unread("Throttling: slow down")
UNREAD = {
    "ports": ({"load": NOT_READ}, f"ErrorPortAllocation of {GATEWAY}", "the load is unknown."),
    "capacity": ({"load": NOT_READ}, f"ActiveConnectionCount of {GATEWAY}", "the load is unknown."),
    "pace": ({"pace": NOT_READ}, "The pace of automatic requests", "that it is unknown how many"),
    "calendar": ({"calendar": NOT_READ}, "The change calendar (freeze)", "it counts as closed."),
}
unread = pytest.mark.parametrize(
    ("name", "of_look", "what", "follows"), [(name, *row) for name, row in UNREAD.items()], ids=list(UNREAD)
)


def with_policy(name: str, of_look: dict[str, Any], start: str, verdict: str, *override: str) -> Judgement:
    """With this verdict for one guard, and all others allowed."""
    found = Found(of_look=of_look, policy={"change_calendars": ["freeze"]})
    others = dict.fromkeys(LIFTABLE, "allow")
    return judged(found, start, override, **{start: {**others, name: verdict}})


@by_start
@unread
@pytest.mark.parametrize("verdict", ["warn", "refuse"])
def test_guard_refuses_and_says_why_when_it_cannot_know(
    name: str, of_look: dict[str, Any], what: str, follows: str, *, start: str, verdict: str
) -> None:
    text = only(with_policy(name, of_look, start, verdict), Verdict.REFUSE)
    assert f"{what} could not be read (Throttling: slow down), so {follows}" in text
    assert f'Override: ["{name}"]' in text


@by_start
@unread
def test_guard_that_cannot_know_warns_when_it_is_overridden(
    name: str, of_look: dict[str, Any], what: str, follows: str, start: str
) -> None:
    text = only(with_policy(name, of_look, start, "refuse", name), Verdict.WARN)
    assert what in text
    assert follows in text


@unread
def test_guard_that_cannot_know_is_silent_where_the_policy_allows(
    name: str, of_look: dict[str, Any], what: str, follows: str
) -> None:
    assert with_policy(name, of_look, "by_hand", "allow") == Judgement((), ()), (what, follows)


# Tags


@pytest.mark.parametrize(
    ("pattern", "tags"),
    [
        ("tool", {"tool": ""}),
        ("tool", {"tool": "any"}),
        ("tool=X", {"tool": "X"}),
        ("tool=X*", {"tool": "XY"}),
        ("tool=*", {"tool": ""}),
        ("too*", {"tool": "any"}),
        ("*=X", {"whatever": "X"}),
        ("*", {}),
    ],
)
def test_owner_is_known_by_a_pattern_that_fits_a_tag(pattern: str, tags: dict[str, str]) -> None:
    tagged = Found(tags={"a": {**MANAGED, **tags}}, policy={"owner_tags": {pattern: "it restores that"}})
    warnings = judged(tagged, "by_hand").warnings
    assert any(ip("a") in warning.text and "it restores that." in warning.text for warning in warnings)


@pytest.mark.parametrize(
    ("pattern", "tags"),
    [
        ("tool", {"Tool": "any"}),
        ("tool", {"toolbox": "any"}),
        ("tool", {"of": "tool"}),
        ("tool=X", {"tool": "XY"}),
        ("tool=X", {"tool": ""}),
        ("tool=X*", {"tool": "x"}),
        ("to?l", {"tool": ""}),
        ("[t]ool", {"tool": ""}),
    ],
)
def test_owner_is_not_known_by_a_pattern_that_fits_no_tag(pattern: str, tags: dict[str, str]) -> None:
    tagged = Found(tags={"a": {**MANAGED, **tags}}, policy={"owner_tags": {pattern: "it restores that"}})
    assert judged(tagged, "automatic") == Judgement((), ())


def test_owner_of_each_thing_is_reported_with_what_that_tool_does_next() -> None:
    found = Found(
        seen=gateway(address("a"), address("b"), tags={**MANAGED, "one": ""}),
        targets="ab",
        tags={"a": {**MANAGED, "two": "x"}, "b": OF_STACK},
        policy={"owner_tags": {"one": "the one does this", "two=x": "the two does that"}},
    )
    warnings = judged(found, "by_hand").warnings
    assert [f"{GATEWAY} carries the tag one=: the one does this." in warnings[0].text, len(warnings)] == [
        True,
        3,
    ]
    assert (
        f"{ip('a')} (eipalloc-aaaaaaaaaaaaaaaaa) carries the tag two=x: the two does that."
        in warnings[1].text
    )
    assert (
        f"{ip('b')} (eipalloc-bbbbbbbbbbbbbbbbb) belongs to the CloudFormation stack egress"
        in warnings[2].text
    )


# Put back


@pytest.mark.parametrize(
    "remembered",
    [left("b", as_="c"), left("a", as_="a"), {association("c"): drain("a", association_id=association("c"))}],
    ids=["another address", "the same association", "not seen to leave"],
)
def test_address_was_not_put_back_if_something_else_is_remembered(remembered: dict[str, Drain]) -> None:
    assert judged(Found(remembered=remembered), "automatic") == Judgement((), ())


@by_start
def test_capacity_is_enough_with_55000_for_each_address_that_remains(start: str) -> None:
    found = Found(of_look={"load": {None: Load(port_errors=0, peak_connections=2 * 55_000)}})
    assert judged(found, start) == Judgement((), ())


def test_policy_comes_out_of_its_environment_variable_as_it_went_in() -> None:
    policy = GuardPolicy(by_hand={"ports": "warn"}, owner_tags={"tool=*": 'says "X"'}, change_calendars=["a"])
    assert GuardPolicy.from_text(policy.to_text()) == policy
