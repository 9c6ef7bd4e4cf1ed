"""The calls to CloudWatch, and the meaning of its answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from natdrain.aws.cloudwatch import read_load
from natdrain.guards.policy import GuardPolicy
from natdrain.model.errors import TransientFailure
from natdrain.model.look import Load
from support.builders import GATEWAY, START

POLICY = GuardPolicy(port_errors_minutes=20, capacity_minutes=120)


def answer(*values: float, status: str = "Complete", **more: str) -> dict[str, Any]:
    return {"MetricDataResults": [{"Id": "wanted", "Values": list(values), "StatusCode": status}], **more}


def add(cloudwatch: Stubber, *answers: dict[str, Any]) -> None:
    for each in answers:
        cloudwatch.add_response("get_metric_data", each)


def test_load_is_the_sum_of_port_errors_and_the_peak_of_connections(cloudwatch: Stubber) -> None:
    add(cloudwatch, answer(1, 2, 4), answer(700, 900, 800))
    assert read_load(GATEWAY, POLICY, START) == Load(port_errors=7, peak_connections=900)


def test_load_without_data_has_no_errors_and_an_unknown_peak(cloudwatch: Stubber) -> None:
    add(cloudwatch, answer(), answer())
    assert read_load(GATEWAY, POLICY, START) == Load(port_errors=0, peak_connections=None)


@pytest.mark.parametrize(
    ("number", "metric", "statistic", "minutes"),
    [(0, "ErrorPortAllocation", "Sum", 20), (1, "ActiveConnectionCount", "Maximum", 120)],
)
def test_load_asks_of_this_gateway_for_the_window_of_the_policy(
    cloudwatch: Stubber, number: int, metric: str, statistic: str, minutes: int
) -> None:
    expected = {
        "MetricDataQueries": [
            {
                "Id": ANY,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/NATGateway",
                        "MetricName": metric,
                        "Dimensions": [{"Name": "NatGatewayId", "Value": GATEWAY}],
                    },
                    "Period": ANY,
                    "Stat": statistic,
                },
            }
        ],
        "StartTime": START - timedelta(minutes=minutes),
        "EndTime": START,
    }
    for each in range(2):
        cloudwatch.add_response("get_metric_data", answer(), expected if each == number else None)
    read_load(GATEWAY, POLICY, START)


def test_load_of_several_pages_is_read_whole(cloudwatch: Stubber) -> None:
    first = answer(1, status="PartialData", NextToken="more")
    add(cloudwatch, first, answer(2), answer())
    assert read_load(GATEWAY, POLICY, START).port_errors == 3


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_load_that_cloudwatch_could_not_make_out_is_no_load(cloudwatch: Stubber, status: str) -> None:
    add(cloudwatch, answer(status=status))
    with pytest.raises(TransientFailure, match=f"CloudWatch answered {status} for ErrorPortAllocation"):
        read_load(GATEWAY, POLICY, START)
