"""The definition, checked by a validator of the States Language that knows JSONata."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from natdrain_sim.synthesis import PROJECT
from support import synthesised
from support.synthesised import TemplateOf

NODE = Path(sys.executable).parent / "node"
# `make check` installs it.
VALIDATOR = PROJECT / "node_modules/asl-validator/dist/bin/asl-validator.js"


def validate(definition: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "definition.json"
    path.write_text(json.dumps(definition))
    return subprocess.run([NODE, VALIDATOR, "--json-path", path], capture_output=True, text=True, check=False)


def test_definition_is_valid(definition: dict[str, Any], tmp_path: Path) -> None:
    done = validate(definition, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["Drain", "Record"])
def test_definition_is_valid_when_nothing_is_configured(
    template_of: TemplateOf, tmp_path: Path, name: str
) -> None:
    done = validate(synthesised.definition(template_of(""), name), tmp_path)
    assert done.returncode == 0, done.stderr


def test_definition_is_refused_when_a_next_state_is_missing(
    definition: dict[str, Any], tmp_path: Path
) -> None:
    broken = copy.deepcopy(definition)
    broken["States"]["Wait"]["Next"] = "Nowhere"
    done = validate(broken, tmp_path)
    assert done.returncode == 1
    assert "Missing 'StartAt'|'Next'|'Default' target: Nowhere" in done.stderr


def test_definition_is_refused_when_an_expression_cannot_be_read(
    definition: dict[str, Any], tmp_path: Path
) -> None:
    broken = copy.deepcopy(definition)
    broken["States"]["Wait"]["Timestamp"] = "{% $step. %}"
    done = validate(broken, tmp_path)
    assert done.returncode == 1
    assert "Wait/Timestamp" in done.stderr
