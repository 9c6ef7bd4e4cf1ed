"""A small part of the proof, always the same; `make prove` plays all of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from proof import machine, reliability
from proof.cases import Trace, all_cases
from proof.mutants import MUTANTS, PROJECT, Mutant
from proof.paths import PATHS
from proof.playing import play, record
from proof.troubles import CODES

DOCUMENT = PROJECT / "docs" / "reliability.md"
FEW = 6


@pytest.fixture(scope="module")
def traces() -> Mapping[str, Trace]:
    return record(PATHS)


def test_proof_holds_for_some_cases_of_every_sort(traces: Mapping[str, Trace]) -> None:
    cases = all_cases({name: traces[name] for name in ("by_hand", "stopped")})
    verdicts = play(cases[:: len(cases) // FEW], traces)
    assert {str(verdict.case): verdict.wrong for verdict in verdicts if verdict.wrong} == {}


def test_proof_holds_for_a_few_games() -> None:
    machine.play(examples=1, steps=8)


def test_document_has_a_row_for_every_call_that_is_made(traces: Mapping[str, Trace]) -> None:
    calls = {reliability.row_name(site) for trace in traces.values() for site in trace.calls}
    rows = {line.split(" | ")[0].removeprefix("| ") for line in DOCUMENT.read_text().splitlines()}
    assert calls - rows == set(), "make prove writes the table"


def test_every_call_that_is_made_has_its_errors(traces: Mapping[str, Trace]) -> None:
    services = {site.service for trace in traces.values() for site in trace.calls}
    assert services <= set(CODES)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_about_code_that_is_there(mutant: Mutant) -> None:
    text = (PROJECT / mutant.file).read_text()
    assert text.count(mutant.before) == 1
