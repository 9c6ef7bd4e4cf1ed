"""The Python that compiles the asset, and the byte code that it writes."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.asset.bytecode import Interpreter, add_bytecode, find_interpreter

Provide = Callable[..., Path]
HERE = Interpreter(sys.executable, platform.python_version())


@pytest.fixture
def provide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provide:
    """Return a machine on which nothing runs but the programs that a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    def program(name: str, says: str, status: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
        path.chmod(0o755)
        return path

    monkeypatch.setattr(sys, "executable", str(program("running", "cpython-311 3.11.7")))
    return program


def find() -> Interpreter | None:
    # Bypass the cache, which holds the answer for this machine.
    return find_interpreter.__wrapped__()


def test_interpreter_is_the_running_one_when_it_has_the_version_of_lambda(provide: Provide) -> None:
    running = provide("running", "cpython-313 3.13.7")
    assert find() == Interpreter(str(running), "3.13.7")


def test_interpreter_is_found_on_the_path(provide: Provide) -> None:
    on_path = provide("bin/python3.13", "cpython-313 3.13.2")
    assert find() == Interpreter(str(on_path), "3.13.2")


def test_interpreter_is_found_in_pyenv_when_the_one_on_the_path_does_not_run(provide: Provide) -> None:
    provide("bin/python3.13", "pyenv: python3.13: command not found", status=127)
    in_pyenv = provide("pyenv/versions/3.13.0/bin/python3.13", "cpython-313 3.13.0")
    assert find() == Interpreter(str(in_pyenv), "3.13.0")


def test_interpreter_is_none_when_no_program_is_of_that_version(provide: Provide) -> None:
    provide("bin/python3.13", "pypy311-pp73 3.11.13")
    assert find() is None


def test_bytecode_is_the_same_wherever_the_sources_lie(tmp_path: Path) -> None:
    compiled = []
    for folder in (tmp_path / "here", tmp_path / "far/away"):
        folder.mkdir(parents=True)
        (folder / "module.py").write_text("KINDS = {'a', 'b', 'c'}\ndef f(x): return x in {'a', 'b', 'c'}\n")
        add_bytecode(folder, HERE)
        [path] = folder.glob("__pycache__/*.pyc")
        compiled.append(path.read_bytes())
    assert compiled[0] == compiled[1]


def test_bytecode_of_a_module_that_does_not_compile_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("def f(:\n")
    with pytest.raises(subprocess.CalledProcessError):
        add_bytecode(tmp_path, HERE)
