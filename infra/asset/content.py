"""The content of the asset: the natdrain package and its pinned dependencies, made to start quickly.

Equal sources give equal bytes, in any folder and on any machine, if the Python is the same.
Figures and reasons: docs/decisions/0006-what-is-in-the-asset.md.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.asset.bytecode import TARGET, add_bytecode, find_interpreter

ROOT = Path(__file__).parents[2]

INSTALL = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--link-mode=copy", "--system-certs")
# For the Python and the processor of the functions, whatever this machine has.
_FOR_LAMBDA = ("--only-binary=:all:", f"--python-version={TARGET}", "--python-platform=aarch64-manylinux2014")
# What the installer writes down about the machine that it ran on.
_OF_THIS_MACHINE = ("bin", ".lock", "*.dist-info/INSTALLER", "*.dist-info/RECORD", "*.dist-info/REQUESTED")


def bundle(output: Path, root: Path = ROOT) -> None:
    """Put into `output` what Lambda needs; with byte code if Lambda's Python is on this machine."""
    install(output, root)
    if interpreter := find_interpreter():
        add_bytecode(output, interpreter)
    for path in output.rglob("*"):
        # The umask of the person who bundles must not decide what Lambda may read.
        path.chmod(0o755 if path.is_dir() else 0o644)


def install(output: Path, root: Path = ROOT) -> None:
    """Put the sources and all of their dependencies into `output`."""
    what = ("--requirement", str(root / "lambdas/requirements.txt"), "--constraint", str(_pins(root)))
    subprocess.run(  # noqa: S603 - arguments of our own
        [*INSTALL, *_FOR_LAMBDA, f"--target={output}", *what], check=True
    )
    for pattern in _OF_THIS_MACHINE:
        for path in list(output.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for source in _sources(root):
        copy = output / source.relative_to(root / "lambdas")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def fingerprint(root: Path = ROOT) -> str:
    """A hash of all that decides what is in the asset: sources, pins, the way of bundling, the compiler."""
    bundling = sorted((root / "infra/asset").glob("*.py"))
    interpreter = find_interpreter()
    digest = hashlib.sha256(f"byte code of {interpreter.version if interpreter else None}".encode())
    for path in [*_sources(root), root / "lambdas/requirements.txt", _pins(root), *bundling]:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    for path in sorted((root / "lambdas/natdrain").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _pins(root: Path) -> Path:
    return root / "requirements.txt"
