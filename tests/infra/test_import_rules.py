"""A trial of the import rules: each forbidden import in a copy of the source must be found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.places import PROJECT

pytestmark = pytest.mark.deep

FORBIDDEN = {
    "lambdas/natdrain/contract.py": "import natdrain.model.drain",
    "lambdas/natdrain/model/a_new_value.py": "import natdrain.report.wording",
    "lambdas/natdrain/report/a_new_sentence.py": "import natdrain.guards.case",
    "lambdas/natdrain/history/a_new_entry.py": "import natdrain.report.wording",
    "lambdas/natdrain/guards/a_new_guard.py": "import natdrain.change.step",
    "lambdas/natdrain/change/leave/a_new_decision.py": "import natdrain.intake.request",
    "lambdas/natdrain/change/leave/another.py": "import boto3",
    "lambdas/natdrain/intake/a_new_trigger.py": "import natdrain.aws.clock",
    "lambdas/natdrain/aws/a_new_call.py": "import natdrain.store.table",
    "lambdas/natdrain/store/a_new_store.py": "import natdrain.steps.task",
    "lambdas/natdrain/steps/a_new_step.py": "import botocore",
    "lambdas/natdrain/handlers/a_new_function.py": "import moto",
    "lambdas/natdrain/a_new_room/module.py": "",
    "infra/a_new_construct.py": "import natdrain.store.table",
    "tools/natdrain_sim/a_new_part.py": "import natdrain.contract",
    "tools/natdrain_cli/a_new_command.py": "import natdrain.change.step",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the source in which the import rules hold."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("infra", "lambdas", "tools"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    assert lint(folder).returncode == 0
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    paths = ("lambdas", "tools", ".")
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": ":".join(str(folder / path) for path in paths)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", FORBIDDEN)
def test_import_rules_find_a_forbidden_import(copy: Path, file: str) -> None:
    module, made = copy / file, not (copy / file).exists()
    before = "" if made else module.read_text()
    module.parent.mkdir(exist_ok=True)
    (module.parent / "__init__.py").touch()
    try:
        module.write_text(f"{before}\n{FORBIDDEN[file]}\n")
        found = lint(copy)
        assert found.returncode == 1, found.stdout
    finally:
        module.unlink() if made else module.write_text(before)
        if module.parent.name == "a_new_room":
            shutil.rmtree(module.parent)
