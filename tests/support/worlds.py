"""Cases for laws: anything that AWS might show and answer, moment by moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from natdrain.model.drain import Drain
from natdrain.model.gateway import Gateway
from natdrain.model.look import ElasticIp, Hold, Unread
from natdrain.model.outcome import AddressOutcome
from natdrain.model.request import AfterDrain, Request
from support.builders import GATEWAY, MANAGED, START, address, allocation, association, drain, gateway

__all__ = ["Moment", "any_case", "leaving_case"]

NAMES = "1abc"
FREE = {allocation(name): ElasticIp(tags=MANAGED) for name in NAMES}
PROTECTED = {**MANAGED, "natdrain:protect": "yes"}
HELD = (Hold(held=GATEWAY, why="alice", table="natdrain"),)
EARLIER = {name: START - timedelta(hours=2) for name in ("since_at", "requested_at")}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The state that AWS shows and its answers at one moment, and the seconds by which the look is late."""

    gateway: Gateway | None
    elastic_ips: Mapping[str, ElasticIp] | Unread
    holds: tuple[Hold, ...] = ()
    to_disassociate: str = "accepted"
    to_release: str = "released"
    late: float = 0


addresses = st.builds(
    lambda name, status, primary, fresh: address(
        name, status, primary=primary, **({"association_id": association(fresh)} if fresh else {})
    ),
    name=st.sampled_from(NAMES),
    status=st.sampled_from(["succeeded", "disassociating", "associating", "failed", "unheard-of"]),
    primary=st.sampled_from([True, False, None]),
    fresh=st.sampled_from([None, None, None, "d", "e"]),
)
any_gateways = st.none() | st.builds(
    Gateway,
    gateway_id=st.just(GATEWAY),
    state=st.sampled_from(["available"] * 4 + ["pending", "deleting", "deleted", "failed"]),
    connectivity=st.sampled_from(["public"] * 4 + ["private"]),
    availability_mode=st.sampled_from(["zonal"] * 3 + ["regional"]),
    tags=st.sampled_from([MANAGED, MANAGED, {}, PROTECTED]),
    addresses=st.lists(addresses, max_size=5, unique_by=lambda a: a.association_id).map(tuple),
)
any_elastic_ips = st.fixed_dictionaries(
    {},
    optional={
        name: st.builds(
            ElasticIp,
            tags=st.sampled_from([MANAGED] * 6 + [{}, PROTECTED]),
            association_id=st.sampled_from([None, None, None, association("f")]),
        )
        for name in FREE
    },
) | st.just(Unread("AccessDenied"))


def moments(gateways: st.SearchStrategy[Any], elastic_ips: st.SearchStrategy[Any]) -> Any:
    return st.builds(
        Moment,
        gateway=gateways,
        elastic_ips=elastic_ips,
        holds=st.sampled_from([(), (), (), (), HELD]),
        to_disassociate=st.sampled_from(["accepted", "accepted", "busy", "invalid", "denied"]),
        to_release=st.sampled_from(["released", "released", "in use", "locked"]),
        late=st.sampled_from([0, 0, 0.9, 40]),
    )


def asking(names: str, after_drain: st.SearchStrategy[AfterDrain]) -> st.SearchStrategy[Request]:
    return st.builds(
        Request,
        gateway_id=st.just(GATEWAY),
        association_ids=st.lists(st.sampled_from(names).map(association), min_size=1, unique=True).map(tuple),
        limit_seconds=st.integers(1, 4000),
        after_drain=after_drain,
    )


any_records: st.SearchStrategy[dict[str, Drain]] = st.fixed_dictionaries(
    {},
    optional={
        association(name): st.builds(
            drain,
            name=st.just(name),
            limit_seconds=st.just(350),
            outcome=st.sampled_from([None, *AddressOutcome]),
            gone_by=st.none() | st.just(START - timedelta(hours=1)),
            **{key: st.just(at) for key, at in EARLIER.items()},
        )
        for name in "abc"
    },
)
any_case = (
    asking(NAMES, st.sampled_from(AfterDrain)),
    st.lists(moments(any_gateways, any_elastic_ips), min_size=1, max_size=12),
    any_records,
)

# Addresses that mostly leave, so that releases occur: with the strategies above they seldom do.
in_service = Moment(gateway=gateway(*map(address, "abc")), elastic_ips=FREE)
leaving_gateways = st.builds(
    lambda shown, state: gateway(*(address(n, s) for n, s in shown.items() if s), state=state),
    st.fixed_dictionaries(
        {n: st.sampled_from(["succeeded", "disassociating", None, None, None]) for n in "ab"}
    ),
    st.sampled_from(["available"] * 6 + ["pending", "deleting"]),
)
leaving_case = (
    asking("ab", st.just(AfterDrain.RELEASE)),
    st.lists(moments(leaving_gateways, st.just(FREE) | any_elastic_ips), min_size=1, max_size=8).map(
        lambda then: [in_service, *then]
    ),
    any_records,
)
