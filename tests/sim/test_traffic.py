"""Simulated connections, whose numbers depend only on the time."""

from datetime import UTC, datetime, timedelta

from natdrain_sim.ec2.traffic import Traffic

START = datetime(2026, 10, 2, 17, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def busy(seed: int = 1) -> Traffic:
    """Return traffic of five connections a second, on `b` only until the hundredth second."""
    traffic = Traffic(lambda instant: ["a", "b", "c"] if instant <= after(100) else ["a", "c"])
    traffic.add_stream(START, per_second=5, lifetime_seconds=(1, 300), seed=seed)
    return traffic


def test_traffic_counts_the_same_in_one_step_or_in_many() -> None:
    often, once = busy(), busy()
    for second in range(100):
        often.count_open(after(second + 0.37))
    often.cut_off(after(100), "b", after(150))
    once.cut_off(after(100), "b", after(150))
    for second in range(100, 200):
        often.count_cut(after(second + 0.81))
    assert often.count_open(after(250)) == once.count_open(after(250))
    assert often.count_cut(after(250)) == once.count_cut(after(250))
    assert once.count_cut(after(250))["b"] > 0


def test_traffic_repeats_with_the_same_seed() -> None:
    assert busy(3).count_open(after(400)) == busy(3).count_open(after(400))


def test_traffic_differs_with_another_seed() -> None:
    assert [busy(3).count_open(after(t)) for t in (301, 400)] != [
        busy(4).count_open(after(t)) for t in (301, 400)
    ]


def test_traffic_starts_at_an_even_pace_from_the_first_instant_on() -> None:
    traffic = Traffic(lambda _: ["a"])
    traffic.add_stream(START, per_second=0.5, lifetime_seconds=(1000, 1000), seed=0)
    assert [traffic.count_open(after(t))["a"] for t in (0, 1.9, 2, 10)] == [1, 1, 2, 6]


def test_traffic_takes_turns_over_the_addresses() -> None:
    traffic = Traffic(lambda _: ["a", "b", "c"])
    traffic.add_stream(START, per_second=1, lifetime_seconds=(1000, 1000), seed=0)
    assert traffic.count_open(after(7)) == {"a": 3, "b": 3, "c": 2}


def test_traffic_draws_lifetimes_between_the_bounds() -> None:
    traffic = Traffic(lambda instant: ["a"] if instant < after(10) else [])
    traffic.add_stream(START, per_second=100, lifetime_seconds=(60, 120), seed=0)
    assert traffic.count_open(after(59.9))["a"] == 1000
    assert 0 < traffic.count_open(after(100))["a"] < 1000
    assert traffic.count_open(after(130))["a"] == 0


def test_traffic_is_lost_when_no_address_is_in_service() -> None:
    traffic = Traffic(lambda _: [])
    traffic.add_stream(START, per_second=10, lifetime_seconds=(1000, 1000), seed=0)
    assert not traffic.count_open(after(100))


def test_traffic_counts_as_cut_only_after_the_cut() -> None:
    traffic = Traffic(lambda _: ["a"])
    traffic.add_connection(START, "a", lifetime_seconds=500)
    traffic.cut_off(START, "a", after(350))
    assert (traffic.count_open(after(349))["a"], traffic.count_cut(after(349))["a"]) == (1, 0)
    assert (traffic.count_open(after(350))["a"], traffic.count_cut(after(350))["a"]) == (0, 1)


def test_traffic_is_not_cut_when_it_ends_exactly_at_the_limit() -> None:
    traffic = Traffic(lambda _: ["a"])
    traffic.add_connection(START, "a", lifetime_seconds=350)
    traffic.cut_off(START, "a", after(350))
    assert traffic.count_cut(after(1000))["a"] == 0


def test_traffic_cut_off_returns_when_the_last_connection_would_end() -> None:
    traffic = Traffic(lambda _: ["a"])
    traffic.add_connection(START, "a", lifetime_seconds=10)
    traffic.add_connection(START, "a", lifetime_seconds=90)
    assert traffic.cut_off(after(5), "a", after(50)) == after(90)
