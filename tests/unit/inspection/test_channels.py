"""Channels: one text of a stream, what may go out of it and with which changes."""

from __future__ import annotations

import json

import pytest

from agent.inspection.channels import Channel, Judge
from agent.inspection.pseudonyms import LOOK_BACK, Vault
from agent.inspection.restoration import Restorer
from agent.model.content import Role, Slot
from agent.model.decision import Action
from agent.model.findings import Family, Finding
from tests.fakes.rulebooks import TOY, rule_book, toy_scope

SAYS = Slot(address=(("text",),), role=Role.ASSISTANT, text="")
NAMES = """
schema_version: 1
id: names
guardrails: [{id: names, detect: [custom/name], action: pseudonymize}]
detectors: [{id: name, keywords: [Ada Lovelace]}]
"""


def always(action: Action) -> Judge:
    return lambda _finding, _role: action


def channel(action: Action, *, json_fragment: bool = False) -> Channel:
    return Channel(
        toy_scope(), SAYS, always(action), restorer=None, json_fragment=json_fragment, keep_text=False
    )


def sent(made: Channel, text: str, size: int) -> str:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    for piece in pieces:
        made.feed(piece)
    made.finish()
    out, at = "", 0
    for piece in pieces:
        changed = made.rewritten(at, piece)
        out += piece if changed is None else changed
        at += len(piece)
    return out


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize(
    ("action", "stands"), [(Action.REDACT, "[REDACTED:toy]"), (Action.MASK, "***-**3456")]
)
def test_what_is_found_is_replaced_as_the_action_says(action: Action, stands: str, size: int) -> None:
    assert sent(channel(action), f"say {TOY} now {TOY}", size) == f"say {stands} now {stands}"


@pytest.mark.parametrize("size", [1, 5])
def test_in_a_piece_of_json_what_stands_there_stays_json(size: int) -> None:
    raw = json.dumps({"a": f"x\n{TOY}", "b": 4000123412341234})
    out = json.loads(sent(channel(Action.REDACT, json_fragment=True), raw, size))
    assert out == {"a": "x\n[REDACTED:toy]", "b": "[REDACTED:card]"}


def test_nothing_from_what_stops_on_is_clear_to_go() -> None:
    made = channel(Action.BLOCK)
    made.feed(f"say {TOY} now")
    assert made.stop == 4


def test_what_is_not_decided_is_not_clear_until_the_end_or_a_rest() -> None:
    made = channel(Action.REDACT)
    made.feed("all is TO")
    assert made.clear == 6
    made.rest()
    assert made.clear in (6, 9)
    made.finish()
    assert made.clear == 9


@pytest.mark.parametrize("before", [0, LOOK_BACK - 40, LOOK_BACK + 1, 3 * LOOK_BACK])
@pytest.mark.parametrize("size", [3, 700])
def test_a_long_text_is_forgotten_but_for_what_tells_an_address(before: int, size: int) -> None:
    rules = rule_book(NAMES)
    vault = Vault(b"k")
    finding = Finding(start=0, end=1, family=Family.CUSTOM, type="name", rule="name")
    token = vault.stand_in(finding, "Ada Lovelace")
    scope = toy_scope()
    made = Channel(
        rules.scope(scope.subject, ref="R"),
        SAYS,
        always(Action.ALLOW),
        restorer=Restorer(vault, rules.alias, frozenset()),
        json_fragment=False,
        keep_text=False,
    )
    words = "so it is. " * (before // 10)
    text = f"{words}{token} https://h/{'a' * before}{token} {token}"
    out = sent(made, text, size)
    assert out == f"{words}Ada Lovelace https://h/{'a' * before}{token} Ada Lovelace"
