"""A story of an upgrade: running executions continue, and new ones have the new configuration."""

from __future__ import annotations

from pathlib import Path

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import DEFAULT, Scenario

SHORT = "[defaults]\nmax_drain_duration_seconds = 60\n"


def test_upgrade_lets_a_running_drain_end_and_gives_the_next_one_the_new_limit(tmp_path: Path) -> None:
    config = tmp_path / "natdrain.toml"
    config.write_text(SHORT)
    with EmbeddedCloud(Scenario.load(DEFAULT)) as cloud:
        before = cloud.start({"PublicIps": ["3.211.231.218"]})
        cloud.clock.advance(100)
        cloud.upgrade(config=config)
        first = cloud.wait(before)
        second = cloud.run({"PublicIps": ["3.211.231.219"]})
        assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED")
        assert first.seconds >= 350
        assert second.seconds <= 60 + 91
        assert versions_invoked(cloud, "ReadRequest") == ["1", "2"]


def versions_invoked(cloud: EmbeddedCloud, function: str) -> list[str]:
    calls = [call.parameters for call in cloud.recorder.calls if call.operation == "Invoke"]
    invoked = [parameters["FunctionName"] for parameters in calls if function in parameters["FunctionName"]]
    return [arn.rpartition(":")[2] for arn in invoked]
