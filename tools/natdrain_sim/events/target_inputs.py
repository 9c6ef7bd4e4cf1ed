"""What the target of a rule is given: the event, or what the rule makes of it.

Source: the EventBridge user guide, "Amazon EventBridge input transformation", and the API reference of Target
and InputTransformer.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonpath_ng.ext.parser import parse

_TOKEN = re.compile(r'\\.|(?P<quote>")|<(?P<name>[\w.-]+)>')


def input_of(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> str:
    """The text for this target; `rule` is moto's."""
    if transformer := target.get("InputTransformer"):
        return _filled(transformer["InputTemplate"], _values(transformer, event, rule))
    if path := target.get("InputPath"):
        return compact(parse(path).find(event)[0].value)
    return str(target.get("Input") or compact(event))


def compact(value: Any) -> str:
    """JSON as EventBridge writes it: minified."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _values(transformer: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> dict[str, Any]:
    paths = transformer.get("InputPathsMap") or {}
    found = {name: parse(path).find(event) for name, path in paths.items()}
    return {
        **{name: matches[0].value for name, matches in found.items() if matches},
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Put the values in: as JSON, but within quotes as they are, where nothing is escaped.

    A variable that finds nothing is empty.
    """
    within_quotes = False

    def fill(token: re.Match[str]) -> str:
        nonlocal within_quotes
        if token["quote"]:
            within_quotes = not within_quotes
        if not token["name"]:
            return token[0]
        value = values.get(token["name"], "")
        return value if within_quotes and isinstance(value, str) else compact(value)

    return _TOKEN.sub(fill, template)
