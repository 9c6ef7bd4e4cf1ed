"""EventBridge Scheduler on the simulated clock: times and targets of schedules."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.stub_functions import START, StubCloud, chain, resource, role, stub_cloud, template

ROLE = "arn:aws:iam::123456789012:role/schedule-role"
DAY = 86_400
TIME = {"at": "<aws.scheduler.scheduled-time>"}


def create(cloud: StubCloud, expression: str, name: str = "one", **more: Any) -> None:
    """Create a schedule whose executions get their scheduled time as input."""
    cloud.client("scheduler").create_schedule(**parameters(cloud, expression, name, **more))


def parameters(cloud: StubCloud, expression: str, name: str = "one", **more: Any) -> dict[str, Any]:
    target = {"Arn": cloud.outputs["MachineArn"], "RoleArn": ROLE, "Input": json.dumps(TIME)}
    return {
        "Name": name,
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        **more,
        "Target": target | more.get("Target", {}),
    }


def due(expression: str, *, days: float, **more: Any) -> list[str]:
    """Return when a schedule that is created on 2026-03-01 at noon fires within so many days."""
    with stub_cloud({"Type": "Succeed"}) as cloud:
        create(cloud, expression, **more)
        cloud.clock.advance(days * DAY)
        return [given["at"].removeprefix("2026-") for given in cloud.inputs()]


@pytest.mark.parametrize(
    ("expression", "days", "expected"),
    [
        ("at(2026-03-02T08:30:15)", 40, ["03-02T08:30:15Z"]),
        ("at(2026-02-28T08:30:00)", 40, []),
        ("rate(2 days)", 5, ["03-01T12:00:00Z", "03-03T12:00:00Z", "03-05T12:00:00Z"]),
        ("rate(1 hour)", 0.05, ["03-01T12:00:00Z", "03-01T13:00:00Z"]),
        ("cron(0 9 ? * MON-WED *)", 3, ["03-02T09:00:00Z", "03-03T09:00:00Z", "03-04T09:00:00Z"]),
        ("cron(0/30 13 1 * ? 2026)", 9, ["03-01T13:00:00Z", "03-01T13:30:00Z"]),
        ("cron(0 9 L * ? *)", 40, ["03-31T09:00:00Z"]),
        ("cron(0 9 15W 3 ? *)", 40, ["03-16T09:00:00Z"]),
        ("cron(0 9 ? * 6#2 *)", 40, ["03-13T09:00:00Z", "04-10T09:00:00Z"]),
        ("cron(0 9 ? * 6L *)", 40, ["03-27T09:00:00Z"]),
        ("cron(0 9 ? * L *)", 8, ["03-07T09:00:00Z"]),
        ("cron(0 9 1 1 ? 2025)", 400, []),
    ],
)
def test_schedule_fires_at_the_times_of_its_expression(
    expression: str, days: float, expected: list[str]
) -> None:
    assert due(expression, days=days) == expected


def test_schedule_expression_is_read_in_its_time_zone() -> None:
    zone = {"ScheduleExpressionTimezone": "America/New_York"}
    assert due("at(2026-03-02T08:30:00)", days=2, **zone) == ["03-02T13:30:00Z"]


def test_cron_skips_local_times_that_summer_time_skips() -> None:
    # On 2026-03-29 the clocks of Berlin go from 02:00 to 03:00.
    zone = {"ScheduleExpressionTimezone": "Europe/Berlin"}
    assert due("cron(30 2 28-30 3 ? *)", days=31, **zone) == ["03-28T01:30:00Z", "03-30T00:30:00Z"]


def test_cron_fires_once_in_the_hour_that_is_repeated() -> None:
    # On 2026-10-25 the clocks of Berlin go from 03:00 back to 02:00.
    zone = {"ScheduleExpressionTimezone": "Europe/Berlin"}
    assert due("cron(30 2 25-26 10 ? *)", days=245, **zone) == ["10-25T00:30:00Z", "10-26T01:30:00Z"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 day)", ["03-03T10:00:00Z", "03-04T10:00:00Z"]),
        ("cron(0 10 * * ? *)", ["03-03T10:00:00Z", "03-04T10:00:00Z"]),
        ("at(2026-03-02T10:00:00)", ["03-02T10:00:00Z"]),
    ],
)
def test_recurring_schedule_fires_from_its_start_to_its_end(expression: str, expected: list[str]) -> None:
    start, end = datetime(2026, 3, 3, 10, tzinfo=UTC), datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert due(expression, days=9, StartDate=start, EndDate=end) == expected


def test_schedule_starts_nothing_when_it_is_disabled() -> None:
    assert due("rate(1 day)", days=2, State="DISABLED") == []


def started(cloud: StubCloud) -> list[datetime]:
    machine = cloud.outputs["MachineArn"]
    listed = cloud.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return sorted(one["startDate"] for one in listed)


def test_flexible_window_delays_each_start_within_it_equally_in_every_run() -> None:
    runs = []
    for _ in range(2):
        with stub_cloud({"Type": "Succeed"}) as cloud:
            window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30}
            create(cloud, "rate(1 day)", FlexibleTimeWindow=window)
            cloud.clock.advance(5 * DAY)
            late = [at - START - timedelta(days=day) for day, at in enumerate(started(cloud))]
            assert cloud.inputs()[1] == {"at": "2026-03-02T12:00:00Z"}
            runs.append(late)
    assert runs[0] == runs[1]
    assert all(timedelta(0) < late < timedelta(minutes=30) for late in runs[0])
    assert len(set(runs[0])) == 5


def test_schedule_starts_the_state_machine_as_its_role_with_the_context_attributes() -> None:
    names = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number")
    text = json.dumps({name: f"<aws.scheduler.{name}>" for name in names})
    with stub_cloud({"Type": "Succeed"}) as cloud:
        create(cloud, "rate(1 day)", Target={"Input": text})
        cloud.clock.advance(0)
        (given,) = cloud.inputs()
        assert re.fullmatch("[0-9a-f]{16}", given.pop("execution-id"))
        assert given == {
            "schedule-arn": "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/one",
            "scheduled-time": "2026-03-01T12:00:00Z",
            "attempt-number": "1",
        }
        assert ("StartExecution", ROLE) in [(call.operation, call.role) for call in cloud.recorder.calls]


def test_schedule_fires_only_at_its_new_times_after_an_update() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        create(cloud, "at(2026-03-02T10:00:00)")
        cloud.client("scheduler").update_schedule(**parameters(cloud, "at(2026-03-02T11:00:00)"))
        cloud.clock.advance(2 * DAY)
        assert cloud.inputs() == [{"at": "2026-03-02T11:00:00Z"}]


def test_schedule_starts_nothing_after_its_deletion() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        create(cloud, "at(2026-03-02T10:00:00)")
        cloud.client("scheduler").delete_schedule(Name="one")
        cloud.clock.advance(2 * DAY)
        assert cloud.inputs() == []


def test_schedule_is_deleted_after_its_last_start_with_the_action_delete() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        create(cloud, "at(2026-03-02T10:00:00)", ActionAfterCompletion="DELETE")
        create(cloud, "at(2026-03-02T10:00:00)", "two")
        cloud.clock.advance(2 * DAY)
        schedules = cloud.client("scheduler").list_schedules()["Schedules"]
        assert [schedule["Name"] for schedule in schedules] == ["two"]


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("every(1 day)", "UTC"),
        ("rate(0 days)", "UTC"),
        ("at(tomorrow)", "UTC"),
        ("cron(0 9 * * *)", "UTC"),
        ("cron(0 9 * * * *)", "UTC"),
        ("rate(1 day)", "Mars/Olympus"),
    ],
)
def test_schedule_is_refused_when_its_expression_is_invalid(expression: str, zone: str) -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud, pytest.raises(ClientError, match="ValidationException"):
        create(cloud, expression, ScheduleExpressionTimezone=zone)


def test_schedule_uses_its_dead_letter_queue_when_the_start_fails() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        cloud.outputs["QueueUrl"] = cloud.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
        dead = {"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-central-1:123456789012:dead"}}
        cloud.inject(operation="stepfunctions:StartExecution", error="ThrottlingException")
        create(cloud, "at(2026-03-02T10:00:00)", Target=dead)
        cloud.clock.advance(2 * DAY)
        (letter,) = cloud.dead_letters()
        attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        assert json.loads(letter["Body"]) == {"at": "2026-03-02T10:00:00Z"}
        assert attributes.pop("EXECUTION_ID")
        assert attributes == {
            "SCHEDULE_ARN": "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/one",
            "SCHEDULED_TIME": "2026-03-02T10:00:00Z",
            "TARGET_ARN": cloud.outputs["MachineArn"],
            "ERROR_CODE": "ThrottlingException",
            "ERROR_MESSAGE": "injected fault",
            "RETRY_ATTEMPTS": "0",
            "IS_PAYLOAD_TRUNCATED": "false",
        }


def test_run_until_stops_at_its_limit_when_a_schedule_fires_forever() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        create(cloud, "rate(12 hours)")
        with pytest.raises(TimeoutError):
            cloud.clock.run_until(lambda: False, limit_seconds=DAY)
        assert cloud.clock.now == START + timedelta(days=1)
        assert len(cloud.inputs()) == 3


def test_schedule_fires_while_the_clock_flows() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        create(cloud, "at(2026-03-01T12:10:00)")
        with cloud.clock.flow(speed=100_000):
            while not cloud.inputs():  # ends by the time-out of the whole run if it never fires
                pass
        assert started(cloud) == [START + timedelta(minutes=10)]


def scheduled(expression: str, *, state: str = "ENABLED") -> dict[str, Any]:
    target = {"Arn": {"Ref": "Machine"}, "RoleArn": {"Fn::GetAtt": ["ScheduleRole", "Arn"]}}
    return {
        "ScheduleRole": role("schedule-role", "scheduler.amazonaws.com"),
        "Schedule": resource(
            "Scheduler::Schedule",
            ScheduleExpression=expression,
            StartDate="2026-03-02T00:00:00.000Z",
            State=state,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={**target, "Input": json.dumps(TIME)},
        ),
    }


def stub(more: dict[str, Any]) -> str:
    whole = json.loads(template(chain({"Type": "Succeed"}), more))
    if more:
        whole["Outputs"]["Schedule"] = {"Value": {"Ref": "Schedule"}}
    return json.dumps(whole)


def test_schedule_of_a_template_fires_and_is_found_by_its_reference() -> None:
    with stub_cloud() as cloud:
        cloud.deploy(stub(scheduled("rate(1 day)")))
        cloud.clock.advance(DAY)
        assert cloud.inputs() == [{"at": "2026-03-02T00:00:00Z"}]
        schedule = cloud.client("scheduler").get_schedule(Name=cloud.outputs["Schedule"])
        assert schedule["StartDate"] == datetime(2026, 3, 2, tzinfo=UTC)


def test_schedule_of_a_template_is_updated_and_deleted_with_it() -> None:
    with stub_cloud() as cloud:
        cloud.deploy(stub(scheduled("rate(1 day)")))
        before = cloud.outputs["Schedule"]
        cloud.deploy(stub(scheduled("rate(2 days)")), update=True)
        assert cloud.outputs["Schedule"] == before
        cloud.clock.advance(3 * DAY)
        assert [given["at"] for given in cloud.inputs()] == ["2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z"]
        cloud.deploy(stub({}), update=True)
        assert cloud.client("scheduler").list_schedules()["Schedules"] == []
