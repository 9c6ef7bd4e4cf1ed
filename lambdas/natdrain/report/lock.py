"""The sentence that says who holds a gateway's lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natdrain.contract import Busy, GatewayRecord

__all__ = ["locked"]


def locked(gateway_id: str, lock: Mapping[str, Any]) -> str:
    """Say who holds the lock, and what to do about it.

    Args:
        gateway_id: the gateway.
        lock: the facts that the workflow's lock states assign, with the field names of `Busy`.
    """
    since = f" since {lock[Busy.SINCE]}" if lock[Busy.SINCE] else ""
    reason = f" ({lock[Busy.REASON]})" if lock[Busy.REASON] else ""
    return f"{gateway_id} is locked by {lock[Busy.OWNER]}{since}{reason}{_advice(lock)}"


def _advice(lock: Mapping[str, Any]) -> str:
    if lock[Busy.FOREIGN]:
        return (
            ", which is no execution of this workflow. Whoever knows better removes the attribute "
            f"{GatewayRecord.OWNER} from the item lock of that gateway."
        )
    if waited := lock[Busy.WAITED_SECONDS]:
        return (
            f". Waiting in line ended after {waited} s, wait_in_line_seconds of the configuration; "
            "ask again when that has ended."
        )
    return '. Ask again when that has ended, or wait in line for it: WhenBusy: "wait".'
