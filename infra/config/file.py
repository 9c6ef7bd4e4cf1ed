"""What a deployment may choose: one TOML file, read strictly.

Every key stands once, here or in its section, with default, unit and range; `docs/configuration.md` is made
from that.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from infra.config.sections import (
    Alarms,
    Allocations,
    Defaults,
    Guards,
    Logs,
    Messages,
    Operations,
    Schedule,
    Section,
    Table,
)
from infra.config.values import Tags, twice
from natdrain.intake.request import AfterDrain

__all__ = ["Config", "ConfigError"]

_MAX_SHOWN_CHARACTERS = 80


class ConfigError(Exception):
    """The configuration cannot be used; one line for every mistake in it."""


class Config(Section):
    """The choices of one deployment."""

    tracing: bool = Field(default=True, description="true: AWS X-Ray on workflow and functions")
    tags: Tags = Field(
        default={},
        description="tags of everything in the stack that can carry tags, 40 at most, key = value",
    )
    table: Table = Field(default=Table(), description="the table of locks and history")
    logs: Logs = Field(default=Logs(), description="the logs of workflow and functions")
    defaults: Defaults = Field(
        default=Defaults(), description="what a request has that does not say otherwise"
    )
    guards: Guards = Field(default=Guards(), description="what is checked before an address is taken off")
    after_drain: Allocations = Field(
        default=Allocations(), description="what may become of an allocation when its address has left"
    )
    messages: Messages = Field(default=Messages(), description="messages for people about drains")
    operations: Operations = Field(default=Operations(), description="natdrain's own alarms")
    alarms: Alarms = Field(default=Alarms(), description="drains that CloudWatch alarms start")
    schedule: list[Schedule] = Field(
        default=[], description="drains at set times, by EventBridge Scheduler, one `[[schedule]]` each"
    )

    @field_validator("schedule")
    @classmethod
    def _named_once(cls, schedules: list[Schedule]) -> list[Schedule]:
        if again := twice([schedule.name for schedule in schedules]):
            raise ValueError(f"the name {again} is used more than once, if case does not count")
        return schedules

    @field_validator("schedule")
    @classmethod
    def _may_release(cls, schedules: list[Schedule], info: ValidationInfo) -> list[Schedule]:
        after_drain = info.data.get("after_drain")
        for schedule in schedules:
            releases = schedule.request.get("AfterDrain") == AfterDrain.RELEASE
            if releases and after_drain is not None and not after_drain.release:
                raise ValueError(f"{schedule.name} asks to release, which after_drain.release must allow")
        return schedules

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
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}. Name a file that can be read.") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path} is no TOML: {error}") from error
        except ValidationError as error:
            raise ConfigError("\n".join(f"{path}: {_told(mistake)}" for mistake in error.errors())) from error


def _told(mistake: ErrorDetails) -> str:
    """One mistake: the key, its value, and what is allowed."""
    parts = [part for part in mistake["loc"] if part != "[key]"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    section, field = _known(parts)
    allowed = f" ({field.description})" if field else ""
    if mistake["type"] == "missing":
        return f"{where} is missing{allowed}."
    if mistake["type"] == "value_error" and mistake["input"] is None:
        return f"{where} is missing: {mistake['ctx']['error']}{allowed}."
    given = json.dumps(mistake["input"], default=str, ensure_ascii=False)
    cut = "..." if len(given) > _MAX_SHOWN_CHARACTERS else ""
    shown = f"{where} = {given[:_MAX_SHOWN_CHARACTERS]}{cut}".replace("\n", " ")
    if mistake["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(parts[-1]), section.model_fields, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(section.model_fields)}."
        return f"{shown}: there is no such key{hint}"
    if mistake["type"] == "value_error":
        return f"{shown}: {mistake['ctx']['error']}{allowed}."
    return f"{shown}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}{allowed}."


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
