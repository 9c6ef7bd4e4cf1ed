"""Event patterns and events with lists of objects."""

from typing import Any

import pytest
from moto.events.models import EventPattern

from natdrain_sim.events import patterns
from natdrain_sim.seams import replaced

METRICS = [
    {"id": "e1", "expression": "m1/m2", "returnData": True},
    {"id": "m1", "stat": {"name": "Requests", "dimensions": {"Gateway": "nat-1", "Ip": "203.0.113.7"}}},
    {"id": "m2", "stat": {"name": "Errors", "dimensions": {"Gateway": "nat-2", "Zone": "a"}}},
]
EVENT = {"source": "aws.cloudwatch", "resources": ["arn:a", "arn:b"], "detail": {"n": 5, "metrics": METRICS}}


def metric(**wanted: Any) -> dict[str, Any]:
    return {"detail": {"metrics": {"stat": wanted}}}


def dimensions(**wanted: Any) -> dict[str, Any]:
    return metric(dimensions=wanted)


def matches(pattern: dict[str, Any]) -> bool:
    with replaced(patterns.seams()):
        return EventPattern("", pattern).matches_event(EVENT)  # type: ignore[arg-type]  # an event is any object


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2", "aws.cloudwatch"]},
        {"resources": ["arn:b"]},
        {"resources": [{"prefix": "arn:"}]},
        {"resources": [{"anything-but": "arn:a"}]},
        {"detail": {"n": [{"numeric": [">", 4]}]}},
        {"detail": {"missing": [{"exists": False}]}},
        {"replay-name": [{"exists": False}]},
        {"detail": {"missing": {"field": [{"exists": False}]}}},
        # On what is no leaf, `exists` is of no use.
        {"detail": [{"exists": False}]},
        {"detail": {"$or": [{"n": [5], "missing": [{"exists": False}]}, {"none": {"$or": [{"n": [5]}]}}]}},
        dimensions(Gateway=[{"prefix": "nat-"}]),
        dimensions(Gateway=["nat-1"], Ip=[{"exists": True}]),
        metric(name=[{"anything-but": ["Requests"]}], dimensions={"Zone": ["a"]}),
        metric(name=[{"anything-but": {"prefix": "Req"}}]),
        dimensions(**{"$or": [{"Ip": [{"exists": True}]}, {"Allocation": [{"exists": True}]}]}),
        {"$or": [metric(name=["Errors"]), {"source": ["none"]}], **dimensions(Zone=["a"])},
    ],
)
def test_pattern_matches_as_on_aws(pattern: dict[str, Any]) -> None:
    assert matches(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2"]},
        {"detail": {"missing": [{"anything-but": "x"}]}},
        {"source": [{"exists": False}]},
        {"detail": {"n": [{"exists": False}]}},
        {"detail": [{"exists": True}]},
        {"detail": {"$or": [{"n": [5], "missing": [{"exists": True}]}, {"none": [5]}]}},
        {"detail": {"metrics": [{"exists": True}]}},
        {"detail": {"metrics": {"missing": [{"exists": True}]}}},
        dimensions(Gateway=["nat-2"], Ip=[{"exists": True}]),
        metric(name=[{"anything-but": ["Requests"]}], dimensions={"Ip": [{"exists": True}]}),
        dimensions(**{"Gateway": ["nat-2"], "$or": [{"Ip": [{"exists": True}]}, {"Zone": ["b"]}]}),
        {"$or": [metric(name=["Requests"]), {"source": ["none"]}], **dimensions(Zone=["a"])},
        {"$or": [{"source": ["none"]}, {"source": ["neither"]}]},
    ],
)
def test_pattern_does_not_match_when_no_single_element_does(pattern: dict[str, Any]) -> None:
    assert not matches(pattern)
