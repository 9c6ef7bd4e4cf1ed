"""The content of the asset, which is the same wherever it is bundled."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.asset import content as asset_content
from infra.asset.bytecode import TARGET, Interpreter, find_interpreter
from infra.asset.content import ROOT, bundle, fingerprint
from natdrain_sim.synthesis import synthesise

SIZE_LIMIT_MB = 35


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another checkout, already used, of everything that the asset's content depends on."""
    folder = tmp_path_factory.mktemp("elsewhere") / "a checkout"
    for name in ("infra", "lambdas"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.txt", folder)
    (folder / "lambdas/natdrain/__pycache__").mkdir(exist_ok=True)
    (folder / "lambdas/natdrain/__pycache__/left_over.cpython-311.pyc").write_bytes(b"left over")
    return folder


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def deployed(kind: str) -> list[dict[str, Any]]:
    return [each for each in synthesise()["Resources"].values() if each["Type"] == kind]


@pytest.mark.deep
def test_asset_is_the_same_byte_for_byte_from_another_checkout_and_umask(
    asset: Path, checkout: Path, tmp_path: Path
) -> None:
    before = os.umask(0o077)
    try:
        bundle(tmp_path / "other", checkout)
    finally:
        os.umask(before)
    assert content(tmp_path / "other") == content(asset)


def test_fingerprint_is_the_same_from_another_checkout(checkout: Path) -> None:
    assert fingerprint(checkout) == fingerprint()


@pytest.mark.parametrize(
    "changed",
    [
        "lambdas/natdrain/change/leave/decide.py",
        "lambdas/requirements.txt",
        "requirements.txt",
        "infra/asset/content.py",
    ],
)
def test_fingerprint_changes_with_everything_that_the_content_depends_on(
    checkout: Path, changed: str
) -> None:
    before = (checkout / changed).read_bytes()
    (checkout / changed).write_bytes(before + b"\n")
    changed_fingerprint = fingerprint(checkout)
    (checkout / changed).write_bytes(before)
    assert changed_fingerprint != fingerprint(checkout)


def test_fingerprint_changes_when_a_source_is_renamed(checkout: Path) -> None:
    source = checkout / "lambdas/natdrain/change/leave/decide.py"
    renamed = source.rename(source.with_name("renamed.py"))
    changed_fingerprint = fingerprint(checkout)
    renamed.rename(source)
    assert changed_fingerprint != fingerprint(checkout)


def test_fingerprint_contains_which_python_compiled_if_any(monkeypatch: pytest.MonkeyPatch) -> None:
    compilers = (None, Interpreter("python", "3.13.0"), Interpreter("elsewhere/python", "3.13.1"))
    fingerprints = set()
    for compiler in compilers:
        monkeypatch.setattr(asset_content, "find_interpreter", lambda compiler=compiler: compiler)
        fingerprints.add(fingerprint())
    assert len(fingerprints) == len(compilers)


def test_asset_holds_the_package_and_its_dependencies_and_nothing_else(asset: Path) -> None:
    distributions = {path.name.partition("-")[0] for path in asset.glob("*.dist-info")}
    modules = {path.stem for path in asset.iterdir() if path.suffix != ".dist-info"}
    assert distributions == {
        "aws_lambda_powertools",
        "boto3",
        "botocore",
        "jmespath",
        "python_dateutil",
        "s3transfer",
        "six",
        "typing_extensions",
        "urllib3",
    }
    assert modules - {"__pycache__"} == distributions - {"python_dateutil"} | {"dateutil", "natdrain"}


def test_asset_holds_every_source_as_it_is(asset: Path) -> None:
    sources = ROOT / "lambdas"
    shipped = {
        name: text for name, (_, text) in content(asset / "natdrain").items() if "__pycache__" not in name
    }
    written = {
        str(path.relative_to(sources / "natdrain")): path.read_bytes()
        for path in (sources / "natdrain").rglob("*.py")
    }
    assert shipped == written


def test_asset_holds_the_versions_that_are_pinned(asset: Path) -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    normalised = {name.replace("-", "_"): version for name, version in pins.items()}
    for path in asset.glob("*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").rpartition("-")
        assert normalised[name] == version


def test_asset_has_nothing_that_was_made_for_one_processor(asset: Path) -> None:
    assert [path for path in asset.rglob("*") if path.suffix in {".so", ".pyd", ".dylib", ".dll", ".a"}] == []


def test_asset_says_nothing_of_the_machine_that_bundled_it(asset: Path, checkout: Path) -> None:
    here = [str(place).encode() for place in (asset, ROOT, checkout, Path(sys.prefix))]
    assert [name for name, (_, text) in content(asset).items() for place in here if place in text] == []


def test_asset_is_small(asset: Path) -> None:
    megabytes = sum(len(text) for _, text in content(asset).values()) / 1e6
    assert megabytes < SIZE_LIMIT_MB


@pytest.mark.skipif(
    find_interpreter() is None, reason="without Lambda's version of Python there is no byte code"
)
def test_asset_has_byte_code_of_every_module_that_is_valid_whatever_the_date(asset: Path) -> None:
    unchecked_hash = (1).to_bytes(4, "little")
    for module in asset.rglob("*.py"):
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-{TARGET.replace('.', '')}.pyc"
        assert compiled.read_bytes()[4:8] == unchecked_hash


def test_asset_is_for_the_version_of_python_that_the_functions_run_with() -> None:
    assert {function["Properties"]["Runtime"] for function in deployed("AWS::Lambda::Function")} == {
        f"python{TARGET}"
    }
