"""The triggers of the Change workflow: alarms, by a rule on the event bus, and schedules.

There are none by default.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_cdk import Annotations, Duration, TimeZone
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config.file import Config
from infra.config.sections import Schedule
from infra.schedule_times import is_over, start_of
from infra.workflows.state_machine import start_on_events
from natdrain.intake import alarm_event, alarms
from natdrain.model.request import Trigger, TriggerKind


class Triggers(Construct):
    """The rule and the schedules; what they cannot deliver becomes a dead letter."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        state_machine: sfn.IStateMachine,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._state_machine = state_machine
        self._dead_letters = dead_letters
        if config.alarms.enabled:
            start_on_events(
                self,
                "Alarms",
                state_machine,
                description="drains the address if an alarm's metric names it and its gateway",
                source=alarm_event.SOURCE,
                detail_types=alarm_event.DETAIL_TYPES,
                detail=_alarm_detail(config.alarms.name_prefixes),
                dead_letters=dead_letters,
                max_event_age=Duration.minutes(config.alarms.max_age_minutes),
            )
        now = datetime.now(UTC)  # noqa: TID251 - synthesis has a clock
        for schedule in config.schedule:
            if is_over(schedule, now):
                over = f"{schedule.name} can start nothing any more, and is left out: give it new times."
                Annotations.of(self).add_warning_v2(f"natdrain:past-{schedule.name}", over)
            else:
                self._schedule(schedule, start_of(schedule, now))

    def _schedule(self, schedule: Schedule, start: datetime | None) -> None:
        trigger = Trigger(
            kind=TriggerKind.SCHEDULE, name=schedule.name, at=scheduler.ContextAttribute.scheduled_time
        )
        request = {"Reason": f"schedule {schedule.name}", **schedule.request, "Trigger": trigger.to_json()}
        window = schedule.flexible_window_minutes
        scheduler.Schedule(
            self,
            f"Schedule-{schedule.name}",
            description=f"natdrain: {schedule.name}",
            schedule=scheduler.ScheduleExpression.expression(
                schedule.expression, TimeZone.of(schedule.timezone)
            ),
            start=start,
            end=schedule.end_at,
            enabled=schedule.enabled,
            time_window=(
                scheduler.TimeWindow.flexible(Duration.minutes(window))
                if window
                else scheduler.TimeWindow.off()
            ),
            target=scheduler_targets.StepFunctionsStartExecution(
                self._state_machine,
                input=scheduler.ScheduleTargetInput.from_object(request),
                retry_attempts=schedule.retry_attempts,
                max_event_age=Duration.seconds(schedule.retry_for_seconds),
                dead_letter_queue=self._dead_letters,
            ),
        )


def _alarm_detail(name_prefixes: list[str]) -> Mapping[str, Any]:
    """Return the pattern of the event's detail: of an alarm on a metric, or of a contributor.

    EventBridge matches the fields below `metrics` within a single element of that list (array consistency of
    aws/event-ruler), so gateway and address belong to one metric. `exists` works on leaf fields only
    (EventBridge user guide, comparison operators), hence the field within `muteDetail`. A contributor's event
    has no previous state (CloudWatch user guide, alarm events and EventBridge).
    """
    absent = [{"exists": False}]
    named = {
        alarms.GATEWAY_DIMENSION: [{"exists": True}],
        "$or": [{name: [{"exists": True}]} for name in alarms.ADDRESS_DIMENSIONS],
    }
    metric = {"name": [{"anything-but": list(alarms.EXHAUSTION_METRICS)}], "dimensions": named}
    return {
        "alarmName": [{"prefix": prefix} for prefix in name_prefixes],
        "state": {"value": [alarms.IN_ALARM], "actionsSuppressedBy": absent},
        "muteDetail": {"mutedByArn": absent},
        "$or": [
            {
                "previousState": {"value": [{"anything-but": alarms.IN_ALARM}]},
                "configuration": {"metrics": {"metricStat": {"metric": metric}}},
            },
            {"alarmContributor": {"attributes": named}},
        ],
    }
