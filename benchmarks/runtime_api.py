"""Lambda's Runtime API on loopback, to boot a handler in a fresh process with AWS's own runtime client.

Lambda developer guide, "Using the Lambda runtime API for custom runtimes": a runtime asks for the next event,
and posts an answer or an error.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

from infra.asset.bytecode import Interpreter, find_interpreter
from infra.asset.content import INSTALL, ROOT
from natdrain_sim.synthesis import synthesise

__all__ = ["Boot", "boot", "environments", "interpreter"]

_PATIENCE_SECONDS = 60
_CLIENT = "awslambdaric"
_START = f"import sys; sys.path[:0] = sys.argv[2:]; from {_CLIENT}.__main__ import main; main(sys.argv)"
_NEXT = "/2018-06-01/runtime/invocation/next"
_REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
_ACCEPTED = 202
_FUNCTION = "AWS::Lambda::Function"


@dataclass(frozen=True, slots=True)
class Boot:
    """The first answer of a fresh process."""

    seconds: float
    """From the start of the process to the answer."""

    answer: Any
    failed: bool
    printed: str


class _Api(HTTPServer):
    """A server of one event to one process, whose runtime client makes one request at a time."""

    timeout = _PATIENCE_SECONDS

    def __init__(self, event: object) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = json.dumps(event).encode()
        self.answered_at = math.inf
        self.path = ""
        self.answer = b""

    def handle_timeout(self) -> None:
        raise TimeoutError(f"The function said nothing for {_PATIENCE_SECONDS} s.")


class _Handler(BaseHTTPRequestHandler):
    server: _Api
    wbufsize = -1  # head and body leave together, without the wait of Nagle's algorithm between them

    def do_GET(self) -> None:
        """Hand out the event."""
        assert self.path == _NEXT, self.path  # noqa: S101 - nothing else is asked with GET
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.event)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", _REQUEST_ID)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 45) * 1000)))
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f:1"
        )
        self.end_headers()
        self.wfile.write(self.server.event)

    def do_POST(self) -> None:
        """Take the answer, or the error of the handler or of its import."""
        self.server.path = self.path
        self.server.answer = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answered_at = time.perf_counter()
        self.send_response(_ACCEPTED)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def interpreter() -> Interpreter:
    """Return Lambda's version of Python where this machine has it, else the running one."""
    return find_interpreter() or Interpreter(str(Path(sys.executable).resolve()), platform.python_version())


def boot(
    handler: str, event: object, *, folders: Sequence[Path], environment: Mapping[str, str] | None = None
) -> Boot:
    """Start the handler as Lambda does, and send it one event.

    The process sees the standard library, `folders` and the runtime client, and keeps no byte code,
    as Lambda cannot.

    Raises:
        TimeoutError: the process neither answers nor fails.
    """
    python = interpreter()
    path = [*map(str, folders), str(_runtime_client(python))]
    with _Api(event) as api:
        port = api.server_address[1]
        started_at = time.perf_counter()
        with subprocess.Popen(  # noqa: S603 - arguments of our own
            [python.path, "-I", "-S", "-B", "-c", _START, handler, *path],
            env={**_environment(), "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                while api.answered_at == math.inf:
                    api.handle_request()
            finally:
                process.kill()
            printed, _ = process.communicate()
    return Boot(
        seconds=api.answered_at - started_at,
        answer=json.loads(api.answer),
        failed=api.path.endswith("/error"),
        printed=printed,
    )


def environments(*, table: str) -> dict[str, dict[str, str]]:
    """Return what the stack adds to each handler's environment; the only reference in it is to the table."""
    found = [each["Properties"] for each in synthesise()["Resources"].values() if each["Type"] == _FUNCTION]
    return {
        function["Handler"]: {
            name: value if isinstance(value, str) else table
            for name, value in function["Environment"]["Variables"].items()
        }
        for function in found
    }


def _environment() -> dict[str, str]:
    """Return Lambda's own environment (developer guide, "Defined runtime environment variables")."""
    return {
        "PATH": os.defpath,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_SESSION_TOKEN": "any",
    }


def _runtime_client(python: Interpreter) -> Path:
    """Return a folder with AWS's runtime client for this Python, compiled as Lambda's own is, and cached."""
    minor = python.version.rpartition(".")[0]
    client = f"{_CLIENT}=={version(_CLIENT)}"
    folder = ROOT / ".cache" / f"{client}-{minor}"
    folder.parent.mkdir(exist_ok=True)
    # Several test processes may ask at once.
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as made:
                for_it = ["--only-binary=:all:", f"--python-version={minor}", f"--target={made}/it"]
                subprocess.run([*INSTALL, *for_it, client], check=True)  # noqa: S603 - arguments of our own
                subprocess.run([python.path, "-I", "-m", "compileall", "-q", made], check=True)  # noqa: S603 - the same
                Path(made, "it").rename(folder)
    return folder
