"""Reads the answers of a chat page as its shape tells, event by event or whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import orjson

from agent.dialects.base import Delta, EventView, ParsedAnswer
from agent.dialects.jsontext import parse
from agent.dialects.moulds import delta_view, new_slot, text_delta
from agent.dialects.shapes import integer
from agent.dialects.slots import Collector
from agent.dialects.webshape.finding import Find, Found, compiled, text_of
from agent.dialects.webshape.requests import texts
from agent.errors import ContentError
from agent.model.content import NO_USAGE, Address, Role, Slot, Usage
from agent.model.pointers import Pointer
from agent.model.webshape import Framing, Says, ShapeAnswer

MAX_ANEW = 100
"""How often a text that should only grow may begin anew as a text of its own; from then on it is judged whole."""

MAX_CHANNELS = 500
"""How many texts of one stream may be open at the same time; further ones are judged event by event."""

_BARE: Address = ((),)


class _Rule:
    """One `Says`, ready."""

    __slots__ = ("channel", "find", "grows", "role")

    def __init__(self, says: Says) -> None:
        self.channel = says.channel
        self.find = compiled(says.at)
        self.grows = says.grows
        self.role = says.role


class AnswerPlan:
    """What is looked for in answers of one shape. Immutable."""

    def __init__(self, shape: ShapeAnswer) -> None:
        self.shape = shape
        self.bare = shape.framing is Framing.TEXT
        self.end_data = frozenset(each.encode() for each in shape.end_data)
        self.end_events = frozenset(shape.end_events)
        self.end = _all(shape.end)
        self.finish = _all(shape.finish)
        self.model = _all(shape.model)
        self.input_tokens = _all(shape.input_tokens)
        self.output_tokens = _all(shape.output_tokens)
        self.counts = bool(self.input_tokens or self.output_tokens)
        self.sticky = shape.sticky
        self.padding = shape.padding
        self._texts = tuple((each.role, compiled(each.at)) for each in (*shape.says, *shape.repeats))
        names = {name for each in (*shape.says, *shape.repeats) for name in each.events}
        self._rules = {name: _rules(shape.says, name) for name in names}
        self._any_rules = _rules(shape.says, "")
        self._repeats = {name: _rules(shape.repeats, name) for name in names}
        self._any_repeats = _rules(shape.repeats, "")

    def rules(self, event: str) -> tuple[_Rule, ...]:
        """What an event of that name may say."""
        return self._rules.get(event, self._any_rules)

    def repeats(self, event: str) -> tuple[_Rule, ...]:
        """What it may say again."""
        return self._repeats.get(event, self._any_repeats)

    def whole(self, body: bytes) -> ParsedAnswer:
        """An answer that came as one document. Raises ContentError where it is none, or holds no text where the shape
        has it: unknown is not unseen."""
        document = parse(body)
        found = texts(self._texts, ((None, document),))
        if not found:
            raise ContentError("the answer holds no text where its format has it")
        return ParsedAnswer(
            slots=found,
            model=_first(self.model, document),
            finish_reason=_first(self.finish, document),
            usage=self.usage(document),
        )

    def usage(self, document: object) -> Usage:
        """The tokens that a document counts."""
        if not self.counts:
            return NO_USAGE
        read = (_number(self.input_tokens, document), _number(self.output_tokens, document))
        return NO_USAGE if read == (None, None) else Usage(input_tokens=read[0], output_tokens=read[1])


class _Said:
    """What one event turns out to say."""

    __slots__ = ("_wholes", "closes", "deltas")

    def __init__(self) -> None:
        self.deltas: list[Delta] = []
        self.closes: list[str] = []
        self._wholes: Collector | None = None

    def again(self, address: Address, role: Role, value: object) -> None:
        """A text that is said whole, or what is prose in an object or a list."""
        wholes = self._wholes = self._wholes or Collector()
        wholes.outer = address[:-1]
        wholes.prose(address[-1], role, value)

    def view(self, *, model: str, finish: str, usage: Usage) -> EventView:
        """All of it. A place that two rules name is told once."""
        if self._wholes is None and not finish and not self.closes and len(self.deltas) < 2:
            return delta_view(tuple(self.deltas), model, usage)
        told: dict[Address, Delta] = {}
        for delta in self.deltas:
            told.setdefault(delta.slot.address, delta)
        wholes = {slot.address: slot for slot in self._wholes.slots} if self._wholes else {}
        return EventView(
            deltas=tuple(told.values()),
            closes=tuple(self.closes),
            repeats=tuple(slot for address, slot in wholes.items() if address not in told),
            model=model,
            usage=usage,
            finish_reason=finish,
        )


class EventReader:
    """Reads the events of one answer."""

    __slots__ = ("_grown", "_open", "_plan", "_sticky")

    def __init__(self, plan: AnswerPlan) -> None:
        self._plan = plan
        self._open: dict[str, None] = {}  # channels that have had a piece
        self._grown: dict[str, tuple[int, str]] = {}  # by channel: how often it began anew, its text so far
        self._sticky: dict[str, object] = {}

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where nothing of it is known."""
        plan = self._plan
        if plan.bare:
            return self._bare(data)
        over = event in plan.end_events or data in plan.end_data
        if not data or data in plan.end_data:
            return self._ended() if over else EventView(keepalive=True)
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return self._ended() if over else EventView()
        if plan.sticky and type(document) is dict:
            document = self._completed(document)
        try:
            view = self._view(event, document)
        except ContentError:  # a text that holds no document where one should be: judged as it stands
            return EventView(repeats=_strings(document))
        if over or (plan.end and any(find(document) for find in plan.end)):
            return replace(view, final=True, closes=(*view.closes, *self._closed()))
        return view

    def _view(self, event: str, document: object) -> EventView:
        plan = self._plan
        said = _Said()
        for rule in plan.rules(event):
            for each in rule.find(document):
                if type(each.value) is not str:
                    said.again(each.address, rule.role, each.value)
                elif each.value:
                    self._piece(said, rule, each)
        for rule in plan.repeats(event):
            for each in rule.find(document):
                said.again(each.address, rule.role, each.value)
        return said.view(
            model=_first(plan.model, document) if plan.model else "",
            finish=_first(plan.finish, document) if plan.finish else "",
            usage=plan.usage(document) if plan.counts else NO_USAGE,
        )

    def _piece(self, said: _Said, rule: _Rule, found: Found) -> None:
        channel = rule.channel + found.name
        slot = new_slot(found.address, rule.role, str(found.value))
        if channel not in self._open and len(self._open) >= MAX_CHANNELS:
            said.again(found.address, rule.role, slot.text)
        elif not rule.grows:
            self._open[channel] = None
            padding = self._plan.padding
            if padding and slot.text.endswith(padding):
                loose = len(slot.text) - len(slot.text.rstrip(padding))
                said.deltas.append(Delta(channel=channel, slot=slot, loose=loose))
            else:
                said.deltas.append(text_delta(channel, slot))
        elif (delta := self._growing(channel, slot, said.closes)) is not None:
            said.deltas.append(delta)
        else:
            said.again(found.address, rule.role, slot.text)

    def _growing(self, channel: str, slot: Slot, closes: list[str]) -> Delta | None:
        """The next piece of a text that is told from its beginning each time."""
        anew, before = self._grown.get(channel, (0, ""))
        if not slot.text.startswith(before):
            if anew >= MAX_ANEW:
                return None
            closes.append(_anew(channel, anew))
            self._open.pop(_anew(channel, anew), None)
            anew, before = anew + 1, ""
        self._grown[channel] = (anew, slot.text)
        name = _anew(channel, anew)
        self._open[name] = None
        return Delta(channel=name, slot=slot, known=len(before))

    def _completed(self, document: dict[str, object]) -> dict[str, object]:
        """The event with what it leaves out, because the one before had it."""
        for key in self._plan.sticky:
            if key in document:
                self._sticky[key] = document[key]
        return {**self._sticky, **document}

    def _bare(self, data: bytes) -> EventView:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return EventView()
        self._open["text"] = None
        return delta_view((text_delta("text", new_slot(_BARE, Role.ASSISTANT, text)),))

    def _ended(self) -> EventView:
        return EventView(final=True, closes=self._closed())

    def _closed(self) -> tuple[str, ...]:
        closed = tuple(self._open)
        self._open.clear()
        return closed


def _all(pointers: tuple[Pointer, ...]) -> tuple[Find, ...]:
    return tuple(map(compiled, pointers))


def _rules(says: Iterable[Says], event: str) -> tuple[_Rule, ...]:
    return tuple(_Rule(each) for each in says if not each.events or event in each.events)


def _anew(channel: str, times: int) -> str:
    return f"{channel}~{times}" if times else channel


def _strings(document: object) -> tuple[Slot, ...]:
    found = Collector()
    found.outer = ((),)
    found.leaves((), Role.ASSISTANT, document)
    return tuple(found.slots)


def _first(pointers: tuple[Find, ...], document: object) -> str:
    for find in pointers:
        for each in find(document):
            if text := text_of(each.value):
                return text
    return ""


def _number(pointers: tuple[Find, ...], document: object) -> int | None:
    for find in pointers:
        for each in find(document):
            if (number := integer(each.value)) is not None:
                return number
    return None
