"""`AfterDrain: "keep"`: the allocation stays ours, and free. The other strategies are kinds of this one."""

from collections.abc import Callable, Sequence

from natdrain.change.step import Finish, Reason, Step
from natdrain.guards.judging import Judgement
from natdrain.model.drain import Drain
from natdrain.model.gateway import Address
from natdrain.model.look import Look
from natdrain.model.outcome import LEFT_EARLIER

Judge = Callable[..., Judgement]
"""Asks the guards about a gateway and the allocations that are to be released."""


class Keep:
    """The strategy of allocations, from the first look to the end; `releases` says that they are released.

    `done_before` are the outcomes of addresses for which nothing was left to do.
    """

    releases = False
    done_before = LEFT_EARLIER

    def to_release(self, _some: Sequence[Address | Drain]) -> dict[str, str | None]:
        """Return the allocations that would be released, with their public IPs."""
        return {}

    def not_released(self, _drains: Sequence[Drain]) -> list[str]:
        """Return the allocations that are still to be released: the guards must see them at the next look."""
        return []

    def watch(self, drains: Sequence[Drain], _look: Look) -> Sequence[Drain]:
        """Return the drains, corrected where the look shows an address that had left."""
        return drains

    def decide(self, drains: Sequence[Drain], _look: Look, _judge: Judge) -> Step:
        """Decide what is next when every address has its outcome."""
        return Finish(drains=tuple(drains), reason=Reason.ALL_ENDED)

    def to_prove(self, drains: Sequence[Drain]) -> Step:
        """Return the last step of a dry run, which proves the permissions that will be needed."""
        return Finish(drains=tuple(drains), reason=Reason.PERMISSION_PROVEN)
