"""A small part of the proof, always the same; `make prove` plays all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from proof import machine, reliability
from proof.cases import Trace, all_cases
from proof.invariants import Aftermath
from proof.mutants import MUTANTS, PROJECT, Mutant
from proof.paths import PATHS
from proof.playing import play, record
from proof.troubles import CODES

DOCUMENT = PROJECT / "docs" / "reliability.md"
FEW, SEED = 6, 1


@pytest.fixture(scope="module")
def traces() -> Mapping[str, Trace]:
    return record(PATHS)


def test_proof_holds_for_some_cases_of_every_sort() -> None:
    traces = record(("by_hand", "stopped", "join"))
    cases = all_cases(traces)
    verdicts = play(cases[:: len(cases) // FEW], traces)
    assert {str(verdict.case): verdict.wrong for verdict in verdicts if verdict.wrong} == {}


def test_proof_holds_for_a_few_games() -> None:
    machine.play(SEED, examples=1, steps=8)


@pytest.mark.deep
def test_game_that_fails_prints_a_script_that_replays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def aws_is_always_well(after: Aftermath) -> Iterator[str]:
        if after.scene.gateway.world.meddler.faults:
            yield "AWS is in trouble"

    monkeypatch.setattr(machine, "ALWAYS", (aws_is_always_well,))
    with pytest.raises(AssertionError, match="AWS is in trouble") as failed:
        machine.play(SEED, examples=9, steps=3, shortens=False)
    script = machine.script_of(failed.value).splitlines()
    assert any(".aws_is_in_trouble(" in line for line in script)
    played: dict[str, Any] = {}
    with pytest.raises(AssertionError, match="AWS is in trouble"):
        exec("\n".join(script[1:-1]), played)  # noqa: S102 - the script is our own
    played["state"]._open.close()  # the cloud, which the script leaves open when it fails


@pytest.mark.deep
def test_document_has_a_row_for_every_call_that_is_made(traces: Mapping[str, Trace]) -> None:
    calls = {reliability.row_name(site) for trace in traces.values() for site in trace.calls}
    rows = {line.split(" | ")[0].removeprefix("| ") for line in DOCUMENT.read_text().splitlines()}
    assert calls - rows == set(), "make prove writes the table"


@pytest.mark.deep
def test_every_call_that_is_made_has_its_errors(traces: Mapping[str, Trace]) -> None:
    services = {site.service for trace in traces.values() for site in trace.calls}
    assert services <= set(CODES)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_about_code_that_is_there(mutant: Mutant) -> None:
    text = (PROJECT / mutant.file).read_text()
    assert text.count(mutant.before) == 1
