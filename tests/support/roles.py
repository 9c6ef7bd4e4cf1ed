"""The rights of the template's roles, as a simulator of IAM sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from support.synthesised import Template, function, of_type, resolve

Policies = Sequence[Mapping[str, Any]]

_NODE = Path(sys.executable).parent / "node"
_SCRIPT = Path(__file__).with_name("simulate_rights.mjs")


class Allowed(Protocol):
    """A function that returns the actions that policies allow; `ec2:*` is every action for the resource."""

    def __call__(
        self, policies: Policies, action: str, resource: str, context: Mapping[str, Any]
    ) -> list[str]: ...


@contextmanager
def simulator() -> Iterator[Allowed]:
    """Start one process of the simulator, which answers one question after the other."""
    with subprocess.Popen(
        [_NODE, _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as node:
        assert node.stdin
        assert node.stdout
        questions, answers = node.stdin, node.stdout

        def allowed(policies: Policies, action: str, resource: str, context: Mapping[str, Any]) -> list[str]:
            question = {"policies": policies, "action": action, "resource": resource, "context": context}
            print(json.dumps(question), file=questions)
            answer = json.loads(answers.readline())
            assert isinstance(answer, list), answer
            return answer

        yield allowed


def roles(template: Template) -> dict[str, Policies]:
    """Return the policies of every role, by its logical id, with the intrinsics resolved."""
    policies = [policy["Properties"] for policy in of_type(template, "AWS::IAM::Policy").values()]
    return {
        role: [
            _concrete(template, one["PolicyDocument"]) for one in policies if {"Ref": role} in one["Roles"]
        ]
        for role in of_type(template, "AWS::IAM::Role")
    }


def role_of(template: Template, name: str) -> str:
    """Return the logical id of the role of a function."""
    return str(function(template, name)["Properties"]["Role"]["Fn::GetAtt"][0])


def _concrete(template: Template, value: Any) -> Any:
    if isinstance(value, list):
        return [_concrete(template, one) for one in value]
    if isinstance(value, dict) and not any(key == "Ref" or key.startswith("Fn::") for key in value):
        return {key: _concrete(template, one) for key, one in value.items()}
    return resolve(template, value)
