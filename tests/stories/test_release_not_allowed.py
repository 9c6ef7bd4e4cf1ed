"""A story of a deployment that does not allow releases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import DEFAULT, Scenario
from natdrain_sim.synthesis import synthesise
from support.stories import refused


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write the configuration with every default, which other tests synthesise too."""
    file = tmp_path / "natdrain.toml"
    file.write_text("")
    return file


def test_release_is_refused_where_the_deployment_does_not_allow_it(config: Path) -> None:
    request = {"PublicIps": ["3.211.231.218"], "AfterDrain": "release"}
    with EmbeddedCloud(Scenario.load(DEFAULT), config=config) as cloud:
        runs = [cloud.run(request), cloud.run({**request, "DryRun": True})]
    for run in runs:
        (problem,) = refused(run)
        assert problem.startswith('AfterDrain "release" is switched off in this deployment')
        assert "deploy with after_drain.release = true" in problem
        assert [name for name in run.calls if name.startswith("ec2:")] == []


@pytest.mark.parametrize(
    "part", ["ec2:ReleaseAddress", "natdrain.handlers.release.handler", "$step.Do = 'release'"]
)
def test_template_has_nothing_that_could_release_where_the_deployment_does_not_allow_it(
    config: Path, part: str
) -> None:
    assert part in json.dumps(synthesise())
    assert part not in json.dumps(synthesise(config))
