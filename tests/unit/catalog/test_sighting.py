"""Which software is among what a machine lists."""

from __future__ import annotations

from agent.catalog.sighting import Sighting
from agent.model.inventory import FoundKind, Item, Software, Source

CLAUDE = Software(
    id="claude-code",
    name="Claude Code",
    names={Source.COMMANDS: ("claude",), Source.NPM: ("@anthropic-ai/claude-code",)},
)
CHATGPT = Software(id="chatgpt", name="ChatGPT", names={Source.WINDOWS: ("chatgpt*",)})
SIGHTING = Sighting((CLAUDE, CHATGPT))


def test_names_count_in_their_own_source_and_without_case() -> None:
    assert SIGHTING.of(Source.COMMANDS, "Claude") is CLAUDE
    assert SIGHTING.of(Source.MACOS, "claude") is None
    assert SIGHTING.of(Source.WINDOWS, "ChatGPT 1.2") is CHATGPT
    assert SIGHTING.of(Source.COMMANDS, "claudette") is None


def test_the_same_thing_in_one_place_counts_once_with_its_version() -> None:
    place = "/lib/node_modules/@anthropic-ai/claude-code"
    items = [
        Item(source=Source.COMMANDS, name="claude", place=place),
        Item(source=Source.NPM, name="@anthropic-ai/claude-code", version="2.1", place=place),
        Item(source=Source.COMMANDS, name="claude", user="ann", place="/home/ann/.local/bin/claude"),
        Item(source=Source.COMMANDS, name="vim"),
        Item(source=Source.WINDOWS, name="ChatGPT"),
    ]
    found = SIGHTING.found(items)
    assert [(each.kind, each.id, each.version, each.user) for each in found] == [
        (FoundKind.COMMAND, "claude-code", "2.1", ""),
        (FoundKind.COMMAND, "claude-code", "", "ann"),
        (FoundKind.APP, "chatgpt", "", ""),
    ]
