"""What the documents show of the code is what the code is; `make docs` writes it anew."""

from __future__ import annotations

import copy
import json

import pytest

from documents.workflow_picture import draw
from documents.write import PLACES, rewritten
from natdrain_sim.synthesis import PROJECT
from support.synthesised import Template, state_machine


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
