from __future__ import annotations

import pytest

from natdrain.report.hints import did_you_mean

KNOWN = ["NatGatewayId", "AllocationIds", "PublicIps"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PublicIps", "PublicIps"),
        ("publicip", "PublicIps"),
        ("NatGateway", "NatGatewayId"),
        ("AllocationID", "AllocationIds"),
    ],
)
def test_hint_is_the_nearest_known_name_whatever_its_case(name: str, meant: str) -> None:
    assert did_you_mean(name, KNOWN) == f"did you mean {meant}?"


@pytest.mark.parametrize(("name", "known"), [("Colour", KNOWN), ("PublicIps", []), ("", KNOWN)])
def test_hint_is_none_when_no_known_name_is_near(name: str, known: list[str]) -> None:
    assert did_you_mean(name, known) is None
