"""Simulated connections through one NAT gateway.

They are computed when they are counted: nothing runs in the background, and the numbers do not depend on how
often they are counted. Every method takes the present instant (aware UTC), which must not go back.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random


@dataclass
class _Connection:
    ends_at: datetime
    cut: bool = False


@dataclass
class _Stream:
    """Connections at an even pace, with random lifetimes between two bounds."""

    started_at: datetime
    per_second: float
    lifetime_seconds: tuple[float, float]
    random: Random
    count: int = 0

    @property
    def next_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.count / self.per_second)


class Traffic:
    """The connections of one gateway, counted per association id.

    Takes a function that returns the associations in service at an instant, in a stable order. New
    connections take turns over these; if none is in service, they are lost.
    """

    def __init__(self, in_service_at: Callable[[datetime], Sequence[str]]) -> None:
        self._in_service_at = in_service_at
        self._streams: list[_Stream] = []
        self._open: dict[str, list[_Connection]] = {}
        self._cut: Counter[str] = Counter()

    def add_stream(
        self, now: datetime, *, per_second: float, lifetime_seconds: tuple[float, float], seed: int
    ) -> None:
        """Open connections from now on, the first one at once."""
        numbers = Random(seed)  # noqa: S311 - a simulation
        self._streams.append(_Stream(now, per_second, lifetime_seconds, numbers))

    def add_connection(self, now: datetime, association_id: str, *, lifetime_seconds: float) -> None:
        """Open one connection on an address in service."""
        if association_id not in self._in_service_at(now):
            raise ValueError(f"{association_id} is not in service and accepts no new connection")
        self._open_connection(association_id, now + timedelta(seconds=lifetime_seconds))

    def cut_off(self, now: datetime, association_id: str, at: datetime) -> datetime:
        """Cut the connections of an address that are still open at `at`, and accept no new ones.

        Return when the last connection would have ended by itself, or `now` if there is none.
        """
        self._advance(now)
        connections = self._open.get(association_id, [])
        last_end = max((connection.ends_at for connection in connections), default=now)
        for connection in connections:
            if connection.ends_at > at:
                connection.ends_at, connection.cut = at, True
        return last_end

    def count_open(self, now: datetime) -> Counter[str]:
        """Count the connections that are open now, per association id."""
        self._advance(now)
        return Counter({key: len(connections) for key, connections in self._open.items()})

    def count_cut(self, now: datetime) -> Counter[str]:
        """Count the connections that have been cut, per association id."""
        self._advance(now)
        return Counter(self._cut)

    def _open_connection(self, association_id: str, ends_at: datetime) -> None:
        self._open.setdefault(association_id, []).append(_Connection(ends_at))

    def _advance(self, now: datetime) -> None:
        for stream in self._streams:
            while (started_at := stream.next_at) <= now:
                lifetime = timedelta(seconds=stream.random.uniform(*stream.lifetime_seconds))
                serving = self._in_service_at(started_at)
                if serving and started_at + lifetime > now:
                    self._open_connection(serving[stream.count % len(serving)], started_at + lifetime)
                stream.count += 1
        for key, connections in self._open.items():
            self._cut[key] += sum(one.cut for one in connections if one.ends_at <= now)
            self._open[key] = [one for one in connections if one.ends_at > now]
