"""The calls to CloudWatch, and the meaning of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from natdrain.aws.cloudwatch import read_load
from natdrain.guards.policy import GuardPolicy
from natdrain.model.errors import TransientFailure
from natdrain.model.gateway import Gateway
from natdrain.model.look import Load
from support.builders import GATEWAY, START, address, gateway

POLICY = GuardPolicy(port_errors_minutes=20, capacity_minutes=120)


ZONAL = gateway()
REGIONAL = gateway(
    address("a", zone="use1-az1", zone_name="us-east-1a"),
    address("b", zone="use1-az2", zone_name="us-east-1b"),
    primary=False,
    availability_mode="regional",
)


def answer(*queries: Sequence[float], status: str = "Complete", **more: str) -> dict[str, Any]:
    """Return the answer to these queries: points of one minute each, the latest first."""
    return {
        "MetricDataResults": [
            {
                "Id": f"q{number}",
                "Timestamps": [START - timedelta(minutes=1 + ago) for ago in range(len(values))],
                "Values": list(values),
                "StatusCode": status,
            }
            for number, values in enumerate(queries)
        ],
        **more,
    }


def add(cloudwatch: Stubber, *answers: dict[str, Any]) -> None:
    for each in answers:
        cloudwatch.add_response("get_metric_data", each)


def test_load_is_the_sum_of_port_errors_the_peak_and_the_latest_count_of_connections(
    cloudwatch: Stubber,
) -> None:
    add(cloudwatch, answer([1, 2, 4], [30, 90]), answer([700, 900, 800]))
    assert read_load(ZONAL, POLICY, START) == {
        None: Load(port_errors=7, peak_connections=900, connections=30)
    }


def test_load_without_data_has_no_errors_and_unknown_connections(cloudwatch: Stubber) -> None:
    add(cloudwatch, answer([], []), answer([]))
    assert read_load(ZONAL, POLICY, START) == {None: Load(port_errors=0, peak_connections=None)}


def test_load_counts_port_errors_within_the_window_of_the_policy_only(cloudwatch: Stubber) -> None:
    add(cloudwatch, answer([1, 2, 4, 8], []), answer([]))
    assert read_load(ZONAL, GuardPolicy(port_errors_minutes=3), START)[None].port_errors == 7


def asked(cloudwatch: Stubber, seen: Gateway) -> list[dict[str, Any]]:
    """Return the parameters of both calls."""
    calls: list[dict[str, Any]] = []
    cloudwatch.client.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: calls.append(params)
    )
    zones = len({a.zone for a in seen.addresses})
    add(cloudwatch, answer(*[[]] * 2 * zones), answer(*[[]] * zones))
    read_load(seen, POLICY, START)
    return calls


def test_load_asks_for_the_windows_of_the_policy(cloudwatch: Stubber) -> None:
    windows = [(call["StartTime"], call["EndTime"]) for call in asked(cloudwatch, ZONAL)]
    assert windows == [(START - timedelta(minutes=minutes), START) for minutes in (20, 120)]


@pytest.mark.parametrize(
    ("seen", "dimensions"),
    [
        (ZONAL, [[("NatGatewayId", GATEWAY)]]),
        (
            REGIONAL,
            [[("NatGatewayId", GATEWAY), ("AvailabilityZone", f"us-east-1{letter}")] for letter in "ab"],
        ),
    ],
    ids=["zonal", "regional"],
)
def test_load_is_asked_by_gateway_and_on_a_regional_one_by_zone_as_well(
    cloudwatch: Stubber, seen: Gateway, dimensions: list[list[tuple[str, str]]]
) -> None:
    lately, over_days = asked(cloudwatch, seen)
    metrics = [
        (
            query["MetricStat"]["Metric"]["MetricName"],
            query["MetricStat"]["Stat"],
            [(one["Name"], one["Value"]) for one in query["MetricStat"]["Metric"]["Dimensions"]],
        )
        for query in [*lately["MetricDataQueries"], *over_days["MetricDataQueries"]]
    ]
    wanted = [("ErrorPortAllocation", "Sum"), *[("ActiveConnectionCount", "Maximum")] * 2]
    assert metrics == [(*one, named) for one in wanted for named in dimensions]


def test_load_of_a_regional_gateway_is_by_the_zone_of_its_addresses(cloudwatch: Stubber) -> None:
    add(cloudwatch, answer([1], [2], [10], [20]), answer([100], [200]))
    assert read_load(REGIONAL, POLICY, START) == {
        "use1-az1": Load(port_errors=1, peak_connections=100, connections=10),
        "use1-az2": Load(port_errors=2, peak_connections=200, connections=20),
    }


def test_load_of_several_pages_is_read_whole(cloudwatch: Stubber) -> None:
    first = answer([1], [], status="PartialData", NextToken="more")
    add(cloudwatch, first, answer([2], []), answer([]))
    assert read_load(ZONAL, POLICY, START)[None].port_errors == 3


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_load_that_cloudwatch_could_not_make_out_is_no_load(cloudwatch: Stubber, status: str) -> None:
    add(cloudwatch, answer([], status=status))
    with pytest.raises(TransientFailure, match=f"CloudWatch answered {status} for ErrorPortAllocation"):
        read_load(ZONAL, POLICY, START)
