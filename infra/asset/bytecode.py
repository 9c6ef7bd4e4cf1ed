"""Byte code that Lambda accepts, and the interpreter that makes it.

Lambda cannot keep what it compiles, since /var/task is read-only. By default byte code is valid only for a
source of the recorded time, and the zip that the CDK makes gives every file the same date (cdk-assets,
archive.ts), so that Lambda would compile all of it at each cold start. `unchecked-hash` (PEP 552) is valid
whatever the date.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TARGET = "3.13"
"""The version of Python that Lambda runs the functions with; byte code is for one version only."""

_ON_LAMBDA = "/var/task"
_ASK = "import platform, sys; print(sys.implementation.cache_tag, platform.python_version())"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython of the target version."""

    path: str
    version: str
    """To the patch: another patch may compile to other bytes."""


@functools.cache
def find_interpreter() -> Interpreter | None:
    """The running Python, `python3.13` on the path, or one that pyenv holds; None where there is none."""
    for path in _candidates():
        # pyenv puts a program of that name on the path also where it would not run it.
        asked = subprocess.run([path, "-I", "-c", _ASK], capture_output=True, text=True, check=False)  # noqa: S603 - a Python
        tag, _, version = asked.stdout.strip().partition(" ")
        if tag == f"cpython-{TARGET.replace('.', '')}":
            return Interpreter(path, version)
    return None


def add_bytecode(folder: Path, interpreter: Interpreter) -> None:
    """Compile every module in `folder`, named as on Lambda, so that the bytes do not tell where it lay.

    Raises:
        CalledProcessError: a module does not compile.
    """
    compiling = ["-I", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash"]
    names = ["-s", str(folder), "-p", _ON_LAMBDA]
    subprocess.run([interpreter.path, *compiling, *names, folder], check=True)  # noqa: S603 - ours


def _candidates() -> Iterator[str]:
    # Without the virtual environment: what is found is also run with nothing but an asset beside it.
    yield str(Path(sys.executable).resolve())
    if on_path := shutil.which(f"python{TARGET}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from map(str, sorted(pyenv.glob(f"versions/{TARGET}.*/bin/python{TARGET}")))
