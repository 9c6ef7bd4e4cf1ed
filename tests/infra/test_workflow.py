"""Rules that hold for every state of the workflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from natdrain.contract import Do
from natdrain.model.errors import EXECUTION_ERRORS, TransientFailure
from support.walking import Walk

States = dict[str, Any]

PATIENCE_SECONDS = 90
CATCH_ALL = ["States.ALL"]


def retry_seconds(retrier: dict[str, Any]) -> float:
    """Return how long a retrier waits at least; the defaults are those of the States Language."""
    if retrier.get("JitterStrategy", "NONE") != "NONE":
        return 0
    interval, rate = retrier.get("IntervalSeconds", 1), retrier.get("BackoffRate", 2.0)
    longest = retrier.get("MaxDelaySeconds", float("inf"))
    return float(sum(min(interval * rate**n, longest) for n in range(retrier.get("MaxAttempts", 3))))


BRIEF = {"Publish the start", "Park the undelivered start"}
"""States that must not keep the workflow from looking while addresses leave."""


def last_catchers(tasks: States) -> dict[str, tuple[list[str], str]]:
    """Return the last catcher of every task: the errors that it catches, and the next state."""
    return {
        name: (task["Catch"][-1]["ErrorEquals"], task["Catch"][-1]["Next"]) for name, task in tasks.items()
    }


def test_workflow_is_written_in_jsonata(definition: dict[str, Any]) -> None:
    assert definition["QueryLanguage"] == "JSONata"


def test_states_all_have_the_query_language_of_the_workflow(states: States) -> None:
    assert {
        name for name, state in states.items() if state.get("QueryLanguage", "JSONata") != "JSONata"
    } == set()


def test_states_all_have_a_comment(states: States) -> None:
    assert {name for name, state in states.items() if not state.get("Comment")} == set()


def test_tasks_all_have_a_timeout(tasks: States) -> None:
    assert {name for name, task in tasks.items() if not task.get("TimeoutSeconds")} == set()


def test_tasks_are_all_retried_for_long_enough(tasks: States) -> None:
    patience = {name: max(map(retry_seconds, task.get("Retry", [{}]))) for name, task in tasks.items()}
    assert {name for name, seconds in patience.items() if seconds < PATIENCE_SECONDS} == BRIEF


def test_retries_of_failures_are_patient(tasks: States) -> None:
    # Answers, not failures: the first is final; the second may be outdated, so it is retried for a while.
    answers = {"DynamoDB.ConditionalCheckFailedException": 0, "Sfn.ExecutionDoesNotExistException": 35}
    patient = [task for name, task in tasks.items() if name not in BRIEF]
    for retrier in (retrier for task in patient for retrier in task["Retry"]):
        if set(retrier["ErrorEquals"]) <= set(answers):
            assert retry_seconds(retrier) == answers[retrier["ErrorEquals"][0]]
        else:
            assert retry_seconds(retrier) >= PATIENCE_SECONDS


def test_failures_of_every_task_lead_to_close_when_nothing_else_catches_them(tasks: States) -> None:
    assert last_catchers(tasks) == {
        **dict.fromkeys(tasks, (CATCH_ALL, "Close")),
        "Close": (CATCH_ALL, "Fail"),
        # What cannot be published is parked, and the drain continues.
        "Publish the start": (CATCH_ALL, "Park the undelivered start"),
        "Park the undelivered start": (CATCH_ALL, "Choose the next step"),
        "Publish the end": (CATCH_ALL, "Park the undelivered end"),
        "Park the undelivered end": (CATCH_ALL, "Did it succeed?"),
        "Record that the end was published": (CATCH_ALL, "Fail"),
    }


def test_functions_are_retried_for_transient_failures(tasks: States) -> None:
    invoking = {name: task for name, task in tasks.items() if task["Resource"].endswith("lambda:invoke")}
    assert {
        name for name, task in invoking.items() if TransientFailure.__name__ not in retried(task)
    } == set()


def test_functions_are_not_retried_for_their_verdicts(tasks: States) -> None:
    verdicts = {*EXECUTION_ERRORS, "States.TaskFailed", "States.ALL"}
    invoking = {name: task for name, task in tasks.items() if task["Resource"].endswith("lambda:invoke")}
    assert {name for name, task in invoking.items() if verdicts & retried(task)} == set()


def test_failures_that_the_workflow_names_are_execution_errors(definition: dict[str, Any]) -> None:
    named = {name for name in errors_in(definition) if not name.startswith("{%")}
    assert named <= set(EXECUTION_ERRORS)


DOES = {
    Do.REFUSE: "Close",
    Do.ASSOCIATE: "Associate",
    Do.DISASSOCIATE: "Disassociate",
    Do.RELEASE: "Release",
    Do.WAIT: "Wait",
    Do.FINISH: "Close",
}


def walk(states: States, at: str, **variables: Any) -> Walk:
    """Return an execution that has got to this state."""
    known = {"request": {}, "step": {}, "start": {}, "failure": {}, **variables}
    found = Walk(states, "Drain", "arn:me", known, began_at=0)
    found.enter(at, 0)
    return found


@pytest.mark.parametrize("do", Do)
def test_decision_leads_to_the_state_that_does_it(states: States, do: Do) -> None:
    decided = walk(states, "Choose the next step", step={"Do": do.value})
    decided.choose(0)
    assert decided.at == DOES[do]


@pytest.mark.parametrize("name", ["Associate", "Disassociate", "Release"])
def test_change_is_followed_by_a_decision_and_never_by_another_change(states: States, name: str) -> None:
    assert states[name]["Next"] == "Choose the next step"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"Associate": [{"AllocationIds": ["eipalloc-0a1b2c3d4e5f60718"]}]}, "AssociateFailed"),
        ({"AssociationIds": ["eipassoc-0a1b2c3d4e5f60718"]}, "DrainFailed"),
        ({}, "DrainFailed"),
    ],
    ids=["join", "leave", "unread"],
)
def test_end_that_cannot_be_recorded_fails_with_the_error_of_its_direction(
    states: States, request_: dict[str, Any], error: str
) -> None:
    closing = walk(states, "Close", request=request_)
    closing.failed("KeyError", "why", 0)
    assert (closing.at, closing.variables["outcome"]["Error"]) == ("Fail", error)
    assert error in EXECUTION_ERRORS


def test_holder_is_checked_without_its_input_and_output(tasks: States) -> None:
    assert tasks["Check whether the holder still runs"]["Arguments"]["IncludedData"] == "METADATA_ONLY"


def retried(task: dict[str, Any]) -> set[str]:
    return {
        name for retrier in task["Retry"] if retrier.get("MaxAttempts", 3) for name in retrier["ErrorEquals"]
    }


def errors_in(value: Any) -> Iterator[str]:
    """Yield every value of a field `Error`, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("Error"), str):
            yield value["Error"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from errors_in(inner)
