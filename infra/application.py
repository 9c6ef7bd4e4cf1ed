"""The application, built in the same way for deployment and tests."""

import json
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import Node

from infra.config.file import Config
from infra.stack import NatdrainStack

_PROJECT = Path(__file__).parent.parent
_CONFIG_FILE = "natdrain.toml"
_CONFIG_CONTEXT = "natdrain:config"


def build() -> App:
    """Build the application with the feature flags of cdk.json, which only the CDK command line reads itself.

    Synthesis fails on every finding of cdk-nag's AwsSolutions pack that is not acknowledged with a reason.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    app = App(context=json.loads((_PROJECT / "cdk.json").read_text())["context"])
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # Whatever the stack's name, the files in cdk.out have this one.
    NatdrainStack(app, "Natdrain", config=_config(app.node))
    return app


def _config(node: Node) -> Config:
    """Load the file that the context names (`cdk deploy -c natdrain:config=FILE`), else natdrain.toml."""
    if named := node.try_get_context(_CONFIG_CONTEXT):
        return Config.load(Path(named))
    own = _PROJECT / _CONFIG_FILE
    return Config.load(own) if own.exists() else Config()
