"""Laws of `decide`, over whatever EC2 might show."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import GATEWAY, MANAGED, START, address, allocation, association
from natdrain.decide import Disassociate, Finished, Known, Refuse, Wait, accepted, decide, refused
from natdrain.gateways import Gateway, Look
from natdrain.outcomes import MAX_CAUSE_CHARACTERS, conclude
from natdrain.requests import Request

NAMES = "1abc"
LONGEST_SECONDS = 3 * 4300

addresses = st.builds(
    lambda name, status, primary, fresh: address(
        name, status, primary=primary, **({"association_id": association(fresh)} if fresh else {})
    ),
    name=st.sampled_from(NAMES),
    status=st.sampled_from(["succeeded", "disassociating", "associating", "failed", "unheard-of"]),
    primary=st.sampled_from([True, False, None]),
    fresh=st.sampled_from([None, None, None, "d", "e"]),
)
gateways = st.none() | st.builds(
    Gateway,
    gateway_id=st.just(GATEWAY),
    state=st.sampled_from(["available"] * 4 + ["pending", "deleting", "deleted", "failed"]),
    connectivity=st.sampled_from(["public"] * 4 + ["private"]),
    availability_mode=st.sampled_from(["zonal"] * 3 + ["regional"]),
    tags=st.sampled_from([MANAGED, MANAGED, {}, {**MANAGED, "natdrain:protect": "yes"}]),
    addresses=st.lists(addresses, max_size=5, unique_by=lambda a: a.association_id).map(tuple),
)
tags = st.fixed_dictionaries({allocation(name): st.sampled_from([MANAGED, MANAGED, {}]) for name in NAMES})
answers = st.sampled_from(["accepted", "accepted", "busy", "invalid", "denied"])
requests = st.builds(
    Request,
    gateway_id=st.just(GATEWAY),
    association_ids=st.lists(st.sampled_from(NAMES).map(association), min_size=1, unique=True).map(tuple),
    limit_seconds=st.integers(1, 4000),
)


def play(request: Request, world: list[tuple[Gateway | None, dict[str, dict[str, str]], str]]) -> object:
    """Run the workflow against a world that shows one thing after the other, the last one for ever."""
    now, known, step = START, Known(), 0
    while True:
        gateway, allocation_tags, answer = world[min(step, len(world) - 1)]
        step += 1
        seen = Look(seen_at=now, gateway=gateway, allocation_tags=allocation_tags)
        decision = decide(request, seen, known)
        if isinstance(decision, Refuse | Finished):
            return decision
        if isinstance(decision, Disassociate):
            assert gateway is not None
            for asked in decision.association_ids:
                found = gateway.association(asked)
                assert found is not None
                assert not gateway.may_be_primary(found)
                assert found.status == "succeeded"
                assert "natdrain:protect" not in gateway.tags
                assert gateway.state == "available"
            staying = {a.association_id for a in gateway.addresses if a.status == "succeeded"}
            assert staying - set(decision.association_ids)
            ids = decision.association_ids
            if answer == "accepted":
                decision = accepted(decision.drains, ids, at=now, limit_seconds=request.limit_seconds)
            else:
                busy, denied = answer == "busy", answer == "denied"
                decision = refused(decision.drains, ids, at=now, refusal=answer, busy=busy, denied=denied)
        assert isinstance(decision, Wait)
        assert decision.until > now
        now, known = decision.until, Known(drains=decision.drains)
        assert now - START <= timedelta(seconds=LONGEST_SECONDS)


@settings(max_examples=300, deadline=None)
@given(requests, st.lists(st.tuples(gateways, tags, answers), min_size=1, max_size=12))
def test_every_sequence_of_looks_ends_in_an_outcome_and_never_asks_for_a_primary(
    request: Request, world: list[tuple[Gateway | None, dict[str, dict[str, str]], str]]
) -> None:
    end = play(request, world)
    if isinstance(end, Finished):
        assert all(drain.outcome for drain in end.drains)
        outcome = conclude(gateway_id=GATEWAY, drains=end.drains, region="eu-west-1")
        assert len(outcome.to_cause()) <= MAX_CAUSE_CHARACTERS
        if outcome.error is None:
            assert all(drain.outcome in {"drained", "already_drained"} for drain in end.drains)
