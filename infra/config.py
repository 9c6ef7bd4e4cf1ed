"""What a deployment may choose: one TOML file, read strictly.

Every key stands here once, with its default, unit and range; `docs/configuration.md` is made from it.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from aws_croniter import AwsCroniter
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from natdrain.errors import RequestRefused
from natdrain.requests import (
    DEFAULT_DRAIN_LIMIT_SECONDS,
    MAX_DRAIN_LIMIT_SECONDS,
    MIN_DRAIN_LIMIT_SECONDS,
    Request,
)

__all__ = ["Config", "ConfigError", "Schedule", "Section"]

_MAX_SHOWN_CHARACTERS = 80


class ConfigError(Exception):
    """The configuration cannot be used; one line for every mistake in it."""


# CloudWatch Logs API reference, PutRetentionPolicy: retentionInDays.
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
# AWS tagging best practices: tag naming limits.
_TAG_CHARACTERS = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"


def _tag_key(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError("names that begin with aws: are AWS's own")
    return key


def _time_zone(name: str) -> str:
    if name in zoneinfo.available_timezones():
        return name
    near = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
    raise ValueError("there is no such time zone" + (f"; did you mean {near[0]}?" if near else ""))


def _expression(text: str) -> str:
    """EventBridge Scheduler user guide, schedule types."""
    kind, _, rest = text.partition("(")
    inner = rest.removesuffix(")")
    if not rest.endswith(")") or kind not in {"at", "cron", "rate"}:
        raise ValueError("must be at(...), cron(...) or rate(...)")
    if kind == "cron":
        AwsCroniter(inner)
    elif kind == "rate" and not re.fullmatch("[1-9][0-9]* (minute|hour|day)s?", inner):
        raise ValueError("must be a whole number of minutes, hours or days, such as rate(7 days)")
    elif kind == "at" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner):
        raise ValueError("must be an instant such as at(2027-01-15T02:00:00), whose zone is `timezone`")
    elif kind == "at":
        datetime.fromisoformat(inner)
    return text


def _request(document: dict[str, Any]) -> dict[str, Any]:
    try:
        Request.parse(document)
    except RequestRefused as refused:
        raise ValueError(str(refused).replace("\n", " ")) from refused
    return document


DrainLimit = Annotated[int, Field(ge=MIN_DRAIN_LIMIT_SECONDS, le=MAX_DRAIN_LIMIT_SECONDS)]
Prefix = Annotated[str, StringConstraints(min_length=1, max_length=255)]
TagKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=f"^{_TAG_CHARACTERS}$"),
    AfterValidator(_tag_key),
]
TagValue = Annotated[str, StringConstraints(max_length=256, pattern=f"^{_TAG_CHARACTERS}$")]


class Section(BaseModel):
    """A table of the file: strict about types, and about keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Table(Section):
    """The table of locks and history."""

    deletion_protection: bool = Field(default=True, description="true: DynamoDB refuses to delete the table")
    keep: bool = Field(default=True, description="true: the table stays when the stack is removed")
    recovery_days: int = Field(
        default=35,
        ge=1,
        le=35,
        description="days, 1 to 35, within which the table can be restored to any second",
    )


class Logs(Section):
    """The logs of workflow and functions."""

    retention_days: RetentionDays = Field(
        default=90,
        description=f"days that log lines are kept: {', '.join(map(str, get_args(RetentionDays)))}",
    )


class Defaults(Section):
    """What a request has that does not say otherwise."""

    max_drain_duration_seconds: DrainLimit = Field(
        default=DEFAULT_DRAIN_LIMIT_SECONDS,
        description="the drain limit: seconds, 1 to 4000, after which EC2 cuts what is still open",
    )


class Alarms(Section):
    """Drains that CloudWatch alarms start."""

    enabled: bool = Field(
        default=False, description="true: alarms that name a gateway and an address drain it"
    )
    name_prefixes: list[Prefix] = Field(
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
    expression: Annotated[str, AfterValidator(_expression)] = Field(
        description="`at(2027-01-15T02:00:00)`, `cron(0 3 1 * ? *)` (AWS's six fields) or `rate(7 days)`"
    )
    timezone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC",
        description="of the expression: a name of the time zone database, such as `Europe/Berlin`",
    )
    start_at: AwareDatetime | None = Field(
        default=None,
        description="not before this instant, with its offset; a rate needs it, as its first time",
    )
    end_at: AwareDatetime | None = Field(default=None, description="not after this instant, with its offset")
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
    request: Annotated[dict[str, Any], AfterValidator(_request)] = Field(
        description="the request, as by hand; best by public IP or allocation: an association leaves once"
    )

    @model_validator(mode="after")
    def _times(self) -> Self:
        if self.expression.startswith("rate") and self.start_at is None:
            # EventBridge Scheduler user guide, rate-based schedules.
            raise ValueError("a rate needs start_at: without it, it starts as soon as it is deployed")
        if self.end_at and self.start_at and self.end_at <= self.start_at:
            raise ValueError("end_at must be later than start_at")
        return self


class Config(Section):
    """The choices of one deployment."""

    tracing: bool = Field(default=True, description="true: AWS X-Ray on workflow and functions")
    tags: dict[TagKey, TagValue] = Field(
        default={}, max_length=40, description="tags of everything in the stack, 40 at most, name = value"
    )
    table: Table = Field(default=Table(), description="the table of locks and history")
    logs: Logs = Field(default=Logs(), description="the logs of workflow and functions")
    defaults: Defaults = Field(
        default=Defaults(), description="what a request has that does not say otherwise"
    )
    alarms: Alarms = Field(default=Alarms(), description="drains that CloudWatch alarms start")
    schedule: list[Schedule] = Field(default=[], description="drains at set times, by EventBridge Scheduler")

    @model_validator(mode="after")
    def _names(self) -> Self:
        # Construct ids differ in more than their case, for the sake of those who read them.
        names = [schedule.name.lower() for schedule in self.schedule]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"schedule: the name {', '.join(twice)} is used more than once")
        return self

    @property
    def alarm_limit_seconds(self) -> int:
        """The drain limit of a drain that an alarm starts."""
        return self.alarms.max_drain_duration_seconds or self.defaults.max_drain_duration_seconds

    @classmethod
    def load(cls, path: Path) -> Config:
        """Read a configuration file.

        Raises:
            ConfigError: naming the file and, for every mistake in it, the key, its value and what is allowed.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}. Name a file that exists.") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path} is no TOML: {error}") from error
        except ValidationError as error:
            raise ConfigError("\n".join(f"{path}: {_told(mistake)}" for mistake in error.errors())) from error


def _told(mistake: ErrorDetails) -> str:
    """One mistake: the key, its value, and what is allowed."""
    parts = [part for part in mistake["loc"] if part != "[key]"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    section, field = _known(parts)
    if mistake["type"] == "missing":
        return f"{where} is missing: {field and field.description}."
    given = json.dumps(mistake["input"], default=str, ensure_ascii=False)
    shown = f"{where} = {given[:_MAX_SHOWN_CHARACTERS]}" if where else "the file"
    if mistake["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(parts[-1]), section.model_fields, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(section.model_fields)}."
        return f"{shown}: there is no such key{hint}"
    why = mistake["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{shown}: {why[0].lower()}{why[1:]}{f' ({field.description})' if field else ''}."


def _known(parts: Sequence[str | int]) -> tuple[type[Section], FieldInfo | None]:
    """The section that a path leads into, and its field, as far as both are known."""
    section: type[Section] = Config
    field = None
    for part in parts:
        if isinstance(part, str):
            if (field := section.model_fields.get(part)) is None:
                break
            kinds = (field.annotation, *get_args(field.annotation))
            section = next((k for k in kinds if isinstance(k, type) and issubclass(k, Section)), section)
    return section, field
