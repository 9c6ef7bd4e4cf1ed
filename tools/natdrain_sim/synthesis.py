"""The template, synthesised as in a deployment and cached until a source changes."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from natdrain_sim.progress import waiting

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "natdrain.example.toml"
_KEPT = PROJECT / ".cache" / "synthesis"
_KEPT_AT_MOST = 16
"""The number of templates in the cache, one for each configuration."""


class SynthesisError(Exception):
    """A failure of the CDK application; the message is what it wrote to standard error."""


def synthesise(config: Path = EXAMPLE) -> dict[str, Any]:
    """Return the template of the stack with this configuration."""
    _KEPT.mkdir(parents=True, exist_ok=True)
    sources = _sources()
    template = _KEPT / f"{sources}-{hashlib.sha256(config.read_bytes()).hexdigest()}.json"
    # Several test processes may need the same template at once.
    with (_KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            with (
                tempfile.TemporaryDirectory() as output,
                waiting("Making the template with the CDK, which takes about ten seconds"),
            ):
                _run_application(Path(output), config)
                made = Path(output, "Natdrain.template.json").read_bytes()
            _forget_outdated(sources)
            template.write_bytes(made)
        return dict(json.loads(template.read_text()))


def _forget_outdated(sources: str) -> None:
    """Remove templates of other sources, and all but the newest few of these."""
    kept = sorted(_KEPT.glob(f"{sources}-*.json"), key=lambda path: path.stat().st_mtime)
    for template in {*_KEPT.glob("*.json")} - {*kept[1 - _KEPT_AT_MOST :]}:
        template.unlink()


def _sources() -> str:
    """Return a digest of everything that the template is made from, except the configuration."""
    digest = hashlib.sha256()
    files = ("app.py", "cdk.json", "requirements.txt", "lambdas/requirements.txt")
    sources = [PROJECT / name for name in files]
    for folder in ("infra", "lambdas/natdrain"):
        sources += sorted((PROJECT / folder).rglob("*.py"))
    for path in sources:
        digest.update(str(path.relative_to(PROJECT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _run_application(output: Path, config: Path) -> None:
    # The asset is not bundled: its name in the template is the same, and functions here run from the sources.
    context = {"natdrain:config": str(config.resolve()), "aws:cdk:bundling-stacks": []}
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=PROJECT,
        env={**os.environ, "CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SynthesisError(done.stderr.strip() or done.stdout.strip())
