"""What is asked of CloudWatch and Systems Manager, what their answers mean, and what it means to get none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from natdrain.aws import clients as aws
from natdrain.aws import surroundings
from natdrain.guards.policy import GuardPolicy
from natdrain.model.errors import TransientFailure
from natdrain.model.look import ChangeCalendar, Load, Unread
from support.builders import GATEWAY, START

POLICY = GuardPolicy(port_errors_minutes=20, capacity_minutes=120)


def stubbed(service: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client(  # type: ignore[call-overload]  # the service is any
        service,
        region_name="eu-west-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",  # noqa: S106 - any will do
    )
    monkeypatch.setattr(aws, service, lambda: client)
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from stubbed("cloudwatch", monkeypatch)


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from stubbed("ssm", monkeypatch)


def answer(*values: float, status: str = "Complete", **more: str) -> dict[str, Any]:
    return {"MetricDataResults": [{"Id": "wanted", "Values": list(values), "StatusCode": status}], **more}


def add(cloudwatch: Stubber, *answers: dict[str, Any]) -> None:
    for each in answers:
        cloudwatch.add_response("get_metric_data", each)


def test_load_is_the_sum_of_port_errors_and_the_peak_of_connections(cloudwatch: Stubber) -> None:
    add(cloudwatch, answer(1, 2, 4), answer(700, 900, 800))
    assert surroundings.read_load(GATEWAY, POLICY, START) == Load(port_errors=7, peak_connections=900)


def test_load_without_data_has_no_errors_and_an_unknown_peak(cloudwatch: Stubber) -> None:
    add(cloudwatch, answer(), answer())
    assert surroundings.read_load(GATEWAY, POLICY, START) == Load(port_errors=0, peak_connections=None)


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
    surroundings.read_load(GATEWAY, POLICY, START)


def test_load_of_several_pages_is_read_whole(cloudwatch: Stubber) -> None:
    first = answer(1, status="PartialData", NextToken="more")
    add(cloudwatch, first, answer(2), answer())
    assert surroundings.read_load(GATEWAY, POLICY, START).port_errors == 3


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_load_that_cloudwatch_could_not_make_out_is_no_load(cloudwatch: Stubber, status: str) -> None:
    add(cloudwatch, answer(status=status))
    with pytest.raises(TransientFailure, match=f"CloudWatch answered {status} for ErrorPortAllocation"):
        surroundings.read_load(GATEWAY, POLICY, START)


@pytest.mark.parametrize(
    ("given", "calendar"),
    [
        ({"State": "OPEN"}, ChangeCalendar(closed=False)),
        ({"State": "CLOSED"}, ChangeCalendar(closed=True)),
        (
            {"State": "CLOSED", "NextTransitionTime": "2026-10-05T06:00:00Z"},
            ChangeCalendar(closed=True, until="2026-10-05T06:00:00Z"),
        ),
        ({"State": "NEVER_HEARD_OF"}, ChangeCalendar(closed=True)),
    ],
)
def test_calendar_is_open_only_if_systems_manager_says_so(
    ssm: Stubber, given: dict[str, str], calendar: ChangeCalendar
) -> None:
    ssm.add_response("get_calendar_state", given, {"CalendarNames": ["freeze", "weekend"]})
    assert surroundings.read_calendar(("freeze", "weekend")) == calendar


def read(*, last_attempt: bool) -> ChangeCalendar | Unread:
    return aws.read(lambda: surroundings.read_calendar(["freeze"]), last_attempt=last_attempt)


def test_read_that_is_denied_is_not_tried_again(ssm: Stubber) -> None:
    ssm.add_client_error("get_calendar_state", "AccessDeniedException", "You may not", http_status_code=400)
    assert read(last_attempt=False) == Unread("AccessDeniedException: You may not")


def test_read_that_is_throttled_is_tried_again_by_the_workflow(ssm: Stubber) -> None:
    ssm.add_client_error("get_calendar_state", "ThrottlingException", "Slow down", http_status_code=400)
    with pytest.raises(TransientFailure, match="Slow down"):
        read(last_attempt=False)


def test_read_that_is_throttled_to_the_end_is_no_answer(ssm: Stubber) -> None:
    ssm.add_client_error("get_calendar_state", "ThrottlingException", "Slow down", http_status_code=400)
    assert read(last_attempt=True) == Unread("ThrottlingException: Slow down")


def test_read_that_answers_is_what_it_answered(ssm: Stubber) -> None:
    ssm.add_response("get_calendar_state", {"State": "OPEN"})
    assert read(last_attempt=True) == ChangeCalendar(closed=False)
