"""The template, made by the CDK application as a deployment makes it, and kept until a source changes."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
_KEPT = PROJECT / ".cache" / "synthesis"
_STACK = "Natdrain.template.json"


class SynthesisError(Exception):
    """The CDK application failed; the message is what it printed."""


def synthesise() -> dict[str, Any]:
    """Return the template of the stack.

    Raises:
        SynthesisError: with the output of the application.
    """
    _KEPT.mkdir(parents=True, exist_ok=True)
    template = _KEPT / f"{_fingerprint()}.json"
    # Several test processes may ask at once.
    with (_KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            _run_application(_KEPT / "cdk.out")
            _forget_outdated()
            template.write_bytes((_KEPT / "cdk.out" / _STACK).read_bytes())
    return dict(json.loads(template.read_text()))


def _forget_outdated() -> None:
    """Remove earlier templates, and the bundled assets that only they named."""
    for template in _KEPT.glob("*.json"):
        template.unlink()
    named = (_KEPT / "cdk.out" / "Natdrain.assets.json").read_text()
    for asset in (_KEPT / "cdk.out").glob("asset.*"):
        if asset.name not in named:
            shutil.rmtree(asset)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    names = ["app.py", "cdk.json", "requirements.txt", "lambdas/requirements.txt"]
    sources = [PROJECT / name for name in names]
    for folder in ("infra", "lambdas/natdrain"):
        sources += sorted((PROJECT / folder).rglob("*.py"))
    for path in sources:
        digest.update(str(path.relative_to(PROJECT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _run_application(output: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=PROJECT,
        env={**os.environ, "CDK_OUTDIR": str(output)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SynthesisError(f"The CDK application failed:\n{done.stdout}{done.stderr}")
