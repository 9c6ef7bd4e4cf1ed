"""Progress on standard error, so that nobody waits in front of a blank screen."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

FIRST_LINE_AFTER_SECONDS = 0.3
"""A shorter wait needs no words."""
SECONDS_BETWEEN_LINES = 1.4


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show a spinner on a terminal; elsewhere print a line, and another every second or two until the end."""
    console = Console(stderr=True)
    if console.is_interactive:
        with console.status(text):
            yield
        return
    ended = threading.Event()
    ticking = threading.Thread(target=_tick, args=(text, ended), daemon=True)
    ticking.start()
    try:
        yield
    finally:
        ended.set()
        ticking.join()


def _tick(text: str, ended: threading.Event) -> None:
    # Not the time of day, which the simulated clock replaces.
    began = time.monotonic()
    if not ended.wait(FIRST_LINE_AFTER_SECONDS):
        sys.stderr.write(f"{text}\n")
    while not ended.wait(SECONDS_BETWEEN_LINES):
        sys.stderr.write(f"  {time.monotonic() - began:.0f} s\n")
