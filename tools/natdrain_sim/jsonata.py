"""JSONata for moto's interpreter, which has none of its own: evaluated by the jsonata-python package."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jsonata import JException, Jsonata
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


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    evaluate_string = private(StringJSONata, "_eval_body")

    def eval_body(self: StringJSONata, env: Environment) -> None:
        try:
            evaluate_string(self, env)
        except JSONataException as error:
            # moto would call it States.Runtime, which on AWS nothing can catch.
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


def evaluate(expression: str) -> Any:
    """Evaluate an expression that holds its own variables; undefined is None.

    Raises:
        JSONataException: It does not parse, or its evaluation fails.
    """
    try:
        # Through JSON, because jsonata-python has lists of its own, and a lazy range.
        return json.loads(json.dumps(Jsonata(expression).evaluate(None), default=list))
    except (JException, RecursionError, TypeError, ValueError) as error:
        raise JSONataException(getattr(error, "error", "UNKNOWN"), str(error)) from error


def declare(bindings: dict[str, Any]) -> str:
    """Write variables as JSONata assignments.

    Strings are JSON-encoded, or one that holds a quote or a newline would break the expression. Nothing is
    escaped to ASCII, because jsonata-python reads an escaped emoji as two broken halves.
    """
    return "".join(
        f"{name}:={json.dumps(value, ensure_ascii=False, default=datetime.isoformat, separators=(',', ':'))};"
        for name, value in bindings.items()
    )
