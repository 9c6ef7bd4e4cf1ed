"""What is shipped to Lambda: the natdrain package and its pinned dependencies, bundled without docker."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, ILocalBundling
from aws_cdk import aws_lambda as lambda_

__all__ = ["PYTHON", "function_code"]

PYTHON = lambda_.Runtime.PYTHON_3_13

_ROOT = Path(__file__).parent.parent
_SOURCE = _ROOT / "lambdas"
_PINS = _ROOT / "requirements.txt"
_PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def function_code() -> lambda_.Code:
    """The asset of all functions; its hash is that of the sources and the pins."""
    return lambda_.Code.from_asset(
        str(_SOURCE),
        asset_hash=_fingerprint(),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(image=PYTHON.bundling_image, local=_LocalBundling()),
    )


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(
        [*(_SOURCE / "natdrain").rglob("*.py"), _SOURCE / "requirements.txt", _PINS, Path(__file__)]
    ):
        digest.update(str(path.relative_to(_ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@jsii.implements(ILocalBundling)
class _LocalBundling:
    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        """Install into `output_dir` what Lambda needs; only pure Python, which is right on any processor."""
        target = ["--target", output_dir, "--no-compile"]
        pure = ["--only-binary=:all:", "--python-version", "3.13", "--implementation", "py", "--abi", "none"]
        what = ["--requirement", str(_SOURCE / "requirements.txt"), "--constraint", str(_PINS)]
        subprocess.run(  # noqa: S603 - arguments of our own
            [*_PIP, *target, *pure, "--platform", "any", *what],
            check=True,
        )
        shutil.rmtree(Path(output_dir) / "bin", ignore_errors=True)
        shutil.copytree(
            _SOURCE / "natdrain", Path(output_dir) / "natdrain", ignore=shutil.ignore_patterns("__pycache__")
        )
        return True
