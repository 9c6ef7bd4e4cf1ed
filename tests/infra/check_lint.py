"""Findings of cfn-lint in one region of each partition."""

from __future__ import annotations

import copy
import json

import pytest
from cfnlint import lint
from cfnlint.config import ManualArgs

from support.synthesised import Template, TemplateOf, of_type

CONFIG = ManualArgs(
    regions=["us-east-1", "cn-north-1", "us-gov-west-1"],
    # The CDK lists a role in DependsOn although the policy refers to it too.
    ignore_checks=["W3005"],
)


def findings(template: Template) -> list[str]:
    return [str(match) for match in lint(json.dumps(template), config=CONFIG)]


@pytest.mark.parametrize(
    "config", ["", 'stack_name = "Edge"\nalarms.enabled = true\nalarms.name_prefixes = ["Egress"]\n']
)
def test_lint_finds_nothing_when_little_is_configured(template_of: TemplateOf, config: str) -> None:
    assert findings(template_of(config)) == []


def test_lint_finds_nothing(template: Template) -> None:
    assert findings(template) == []


def test_lint_finds_a_runtime_that_does_not_exist(template: Template) -> None:
    wrong = copy.deepcopy(template)
    for found in of_type(wrong, "AWS::Lambda::Function").values():
        found["Properties"]["Runtime"] = "python3.0"
    assert len(findings(wrong)) == len(of_type(wrong, "AWS::Lambda::Function"))
