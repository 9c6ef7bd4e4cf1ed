"""The pace: what counts as lost, and what is counted before EC2 is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from natdrain.guards.judging import Judgement, judge
from natdrain.guards.pace import takes
from natdrain.model.gateway import Address, Gateway
from natdrain.model.pace import Pace, Take
from support.builders import GATEWAY, START, address, association, gateway, taken
from support.guard_rows import OTHER_ZONE, ZONE, Found, in_zone, regional

LATER = START + timedelta(hours=1)


def judged(
    *counted: Take, seen: Gateway | None = None, targets: str = "a", by_hand: bool = False, **policy: int
) -> Judgement:
    seen = seen or gateway(address("a"), address("b"))
    found = Found(seen=seen, targets=targets, of_look={"pace": Pace(takes=counted)}, automatic=not by_hand)
    return judge(found.case(**policy), override=())


def refuses(judgement: Judgement) -> bool:
    return [problem.guard for problem in judgement.refusals] == ["pace"]


def test_pace_lets_one_address_of_a_gateway_go() -> None:
    assert judged() == Judgement((), ())


def test_pace_refuses_two_addresses_of_a_gateway_at_once() -> None:
    assert refuses(judged(targets="ab", seen=gateway(*map(address, "abc"))))


def test_pace_refuses_the_second_address_within_the_window() -> None:
    assert refuses(judged(taken("c", in_service=4)))


def test_pace_counts_no_longer_what_was_taken_before_the_window() -> None:
    assert judged(taken("c", in_service=4, until=START)) == Judgement((), ())


def test_pace_counts_the_address_itself_once() -> None:
    assert judged(taken("a")) == Judgement((), ())


def test_pace_lets_go_what_a_replacement_in_service_makes_up_for() -> None:
    seen = gateway(address("a"), address("b"), address("d"))
    assert judged(taken("c", in_service=4), seen=seen) == Judgement((), ())


def test_pace_is_not_deceived_by_a_look_that_still_shows_a_taken_address_in_service() -> None:
    seen = gateway(address("a"), address("b"), address("c"))
    assert refuses(judged(taken("c", in_service=4), seen=seen))


def test_pace_counts_what_others_have_taken_off_no_higher_than_the_takes() -> None:
    judgement = judged(taken("c", in_service=9), pace_addresses_per_gateway=2)
    assert judgement == Judgement((), ())


def test_pace_in_one_zone_is_not_made_up_for_in_another() -> None:
    seen = regional(in_zone("a", ZONE), in_zone("b", ZONE), *(in_zone(n, OTHER_ZONE) for n in "de"))
    assert refuses(judged(taken("c", in_service=3, zone=ZONE), seen=seen))


def test_pace_of_all_gateways_counts_those_of_others() -> None:
    others = [taken(name, gateway_id="nat-2") for name in "cd"]
    assert judged(*others) == Judgement((), ())
    assert refuses(judged(*others, taken("e", gateway_id="nat-3")))


def test_pace_only_warns_a_person_and_only_after_an_automatic_take() -> None:
    seen = gateway(*map(address, "abc"))
    assert judged(targets="ab", seen=seen, by_hand=True) == Judgement((), ())
    [warning] = judged(taken("d", in_service=5), targets="ab", seen=seen, by_hand=True).warnings
    assert warning.guard == "pace"


def test_pace_has_nothing_to_say_of_an_address_that_has_failed() -> None:
    seen = gateway(address("a", "failed"), address("b"))
    assert judged(taken("c", in_service=4), seen=seen) == Judgement((), ())


def test_refusal_passes_when_an_address_that_joins_makes_up_for_the_loss() -> None:
    joins = gateway(address("a"), address("b"), address("d", "associating"))
    assert judged(taken("c", in_service=4), seen=joins).passing
    assert not judged(taken("c", in_service=4), taken("e", in_service=5), seen=joins).passing


def target(seen: Gateway, name: str = "a") -> Address:
    return next(one for one in seen.addresses if one.association_id == association(name))


def counted(seen: Gateway, *before: Take) -> Take:
    [take] = takes(seen, [target(seen)], Pace(takes=before), LATER)
    return take


def test_take_has_how_many_were_in_service_before() -> None:
    seen = gateway(address("a"), address("b"), address("c", "associating"))
    expected = Take(association_id=association("a"), gateway_id=GATEWAY, until=LATER, in_service=3)
    assert counted(seen) == expected


def test_take_of_a_regional_gateway_has_those_of_its_zone() -> None:
    seen = regional(in_zone("a", ZONE), in_zone("b", ZONE), in_zone("c", OTHER_ZONE))
    assert (counted(seen).zone, counted(seen).in_service) == (ZONE, 2)


def test_take_leaves_out_addresses_that_are_taken_and_only_look_in_service() -> None:
    assert counted(gateway(address("a"), address("b")), taken("b")).in_service == 2


@pytest.mark.parametrize(("before", "in_service"), [(5, 5), (2, 2)])
def test_take_that_is_counted_again_keeps_the_higher_number(before: int, in_service: int) -> None:
    assert counted(gateway(address("a")), taken("a", in_service=before)).in_service == in_service


def test_take_is_none_for_an_address_that_has_failed() -> None:
    seen = gateway(replace(address("a"), status="failed"))
    assert takes(seen, [target(seen)], Pace(), LATER) == ()
