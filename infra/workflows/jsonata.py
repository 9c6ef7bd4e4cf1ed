"""JSONata expressions, in the marks by which the States Language recognises them."""

from aws_cdk import aws_stepfunctions as sfn


def jsonata(expression: str) -> str:
    """Return a value that Step Functions evaluates."""
    return f"{{% {expression} %}}"


def answered(field: str) -> str:
    """Return the value of a field of the function's answer."""
    return jsonata(f"$states.result.Payload.{field}")


def condition(expression: str) -> sfn.Condition:
    """Return the condition of a choice."""
    return sfn.Condition.jsonata(jsonata(expression))
