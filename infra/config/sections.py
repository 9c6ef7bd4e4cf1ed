"""The tables of the configuration file: each key with its default, unit and range."""

from datetime import datetime
from typing import Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from infra.config import values
from natdrain.guards.policy import GuardPolicy, Verdict
from natdrain.model.problem import Guard
from natdrain.model.request import DEFAULT_DRAIN_LIMIT_SECONDS, MAX_ADDRESSES

_GUARDS_CHARACTERS = 3_000


class Section(BaseModel):
    """A table of the file, strict about types and about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Table(Section):
    """The table of locks and history."""

    deletion_protection: bool = True
    """true: DynamoDB refuses to delete the table"""
    keep: bool = True
    """true: the table outlives the stack (false: only without deletion_protection)"""
    recovery_days: int = Field(default=35, ge=1, le=35)
    """days, 1 to 35, for which the table can be restored to any second"""

    @field_validator("keep")
    @classmethod
    def _can_be_deleted(cls, keep: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's signature
        if not keep and info.data.get("deletion_protection"):
            raise ValueError("the stack could not be deleted while deletion_protection is true")
        return keep


class Logs(Section):
    """The logs of workflow and functions."""

    retention_days: values.RetentionDays = Field(
        default=90, description=f"days that log lines are kept: {', '.join(map(str, values.RETENTION_DAYS))}"
    )


class Defaults(Section):
    """Values for what a request leaves out."""

    max_drain_duration_seconds: values.DrainLimit = DEFAULT_DRAIN_LIMIT_SECONDS
    """the drain limit: seconds, 1 to 4000, after which EC2 cuts what is still open"""

    wait_in_line_seconds: int = Field(default=7200, ge=60, le=14_400)
    """seconds, 60 to 14400, for which `WhenBusy = "wait"` waits for its gateway"""


class Allocations(Section):
    """The choices for an allocation once its address has left."""

    release: bool = False
    """true: requests may set `AfterDrain = "release"`, and one function may release"""


class Guards(Section):
    """Settings of the guards; `docs/guards.md` has their names and default verdicts."""

    remaining_addresses: int = Field(default=GuardPolicy().remaining_addresses, ge=1, le=31)
    """addresses, 1 to 31, that must stay in service; on a regional gateway in each zone"""
    port_errors_minutes: int = Field(default=GuardPolicy().port_errors_minutes, ge=1, le=180)
    """minutes, 1 to 180, for which an `ErrorPortAllocation` counts"""
    capacity_minutes: int = Field(default=GuardPolicy().capacity_minutes, ge=5, le=20_160)
    """minutes, 5 to 20160, of which the peak of `ActiveConnectionCount` counts"""
    pace_addresses_per_gateway: int = Field(default=GuardPolicy().pace_addresses_per_gateway, ge=1, le=31)
    """addresses, 1 to 31, that automatic requests may take off one gateway within `pace_minutes`"""
    pace_addresses: int = Field(default=GuardPolicy().pace_addresses, ge=1, le=100)
    """addresses, 1 to 100, that they may take off all gateways together in that time"""
    pace_minutes: int = Field(default=GuardPolicy().pace_minutes, ge=1, le=1440)
    """minutes, 1 to 1440, for which an address that they have taken off counts"""
    owner_tags: values.OwnerTags = {}
    """tags of other tools, each with what that tool will do next: `KEY` or `KEY=VALUE`, `*` for anything"""
    change_calendars: values.Calendars = []
    """SSM change calendars of this region, by name or ARN, 10 at most; each must be open"""
    by_hand: values.Verdicts = {}
    """other verdicts for requests by hand: guard = `"allow"`, `"warn"` or `"refuse"`"""
    automatic: values.Verdicts = {}
    """the same for alarms and schedules"""

    @property
    def policy(self) -> GuardPolicy:
        """The settings as the functions get them."""
        return GuardPolicy(**self.model_dump())

    @property
    def addresses_at_once(self) -> int:
        """The most addresses that one automatic request may take off."""
        if self.automatic.get(Guard.PACE, Verdict.REFUSE) != Verdict.REFUSE:
            return MAX_ADDRESSES
        return min(self.pace_addresses_per_gateway, self.pace_addresses)

    @model_validator(mode="after")
    def _fits_the_environment(self) -> Self:
        # Lambda quotas: the environment of a function has at most 4 KB, and there is more in it than this.
        if (length := len(self.policy.to_text())) > _GUARDS_CHARACTERS:
            raise ValueError(
                f"these take {length} characters of a function's environment, which has room for "
                f"{_GUARDS_CHARACTERS}; use fewer or shorter owner_tags or change_calendars"
            )
        return self


class Messages(Section):
    """Notifications for people, besides the events that are always published."""

    emails: values.Emails = []
    """addresses that get an e-mail at each start and end, once they have confirmed to SNS"""
    chat: bool = False
    """true: a topic for a channel of Amazon Q Developer in chat applications (Slack, Teams)"""


class Operations(Section):
    """Notifications when natdrain itself needs a person."""

    alarm_topics: values.AlarmTopics = []
    """ARNs of SNS topics of this region, 5 at most; `cloudwatch.amazonaws.com` must be allowed to publish"""


class Alarms(Section):
    """Drains that CloudWatch alarms start."""

    enabled: bool = False
    """true: alarms that name a gateway and an address drain it"""
    name_prefixes: values.Prefixes = Field(default=[], validate_default=True)
    """only alarms whose names begin with one of these; needed if `enabled`"""
    max_drain_duration_seconds: values.DrainLimit | None = None
    """their drain limit: seconds, 1 to 4000; left out: the one in `defaults`"""
    dry_run: bool = False
    """true: only plan, and check the permission, as `DryRun` does"""
    max_age_minutes: int = Field(default=60, ge=1, le=1440)
    """minutes, 1 to 1440, after which a change of an alarm drains nothing any more"""
    act_without_data: bool = False
    """true: alarms drain even if they have no data points, since missing data count as breaching"""

    @field_validator("name_prefixes")
    @classmethod
    def _limits_who_can_start_drains(cls, prefixes: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("enabled") and not prefixes:
            raise ValueError("enabled needs at least one, or anyone who can make an alarm could start drains")
        return prefixes


class Schedule(Section):
    """Drains at set times, by EventBridge Scheduler."""

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9-]{0,39}$")
    """unique, of your choice: a letter, then letters, digits and hyphens, 40 at most"""
    expression: values.Expression
    """`at(2027-01-15T02:00:00)`, `cron(0 3 1 * ? *)` (AWS's six fields) or `rate(7 days)`"""
    timezone: values.TimeZone = "UTC"
    """time zone of the expression, from the time zone database, such as `Europe/Berlin`"""
    start_at: AwareDatetime | None = Field(default=None, validate_default=True)
    """not before this instant, with its offset; a rate needs it as its first time"""
    end_at: AwareDatetime | None = None
    """not after this instant, with its offset; not with `at`"""
    flexible_window_minutes: int = Field(default=0, ge=0, le=1440)
    """minutes, 0 to 1440, within which AWS chooses the moment; 0: on time"""
    retry_attempts: int = Field(default=185, ge=0, le=185)
    """how often, 0 to 185, a failed start is retried"""
    retry_for_seconds: int = Field(default=86_400, ge=60, le=86_400)
    """seconds, 60 to 86400, for which it is retried; then it becomes a dead letter"""
    enabled: bool = True
    """false: the schedule exists but starts nothing"""
    request: values.RequestDocument
    """the request, as by hand; name public IPs or allocations: an association leaves once"""

    @field_validator("start_at", "end_at")
    @classmethod
    def _fits_the_expression(cls, at: datetime | None, info: ValidationInfo) -> datetime | None:
        # API reference of EventBridge Scheduler, CreateSchedule; user guide, rate-based schedules.
        expression = str(info.data.get("expression"))
        if at is None and info.field_name == "start_at" and expression.startswith("rate"):
            raise ValueError("without it, a rate would start as soon as it is deployed")
        if at is not None and expression.startswith("at"):
            raise ValueError("EventBridge Scheduler ignores it beside at(...)")
        start_at = info.data.get("start_at")
        if at is not None and start_at is not None and at <= start_at:
            raise ValueError("must be later than start_at")
        return at
