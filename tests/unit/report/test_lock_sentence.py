from __future__ import annotations

from typing import Any

import pytest

from natdrain.report.refusals import locked

HELD = {"Owner": "alice", "Since": None, "Reason": None, "Foreign": False, "WaitedSeconds": None}
AGAIN = '. Run the request again when that has ended, or let it wait in line: WhenBusy: "wait".'
BOUND = (
    ". Waiting in line ended after 900 s, wait_in_line_seconds of the configuration. Run the request again "
    "when that has ended."
)
FOREIGN = (
    ", which is no execution of this workflow. If nothing runs there, remove the attribute Owner from the "
    "item lock of that gateway."
)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({}, f"nat-1 is locked by alice{AGAIN}"),
        (
            {"Since": "2026-10-02T16:58:31.204Z"},
            f"nat-1 is locked by alice since 2026-10-02T16:58:31.204Z{AGAIN}",
        ),
        ({"Reason": "partner move"}, f"nat-1 is locked by alice (partner move){AGAIN}"),
        ({"Reason": ""}, f"nat-1 is locked by alice{AGAIN}"),
        ({"WaitedSeconds": 900}, f"nat-1 is locked by alice{BOUND}"),
        (
            {"Foreign": True, "Owner": '{"N":"7"}', "WaitedSeconds": 900},
            f'nat-1 is locked by {{"N":"7"}}{FOREIGN}',
        ),
    ],
)
def test_sentence_says_who_holds_the_lock_and_what_to_do(facts: dict[str, Any], sentence: str) -> None:
    problem = locked("nat-1", {**HELD, **facts})
    assert (problem.subject, str(problem)) == ("nat-1", sentence)
