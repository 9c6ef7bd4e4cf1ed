"""Metrics that were put into CloudWatch, in process and over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from support.stub_functions import REGION, START, StubCloud, stub_cloud

GATEWAY, OTHER = "nat-1234567890abcdef0", "nat-0aaaaaaaaaaaaaaaa"


@pytest.fixture
def cloud() -> Iterator[StubCloud]:
    with stub_cloud() as cloud:
        yield cloud


@pytest.fixture(params=["in process", "served"])
def cloudwatch(request: pytest.FixtureRequest, cloud: StubCloud) -> Iterator[Any]:  # noqa: ARG001 - the cloud must run
    """Yield a client without retries."""
    given: dict[str, Any] = {"config": Config(retries={"total_max_attempts": 1}), "region_name": REGION}
    if request.param == "in process":
        yield boto3.client("cloudwatch", **given)
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield boto3.client("cloudwatch", endpoint_url=f"http://{host}:{port}", **given)
    finally:
        server.stop()


def metric(name: str, gateway_id: str = GATEWAY) -> dict[str, Any]:
    return {"MetricName": name, "Dimensions": [{"Name": "NatGatewayId", "Value": gateway_id}]}


def put(cloudwatch: Any, name: str, minutes_ago: int, value: float, gateway_id: str = GATEWAY) -> None:
    at = START - timedelta(minutes=minutes_ago)
    point = {**metric(name, gateway_id), "Timestamp": at, "Value": value}
    cloudwatch.put_metric_data(Namespace="AWS/NATGateway", MetricData=[point])


def get(cloudwatch: Any, period: int) -> Any:
    """Get the port errors and connections of the last 15 minutes."""
    wanted = {"errors": ("ErrorPortAllocation", "Sum"), "connections": ("ActiveConnectionCount", "Maximum")}
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/NATGateway", **metric(name)},
                "Period": period,
                "Stat": stat,
            },
        }
        for key, (name, stat) in wanted.items()
    ]
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(minutes=15), EndTime=now
    )
    return {result["Id"]: result for result in answer["MetricDataResults"]}


@pytest.mark.parametrize(
    ("period", "errors", "connections"), [(60, [1, 2, 4], [700, 900, 800]), (300, [3, 4], [900, 800])]
)
def test_metrics_are_returned_by_period_newest_first(
    cloudwatch: Any, period: int, errors: list[float], connections: list[float]
) -> None:
    for minutes_ago, count, peak in [(1, 1, 700), (5, 2, 900), (8, 4, 800), (20, 100, 9000)]:
        put(cloudwatch, "ErrorPortAllocation", minutes_ago, count)
        put(cloudwatch, "ActiveConnectionCount", minutes_ago, peak)
    got = get(cloudwatch, period)
    assert (got["errors"]["Values"], got["connections"]["Values"]) == (errors, connections)
    assert got["errors"]["Timestamps"] == sorted(got["errors"]["Timestamps"], reverse=True)


def test_metrics_of_another_gateway_are_left_out(cloudwatch: Any) -> None:
    put(cloudwatch, "ErrorPortAllocation", 1, 3)
    put(cloudwatch, "ErrorPortAllocation", 1, 100, gateway_id=OTHER)
    assert get(cloudwatch, 60)["errors"]["Values"] == [3]


def test_metrics_without_points_have_no_values(cloudwatch: Any) -> None:
    assert {key: result["Values"] for key, result in get(cloudwatch, 60).items()} == {
        "errors": [],
        "connections": [],
    }


def test_metrics_age_on_the_simulated_clock(cloud: StubCloud, cloudwatch: Any) -> None:
    put(cloudwatch, "ErrorPortAllocation", 1, 3)
    cloud.clock.advance(15 * 60)
    assert get(cloudwatch, 60)["errors"]["Values"] == []


@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("AccessDenied", 403)])
def test_fault_on_metrics_reaches_the_client_with_its_code(
    cloud: StubCloud, cloudwatch: Any, code: str, status: int
) -> None:
    cloud.inject(operation="cloudwatch:GetMetricData", error=code, message="no", status=status)
    with pytest.raises(ClientError) as raised:
        get(cloudwatch, 60)
    answer = raised.value.response
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == (code, "no")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert cloud.recorder.calls[-1].error == code
