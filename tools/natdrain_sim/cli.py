"""The command `natdrain-sim`: demo, run and serve."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from natdrain_sim import demo, server
from natdrain_sim.cloud import EmbeddedCloud, Run
from natdrain_sim.progress import waiting
from natdrain_sim.scenario import DEFAULT, Scenario, ScenarioError
from natdrain_sim.synthesis import EXAMPLE, SynthesisError, synthesise

RUN_FAILED, USAGE_ERROR, INTERRUPTED = 1, 2, 130
HIGHEST_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 if the execution failed, 2 for invalid input, or 130 after Ctrl-C."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except (ScenarioError, SynthesisError, OSError, ValueError) as error:
        sys.stderr.write(f"natdrain-sim: {error}\n")
        return USAGE_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="natdrain-sim", description="natdrain in an embedded AWS cloud.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    file: Any = {"type": Path, "metavar": "FILE"}

    def command(name: str, run: Callable[[Any], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        added.add_argument("--config", **file, default=EXAMPLE, help=f"default: {EXAMPLE.name}")
        return added

    command("demo", _demo, "Compare a typical rotation script with natdrain, on the same traffic.")
    run = command("run", _run, "Run one execution to its end and print a report.")
    run.add_argument("--scenario", **file, help="default: one gateway with three addresses")
    run.add_argument("--input", **file, required=True, help="the execution input, as JSON")
    run.add_argument("-o", "--output", choices=["text", "json"], default="text", help="default: text")
    serving = command("serve", _serve, "Serve the embedded cloud on loopback until SIGINT or SIGTERM.")
    serving.add_argument("--port", type=_port, default=0, help="default: 0, any free port")
    speed = f"simulated seconds per real second; default: {server.DEFAULT_SPEED:g}"
    serving.add_argument("--speed", type=_speed, default=server.DEFAULT_SPEED, help=speed)
    serving.add_argument("--scenario", **file, help="default: an empty account")
    return parser


def _speed(text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a number greater than 0")


def _port(text: str) -> int:
    with suppress(ValueError):
        if 0 <= (number := int(text)) <= HIGHEST_PORT:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to {HIGHEST_PORT}")


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


@contextmanager
def _cloud(chosen: argparse.Namespace, scenario: Scenario) -> Iterator[EmbeddedCloud]:
    # Ahead of the start, which needs the template, because each shows progress of its own.
    synthesise(chosen.config)
    with ExitStack() as stack:
        with waiting("Starting the embedded cloud"):
            cloud = stack.enter_context(EmbeddedCloud(scenario, config=chosen.config))
        yield cloud


def _demo(chosen: argparse.Namespace) -> int:
    return demo.main(_cloud(chosen, Scenario.load(demo.SCENARIO)))


def _run(chosen: argparse.Namespace) -> int:
    try:
        request = json.loads(chosen.input.read_text(encoding="utf-8-sig"), parse_constant=_refuse_constant)
    except ValueError as error:
        raise ValueError(f"{chosen.input} is not JSON: {error}") from error
    with _cloud(chosen, Scenario.load(chosen.scenario or DEFAULT)) as cloud:
        run = cloud.run(request)
    report = json.dumps(asdict(run), indent=2) if chosen.output == "json" else _report(run)
    sys.stdout.write(f"{report}\n")
    return 0 if run.status == "SUCCEEDED" else RUN_FAILED


def _report(run: Run) -> str:
    lines = [f"{run.status}{f' {run.error}' if run.error else ''} after {run.seconds:g} simulated seconds"]
    lines += ["", "Result", json.dumps(run.result, indent=2, ensure_ascii=False)]
    lines += ["", "States", *(f"{at:>8g} s  {name}" for at, name in run.states)]
    lines += ["", "API calls", *(f"{count:>8}    {name}" for name, count in sorted(run.calls.items()))]
    return "\n".join([*lines, "", f"Connections cut: {run.connections_cut}"])


def _serve(chosen: argparse.Namespace) -> int:
    scenario = Scenario.load(chosen.scenario) if chosen.scenario else Scenario()
    server.serve(_cloud(chosen, scenario), port=chosen.port, speed=chosen.speed)
    return 0
