"""A problem as a value, and as much of it as an answer has room for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from natdrain.guards.policy import RULES
from natdrain.model.errors import RequestRefused
from natdrain.model.problem import MAX_PROBLEM_CHARACTERS, MAX_PROBLEMS, Guard, Problem, bounded
from support.builders import GATEWAY

HELD = Problem(guard="hold", subject=GATEWAY, text="It is held.", fix="Lift it.")


def test_guards_have_their_rules_in_the_order_in_which_they_report() -> None:
    assert [rule.name for rule in RULES] == list(Guard)


@pytest.mark.parametrize("problem", [HELD, Problem(text="No address is named.")])
def test_problem_survives_the_way_through_the_workflow(problem: Problem) -> None:
    assert Problem.from_json(problem.to_json()) == problem


def test_problem_has_all_its_fields_in_json() -> None:
    assert HELD.to_json() == {"Guard": "hold", "Subject": GATEWAY, "Text": "It is held.", "Fix": "Lift it."}
    assert Problem(text="No.").to_json() == {"Guard": None, "Subject": None, "Text": "No.", "Fix": None}


def test_problem_of_an_earlier_version_is_its_text() -> None:
    assert Problem.from_json("hold: It is held.") == Problem(text="hold: It is held.")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (HELD, "hold: It is held. Lift it."),
        (Problem(text="No address is named."), "No address is named."),
        (Problem(text="It is pending.", fix="Try again."), "It is pending. Try again."),
        (Problem(text="It is held.", guard="hold"), "hold: It is held."),
    ],
)
def test_problem_reads_as_guard_text_and_fix(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_bounded_has_each_problem_once_in_its_order() -> None:
    other = Problem(text="No address is named.")
    assert bounded([HELD, other, HELD]) == [HELD, other]


def test_bounded_has_one_line_of_bounded_length_for_each_problem() -> None:
    long = "two\nlines " + "x" * 2 * MAX_PROBLEM_CHARACTERS
    [problem] = bounded([Problem(guard="hold", text=long, fix=long)])
    for text in (problem.text, str(problem.fix)):
        assert len(text) == MAX_PROBLEM_CHARACTERS
        assert text.startswith("two lines x")


def test_bounded_says_how_many_it_leaves_out_without_a_guard_that_found_nothing() -> None:
    many = [Problem(guard="owner", text=str(number)) for number in range(MAX_PROBLEMS + 3)]
    assert bounded(many[:MAX_PROBLEMS]) == many[:MAX_PROBLEMS]
    others = [
        *many[: MAX_PROBLEMS + 1],
        *(replace(one, guard="calendar") for one in many[MAX_PROBLEMS + 1 :]),
    ]
    assert bounded(others) == [*many[:MAX_PROBLEMS], Problem(guard="owner", text="... and 3 more.")]


def test_error_has_its_problems_as_values_and_a_line_for_each() -> None:
    refused = RequestRefused(HELD, "No address is named.")
    assert refused.problems == (HELD, Problem(text="No address is named."))
    assert str(refused) == "hold: It is held. Lift it.\nNo address is named."
