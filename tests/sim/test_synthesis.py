"""Which templates are kept, with an application that only writes down how often it was asked."""

import json
from pathlib import Path

import pytest

from natdrain_sim import synthesis
from natdrain_sim.synthesis import SynthesisError, synthesise

ASKED: list[Path] = []


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of templates; the application echoes the configuration."""

    def run(output: Path, config: Path) -> None:
        ASKED.append(config)
        output.mkdir(exist_ok=True)
        (output / "Natdrain.template.json").write_text(json.dumps({"made from": config.read_text()}))
        (output / "Natdrain.assets.json").write_text("asset.used")
        for asset in ("asset.used", "asset.unused"):
            (output / asset).mkdir(exist_ok=True)

    ASKED.clear()
    monkeypatch.setattr(synthesis, "_KEPT", tmp_path)
    monkeypatch.setattr(synthesis, "_run_application", run)
    return tmp_path


def config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_synthesis_asks_the_application_once_for_each_configuration(tmp_path: Path) -> None:
    for text in ("a", "b", "a", "b"):
        assert synthesise(config(tmp_path, text)) == {"made from": text}
    assert len(ASKED) == 2


def test_synthesis_keeps_no_more_than_a_few_templates_and_the_assets_in_use(kept: Path) -> None:
    for number in range(12):
        synthesise(config(kept, str(number)))
    assert len(list(kept.glob("*.json"))) == 8
    assert [asset.name for asset in (kept / "cdk.out").glob("asset.*")] == ["asset.used"]


def test_synthesis_forgets_templates_of_other_sources(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
