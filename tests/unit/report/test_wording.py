"""The small change of every sentence, at its bounds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from natdrain.model.problem import Problem
from natdrain.report import wording
from support.builders import START, allocation, drain, ip


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"private_ip": "10.0.0.10"}, ip("a")),
        ({"public_ip": None, "private_ip": "10.0.0.10"}, "10.0.0.10"),
        ({"public_ip": None}, allocation("a")),
        ({"public_ip": None, "allocation_id": None}, "an address"),
    ],
)
def test_address_has_the_name_that_people_know_best(known: dict[str, Any], name: str) -> None:
    assert wording.name_of(drain("a", **known)) == name


@pytest.mark.parametrize(("count", "text"), [(0, "0 addresses"), (1, "1 address"), (2, "2 addresses")])
def test_count_is_singular_for_one_alone(count: int, text: str) -> None:
    assert wording.count_of(count, "address") == text
    assert wording.number("[it leaves|they leave]", count) == ("it leaves" if count == 1 else "they leave")


@pytest.mark.parametrize(
    ("start", "text"),
    [
        (START, "17:00:00 UTC"),
        (START - timedelta(days=1), "17:00:00 UTC on 2026-10-02"),
        (None, "17:00:00 UTC on 2026-10-02"),
    ],
)
def test_instant_has_its_date_unless_it_is_the_day_of_the_start(start: Any, text: str) -> None:
    assert wording.at(START, start) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [("a", "a"), ("ab", "a and b"), ("abcd", "a, b, c and d"), ("abcde", "a, b, c and 2 more")],
)
def test_list_names_four_at_most(names: str, text: str) -> None:
    assert wording.listed(list(names)) == text


@pytest.mark.parametrize(("names", "text"), [("ab", "a and b"), ("abc", "3 addresses")])
def test_title_names_two_at_most(names: str, text: str) -> None:
    assert wording.first_few(list(names)) == text


@pytest.mark.parametrize(("length", "cut"), [(400, "x" * 400), (401, f"{'x' * 397}...")])
def test_text_is_cut_when_it_is_longer_than_its_bound(length: int, cut: str) -> None:
    assert wording.cut("x" * length) == cut


PROBLEMS = [Problem(text=f"{name} is wrong.") for name in "abcd"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, []),
        (1, ["One: a is wrong."]),
        (2, ["2 of them: (1) a is wrong; (2) b is wrong."]),
        (3, ["3 of them: (1) a is wrong; (2) b is wrong; (3) c is wrong."]),
        (4, ["4 of them: (1) a is wrong; (2) b is wrong; (3) c is wrong; and 1 more."]),
    ],
)
def test_problems_are_numbered_if_there_are_several_and_three_at_most(count: int, text: list[str]) -> None:
    assert wording.numbered("One", "{count} of them", PROBLEMS[:count]) == text


COMMAND = Problem(text="It is held.", fix="Lift it: aws dynamodb delete-item")


@pytest.mark.parametrize(
    ("problems", "end"),
    [
        ([COMMAND], "delete-item;"),
        ([PROBLEMS[0], COMMAND], "delete-item;"),
        ([COMMAND, PROBLEMS[0]], "a is wrong."),
        ([*[COMMAND] * 3, PROBLEMS[0]], "and 1 more."),
        ([Problem(text="x" * 500, fix="aws")], "x..."),
    ],
)
def test_problems_end_in_a_semicolon_after_a_command_alone(problems: list[Problem], end: str) -> None:
    [text] = wording.numbered("One", "{count} of them", problems)
    assert text.endswith(end)
