"""The code of the functions, as an asset of the CDK; `infra.asset.content` says what is in it."""

from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra.asset.content import ROOT, bundle, fingerprint

PYTHON = lambda_.Runtime.PYTHON_3_13


def function_code() -> lambda_.Code:
    """Return the asset of all functions; its hash is known before it is bundled."""
    return lambda_.Code.from_asset(
        str(ROOT / "lambdas"),
        asset_hash=fingerprint(),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(image=PYTHON.bundling_image, local=_LocalBundling()),
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    def try_bundle(self, output_dir: str, *_options: Any, **_more: Any) -> bool:
        """Bundle here, so that the image, which would need docker, is never used."""
        bundle(Path(output_dir))
        return True
