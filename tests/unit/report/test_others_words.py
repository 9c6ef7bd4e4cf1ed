"""Words of others in messages: no mail or chat program makes anything of them."""

from __future__ import annotations

import pytest

from natdrain.contract import GatewayRecord as R
from natdrain.model.problem import Problem
from natdrain.report.wording import delete_item, numbered, plain

HARMLESS = {
    "link": ("[here](https://example.com)", "[here] (https: //example.com)"),
    "hidden link": ("https:\u200b//example.com", "https: //example.com"),
    "Slack link": ("<https://example.com|here>", "\u2039https: //example.com|here\u203a"),
    "Slack mention of all": ("<!channel> look", "\u2039!channel\u203a look"),
    "mention": ("@here and @channel", "@ here and @ channel"),
    "mail address": ("network-team@example.com", "network-team @ example.com"),
    "name of a site": ("see www.example.com", "see www .example.com"),
    "strong emphasis": ("__bold__", "_ _bold_ _"),
    "emphasis": ("*bold* and ~struck~", "\u2217bold\u2217 and \u223cstruck\u223c"),
    "code": ("`rm`", "'rm'"),
}
UNTOUCHED = [
    "low_traffic_on_nat-1 (5.0 of 10 %) [a] #1 & more",
    "aws ec2 create-tags --resources nat-1 eipalloc-2 --tags Key=natdrain:managed,Value=true",
    "aws ec2 associate-nat-gateway-address --region eu-west-1 --nat-gateway-id nat-1 --allocation-ids ...",
    delete_item("Table", "nat-1", R.HOLD),
]


@pytest.mark.parametrize("case", HARMLESS)
def test_words_of_others_are_no_markup(case: str) -> None:
    written, shown = HARMLESS[case]
    assert plain(written) == shown


@pytest.mark.parametrize("text", UNTOUCHED)
def test_words_stay_as_they_are_when_they_mark_nothing_up(text: str) -> None:
    assert plain(text) == text


def test_command_stays_as_it_is_when_the_problem_before_it_holds_markup() -> None:
    command = delete_item("A~Table", "nat-1", R.HOLD)
    held = Problem(guard="hold", text="nat-1 is held (<!here> ask).", fix=f"To lift it: {command}")
    [line] = numbered("Why", "There are {count} reasons", [held])
    assert line == f"Why: hold: nat-1 is held (\u2039!here\u203a ask). To lift it: {command};"
