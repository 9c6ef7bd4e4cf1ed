"""The plain template and its asset, made of a synthesis with everything switched on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cfnlint import lint
from cfnlint.config import ManualArgs

from infra.asset.package import package
from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.scenario import DEFAULT, Scenario
from natdrain_sim.synthesis import PROJECT

pytestmark = pytest.mark.deep

BUCKET = "assets-of-a-team"


class Package(NamedTuple):
    template_path: Path
    asset_path: Path

    @property
    def template(self) -> dict[str, Any]:
        return dict(json.loads(self.template_path.read_text()))


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what the CDK makes of the application, the bundled asset included."""
    output = tmp_path_factory.mktemp("assembly")
    context = {"natdrain:config": str(PROJECT / "natdrain.example.toml")}
    subprocess.run(
        [sys.executable, "app.py"],
        cwd=PROJECT,
        env={**os.environ, "CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(context)},
        check=True,
    )
    return output


@pytest.fixture(scope="module")
def deployed(assembly: Path) -> dict[str, Any]:
    """Return the template that the CDK deploys."""
    return dict(json.loads((assembly / "Natdrain.template.json").read_text()))


@pytest.fixture(scope="module")
def packaged(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return Package(*package(assembly, tmp_path_factory.mktemp("dist")))


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Return the paths at which two documents differ, down to where they have no key in common."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() & other.keys():
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{where}/{key}")
    elif one != other:
        yield where


def functions(template: dict[str, Any]) -> dict[str, Any]:
    resources = template["Resources"].items()
    return {key: found for key, found in resources if found["Type"] == "AWS::Lambda::Function"}


def test_package_differs_from_what_the_cdk_deploys_only_in_where_the_asset_lies(
    packaged: Package, deployed: dict[str, Any]
) -> None:
    buckets = [f"/Resources/{function}/Properties/Code/S3Bucket" for function in functions(deployed)]
    assert sorted(differences(deployed, packaged.template)) == sorted(
        ["/Parameters", "/Rules/CheckBootstrapVersion", *buckets]
    )


def test_package_asks_for_the_bucket_and_nothing_else(packaged: Package) -> None:
    assert list(packaged.template["Parameters"]) == ["AssetBucket"]


def test_package_asks_for_nothing_that_bootstrapping_leaves_in_an_account(packaged: Package) -> None:
    text = packaged.template_path.read_text().lower()
    assert [word for word in ("bootstrap", "hnb659fds", "cdk-") if word in text] == []


def test_package_takes_its_asset_from_where_the_zip_is_put(packaged: Package) -> None:
    places = [function["Properties"]["Code"] for function in functions(packaged.template).values()]
    place = {"S3Bucket": {"Ref": "AssetBucket"}, "S3Key": packaged.asset_path.name}
    assert places == [place] * len(places)


def test_package_passes_the_linter(packaged: Package) -> None:
    # W3005: the CDK names a role among what a resource waits for, although the policy names it too.
    config = ManualArgs(regions=["us-east-1"], ignore_checks=["W3005"])
    assert [str(match) for match in lint(packaged.template_path.read_text(), config=config)] == []


def test_zip_holds_what_was_bundled(packaged: Package, assembly: Path) -> None:
    (bundled,) = assembly.glob("asset.*")
    files = {
        path.relative_to(bundled).as_posix(): path.read_bytes()
        for path in bundled.rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(packaged.asset_path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_zip_can_be_read_by_lambda(packaged: Package) -> None:
    with zipfile.ZipFile(packaged.asset_path) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}


@pytest.mark.deep
def test_package_has_the_same_bytes_when_it_is_made_again(
    packaged: Package, assembly: Path, tmp_path: Path
) -> None:
    # Copies are younger than their originals.
    again = Package(
        *package(shutil.copytree(assembly, tmp_path / "copy", copy_function=shutil.copy), tmp_path)
    )
    assert again.template_path.read_bytes() == packaged.template_path.read_bytes()
    assert again.asset_path.read_bytes() == packaged.asset_path.read_bytes()


@pytest.fixture
def cloud(packaged: Package) -> Iterator[EmbeddedCloud]:
    """Yield a cloud in which CloudFormation has deployed the package too."""
    with EmbeddedCloud(Scenario.load(DEFAULT)) as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        cloud.client("s3").upload_file(str(packaged.asset_path), BUCKET, packaged.asset_path.name)
        stacks = cloud.client("cloudformation")
        stacks.create_stack(
            StackName="packaged",
            TemplateBody=packaged.template_path.read_text(),
            Parameters=[{"ParameterKey": "AssetBucket", "ParameterValue": BUCKET}],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = stacks.describe_stacks(StackName="packaged")["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        cloud.outputs = outputs
        yield cloud


def test_package_drains_when_cloudformation_deployed_it(cloud: EmbeddedCloud) -> None:
    run = cloud.run({"PublicIps": ["3.211.231.218"]})
    assert ":packaged-" in run.execution_arn
    assert (run.status, run.result["Outcome"]) == ("SUCCEEDED", "drained")
