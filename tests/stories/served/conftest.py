"""An embedded cloud behind HTTP, for stories that use nothing but boto3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.served import Served, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def gateway_id(served: Served) -> str:
    return served.add_gateway()
