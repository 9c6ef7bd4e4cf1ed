"""Functions in flight, which pause before each of their calls to AWS until they may continue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ReadTimeoutError

_threads = ThreadPoolExecutor(max_workers=256, thread_name_prefix="in-flight")
_mine = threading.local()


class _KilledError(BaseException):
    """The end of a killed function, which nothing in it can catch."""


class InFlight:
    """One invocation of a function, which runs from one call to AWS to the next."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.next_call: str | None = None
        """None when it has ended."""
        self._killed = self._loses_answer = False
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self.answer: Future[Any] = _threads.submit(self._run, call)
        self.answer.add_done_callback(lambda _: self._stands.release())
        self._stands.acquire()

    def _run(self, call: Callable[[], Any]) -> Any:
        _mine.flight = self
        try:
            return call()
        finally:
            self.next_call = None

    def make(self, name: str, call: Callable[[], Any]) -> Any:
        """Pause before this call, in the function's own thread; then make it."""
        self.next_call = name
        self._stands.release()
        self._go.acquire()
        if self._killed:
            raise _KilledError
        answer = call()
        if self._loses_answer:
            raise ReadTimeoutError(endpoint_url=name)
        return answer

    def go_on(self, *, answer_lost: bool = False) -> str | None:
        """Let it make its next call, and return which that was."""
        made = self.next_call
        self._loses_answer = answer_lost
        if made:
            self._go.release()
            self._stands.acquire()
        return made

    def kill(self) -> None:
        """Let it make no further call."""
        self._killed = True
        self.go_on()


class StandingStill:
    """A client that pauses the function in flight before each call."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        return lambda **parameters: _mine.flight.make(name, lambda: call(**parameters))
