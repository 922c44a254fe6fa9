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

    __slots__ = ("_index", "_last", "_losses", "_others", "_results", "_role", "called", "messages", "system")

    def __init__(self, losses: Losses) -> None:
        self.system: list[Block] = []
        self.messages: list[Block] = []
        self.called: dict[str, None] = {}  # the tools that were called, in order
        self._losses = losses
        self._index = 0
        self._role = ""
        self._results: list[Block] = []  # of the message that is being put together
        self._others: list[Block] = []
        self._last: tuple[list[Block], list[Block]] = ([], [])  # of the message before

    def write(self, turns: tuple[Turn, ...]) -> None:
        """All turns."""
        for index, turn in enumerate(turns):
            self._index = index
            if turn.speaker is Speaker.SYSTEM:
                self._write_system(turn.parts)
                continue
            role = "assistant" if turn.speaker is Speaker.ASSISTANT else "user"
            if role != self._role:
                self._close()
                self._open(role)
            for place, part in enumerate(turn.parts):
                self._write_part(place, part)
        self._close()
        self._trim()

    def _open(self, role: str) -> None:
        self._role = role
        if self.messages and self.messages[-1]["role"] == role:  # all that stood between was left out
            self.messages.pop()
            self._results, self._others = self._last

    def _close(self) -> None:
        """Finish the message that is being put together."""
        blocks = self._results + self._others if self._results else self._others
        if not blocks:
            return
        content: object = blocks[0]["text"] if len(blocks) == 1 and _plain(blocks[0]) else blocks
        self.messages.append({"role": self._role, "content": content})
        self._last = (self._results, self._others)
        self._results, self._others = [], []

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

    def _write_part(self, place: int, part: Part) -> None:
        if type(part) is Text:
            if part.text and not part.text.isspace():
                self._others.append(_text(part))
        elif type(part) is ToolCall:
            self.called[part.name] = None
            self._others.append(write_call(part, lawful_id(part.id)))
        elif type(part) is ToolResult:
            self._results.append(self._write_result(place, part))
        elif type(part) is Thinking:
            if is_own(part):
                self._others += write_thinking(part)
        elif type(part) is Media:
            block = write_media(part) if self._role == "user" else None
            if block is None:
                self._lose(place)
            else:
                self._others.append(block)

    def _write_result(self, place: int, result: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": lawful_id(result.call_id)}
        content: list[Block] = []
        for index, part in enumerate(result.parts):
            if type(part) is Text:
                if part.text and not part.text.isspace():
                    content.append(_text(part))
            elif type(part) is Media and (written := write_media(part)) is not None:
                content.append(written)
            else:
                self._losses.lose(f"turns[{self._index}].parts[{place}].parts[{index}]")
        if len(content) == 1 and _plain(content[0]):
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if result.error:
            block["is_error"] = True
        if result.cache is not None:
            block["cache_control"] = write_cache(result.cache)
        return block

    def _lose(self, place: int) -> None:
        self._losses.lose(f"turns[{self._index}].parts[{place}]")


def _text(part: Text) -> Block:
    if part.cache is None:
        return {"type": "text", "text": part.text}
    return {"type": "text", "text": part.text, "cache_control": write_cache(part.cache)}


def _plain(block: Block) -> bool:
    """Whether a text block is no more than its text."""
    return len(block) == 2 and "text" in block
