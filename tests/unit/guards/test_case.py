"""The case that the guards judge, and the facts that they name."""

from __future__ import annotations

from natdrain.guards import eligibility
from natdrain.guards.case import Case
from natdrain.guards.policy import GuardPolicy
from natdrain.model.gateway import Address
from support.builders import address, allocation, gateway, ip, look


def case(*targets: Address, releasing: dict[str, str | None] | None = None) -> Case:
    shown = gateway(address("b"), *targets)
    return Case(
        look=look(shown), gateway=shown, targets=targets, policy=GuardPolicy(), releasing=releasing or {}
    )


def test_case_acts_if_ec2_is_to_be_asked_for_anything() -> None:
    draining = address("a", "disassociating")
    assert case(address("a")).acts
    assert case(draining, releasing={allocation("a"): ip("a")}).acts
    assert not case(draining).acts


def test_primary_address_stays_though_it_is_a_target() -> None:
    primary = address("a", primary=True)
    assert primary in case(primary).staying
    assert address("a") not in case(address("a")).staying


def test_tag_with_another_value_is_named_and_a_missing_one_is_not() -> None:
    tagged = gateway(tags={"natdrain:managed": "yes"})
    bare = gateway(tags={})
    texts = [
        next(
            iter(eligibility.opt_in(Case(look=look(g), gateway=g, targets=(), policy=GuardPolicy())))
        ).problem.text
        for g in (tagged, bare)
    ]
    assert ["natdrain:managed=yes" in text for text in texts] == [True, False]
    assert ["(it has" in text for text in texts] == [True, False]
