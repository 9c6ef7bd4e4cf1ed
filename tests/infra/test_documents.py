"""Tests of the documents: they show the code as it is, their links resolve, their policies are valid."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from documents.workflow_picture import draw
from documents.write import PLACES, rewritten
from natdrain.contract import OPT_IN_TAG, PROTECT_TAG
from natdrain_sim.synthesis import PROJECT
from support.synthesised import Template, of_type, only, state_machine

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
POLICIES = [
    json.loads(text)
    for text in re.findall(r"```json\n(.*?)```", (PROJECT / "docs/rights.md").read_text(), re.DOTALL)
]
ON_CALL_LINES, README_LINES = 45, 150
# Services whose name in IAM differs from boto3's, and actions that are no operation of an API
# (Service Authorization Reference).
SERVICES = {"states": "stepfunctions"}
ONLY_IN_IAM = {
    *("iam:PassRole", "lambda:InvokeFunction"),
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:DeleteLogDelivery", "logs:ListLogDeliveries"),
    *("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"),
}


@pytest.mark.parametrize("document", PLACES)
def test_document_shows_the_code_as_it_is(document: str) -> None:
    text = (PROJECT / document).read_text()
    assert text.count(f"made by make docs: begin {PLACES[document]}") == 1
    assert text.count(f"made by make docs: end {PLACES[document]}") == 1
    assert rewritten(text, PLACES[document]) == text


def test_picture_has_every_state(template: Template, states: dict[str, object]) -> None:
    picture = draw(template)
    assert {name for name in states if f'"{name}"' not in picture} == set()


def test_picture_changes_with_the_workflow(template: Template) -> None:
    other = copy.deepcopy(template)
    text = json.dumps(state_machine(other)["Properties"]["DefinitionString"])
    state_machine(other)["Properties"]["DefinitionString"] = json.loads(text.replace("Confirm", "Look again"))
    assert draw(other) != draw(template)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_page_has_links_that_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#\s]*(?:#[^)\s]*)?)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text()), target


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_index_links_every_page_that_is_no_decision_and_not_on_call() -> None:
    index = (PROJECT / "docs/index.md").read_text()
    pages = {page.name for page in (PROJECT / "docs").glob("*.md")} - {"index.md"}
    assert {name for name in pages if f"({name})" not in index} == set()


@pytest.mark.parametrize("page", sorted((PROJECT / "docs/oncall").glob("*.md")), ids=lambda page: page.stem)
def test_page_for_on_call_is_linked_and_fits_a_screen(page: Path) -> None:
    overview = page.parent / "index.md"
    if page != overview:
        assert f"({page.name})" in overview.read_text()
        assert len(page.read_text().splitlines()) <= ON_CALL_LINES


def test_readme_is_short_and_begins_with_what_to_try() -> None:
    lines = (PROJECT / "README.md").read_text().splitlines()
    assert len(lines) <= README_LINES
    assert {"make demo", "make test"} <= {line.partition("  ")[0] for line in lines[:25]}


def actions(policy: dict[str, Any], *effects: str) -> set[str]:
    """Return every action that a policy allows, or that it names with these effects."""
    effects = effects or ("Allow",)
    listed = [one["Action"] for one in policy["Statement"] if one["Effect"] in effects]
    return {action for one in listed for action in ([one] if isinstance(one, str) else one)}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: min(actions(policy, "Allow", "Deny")))
def test_policy_has_actions_that_exist(policy: dict[str, Any]) -> None:
    for action in actions(policy, "Allow", "Deny") - ONLY_IN_IAM:
        service, name = action.split(":")
        model = boto3.client(SERVICES.get(service, service), region_name="us-east-1").meta.service_model
        assert name in model.operation_names, action


def test_policy_of_the_tagger_names_the_tags_of_the_code() -> None:
    [tagger] = [policy for policy in POLICIES if "ec2:CreateTags" in actions(policy)]
    keys = tagger["Statement"][0]["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"]
    assert keys == [OPT_IN_TAG, PROTECT_TAG]


def test_policy_of_the_deployer_knows_every_service_of_the_template(template: Template) -> None:
    services = {found["Type"].split("::")[1].lower() for found in template["Resources"].values()}
    names = {"stepfunctions": "states"}
    [deployer] = [policy for policy in POLICIES if "iam:PassRole" in actions(policy)]
    allowed = {action.split(":")[0] for action in actions(deployer)}
    assert {names.get(service, service) for service in services} <= allowed


def test_policies_of_people_change_no_address(template: Template) -> None:
    granted = {
        action
        for found in of_type(template, "AWS::IAM::Policy").values()
        for action in actions(found["Properties"]["PolicyDocument"])
    }
    changing = {one for one in granted if one.startswith("ec2:") and not one.startswith("ec2:Describe")}
    assert changing == {
        *("ec2:AssociateNatGatewayAddress", "ec2:DisassociateNatGatewayAddress", "ec2:ReleaseAddress")
    }
    assert not changing & {action for policy in POLICIES for action in actions(policy)}


def test_policies_name_the_stacks_own_index(template: Template) -> None:
    [index] = only(template, "AWS::DynamoDB::Table")["Properties"]["GlobalSecondaryIndexes"]
    [reader] = [policy for policy in POLICIES if "dynamodb:Query" in actions(policy)]
    assert reader["Statement"][0]["Resource"][1].endswith(f"/index/{index['IndexName']}")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"level": "ERROR", "message": "no right"}, True),
        ({"type": "platform.report", "record": {"status": "timeout"}}, True),
        (
            {"type": "platform.report", "record": {"status": "error", "errorType": "Runtime.OutOfMemory"}},
            True,
        ),
        ({"type": "platform.initReport", "record": {"status": "failure"}}, True),
        ({"type": "platform.report", "record": {"status": "success"}}, False),
        ({"level": "INFO", "message": "answered"}, False),
    ],
)
def test_pattern_for_errors_finds_every_way_in_which_a_function_fails(
    line: dict[str, Any], *, found: bool
) -> None:
    # Lambda developer guide, JSON logs and Telemetry API schema: the status of platform.report.
    text = (PROJECT / "docs/oncall/functions-fail.md").read_text()
    [pattern] = re.findall(r"PATTERN='\{ (.*) \}'", text)
    terms = [re.fullmatch(r'\$\.([\w.]+) = "(\w+)"', term) for term in pattern.split(" || ")]

    def value(path: str) -> Any:
        node: Any = line
        for name in path.split("."):
            node = node.get(name, {})
        return node

    assert any(value(term[1]) == term[2] for term in terms if term) == found
    assert all(terms)


def test_code_names_pages_that_exist() -> None:
    named = {
        (str(module.relative_to(PROJECT)), page)
        for folder in ("lambdas", "infra", "tools", "tests", "benchmarks")
        for module in (PROJECT / folder).rglob("*.py")
        for page in re.findall(r"docs/[\w/-]+[.]md", module.read_text())
    }
    assert {(module, page) for module, page in named if not (PROJECT / page).exists()} == set()
