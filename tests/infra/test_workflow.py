"""Laws that every state of the workflow obeys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from natdrain.model.errors import EXECUTION_ERRORS, TransientFailure

States = dict[str, Any]

PATIENCE_SECONDS = 90
CATCH_ALL = ["States.ALL"]


def retry_seconds(retrier: dict[str, Any]) -> float:
    """How long a retrier certainly waits in all; the defaults are those of the States Language."""
    if retrier.get("JitterStrategy", "NONE") != "NONE":
        return 0
    interval, rate = retrier.get("IntervalSeconds", 1), retrier.get("BackoffRate", 2.0)
    longest = retrier.get("MaxDelaySeconds", float("inf"))
    return float(sum(min(interval * rate**n, longest) for n in range(retrier.get("MaxAttempts", 3))))


BRIEF = {"Publish the start", "Park the undelivered start"}
"""They must not keep the workflow from looking while addresses leave."""


def ways_to(tasks: States) -> dict[str, tuple[list[str], str]]:
    """The last catcher of every task: what it catches, and where it leads."""
    return {
        name: (task["Catch"][-1]["ErrorEquals"], task["Catch"][-1]["Next"]) for name, task in tasks.items()
    }


def test_workflow_is_written_in_jsonata(definition: dict[str, Any]) -> None:
    assert definition["QueryLanguage"] == "JSONata"


def test_states_all_speak_the_language_of_the_workflow(states: States) -> None:
    assert {
        name for name, state in states.items() if state.get("QueryLanguage", "JSONata") != "JSONata"
    } == set()


def test_states_all_say_what_they_are_for(states: States) -> None:
    assert {name for name, state in states.items() if not state.get("Comment")} == set()


def test_tasks_all_have_a_timeout(tasks: States) -> None:
    assert {name for name, task in tasks.items() if not task.get("TimeoutSeconds")} == set()


def test_tasks_all_are_retried_for_long_enough(tasks: States) -> None:
    patience = {name: max(map(retry_seconds, task.get("Retry", [{}]))) for name, task in tasks.items()}
    assert {name for name, seconds in patience.items() if seconds < PATIENCE_SECONDS} == BRIEF


def test_retries_of_trouble_are_patient(tasks: States) -> None:
    # Answers, not trouble: the one is final, the other is asked again for a while, as it may be stale.
    answers = {"DynamoDB.ConditionalCheckFailedException": 0, "Sfn.ExecutionDoesNotExistException": 35}
    patient = [task for name, task in tasks.items() if name not in BRIEF]
    for retrier in (retrier for task in patient for retrier in task["Retry"]):
        if set(retrier["ErrorEquals"]) <= set(answers):
            assert retry_seconds(retrier) == answers[retrier["ErrorEquals"][0]]
        else:
            assert retry_seconds(retrier) >= PATIENCE_SECONDS


def test_failures_of_every_task_lead_to_close_when_nothing_else_catches_them(tasks: States) -> None:
    assert ways_to(tasks) == {
        **dict.fromkeys(tasks, (CATCH_ALL, "Close")),
        "Close": (CATCH_ALL, "Fail"),
        # What cannot be told is kept, and the drain goes on.
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


def test_failures_are_named_from_the_taxonomy_when_the_workflow_names_them(
    definition: dict[str, Any],
) -> None:
    named = {name for name in errors_in(definition) if not name.startswith("{%")}
    assert named <= set(EXECUTION_ERRORS)


def retried(task: dict[str, Any]) -> set[str]:
    return {
        name for retrier in task["Retry"] if retrier.get("MaxAttempts", 3) for name in retrier["ErrorEquals"]
    }


def errors_in(value: Any) -> Iterator[str]:
    """Every value of a field `Error`, wherever it is."""
    if isinstance(value, dict):
        if isinstance(value.get("Error"), str):
            yield value["Error"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from errors_in(inner)
