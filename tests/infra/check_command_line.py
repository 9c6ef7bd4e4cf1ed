"""A check that `make synth` and `make deploy` make the template that is tested."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from natdrain_sim.synthesis import PROJECT
from support.synthesised import RunApplication

# `make check` installs it.
CDK = PROJECT / "node_modules/.bin/cdk"
CONFIG = "natdrain:config"
EXAMPLE = "natdrain.example.toml"
TEMPLATE = "Natdrain.template.json"


def test_command_line_of_the_cdk_makes_the_template_that_is_tested(
    run_application: RunApplication, tmp_path: Path
) -> None:
    tested = run_application(tmp_path / "tested", {CONFIG: EXAMPLE})
    assert tested.returncode == 0, tested.stderr
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [CDK, "synth", "--quiet", "--output", tmp_path / "deployed", "--context", f"{CONFIG}={EXAMPLE}"],
        cwd=PROJECT,
        env={**os.environ, "PATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "deployed" / TEMPLATE).read_text() == (tmp_path / "tested" / TEMPLATE).read_text()
