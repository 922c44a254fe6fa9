"""Turns, written as a system prompt and messages.

The API wants one system prompt, turns that alternate, and the results of all calls of a turn together at the start of
the next: system turns are put together wherever they stood, neighbours are merged, results come first. It refuses blank
texts and thoughts that it did not sign; they are left out.
"""

from __future__ import annotations

from agent.model.conversation import Media, Part, Speaker, Text, Thinking, ToolCall, ToolResult, Turn
from agent.translation.anthropic_messages.blocks import (
    is_own,
    lawful_id,
    write_cache,
    write_call,
    write_media,
    write_thinking,
)
from agent.translation.base import Losses

type Block = dict[str, object]


class TurnWriter:
    """Writes the turns of one request."""

    __slots__ = ("_ids", "_index", "_losses", "called", "messages", "system")

    def __init__(self, losses: Losses) -> None:
        self.system: list[Block] = []
        self.messages: list[Block] = []
        self.called: dict[str, None] = {}  # the tools that were called, in order
        self._losses = losses
        self._index = 0
        self._ids: dict[str, str] = {}  # of calls, as the API takes them

    def write(self, turns: tuple[Turn, ...]) -> None:
        """All turns."""
        messages = self.messages
        for index, turn in enumerate(turns):
            self._index = index
            speaker = turn.speaker
            if speaker is Speaker.SYSTEM:
                self._write_system(turn.parts)
                continue
            made = speaker is Speaker.ASSISTANT
            blocks = self._write_parts(turn.parts, made=made)
            if not blocks:
                continue
            role = "assistant" if made else "user"
            if messages and messages[-1]["role"] == role:
                blocks = _merged(messages.pop()["content"], blocks)
            plain = len(blocks) == 1 and _plain(blocks[0])
            messages.append({"role": role, "content": blocks[0]["text"] if plain else blocks})
        self._trim()

    def _trim(self) -> None:
        """The beginning of an answer that the model is to continue: the API refuses white space at its end."""
        if not self.messages or self.messages[-1]["role"] != "assistant":
            return
        content = self.messages[-1]["content"]
        if isinstance(content, str):
            self.messages[-1]["content"] = content.rstrip()
        elif isinstance(content, list) and "text" in content[-1]:
            content[-1]["text"] = content[-1]["text"].rstrip()

    def _write_system(self, parts: tuple[Part, ...]) -> None:
        for place, part in enumerate(parts):
            if type(part) is not Text:
                self._lose(place)
            elif part.text and not part.text.isspace():
                self.system.append(_text(part))

    def _write_parts(self, parts: tuple[Part, ...], *, made: bool) -> list[Block]:
        """A turn's blocks; `made` by the model."""
        blocks: list[Block] = []
        results: list[Block] = []
        for place, part in enumerate(parts):
            if type(part) is Text:
                if part.text and not part.text.isspace():
                    blocks.append(_text(part))
            elif type(part) is ToolCall:
                self.called[part.name] = None
                blocks.append(write_call(part, self._id(part.id)))
            elif type(part) is ToolResult:
                results.append(self._write_result(place, part))
            elif type(part) is Thinking:
                if is_own(part):
                    blocks += write_thinking(part)
            elif type(part) is Media and not made and (block := write_media(part)):
                blocks.append(block)
            else:
                self._lose(place)
        return results + blocks if results else blocks

    def _id(self, call_id: str) -> str:
        known = self._ids.get(call_id)
        if known is None:
            known = self._ids[call_id] = lawful_id(call_id)
        return known

    def _write_result(self, place: int, result: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": self._id(result.call_id)}
        content = self._write_shown(place, result.parts)
        if content:
            block["content"] = content
        if result.error:
            block["is_error"] = True
        if result.cache is not None:
            block["cache_control"] = write_cache(result.cache)
        return block

    def _write_shown(self, place: int, parts: tuple[Text | Media, ...]) -> str | list[Block]:
        """What a tool answered: a string where it is one text."""
        if len(parts) == 1:
            (part,) = parts
            if type(part) is Text and part.cache is None:
                return "" if part.text.isspace() else part.text
        content: list[Block] = []
        for index, part in enumerate(parts):
            if type(part) is Text:
                if part.text and not part.text.isspace():
                    content.append(_text(part))
            elif type(part) is Media and (written := write_media(part)) is not None:
                content.append(written)
            else:
                self._losses.lose(f"turns[{self._index}].parts[{place}].parts[{index}]")
        return content

    def _lose(self, place: int) -> None:
        self._losses.lose(f"turns[{self._index}].parts[{place}]")


def _text(part: Text) -> Block:
    if part.cache is None:
        return {"type": "text", "text": part.text}
    return {"type": "text", "text": part.text, "cache_control": write_cache(part.cache)}


def _merged(before: object, blocks: list[Block]) -> list[Block]:
    """The content of two neighbouring messages as that of one, with the results first."""
    if isinstance(before, str):
        before = [{"type": "text", "text": before}]
    both: list[Block] = [*before, *blocks]  # type: ignore[misc]
    return sorted(both, key=lambda block: block["type"] != "tool_result")


def _plain(block: Block) -> bool:
    """Whether a text block is no more than its text."""
    return len(block) == 2 and "text" in block
