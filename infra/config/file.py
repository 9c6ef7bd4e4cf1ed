"""The configuration of a deployment: one TOML file, read strictly.

Every key is defined once, here or in its section, with default, unit and range. The tables of
`docs/configuration.md` are generated from these definitions.
"""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Self, get_args

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from infra.config import sections, values
from infra.config.sections import Section
from infra.config.values import Tags, check_unique
from natdrain.model.problem import Guard
from natdrain.model.request import AfterDrain, Request
from natdrain.report.hints import did_you_mean

DEFAULT_STACK_NAME = "Natdrain"
_MAX_SHOWN_CHARACTERS = 80


class ConfigError(Exception):
    """The configuration cannot be used; its message has one line for each error."""


class Config(Section):
    """The configuration of one deployment."""

    stack_name: values.StackName = DEFAULT_STACK_NAME
    """name of the CloudFormation stack: a letter, then letters, digits and hyphens, 128 at most"""
    tracing: bool = True
    """true: AWS X-Ray on workflow and functions"""
    tags: Tags = Field(default={})
    """tags of everything in the stack that can carry tags, 40 at most, key = value"""
    table: sections.Table = sections.Table()
    """the table of locks and history"""
    logs: sections.Logs = sections.Logs()
    """the logs of workflow and functions"""
    defaults: sections.Defaults = sections.Defaults()
    """values for what a request leaves out"""
    guards: sections.Guards = sections.Guards()
    """what is checked before an address leaves or joins"""
    after_drain: sections.Allocations = sections.Allocations()
    """what may become of an allocation once its address has left"""
    messages: sections.Messages = sections.Messages()
    """notifications about changes"""
    operations: sections.Operations = Field(default=sections.Operations(), validate_default=True)
    """natdrain's own alarms"""
    alarms: sections.Alarms = sections.Alarms()
    """drains that CloudWatch alarms start"""
    schedule: list[sections.Schedule] = Field(default=[])
    """changes at set times, by EventBridge Scheduler; one `[[schedule]]` each"""

    @field_validator("schedule")
    @classmethod
    def _has_unique_names(cls, schedules: list[sections.Schedule]) -> list[sections.Schedule]:
        check_unique("name", [schedule.name for schedule in schedules])
        return schedules

    @field_validator("schedule")
    @classmethod
    def _may_release(
        cls, schedules: list[sections.Schedule], info: ValidationInfo
    ) -> list[sections.Schedule]:
        after_drain = info.data.get("after_drain")
        for schedule in schedules:
            releases = schedule.request.get("AfterDrain") == AfterDrain.RELEASE
            if releases and after_drain is not None and not after_drain.release:
                raise ValueError(f"{schedule.name} requests a release, which after_drain.release must allow")
        return schedules

    @field_validator("schedule")
    @classmethod
    def _keeps_the_pace(
        cls, schedules: list[sections.Schedule], info: ValidationInfo
    ) -> list[sections.Schedule]:
        guards: sections.Guards | None = info.data.get("guards")
        for schedule in schedules:
            request = Request.from_json(schedule.request)
            count = max(map(len, (request.association_ids, request.allocation_ids, request.public_ips)))
            if guards and count > guards.addresses_at_once and Guard.PACE not in request.override:
                raise ValueError(
                    f"{schedule.name} takes {count} addresses off at once, which the guard pace refuses; "
                    f'raise guards.pace_addresses_per_gateway, or let its request have Override = ["pace"]'
                )
        return schedules

    @field_validator("operations")
    @classmethod
    def _has_one_region(cls, operations: sections.Operations, info: ValidationInfo) -> sections.Operations:
        guards = info.data.get("guards")
        calendars = guards.change_calendars if guards else []
        if len(regions := _regions([*operations.alarm_topics, *calendars])) > 1:
            raise ValueError(f"ARNs here and in guards.change_calendars are of {' and '.join(regions)}")
        return operations

    @property
    def region(self) -> str | None:
        """The region of the configured ARNs, in which alone the stack can be; None if there are none."""
        return next(iter(_regions([*self.operations.alarm_topics, *self.guards.change_calendars])), None)

    @property
    def alarm_limit_seconds(self) -> int:
        """The drain limit of drains that alarms start."""
        return self.alarms.max_drain_duration_seconds or self.defaults.max_drain_duration_seconds

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a configuration file.

        Raises:
            ConfigError: it names the file and, for each error in it, the key, its value and what is allowed.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}. Name a file that can be read.") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error
        except ValidationError as error:
            raise ConfigError("\n".join(f"{path}: {_line(one)}" for one in error.errors())) from error


def _regions(names: Sequence[str]) -> list[str]:
    """Return the regions of those names that are ARNs."""
    return sorted({name.split(":")[3] for name in names if name.startswith("arn:")})


def _line(error: ErrorDetails) -> str:
    """Return one error in one line: the key, its value, and what is allowed."""
    path = [part for part in error["loc"] if part != "[key]"]
    section, field = _find_field(path)
    allowed = f" ({field.description})" if field else ""
    key = _dotted(path)
    match error["type"]:
        case "missing":
            return f"{key} is missing{allowed}."
        case "value_error" if error["input"] is None:
            return f"{key} is missing: {error['ctx']['error']}{allowed}."
        case "extra_forbidden":
            known = section.model_fields
            hint = did_you_mean(str(path[-1]), known) or f"known are {', '.join(known)}."
            return f"{key} = {_shown(error['input'])}: there is no such key; {hint}"
        case "value_error":
            reason = str(error["ctx"]["error"])
        case _:
            reason = error["msg"][0].lower() + error["msg"][1:]
    return f"{key} = {_shown(error['input'])}: {reason}{allowed}."


def _dotted(path: Sequence[str | int]) -> str:
    """Return a path as TOML writes it, with the position of an entry in brackets."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _shown(value: object) -> str:
    """Return a value as JSON, cut so that it leaves the line readable."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    cut = "..." if len(text) > _MAX_SHOWN_CHARACTERS else ""
    return f"{text[:_MAX_SHOWN_CHARACTERS]}{cut}".replace("\n", " ")


def _find_field(path: Sequence[str | int]) -> tuple[type[Section], FieldInfo | None]:
    """Return the innermost section that a path leads into, and the field there, if it is known."""
    section: type[Section] = Config
    field = None
    for part in path:
        if isinstance(part, str):
            if (field := section.model_fields.get(part)) is None:
                break
            kinds = (field.annotation, *get_args(field.annotation))
            section = next((k for k in kinds if isinstance(k, type) and issubclass(k, Section)), section)
    return section, field
