"""What waits, and when it need not."""

from __future__ import annotations

import pytest

from agent.inspection.channels import Channel
from agent.inspection.waiting import Piece, all_plain
from agent.model.content import Role, Slot
from agent.model.decision import Action
from tests.fakes.rulebooks import TOY, toy_scope

SLOT = Slot(address=((),), role=Role.ASSISTANT, text="")


def channel(text: str, action: Action = Action.ALLOW, *, whole: bool = True) -> Channel:
    made = Channel(
        toy_scope(), SLOT, lambda finding, role: action, restorer=None, json_fragment=False, keep_text=False
    )
    made.feed(text)
    if whole:
        made.finish()
    return made


@pytest.mark.parametrize(
    ("found", "plain"),
    [
        (channel("a plain text"), True),
        (channel(TOY, Action.ALERT), True),
        (channel(TOY, Action.REDACT), False),
        (channel(TOY, Action.BLOCK), False),
        (channel(TOY[:-1], whole=False), False),
    ],
)
def test_a_piece_is_plain_where_it_is_clear_and_nothing_in_its_text_is_changed_or_stopped(
    found: Channel, plain: bool
) -> None:
    assert all_plain((Piece(found, 0, found.length, SLOT),)) is plain


def test_no_pieces_are_plain() -> None:
    assert all_plain(())
