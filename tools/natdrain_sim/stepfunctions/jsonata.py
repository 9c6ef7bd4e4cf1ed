"""JSONata, which moto's interpreter does not evaluate, by the jsonata-python package."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from jsonata import JException, Jsonata
from jsonata.utils import Utils
from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.jsonata.jsonata import JSONataException

from natdrain_sim.seams import Seam, private

_MARK = "\0"
_parsed = lru_cache(maxsize=1024)(Jsonata)
_one_at_a_time = threading.Lock()  # a cached expression has state while it is evaluated


def seams() -> Iterator[Seam]:
    """Yield the seams of JSONata."""
    evaluate_string = private(StringJSONata, "_eval_body")

    def eval_body(self: StringJSONata, env: Environment) -> None:
        try:
            evaluate_string(self, env)
        except JSONataException as error:
            # In moto it would be States.Runtime, which on AWS cannot be caught.
            name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
            cause = f"The JSONata expression '{self.expression}' threw an error: {error.details}"
            failed = EvaluationFailedEventDetails(cause=cause, error=name.error_name)
            details: Any = {"evaluationFailedEventDetails": failed}
            raise FailureEventException(
                FailureEvent(env, name, HistoryEventType.EvaluationFailed, details)
            ) from error

    yield moto_jsonata, "_eval_jsonata", evaluate
    yield StringJSONata, "_eval_body", eval_body
    # The function is imported by name, so it is replaced where it is used.
    for module in (states, variable_store):
        yield module, "encode_jsonata_variable_declarations", declare


def evaluate(text: str) -> Any:
    """Evaluate an expression that contains declarations of variables; undefined is None."""
    parts = text.split(_MARK)
    variables = {name: value for part in parts[1::2] for name, value in _values(part).items()}
    try:
        with _one_at_a_time:
            expression = _parsed("".join(parts[::2]))
            Jsonata.CURRENT.jsonata = expression  # for `$now()`
            # Converted by JSON, because jsonata-python has its own lists and ranges.
            return json.loads(json.dumps(expression.evaluate(None, variables), default=list))
    except (JException, RecursionError, TypeError, ValueError) as error:
        raise JSONataException(getattr(error, "error", "UNKNOWN"), str(error)) from error


def declare(bindings: dict[str, Any]) -> str:
    """Declare variables as JSON between marks, instead of as assignments within the expression, as moto does.

    An expression is then parsed only once for all values, which takes longer than to evaluate it, and text
    with a quote or a newline does not break it. JSON contains no unescaped mark.
    """
    values = {name.removeprefix("$"): value for name, value in bindings.items()}
    return f"{_MARK}{json.dumps(values, default=datetime.isoformat)}{_MARK}"


def _values(text: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(text, parse_float=_number)
    return _with_nulls(values) if "null" in text else values


def _number(text: str) -> float:
    """Return a whole number as an int, as in an expression."""
    return int(number) if (number := float(text)).is_integer() else number


def _with_nulls(value: Any) -> Any:
    """Replace None, which the library treats as undefined, by its null."""
    if isinstance(value, dict):
        return {key: _with_nulls(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_nulls(element) for element in value]
    return Utils.NULL_VALUE if value is None else value
