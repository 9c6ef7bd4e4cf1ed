"""The asset, bundled once for the tests of a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.asset.content import bundle


@pytest.fixture(scope="session")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asset")
    bundle(folder)
    return folder
