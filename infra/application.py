"""The one way from source to template, for deployment and tests alike."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.config import Config
from infra.stack import NatdrainStack

__all__ = ["build"]

_CDK_JSON = Path(__file__).parent.parent / "cdk.json"


def build() -> App:
    """Build the application with the feature flags of cdk.json, which only the CDK command line reads itself.

    Synthesis fails on every finding of cdk-nag's AwsSolutions pack that is not acknowledged with a reason.
    """
    app = App(context=json.loads(_CDK_JSON.read_text())["context"])
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    NatdrainStack(app, "Natdrain", config=Config.from_context(app.node))
    return app
