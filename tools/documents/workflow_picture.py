"""Draws the workflow as it is synthesised."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["draw"]

EVERY_ERROR = "States.ALL"
DECISION, STEP, PAUSE = '{"%s"}', '["%s"]', '(["%s"])'
BOXES = {"Choice": DECISION, "Pass": STEP, "Task": STEP, "Wait": PAUSE, "Succeed": PAUSE, "Fail": PAUSE}


def draw(template: Mapping[str, Any]) -> str:
    """A Mermaid flowchart. Errors are dotted; the way that most tasks share is drawn once for all."""
    states = _states(template)
    caught = [(name, *catch) for name, state in states.items() for catch in _caught(state)]
    shared = Counter(to for _, error, to in caught if error == EVERY_ERROR).most_common(1)[0][0]
    boxes = {name: f"{_id(name)}{BOXES[state['Type']] % name}" for name, state in states.items()}
    lock = [box for name, box in boxes.items() if re.search("lock|holder", name)]
    steps = [f"{_id(name)} --> {_id(to)}" for name in states for to in dict.fromkeys(_steps(states[name]))]
    failures = [
        f"{_id(name)} -. {_words(error)} .-> {_id(to)}"
        for name, error, to in caught
        if (error, to) != (EVERY_ERROR, shared)
    ]
    lines = [
        "flowchart TD",
        *(box for box in boxes.values() if box not in lock),
        'subgraph lock["at most one execution changes a gateway"]',
        *lock,
        "end",
        *steps,
        *failures,
        f'Failing(("a task that fails")) -.-> {_id(shared)}',
    ]
    return "\n".join(["```mermaid", *lines, "```", ""])


def _states(template: Mapping[str, Any]) -> dict[str, Any]:
    """The states of the Drain workflow; the names of resources in it, which no picture shows, are gone."""
    (machine,) = (
        found
        for name, found in template["Resources"].items()
        if found["Type"] == "AWS::StepFunctions::StateMachine" and name.startswith("Drain")
    )
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    return dict(json.loads("".join(part for part in parts if isinstance(part, str)))["States"])


def _steps(state: Mapping[str, Any]) -> Iterator[str]:
    """Where a state leads when nothing fails."""
    yield from (rule["Next"] for rule in state.get("Choices", []))
    yield from (state[key] for key in ("Next", "Default") if key in state)


def _caught(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(error, catch["Next"]) for catch in state.get("Catch", []) for error in catch["ErrorEquals"]]


def _words(error: str) -> str:
    """The last part of an error's name: `DynamoDB.ConditionalCheckFailedException`."""
    name = error.rpartition(".")[2].removesuffix("Exception")
    return " ".join(re.findall("[A-Z][a-z]+|[A-Z]+", name)).lower()


def _id(name: str) -> str:
    return "".join(word.capitalize() for word in re.findall(r"\w+", name))
