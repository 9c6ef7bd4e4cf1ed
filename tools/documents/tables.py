"""Tables of the configuration, guards and metrics from their own definitions; the cost of the alarms."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from infra.config.file import Config
from infra.config.sections import Section
from natdrain.guards.policy import RULES
from natdrain.report.metrics import METRICS, VALUES

ALARM_METRIC_DOLLARS = 0.10
"""A month, for each standard metric that an alarm watches (CloudWatch pricing, us-east-1)."""


def configuration() -> str:
    """Return a table of the keys outside of any section, and one for each section."""
    sections = {key: section for key, field in Config.model_fields.items() if (section := _section(field))}
    parts = [_keys({key: field for key, field in Config.model_fields.items() if key not in sections})]
    for key, section in sections.items():
        field = Config.model_fields[key]
        heading = f"## `[[{key}]]`" if field.annotation is not section else f"## `[{key}]`"
        parts.append(f"\n{heading}: {field.description}\n{_keys(section.model_fields)}")
    return "".join(parts)


def _section(field: FieldInfo) -> type[Section] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)


def _keys(fields: Mapping[str, FieldInfo]) -> str:
    rows = ((_code(key), _default(field), str(field.description)) for key, field in fields.items())
    return _table(("key", "default", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    return "none" if field.default is None else _code(json.dumps(field.default))


def guards() -> str:
    """Return a row for each guard."""
    head = ("guard", "asked when addresses", "what it finds", "by hand", "automatic", "lifted by")
    rows = (
        (
            _code(r.name),
            " or ".join(r.directions),
            r.finds,
            r.by_hand,
            r.automatic,
            r.lifted_by or _code(str(r.override)),
        )
        for r in RULES
    )
    return _table(head, rows)


def metrics() -> str:
    """Return a row for each metric, and one for each dimension."""
    sets = [[" and ".join(map(_code, names)) for names in metric.dimension_sets] for metric in METRICS]
    rows = ((_code(m.name), m.unit, "; ".join(by), m.meaning) for m, by in zip(METRICS, sets, strict=True))
    values = ((_code(name), ", ".join(map(_code, said))) for name, said in VALUES.items())
    return _table(("metric", "unit", "dimensions", "meaning"), rows) + _table(("dimension", "values"), values)


def alarms(template: Mapping[str, Any]) -> str:
    """Return the cost of all alarms: each pays for every metric that it watches, also in an expression."""
    resources = template["Resources"].values()
    watching = [one["Properties"] for one in resources if one["Type"].endswith("::Alarm")]
    count = sum(sum("MetricStat" in m for m in one.get("Metrics", [])) or 1 for one in watching)
    each, total = (f"${dollars:.2f}" for dollars in (ALARM_METRIC_DOLLARS, count * ALARM_METRIC_DOLLARS))
    return f"\n{len(watching)} alarms watch {count} metrics at {each}: **{total}** a month.\n\n"


def _code(name: str) -> str:
    return f"`{name}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len([*head]), *rows)]
    return "\n".join(["", *lines, ""])
