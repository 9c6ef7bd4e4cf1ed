"""Builders for gateways, looks and drains; each test sets only what matters to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from natdrain.model.drain import Drain, Progress, ReleaseProgress
from natdrain.model.gateway import Address, Gateway
from natdrain.model.join import Join, JoinProgress
from natdrain.model.look import ElasticIp, Look
from natdrain.model.pace import Take
from support.places import SAMPLES

START = datetime(2026, 10, 2, 17, 0, tzinfo=UTC)
GATEWAY = "nat-1234567890abcdef0"
MANAGED = {"natdrain:managed": "true"}

_OF_DRAIN = {
    "association_id",
    "allocation_id",
    "public_ip",
    "private_ip",
    "zone",
    "outcome",
    "detail",
    "problems",
}
_OF_JOIN = {"allocation_id", "association_id", "public_ip", "private_ip", "zone", "outcome", "detail"} | {
    *("problems", "listed")
}
_OF_RELEASE = {
    "absent_at": "absent_at",
    "confirmed_at": "confirmed_at",
    "missing_at": "missing_at",
    "release_refusal": "refusal",
    "release_final": "final",
}


def association(name: str) -> str:
    """Return eipassoc-...a for `a`: a well-formed id that is easy to read."""
    return f"eipassoc-{name * 17}"


def allocation(name: str) -> str:
    return f"eipalloc-{name * 17}"


def ip(name: str) -> str:
    return f"203.0.113.{int(name, 16)}"


def address(name: str, status: str = "succeeded", *, primary: bool | None = False, **more: Any) -> Address:
    fields: dict[str, Any] = {
        "association_id": association(name),
        "allocation_id": allocation(name),
        "public_ip": ip(name),
        "private_ip": f"10.0.0.{int(name, 16)}",
    }
    return Address(status=status, is_primary=primary, **(fields | more))


def gateway(*addresses: Address, state: str = "available", primary: bool = True, **more: Any) -> Gateway:
    """Build a public zonal gateway that is opted in, by default with a primary address `1`."""
    own = (address("1", primary=True),) if primary else ()
    fields: dict[str, Any] = {
        "gateway_id": GATEWAY,
        "connectivity": "public",
        "availability_mode": "zonal",
        "tags": MANAGED,
    }
    return Gateway(state=state, addresses=(*own, *addresses), **(fields | more))


def look(
    seen: Gateway | None, at: float = 0, tags: dict[str, dict[str, str]] | None = None, **more: Any
) -> Look:
    """Build a look `at` seconds after the start, by default with every allocation opted in."""
    everyone = {a.allocation_id: MANAGED for a in seen.addresses if a.allocation_id} if seen else {}
    eips = {name: ElasticIp(tags=its) for name, its in {**everyone, **(tags or {})}.items()}
    return Look(seen_at=START + timedelta(seconds=at), gateway=seen, **({"elastic_ips": eips} | more))


def drain(name: str, **known: Any) -> Drain:
    """Build a drain watched since the start, from fields of the drain, its progress and its release."""
    ids: dict[str, Any] = {
        "association_id": association(name),
        "allocation_id": allocation(name),
        "public_ip": ip(name),
        "private_ip": None,
    }
    progress = {key: value for key, value in known.items() if key not in _OF_DRAIN | _OF_RELEASE.keys()}
    return Drain(
        **ids | {key: value for key, value in known.items() if key in _OF_DRAIN},
        progress=Progress(**{"since_at": START} | progress),
        release=ReleaseProgress(
            **{_OF_RELEASE[key]: known[key] for key in known.keys() & _OF_RELEASE.keys()}
        ),
    )


def join(name: str, **known: Any) -> Join:
    """Build a join watched since the start, from fields of the join and its progress."""
    ids: dict[str, Any] = {"allocation_id": allocation(name), "public_ip": ip(name)}
    progress = {key: value for key, value in known.items() if key not in _OF_JOIN}
    return Join(
        **ids | {key: value for key, value in known.items() if key in _OF_JOIN},
        progress=JoinProgress(**{"since_at": START} | progress),
    )


def taken(name: str, **more: Any) -> Take:
    """Return an address that an automatic request took off this gateway, and that still counts."""
    fields: dict[str, Any] = {"gateway_id": GATEWAY, "until": START + timedelta(seconds=1), "in_service": 3}
    return Take(association_id=association(name), **(fields | more))


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())
