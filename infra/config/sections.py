"""The tables of the configuration file: every key with its default, unit and range."""

from __future__ import annotations

from datetime import datetime

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from infra.config.values import (
    RETENTION_DAYS,
    AlarmTopics,
    Calendars,
    DrainLimit,
    Emails,
    Expression,
    OwnerTags,
    Prefixes,
    RequestDocument,
    RetentionDays,
    TimeZone,
    Verdicts,
)
from natdrain.guards.policy import GuardPolicy
from natdrain.intake.request import DEFAULT_DRAIN_LIMIT_SECONDS

__all__ = [
    "Alarms",
    "Allocations",
    "Defaults",
    "Guards",
    "Logs",
    "Messages",
    "Operations",
    "Schedule",
    "Section",
    "Table",
]

_GUARDS_CHARACTERS = 3_000


class Section(BaseModel):
    """A table of the file: strict about types, and about keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Table(Section):
    """The table of locks and history."""

    deletion_protection: bool = Field(default=True, description="true: DynamoDB refuses to delete the table")
    keep: bool = Field(
        default=True,
        description="true: the table stays when the stack is removed (false: without deletion protection)",
    )
    recovery_days: int = Field(
        default=35,
        ge=1,
        le=35,
        description="days, 1 to 35, within which the table can be restored to any second",
    )

    @field_validator("keep")
    @classmethod
    def _can_go(cls, keep: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's signature
        if not keep and info.data.get("deletion_protection"):
            raise ValueError("the stack could not be removed while deletion_protection is true")
        return keep


class Logs(Section):
    """The logs of workflow and functions."""

    retention_days: RetentionDays = Field(
        default=90, description=f"days that log lines are kept: {', '.join(map(str, RETENTION_DAYS))}"
    )


class Defaults(Section):
    """What a request has that does not say otherwise."""

    max_drain_duration_seconds: DrainLimit = Field(
        default=DEFAULT_DRAIN_LIMIT_SECONDS,
        description="the drain limit: seconds, 1 to 4000, after which EC2 cuts what is still open",
    )

    wait_in_line_seconds: int = Field(
        default=7200,
        ge=60,
        le=14_400,
        description='seconds, 60 to 14400, for which `WhenBusy = "wait"` waits for its gateway',
    )


class Allocations(Section):
    """What may become of allocations when their addresses have left."""

    release: bool = Field(
        default=False,
        description='true: requests may ask `AfterDrain = "release"`, for which a function has the right',
    )


class Guards(Section):
    """What the guards go by; `docs/guards.md` has their names and default verdicts."""

    remaining_addresses: int = Field(
        default=GuardPolicy().remaining_addresses,
        ge=1,
        le=31,
        description="how many addresses, 1 to 31, are to stay in service; on a regional gateway in each zone",
    )
    port_errors_minutes: int = Field(
        default=GuardPolicy().port_errors_minutes,
        ge=1,
        le=180,
        description="minutes, 1 to 180, for which an `ErrorPortAllocation` counts",
    )
    capacity_minutes: int = Field(
        default=GuardPolicy().capacity_minutes,
        ge=5,
        le=20_160,
        description="minutes, 5 to 20160, of which the peak of `ActiveConnectionCount` counts",
    )
    owner_tags: OwnerTags = Field(
        default={},
        description=(
            "tags by which another tool is known, each with what that tool will do next: `KEY` or "
            "`KEY=VALUE`, where `*` stands for anything"
        ),
    )
    change_calendars: Calendars = Field(
        default=[],
        description="SSM change calendars of this region, by name or ARN; none may be closed; 10 at most",
    )
    by_hand: Verdicts = Field(
        default={},
        description='verdicts by hand that are to differ: guard = `"allow"`, `"warn"` or `"refuse"`',
    )
    automatic: Verdicts = Field(default={}, description="the same of what alarms and schedules start")

    @property
    def policy(self) -> GuardPolicy:
        """What the functions are told."""
        return GuardPolicy(**self.model_dump())

    @model_validator(mode="after")
    def _fits(self) -> Guards:
        # Lambda quotas: the environment of a function has at most 4 KB, and natdrain has more to say there.
        if (length := len(self.policy.to_text())) > _GUARDS_CHARACTERS:
            raise ValueError(
                f"these take {length} characters of a function's environment, which has room for "
                f"{_GUARDS_CHARACTERS}: fewer or shorter owner_tags or change_calendars"
            )
        return self


class Messages(Section):
    """What people are told of drains, beside the events that are always there."""

    emails: Emails = Field(
        default=[],
        description="addresses that get an e-mail at each start and end; SNS first asks each to confirm",
    )
    chat: bool = Field(
        default=False,
        description="true: a topic for a channel of Amazon Q Developer in chat applications (Slack, Teams)",
    )


class Operations(Section):
    """Who is woken when natdrain itself needs somebody."""

    alarm_topics: AlarmTopics = Field(
        default=[],
        description=(
            "ARNs of SNS topics of this region, 5 at most, that natdrain's own alarms notify, and to which "
            "`cloudwatch.amazonaws.com` may publish"
        ),
    )


class Alarms(Section):
    """Drains that CloudWatch alarms start."""

    enabled: bool = Field(
        default=False, description="true: alarms that name a gateway and an address drain it"
    )
    name_prefixes: Prefixes = Field(
        default=[], description="only alarms whose names begin with one of these; empty: any alarm"
    )
    max_drain_duration_seconds: DrainLimit | None = Field(
        default=None, description="their drain limit: seconds, 1 to 4000; left out: that of `defaults`"
    )
    dry_run: bool = Field(
        default=False, description="true: plan and prove the permission only, as `DryRun` does"
    )


class Schedule(Section):
    """Drains at set times, by EventBridge Scheduler."""

    name: str = Field(
        pattern="^[A-Za-z][A-Za-z0-9-]{0,39}$",
        description="of your choice, unique: a letter, then letters, digits and hyphens, 40 at most",
    )
    expression: Expression = Field(
        description="`at(2027-01-15T02:00:00)`, `cron(0 3 1 * ? *)` (AWS's six fields) or `rate(7 days)`"
    )
    timezone: TimeZone = Field(
        default="UTC",
        description="of the expression: a name of the time zone database, such as `Europe/Berlin`",
    )
    start_at: AwareDatetime | None = Field(
        default=None,
        validate_default=True,
        description="not before this instant, with its offset; a rate needs it, as its first time",
    )
    end_at: AwareDatetime | None = Field(
        default=None, description="not after this instant, with its offset; not with `at`"
    )
    flexible_window_minutes: int = Field(
        default=0,
        ge=0,
        le=1440,
        description="minutes, 0 to 1440, within which AWS chooses the moment; 0: at once",
    )
    retry_attempts: int = Field(
        default=185, ge=0, le=185, description="how often, 0 to 185, a start that failed is tried again"
    )
    retry_for_seconds: int = Field(
        default=86_400,
        ge=60,
        le=86_400,
        description="seconds, 60 to 86400, for which it is; then it is a dead letter",
    )
    enabled: bool = Field(default=True, description="false: the schedule is there and starts nothing")
    request: RequestDocument = Field(
        description="the request, as by hand; best by public IP or allocation: an association leaves once"
    )

    @field_validator("start_at", "end_at")
    @classmethod
    def _fits_the_expression(cls, at: datetime | None, info: ValidationInfo) -> datetime | None:
        """API reference of EventBridge Scheduler, CreateSchedule; user guide, rate-based schedules."""
        expression = str(info.data.get("expression"))
        if at is None and info.field_name == "start_at" and expression.startswith("rate"):
            raise ValueError("a rate without it starts as soon as it is deployed")
        if at is not None and expression.startswith("at"):
            raise ValueError("EventBridge Scheduler ignores it beside at(...)")
        start_at = info.data.get("start_at")
        if at is not None and start_at is not None and at <= start_at:
            raise ValueError("must be later than start_at")
        return at
