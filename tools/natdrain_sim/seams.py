"""Seams: the places where a part of moto is replaced while the embedded cloud runs."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.core.responses import BaseResponse

Seam = tuple[Any, str, Any]
"""Owner, name and replacement. A name that moto does not have is an error.

The exception is an operation that moto lacks: it is added as a method of the service's response class.
"""


def private(owner: Any, name: str) -> Any:
    """Return a private part of moto; raise AttributeError if moto does not have it."""
    return getattr(owner, name)


@contextmanager
def replaced(seams: Iterable[Seam]) -> Iterator[None]:
    """Make every replacement, and restore moto at the end."""
    with ExitStack() as stack:
        for owner, name, part in seams:
            lacking = isinstance(owner, type) and issubclass(owner, BaseResponse) and not hasattr(owner, name)
            stack.enter_context(patch.object(owner, name, part, create=lacking))
        yield
