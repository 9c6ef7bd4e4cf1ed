"""`natdrain:tracing`, as `cdk deploy -c natdrain:tracing=false` passes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthesised import FUNCTIONS, RunApplication, Template, function, state_machine


@pytest.fixture(scope="module")
def untraced(run_application: RunApplication, tmp_path_factory: pytest.TempPathFactory) -> Template:
    output = tmp_path_factory.mktemp("untraced")
    done = run_application(output, {"natdrain:tracing": "false"})
    assert done.returncode == 0, done.stderr
    return dict(json.loads((output / "Natdrain.template.json").read_text()))


def test_tracing_needs_no_rights_when_off(untraced: Template) -> None:
    assert "xray" not in json.dumps(untraced).lower()


def test_tracing_of_functions_stops_when_off(untraced: Template) -> None:
    told = [function(untraced, name)["Properties"].get("TracingConfig") for name in FUNCTIONS]
    assert told == [None] * len(FUNCTIONS)


def test_tracing_of_the_workflow_stops_when_off(untraced: Template) -> None:
    told = state_machine(untraced)["Properties"].get("TracingConfiguration", {"Enabled": False})
    assert told == {"Enabled": False}


def test_tracing_is_refused_with_key_value_and_what_is_allowed_when_wrong(
    run_application: RunApplication, tmp_path: Path
) -> None:
    done = run_application(tmp_path, {"natdrain:tracing": "maybe"})
    assert done.returncode != 0
    assert "natdrain:tracing is 'maybe'; allowed are true and false." in done.stderr
