"""Picture of the workflow, drawn from the synthesised template."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

EVERY_ERROR = "States.ALL"
DECISION, STEP, PAUSE = '{"%s"}', '["%s"]', '(["%s"])'
BOXES = {"Choice": DECISION, "Pass": STEP, "Task": STEP, "Wait": PAUSE, "Succeed": PAUSE, "Fail": PAUSE}


def draw(template: Mapping[str, Any]) -> str:
    """Return a Mermaid flowchart; errors are dotted, and the catch that most tasks share is drawn once."""
    states = _states(template)
    boxes = {name: f"{_id(name)}{BOXES[state['Type']] % name}" for name, state in states.items()}
    lock = [box for name, box in boxes.items() if re.search("lock|holder", name)]
    others = [box for box in boxes.values() if box not in lock]
    frame = ['subgraph lock["at most one execution changes a gateway"]', *lock, "end"]
    steps = [f"{_id(name)} --> {_id(to)}" for name in states for to in dict.fromkeys(_steps(states[name]))]
    lines = ["flowchart TD", *others, *frame, *steps, *_failures(states)]
    return "\n".join(["```mermaid", *lines, "```", ""])


def _failures(states: Mapping[str, Any]) -> Iterator[str]:
    caught = [(name, *catch) for name, state in states.items() for catch in _caught(state)]
    shared = Counter(to for _, error, to in caught if error == EVERY_ERROR).most_common(1)[0][0]
    for name, error, to in caught:
        if (error, to) != (EVERY_ERROR, shared):
            yield f"{_id(name)} -. {_words(error)} .-> {_id(to)}"
    yield f'Failing(("a task that fails")) -.-> {_id(shared)}'


def _states(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states of the Change workflow, without the names of resources, which no picture shows."""
    (machine,) = (
        found
        for name, found in template["Resources"].items()
        if found["Type"] == "AWS::StepFunctions::StateMachine" and name.startswith("Drain")
    )
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    return dict(json.loads("".join(part for part in parts if isinstance(part, str)))["States"])


def _steps(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield the states that follow if nothing fails."""
    yield from (rule["Next"] for rule in state.get("Choices", []))
    yield from (state[key] for key in ("Next", "Default") if key in state)


def _caught(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(error, catch["Next"]) for catch in state.get("Catch", []) for error in catch["ErrorEquals"]]


def _words(error: str) -> str:
    """Return the last part of an error's name in words: `DynamoDB.ConditionalCheckFailedException`."""
    name = error.rpartition(".")[2].removesuffix("Exception")
    return " ".join(re.findall("[A-Z][a-z]+|[A-Z]+", name)).lower()


def _id(name: str) -> str:
    return "".join(word.capitalize() for word in re.findall(r"\w+", name))
