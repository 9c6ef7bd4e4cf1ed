"""A plain CloudFormation template and its asset, for teams that do not use the CDK.

Made of what the CDK has synthesised, so that what is packaged is what is tested. It differs in one thing: the
asset comes from a bucket of the reader's own, which the parameter `AssetBucket` names, and nothing of the CDK
need be in the account.
"""

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

STACK = "Natdrain"
"""The name of the stack's files in an assembly."""
BUCKET = {"Type": "String", "Description": "The bucket, in this region, with the zip of the functions."}
_BOOTSTRAP_PARAMETER = "BootstrapVersion"
_BOOTSTRAP_RULE = "CheckBootstrapVersion"
# The same zip from the same files, whenever it is made: zip's own first day, and rights to read.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16


def package(assembly: Path, target: Path) -> tuple[Path, Path]:
    """Write template and asset of a cloud assembly into a folder, and return both paths."""
    template = json.loads((assembly / f"{STACK}.template.json").read_text())
    key = _take_asset_from_parameter(template)
    target.mkdir(parents=True, exist_ok=True)
    plain, asset = target / "natdrain.template.json", target / key
    plain.write_text(json.dumps(template, indent=1) + "\n")
    _zip(assembly / _folder_of(assembly, key), asset)
    return plain, asset


def _take_asset_from_parameter(template: dict[str, Any]) -> str:
    """Forget the CDK's bucket and bootstrapping; return the key of the asset, which all functions share."""
    del template["Parameters"][_BOOTSTRAP_PARAMETER]
    del template["Rules"][_BOOTSTRAP_RULE]
    if not template["Rules"]:
        del template["Rules"]
    template["Parameters"]["AssetBucket"] = BUCKET
    keys = set()
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            code = resource["Properties"]["Code"]
            code["S3Bucket"] = {"Ref": "AssetBucket"}
            keys.add(code["S3Key"])
    (key,) = keys
    return str(key)


def _folder_of(assembly: Path, key: str) -> str:
    files = json.loads((assembly / f"{STACK}.assets.json").read_text())["files"].values()
    return next(
        str(file["source"]["path"])
        for file in files
        if key in {destination["objectKey"] for destination in file["destinations"].values()}
    )


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _NO_TIME)
            entry.external_attr = _READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def main() -> None:
    """Package, and say how it is deployed."""
    parser = argparse.ArgumentParser(prog="python -m infra.asset.package", description=__doc__)
    parser.add_argument("assembly", type=Path, help="the folder that `cdk synth` wrote")
    parser.add_argument("target", type=Path, help="the folder to write to")
    chosen = parser.parse_args()
    template, asset = package(chosen.assembly, chosen.target)
    artifacts = json.loads((chosen.assembly / "manifest.json").read_text())["artifacts"]
    name = artifacts[STACK]["properties"].get("stackName", STACK)
    print(  # noqa: T201 - what the command is for
        f"""To deploy, with a bucket of your own in the same region:

  aws s3 cp {asset} s3://$BUCKET/
  aws cloudformation deploy --stack-name {name} --template-file {template} --s3-bucket $BUCKET \\
    --capabilities CAPABILITY_IAM --parameter-overrides AssetBucket=$BUCKET"""
    )


if __name__ == "__main__":
    main()
