"""Seams: places in moto where a missing part is put in."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.core.responses import BaseResponse

Seam = tuple[Any, str, Any]
"""Owner, name and replacement. What is not there in moto cannot be replaced and fails at once.

But for an operation that moto lacks: that is a method put on its service's class of responses.
"""


def private(owner: Any, name: str) -> Any:
    """A part of moto that is called from here; what is not there fails at once."""
    return getattr(owner, name)


@contextmanager
def replaced(seams: Iterable[Seam]) -> Iterator[None]:
    """Put in every part, and give moto back as it was at the end."""
    with ExitStack() as stack:
        for owner, name, part in seams:
            lacking = isinstance(owner, type) and issubclass(owner, BaseResponse) and not hasattr(owner, name)
            stack.enter_context(patch.object(owner, name, part, create=lacking))
        yield
