"""Seams: places in moto where a missing part is put in."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

Seam = tuple[Any, str, Any]
"""Owner, name and replacement. What is not there in moto cannot be replaced and fails at once."""


def private(owner: Any, name: str) -> Any:
    """A part of moto that is called from here; what is not there fails at once."""
    return getattr(owner, name)


@contextmanager
def replaced(seams: Iterable[Seam]) -> Iterator[None]:
    """Put in every part, and give moto back as it was at the end."""
    with ExitStack() as stack:
        for seam in seams:
            stack.enter_context(patch.object(*seam))
        yield
