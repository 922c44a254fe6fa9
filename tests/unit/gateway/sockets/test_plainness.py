"""What holds nothing to judge needs no exchange."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from agent.dialects.base import Delta, EventView
from agent.dialects.sockets import Said
from agent.gateway.ports import PolicyInForce
from agent.gateway.sockets.plainness import Plainness
from agent.model.content import Attachment, Role, Slot
from tests.fakes.rulebooks import TOY, rule_book, toy_policy

HIDING = toy_policy().replace("action: redact", "action: pseudonymize")


def plainness(text: str = "") -> tuple[Plainness, SimpleNamespace]:
    policy = SimpleNamespace(rules=rule_book(text or toy_policy()))
    return Plainness(cast("PolicyInForce", policy)), policy


def slot(text: str) -> Slot:
    return Slot(address=(("x",),), role=Role.ASSISTANT, text=text)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        (Said(), True),
        (Said(readable=False), False),
        (Said(view=EventView(deltas=(Delta(channel="a", slot=slot("hi")),))), False),
        (Said(turn="one"), False),
        (Said(turn="one", view=EventView(final=True)), True),
        (Said(turn="one", apart=True), True),
        (Said(apart=True, view=EventView(repeats=(slot("hi"),))), True),
        (Said(apart=True, view=EventView(repeats=(slot(TOY),))), False),
    ],
)
def test_what_a_service_says_outside_all_turns(said: Said, plain: bool) -> None:
    assert plainness()[0].said(said) is plain


def test_what_may_hide_a_value_elsewhere_is_never_plain_where_values_are_hidden() -> None:
    assert plainness()[0].texts((slot("hi"),), hidden=True)
    assert not plainness(HIDING)[0].texts((slot("hi"),), hidden=True)
    assert plainness(HIDING)[0].texts((slot("hi"),))


def test_what_was_found_of_files_is_known_while_the_policy_stays() -> None:
    of, policy = plainness()
    picture, sound = Attachment(kind="image", media_type="image/png"), Attachment(kind="audio")
    assert of.files((picture,)) is None
    of.judged((picture,), passes=True)
    of.judged((sound,), passes=False)
    assert (of.files((picture,)), of.files((sound,)), of.files((picture, sound))) == (True, False, None)
    policy.rules = rule_book(toy_policy("revision: 43"))
    assert of.files((picture,)) is None
