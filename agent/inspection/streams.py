"""Inspects an answer while it streams: events in, events out, unchanged wherever nothing had to change.

Each text of the stream (a choice, a content block, a tool call's arguments) is a channel with its own scanner, which
says how much of the text can no longer be part of a match. Events wait in order until all their text is clear; then
they go out as the bytes they came in, or, where something is to be changed in them, with that text rewritten. Nothing
is ever taken back, so nothing may go out too early.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import orjson

from agent.dialects import sse
from agent.dialects.base import Delta, Dialect, EventView, StreamReader
from agent.dialects.framing import Framing
from agent.errors import ContentError
from agent.inspection.channels import Channel
from agent.inspection.replacements import replacement
from agent.inspection.restoration import Restorer
from agent.inspection.rules import Scope, scanned
from agent.inspection.stream_judge import StreamJudge
from agent.inspection.tool_calls import Call
from agent.inspection.verdicts import Tally
from agent.inspection.waiting import Piece, Waiting, all_plain
from agent.model.content import NO_USAGE, Edit, Role, Slot, Usage
from agent.model.decision import Decision

MAX_WAITING = 16 * 1024 * 1024  # bytes of events that may wait for their text to clear
_NOTHING = EventView()


class StreamInspector:
    """Feed it the bytes of a streamed answer in the dialect's framing (free of Content-Encoding); send what it returns.

    Once `blocked` is True, `feed` has returned the dialect's own end of a stopped stream: send it, and hang up on the
    upstream. `usage`, `model`, `finish_reason` are what the stream has said so far; `ended` tells whether it has said
    that the answer is over, or failed. A channel whose rewriting is not
    possible never occurs: text is replaced inside the event's own JSON.
    """

    def __init__(
        self,
        dialect: Dialect,
        reader: StreamReader,
        scope: Scope,
        *,
        framing: Callable[[], Framing] | None = None,
        keep_text: bool = False,
        hide_usage: bool = False,
        whole_events: bool = False,
        keep_calls: bool = False,
    ) -> None:
        """`framing` makes what cuts the stream into events, the dialect's usual one if none is named. `hide_usage`
        keeps events back that hold nothing but counts of tokens: the gateway asked for them, the client did not.
        `whole_events` lets nothing else out, so that more can be said at any time. `keep_calls` keeps what the model
        asks of tools: see `calls`."""
        self._dialect = dialect
        self._reader = reader
        self._scope = scope
        self._tally = Tally(scope)
        self._judge = StreamJudge(self._tally)
        self._restorer = (
            Restorer(scope.vault, scope.rules.alias, scope.rules.local_tools)
            if scope.vault is not None and scope.restores and self._tally.enforcing
            else None
        )
        self._framed = framing or dialect.framing
        self._events = self._framed()
        self._channels: dict[str, Channel] = {}
        self._queue: deque[Waiting] = deque()
        self._waiting = 0
        self._gathered: dict[Channel, None] = {}  # channels whose newest pieces are still to be scanned
        self._watching = scope.watches_answers or keep_text or hide_usage or keep_calls
        self._keep_calls = keep_calls
        self._called: list[Channel] = []
        self._hide_usage = hide_usage
        self._whole_events = whole_events
        self._keep_text = keep_text
        self._ready: list[bytes] = []  # what may go out at the end of this step
        self._unread: deque[sse.SseEvent] = deque()  # events of this step that were not looked at yet
        self._begun = False  # the client has had some event
        self._released = False
        self.blocked = False
        self.usage: Usage = NO_USAGE
        self.model = ""
        self.finish_reason = ""
        self.ended = False
        self.chunks = 0
        self.characters = 0  # of all that the model has said

    def decision(self) -> Decision:
        """The decision on what has been seen so far."""
        decision = self._tally.decision()
        if self._restorer is None:
            return decision
        count = self._restorer.count
        return replace(decision, restored=count.back, unrestored=count.left)

    def texts(self) -> tuple[list[str], list[str]]:
        """The texts of the stream as they came, and as far as they were sent, as they were sent. Empty unless
        `keep_text` was asked for."""
        original = ["".join(channel.kept or ()) for channel in self._channels.values()]
        sent: list[str] = []
        for channel, text in zip(self._channels.values(), original, strict=True):
            went_out = text[: channel.sent]
            changed = channel.rewritten(0, went_out, restored=False)
            sent.append(went_out if changed is None else changed)
        return original, sent

    def calls(self) -> list[Call]:
        """What the model has asked of tools, in the order in which it began to. Empty unless `keep_calls` was asked
        for."""
        return [(channel.tool, "".join(channel.kept or ())) for channel in self._called]

    def feed(self, data: bytes) -> bytes:
        """What may be sent now. Raises ContentError where the stream breaks the limits of its framing."""
        if self.blocked:
            return b""
        if self._released:
            return data
        try:
            events = self._events.feed(data)
        except ContentError:
            self._events = self._framed()  # what could not be read must not come out at the end
            raise
        if not self._watching:
            for event in events:
                self.chunks += 1
                view = self._reader.read(event.event, event.data)
                self._note(view)
                self.characters += sum(len(delta.piece) for delta in view.deltas)
            self._begun = self._begun or bool(events)
            return b"".join([event.raw for event in events]) if self._whole_events else data
        self._unread.extend(events)
        self._take_unread(several=len(events) > 1)
        return self._drain()

    def _take_unread(self, *, several: bool) -> None:
        """Read and take the events that have come, until one stops the stream."""
        while self._unread:
            event = self._unread[0]
            view = self._reader.read(event.event, event.data)
            if several and view.only_adds:
                self._gather(event, view)
                self._unread.popleft()
                continue
            if self._gathered:
                self._scan_gathered()
                if self._stopping:  # the reader has seen an event more than the client: it stays unread
                    break
            self._take(event, view)
            self._unread.popleft()
            if self._stopping:  # what the reader has seen must stay what the client may see
                self._unread.clear()
        self._scan_gathered()

    @property
    def comments(self) -> bool:
        """Whether its framing knows comments."""
        return self._events.comments

    def ending(self, worded: bytes) -> bytes:
        """The end of a stream that failed, `worded` in the dialect's usual framing, as this one has it."""
        return self._events.ending(worded, begun=self._begun or bool(self._ready))

    @property
    def holding(self) -> bool:
        """Whether events wait for their text to clear."""
        return bool(self._queue)

    def rest(self) -> bytes:
        """Nothing has come for a while: what may be sent now, though it might have been the beginning of a match."""
        if self.blocked or self._released:
            return b""
        for channel in self._channels.values():
            channel.rest()
        return self._drain()

    def finish(self) -> bytes:
        """The upstream's stream has ended, in order or not: whatever is left, judged as a whole.

        The rest of a server-sent event that broke off is dropped: it cannot be judged, and a client may not use it
        (WHATWG HTML, section 9.2.6). In other framings, which know no comments, the last event needs no end.
        """
        if self.blocked or self._released:
            return b""
        for event in self._events.finish():
            view = self._reader.read(event.event, event.data)
            if self._whole_events:
                event = sse.new_event(event.raw + b"\n\n", event.event, event.data)
            if not self._watching:
                self._note(view)
                if self._whole_events and view != _NOTHING:
                    self._ready.append(event.raw)
            elif view != _NOTHING or not self.comments:
                self._take(event, view)
        for channel in self._channels.values():
            channel.finish()
        return self._drain()

    def stop(self, message: str) -> bytes:
        """The dialect's own end of a stopped stream, which says `message`."""
        self.blocked = True
        in_step = not self._unread and all(waiting.pieces for waiting in self._queue)
        self._queue.clear()
        self._ready.append(self.ending(self._reader.block(message, in_step=in_step)))
        return self._flushed()

    def release(self) -> bytes:
        """Everything held back, as it came; from now on nothing is judged. For where the inspection itself failed
        and the policy lets that pass."""
        self._released = self.ended = True  # nobody knows
        self._ready += (waiting.event.raw for waiting in self._queue)
        self._ready += (event.raw for event in (*self._unread, *self._events.finish()))
        self._queue.clear()
        self._unread.clear()
        return self._flushed()

    def _went_out(self, pieces: tuple[Piece, ...]) -> None:
        if self._keep_text:
            for piece in pieces:
                piece.channel.sent = piece.end

    def _flushed(self) -> bytes:
        ready, self._ready = self._ready, []
        self._begun = self._begun or bool(ready)
        return b"".join(ready)

    def _take(self, event: sse.SseEvent, view: EventView) -> None:
        self.chunks += 1
        said = view.usage is not NO_USAGE or view.finish_reason or (view.model and view.model != self.model)
        if said and self._note(view):
            return
        if view.keepalive and self._queue:  # nothing in it depends on the order
            self._ready.append(event.raw)
            return
        if view == _NOTHING or view.instead is not None:
            event = self._as_read(event, view)
        pieces = tuple([self._piece(delta, Channel.feed) for delta in view.deltas])
        for name in view.closes:
            if (channel := self._channels.get(name)) is not None:
                channel.finish()
        if view.final:
            self.ended = True
            for channel in self._channels.values():
                channel.finish()
        edits = self._whole(view.repeats) if view.repeats else ()
        if not self._queue and not edits and not self.blocked and all_plain(pieces):
            self._ready.append(event.raw)  # the common case: nothing waits, nothing changes
            self._went_out(pieces)
            return
        self._waiting += len(event.raw)
        if self._waiting > MAX_WAITING:
            raise ContentError("the stream holds back more than can be kept")
        self._queue.append(Waiting(event, pieces, edits))

    @property
    def _stopping(self) -> bool:
        return self.blocked or self._judge.blocking

    def _note(self, view: EventView) -> bool:
        """Keep what the event says of the answer; whether it is none of the client's business."""
        if view.usage is not NO_USAGE:
            self.usage = self.usage.merged(view.usage)
        self.model = view.model or self.model
        self.finish_reason = view.finish_reason or self.finish_reason
        if view.final or view.finish_reason:
            self.ended = True
        return self._hide_usage and view.only_counts

    def _gather(self, event: sse.SseEvent, view: EventView) -> None:
        """Take an event that came with others: one scan of all their texts costs hardly more than one of each."""
        self.chunks += 1
        self.model = view.model or self.model
        pieces = tuple([self._piece(delta, Channel.gather) for delta in view.deltas])
        self._gathered.update(dict.fromkeys(piece.channel for piece in pieces))
        self._waiting += len(event.raw)
        self._queue.append(Waiting(event, pieces, ()))

    def _scan_gathered(self) -> None:
        for channel in self._gathered:
            channel.scan_gathered()
        self._gathered.clear()
        if self._waiting > MAX_WAITING:
            self._let_go()
            if self._waiting > MAX_WAITING:
                raise ContentError("the stream holds back more than can be kept")

    def _piece(self, delta: Delta, take: Callable[[Channel, str], None]) -> Piece:
        channel = self._channels.get(delta.channel)
        if channel is None or channel.closed:
            channel = self._channels[delta.channel] = Channel(
                self._scope,
                delta.slot,
                self._judge,
                restorer=self._restorer,
                json_fragment=delta.json_fragment,
                keep_text=self._keep_text or (self._keep_calls and bool(delta.slot.tool)),
            )
            if self._keep_calls and delta.slot.tool and delta.slot.role is Role.TOOL_CALL:
                self._called.append(channel)
        start, text = channel.length, delta.slot.text
        if delta.known or delta.loose:
            text = delta.piece if start else text[: len(text) - delta.loose]
            start -= delta.known if start else 0
        self.characters += len(text)
        take(channel, text)
        return Piece(channel, start, channel.length, delta.slot)

    def _as_read(self, event: sse.SseEvent, view: EventView) -> sse.SseEvent:
        """The event in whose data the view's slots stand; one that says nothing is read as text."""
        if view.instead is None:
            return self._as_text(event)
        return sse.new_event(self._events.encode(event.event, view.instead), event.event, view.instead)

    def _as_text(self, event: sse.SseEvent) -> sse.SseEvent:
        """An event that says nothing to us because it is no JSON, judged as plain text: clients exist that read what
        we do not (JSON in broken UTF-8, halves of surrogate pairs, NaN)."""
        try:
            orjson.loads(event.data)
        except orjson.JSONDecodeError:
            text = event.data.decode("utf-8", "surrogateescape")
        else:
            return event
        edits = self._whole((Slot(address=((),), role=Role.ASSISTANT, text=text),))
        for edit in reversed(edits):
            text = text[: edit.start] + edit.replacement + text[edit.end :]
        if not edits:
            return event
        data = text.encode("utf-8", "surrogateescape")
        return sse.new_event(self._events.rewritten(event, data), event.event, data)

    def _whole(self, slots: tuple[Slot, ...]) -> tuple[Edit, ...]:
        """Redactions in texts that an event repeats as a whole. They were counted as they streamed, or are now."""
        edits: list[Edit] = []
        for slot in slots:
            if self._restorer is not None:
                edits += self._restorer.edits(slot)
            for finding in self._scope.rules.scan(slot.text):
                if not scanned(finding.family, slot.role):
                    continue
                action = self._judge.again(finding, slot.role)
                if action.stops:
                    self.blocked = True
                elif action.rewrites:
                    edits.append(
                        Edit(
                            address=slot.address,
                            start=finding.start,
                            end=finding.end,
                            replacement=replacement(action, finding, slot.text[finding.start : finding.end]),
                        )
                    )
        return tuple(edits)

    def _drain(self) -> bytes:
        self._let_go()
        return self.stop(self.decision().message) if self._stopping else self._flushed()

    def _let_go(self) -> None:
        """Move the events whose texts are clear from the queue to what is ready."""
        queue = self._queue
        while queue:
            waiting = queue[0]
            plain = not waiting.edits
            clear = True
            for piece in waiting.pieces:
                channel = piece.channel
                if channel.stop is not None and piece.end > channel.stop:  # it reaches what must not go out
                    self.blocked = True
                if piece.end > channel.clear:  # what may still come can make its text part of a match
                    clear = False
                if channel.rewrites:
                    plain = False
            if self.blocked or not clear:
                break
            self._ready.append(waiting.event.raw if plain else self._render(waiting))
            queue.popleft()
            self._waiting -= len(waiting.event.raw)
            self._went_out(waiting.pieces)

    def _render(self, waiting: Waiting) -> bytes:
        edits = list(waiting.edits)
        for piece in waiting.pieces:
            if not piece.channel.rewrites:
                continue
            original = piece.slot.text[: piece.end - piece.start]
            if (text := piece.channel.rewritten(piece.start, original)) is not None:
                edits.append(Edit(address=piece.slot.address, start=0, end=len(original), replacement=text))
        if not edits:
            return waiting.event.raw
        return self._events.rewritten(
            waiting.event, self._dialect.edit_event(waiting.event.data, tuple(edits))
        )
