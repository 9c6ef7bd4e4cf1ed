"""How a service model is cut to some of its operations."""

from __future__ import annotations

from typing import Any

import pytest

from infra.asset.models import cut

MODEL: dict[str, Any] = {
    "metadata": {"serviceId": "Things"},
    "operations": {
        "Get": {
            "input": {"shape": "GetRequest"},
            "output": {"shape": "Thing"},
            "errors": [{"shape": "Gone"}],
        },
        "Burn": {"input": {"shape": "BurnRequest"}},
    },
    "shapes": {
        "BurnRequest": {"type": "structure", "members": {"Id": {"shape": "Id"}, "Fuel": {"shape": "Fuel"}}},
        "Fuel": {"type": "string"},
        "GetRequest": {"type": "structure", "members": {"Id": {"shape": "Id"}}},
        "Gone": {"type": "structure", "members": {}, "exception": True},
        "Id": {"type": "string"},
        "Tags": {"type": "map", "key": {"shape": "Id"}, "value": {"shape": "Word"}},
        "Thing": {"type": "structure", "members": {"Parts": {"shape": "Things"}, "shape": {"shape": "Tags"}}},
        "Things": {"type": "list", "member": {"shape": "Thing"}},
        "Word": {"type": "string"},
    },
}


def test_cut_keeps_the_operations_named_and_drops_the_others() -> None:
    assert cut(MODEL, ["Get"])["operations"] == {"Get": MODEL["operations"]["Get"]}


def test_cut_keeps_every_shape_that_the_operations_lead_to() -> None:
    kept = MODEL["shapes"].keys() - {"BurnRequest", "Fuel"}
    assert cut(MODEL, ["Get"])["shapes"] == {name: MODEL["shapes"][name] for name in kept}


def test_cut_keeps_what_is_said_of_the_service() -> None:
    assert cut(MODEL, ["Get"])["metadata"] == MODEL["metadata"]


def test_cut_changes_nothing_when_every_operation_is_named() -> None:
    assert cut(MODEL, ["Get", "Burn"]) == MODEL


def test_cut_fails_when_the_service_has_no_such_operation() -> None:
    with pytest.raises(KeyError, match="Mend"):
        cut(MODEL, ["Mend"])
