"""Findings of cdk-nag: one that is not acknowledged with a reason stops the synthesis."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.synthesised import RunApplication

# The application itself, with one careless policy.
CARELESS = """
from aws_cdk import aws_iam as iam
from infra.application import build
app = build()
iam.ManagedPolicy(
    app.node.find_child("Natdrain"),
    "Careless",
    statements=[iam.PolicyStatement(actions=["ec2:*"], resources=["*"])],
)
app.synth()
"""


class Careless(NamedTuple):
    done: subprocess.CompletedProcess[str]
    report: dict[str, Any]
    acknowledged: dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def careless(run_application: RunApplication, tmp_path_factory: pytest.TempPathFactory) -> Careless:
    output = tmp_path_factory.mktemp("careless")
    done = run_application(output, program=("-c", CARELESS))
    [report] = json.loads((output / "validation-report.json").read_text())["pluginReports"]
    return Careless(done, report, acknowledgements(output))


def acknowledgements(output: Path) -> dict[tuple[str, str], str]:
    """Return the reason for every construct and rule."""
    metadata = json.loads((output / "Natdrain.metadata.json").read_text())
    return {
        (path.removeprefix("/"), rule): reason
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
    }


def test_synthesis_fails_on_a_finding_that_is_not_acknowledged(careless: Careless) -> None:
    assert careless.done.returncode != 0
    assert "AwsSolutions-IAM5[Action::ec2:*]" in careless.done.stderr


def test_findings_of_the_pack_are_those_of_the_careless_policy_only(careless: Careless) -> None:
    where = {
        construct["constructPath"]
        for violation in careless.report["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert (careless.report["pluginName"], where) == ("AwsSolutions", {"Natdrain/Careless/Resource"})


def test_acknowledgements_all_have_a_reason(careless: Careless) -> None:
    assert careless.acknowledged
    assert {where for where, reason in careless.acknowledged.items() if len(reason.split()) < 5} == set()


def test_acknowledgements_all_are_of_a_finding(careless: Careless) -> None:
    found = {
        (finding["acknowledgedAt"], finding["acknowledgedId"])
        for finding in careless.report["suppressedViolations"]
    }
    assert careless.acknowledged.keys() == found
