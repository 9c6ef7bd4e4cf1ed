"""The one vocabulary: it has words for every outcome, and no words of a private dialect."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import natdrain.report
from natdrain.model.conclusion import Conclusion, Quiet
from natdrain.model.outcome import LEFT, AddressOutcome, ExecutionOutcome
from natdrain.report.event import is_published
from natdrain.report.vocabulary import ADDRESSES, ENDINGS
from support.builders import GATEWAY
from support.endings import BY_HAND

[_REPORT] = map(Path, natdrain.report.__path__)
DIALECT = r"\b(told|mend\w*|giv\w+ back|ask again|[Ww]hoever|as far as|fates?|news|nobody can (say|tell))\b"


def test_vocabulary_has_an_ending_for_every_outcome_that_is_published() -> None:
    ends = {outcome: Conclusion.quietly(GATEWAY, Quiet(outcome, "why")) for outcome in ExecutionOutcome}
    # Only dry runs are planned.
    published = {outcome for outcome, end in ends.items() if is_published(BY_HAND, end)} - {
        ExecutionOutcome.PLANNED
    }
    assert set(ENDINGS) == published
    assert all(ending.title for ending in ENDINGS.values())


def test_vocabulary_has_words_for_every_outcome_of_an_address() -> None:
    assert set(ADDRESSES) == set(AddressOutcome)
    assert all(words.verb and (words.sentence or words.after_left) for words in ADDRESSES.values())


def test_words_follow_how_an_address_left_if_it_was_seen_to_leave() -> None:
    assert {outcome for outcome, words in ADDRESSES.items() if words.after_left} == LEFT


@pytest.mark.parametrize("path", sorted(_REPORT.glob("*.py")), ids=lambda path: path.stem)
def test_sentences_are_in_plain_english(path: Path) -> None:
    strings = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert [text for text in strings if isinstance(text, str) and re.search(DIALECT, text)] == []
