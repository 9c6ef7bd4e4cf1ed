"""The input that a rule sends to its target: the event, a part of it or a text.

Sources: the EventBridge user guide, "Amazon EventBridge input transformation"; the API reference of Target
and of InputTransformer.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonpath_ng.ext.parser import parse

_TOKEN = re.compile(r'\\.|(?P<quote>")|<(?P<name>[\w.-]+)>')


def input_of(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> str:
    """Return the input of a target of moto's rule."""
    if transformer := target.get("InputTransformer"):
        return _fill(transformer["InputTemplate"], _values(transformer, event, rule))
    if path := target.get("InputPath"):
        return minified(parse(path).find(event)[0].value)
    return str(target.get("Input") or minified(event))


def minified(value: Any) -> str:
    """Return minified JSON, as EventBridge writes it."""
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


def _fill(template: str, values: Mapping[str, Any]) -> str:
    """Insert the values as JSON, but texts within quotes unescaped; a variable without a value is empty."""
    within_quotes = False

    def value_of(token: re.Match[str]) -> str:
        nonlocal within_quotes
        if token["quote"]:
            within_quotes = not within_quotes
        if not token["name"]:
            return token[0]
        value = values.get(token["name"], "")
        return value if within_quotes and isinstance(value, str) else minified(value)

    return _TOKEN.sub(value_of, template)
