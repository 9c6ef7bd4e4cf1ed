"""The cache of templates, and progress, with applications that only record their runs or only take time."""

import io
import json
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from natdrain_sim import synthesis
from natdrain_sim.synthesis import SynthesisError, synthesise

RUNS: list[Path] = []
LONGEST_SILENCE_SECONDS = 2


class Screen(io.StringIO):
    """A standard error that keeps the instant of each write."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal
        self.instants = [time.monotonic()]

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.instants.append(time.monotonic())
        return super().write(text)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of templates, and let the application copy the configuration into them."""

    def run(output: Path, config: Path) -> None:
        RUNS.append(config)
        (output / "Natdrain.template.json").write_text(json.dumps({"made from": config.read_text()}))

    RUNS.clear()
    monkeypatch.setattr(synthesis, "_KEPT", tmp_path)
    monkeypatch.setattr(synthesis, "_run_application", run)
    return tmp_path


def config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_synthesis_runs_the_application_once_for_each_configuration(tmp_path: Path) -> None:
    for text in ("a", "b", "a", "b"):
        assert synthesise(config(tmp_path, text)) == {"made from": text}
    assert len(RUNS) == 2


def test_synthesis_keeps_no_more_than_a_few_templates(kept: Path) -> None:
    for number in range(20):
        synthesise(config(kept, str(number)))
    assert len(list(kept.glob("*.json"))) == 16


def test_synthesis_deletes_templates_of_other_sources(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synthesise(config(kept, "a"))
    monkeypatch.setattr(synthesis, "_sources", lambda: "changed")
    synthesise(config(kept, "a"))
    assert [path.name.partition("-")[0] for path in kept.glob("*.json")] == ["changed"]


def test_synthesis_that_fails_keeps_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SynthesisError("there is no such key")

    monkeypatch.setattr(synthesis, "_run_application", fail)
    with pytest.raises(SynthesisError, match="no such key"):
        synthesise(config(kept, "a"))
    assert list(kept.glob("*.json")) == []


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_synthesis_is_never_silent_for_two_seconds_while_the_application_runs(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, terminal: bool
) -> None:
    quick = synthesis._run_application

    def take_time(output: Path, config: Path) -> None:
        time.sleep(LONGEST_SILENCE_SECONDS + 0.5)
        quick(output, config)

    monkeypatch.setattr(synthesis, "_run_application", take_time)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen := Screen(terminal=terminal))
    synthesise(config(kept, "a"))
    screen.instants.append(time.monotonic())
    assert max(after - before for before, after in pairwise(screen.instants)) < LONGEST_SILENCE_SECONDS
    assert "Making the template with the CDK" in screen.getvalue()
    assert capsys.readouterr().out == ""


def test_synthesis_of_a_kept_template_prints_nothing(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthesise(config(kept, "a"))
    capsys.readouterr()
    synthesise(config(kept, "a"))
    assert capsys.readouterr() == ("", "")
