"""Texts of which a stream shows a snapshot after each step: each event says all of a text so far.

Owns the question what of a snapshot is new, so that a text is looked at once however often it is said. A snapshot that
does not continue the one before it begins the text anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.dialects.base import Delta
from agent.model.content import Slot

type Key = tuple[str | int, ...]


class Snapshots:
    """The texts of one stream. A key names a text: its message first, then its place in it."""

    __slots__ = ("_channels", "_made", "_texts")

    def __init__(self) -> None:
        self._texts: dict[Key, str] = {}
        self._channels: dict[Key, str] = {}
        self._made = 0

    def take(
        self, key: Key, slot: Slot, *, loose: Iterable[str] = (), json_fragment: bool = False
    ) -> tuple[Delta | None, tuple[str, ...]]:
        """The snapshot in `slot` as a piece of its channel, None where there is no text yet; and the channel that
        ends with it. `loose` are the ends that a service may take back."""
        tail = next((len(end) for end in loose if slot.text.endswith(end)), 0)
        text = slot.text[: len(slot.text) - tail] if tail else slot.text
        before = self._texts.get(key, "")
        closed: tuple[str, ...] = ()
        if before and not text.startswith(before):
            closed, before = (self._channels.pop(key),), ""
        if not text:
            self._texts.pop(key, None)
            return None, closed
        self._texts[key] = text
        channel = self._channels.get(key)
        if channel is None:
            self._made += 1
            channel = self._channels[key] = f"snapshot/{'/'.join(map(str, key))}/{self._made}"
        delta = Delta(channel=channel, slot=slot, json_fragment=json_fragment, known=len(before), loose=tail)
        return delta, closed

    def end(self, message: str) -> tuple[str, ...]:
        """The channels of a message of which no more will be said. What is said again is the same text still."""
        return tuple(channel for key, channel in self._channels.items() if key[:1] == (message,))

    def close(self) -> tuple[str, ...]:
        """All channels: the stream is over."""
        channels = tuple(self._channels.values())
        self._channels.clear()
        self._texts.clear()
        return channels
