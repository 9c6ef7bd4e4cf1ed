"""The tables of docs/configuration.md, made from the configuration's own definitions."""

import json
from typing import Any, get_args

from pydantic.fields import FieldInfo

from infra.config.file import Config
from infra.config.sections import Section

__all__ = ["tables"]


def tables() -> str:
    """One table for the keys outside of any section, and one for each section."""
    top = {key: field for key, field in Config.model_fields.items() if _section(field) is None}
    parts = [_table(top)]
    for key, field in Config.model_fields.items():
        if section := _section(field):
            heading = f"## `[[{key}]]`" if field.annotation is not section else f"## `[{key}]`"
            parts.append(f"{heading}: {field.description}\n\n{_table(section.model_fields)}")
    return "\n".join(["", "\n\n".join(parts), ""])


def _section(field: FieldInfo) -> type[Section] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)


def _table(fields: dict[str, FieldInfo]) -> str:
    rows = [f"| `{key}` | {_default(field)} | {field.description} |" for key, field in fields.items()]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *rows])


def _default(field: FieldInfo) -> str:
    default: Any = field.default
    if field.is_required():
        return "must be given"
    return "none" if default is None else f"`{json.dumps(default)}`"
