"""Gemini's page: the dialects `gemini-web` (questions and answers) and `gemini-rpc` (the instructions of a Gem).

Owns the places of texts in arrays that have no names. Known places are read as what they are; of all others, every
string with white space in it is taken for a text: ids, tokens and addresses have none. Each chunk of an answer says
all of the text so far.
Source: public clients and what their tests recorded (2023 to 2026); Google has not described it. What the page shows of
an answer that we made has not been seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import NAMESPACE_URL, uuid5

import orjson

from agent.dialects import batches, counting
from agent.dialects.base import Block, Delta, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.batches import BatchFraming
from agent.dialects.framing import Framing
from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import parse
from agent.dialects.moulds import new_slot
from agent.dialects.replies import json_reply
from agent.dialects.shapes import holds_prose, string
from agent.dialects.slots import Collector
from agent.dialects.snapshots import Snapshots
from agent.errors import ContentError
from agent.model.content import Attachment, Edit, Path, Role, Slot, Usage
from agent.model.conversation import TokenCount

_QUESTION: Path = (1,)  # in `f.req`: the text that holds the question
_PROMPT: Path = (0, 0)
_FILES: Path = (0, 3)
_IDS: Path = (2,)  # of conversation, answer and candidate
_CANDIDATES = 4
_SAID: Path = (1, 0)  # in a candidate
_THOUGHT: Path = (37, 0, 0)
_LOOSE = ("\n```", "\n    ")
"""What the service puts behind code that is not finished, and takes back."""
_INSTRUCTIONS = frozenset({"oMH3Zd", "kHv0Vd"})  # make a Gem, change one
_CALL = 3  # steps to the arguments of a call: the batch, the call, its text


class GeminiWeb:
    """The dialect `gemini-web`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "gemini-web"

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return BatchFraming.content_type

    @property
    def reads_query(self) -> bool:
        """A question has a body."""
        return False

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Framing] | None:
        """What cuts an answer of that media type into chunks."""
        del request
        return self.framing if kind == self.stream_type else None

    def framing(self) -> Framing:
        """What cuts one of its streams into chunks."""
        return BatchFraming()

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The prompt, and other texts that go with it. Raises ContentError, also where the prompt is not at its
        place."""
        del head
        outer = batches.question(body)
        inner = parse(string(_at(outer, _QUESTION)))
        prompt = _at(inner, _PROMPT)
        if not isinstance(prompt, str):
            raise ContentError("a question to Gemini holds no prompt where its format has it")
        found = Collector()
        found.text(batches.flat(_QUESTION, _PROMPT), Role.USER, prompt)
        for place, text in _prose(inner):
            if place != _PROMPT and place[: len(_FILES)] != _FILES:
                found.text(batches.flat(_QUESTION, place), Role.USER, text)
        files = tuple(_files(_at(inner, _FILES)))
        return ParsedRequest(
            stream=True,
            slots=tuple(found.slots),
            attachments=tuple(Attachment(kind="file", name=name) for _, name in files),
            conversation=string(_at(inner, (*_IDS, 0))),
            files=tuple(file for file, _ in files),
        )

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return batches.edit_question(body, edits, depth=len(_QUESTION))

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """An answer that is no batch: an error. Raises ContentError."""
        document = parse(body)
        if not isinstance(document, (dict, list)):
            raise ContentError("the answer is JSON but neither object nor array")
        found = Collector()
        if isinstance(document, dict):
            found.prose((), Role.ASSISTANT, document)
        else:
            for place, text in _prose(document):
                found.text(place, Role.ASSISTANT, text)
        return ParsedAnswer(slots=tuple(found.slots))

    def edit_answer(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edit(body, edits)

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """One chunk with the edits made."""
        return edit(data, batches.nested(edits, depth=batches.PART))

    def count(self, usage: Usage) -> TokenCount:
        """No answer says what it used."""
        return counting.inclusive(usage)

    def stream_reader(self, request: ParsedRequest) -> GeminiWebReader:
        """A reader for the chunks that answer `request`."""
        return GeminiWebReader(request.conversation)

    def block(self, message: str) -> Block:
        """A batch whose only answer is the message: of an error the page shows words of its own."""
        return self.block_in(message, ParsedRequest())

    def block_in(self, message: str, request: ParsedRequest) -> Block:
        """The same in the conversation that asked."""
        body = batches.PREFIX + b"\n\n" + _Ending(request.conversation).say(message)
        return Block(
            status=200,
            headers=(
                (b"content-type", b"application/json; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
            ),
            body=body,
        )

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return json_reply(status, {"error": {"code": status, "message": message}})


class GeminiRpc(GeminiWeb):
    """The dialect `gemini-rpc`: calls of all kinds, of which those that write a Gem's instructions are read."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "gemini-rpc"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The instructions of a Gem, its name and description. Raises ContentError."""
        del head
        calls = _at(batches.question(body), (0,))
        if not isinstance(calls, list):
            raise ContentError("a batch of calls to Gemini is no array")
        found = Collector()
        for index, call in enumerate(calls):
            if _at(call, (0,)) in _INSTRUCTIONS:
                for place, text in _strings(parse(string(_at(call, (1,))))):
                    found.text(batches.flat((0, index, 1), place), Role.USER, text)
        return ParsedRequest(slots=tuple(found.slots), wordless=not found.slots)

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return batches.edit_question(body, edits, depth=_CALL)

    def stream_reader(self, request: ParsedRequest) -> GeminiWebReader:
        """A reader that takes nothing for an answer: a call's result is what the page has stored before."""
        return GeminiWebReader(request.conversation, answers=False)

    def block_in(self, message: str, request: ParsedRequest) -> Block:
        """HTTP 403: a call has no place for words."""
        del request
        return self.error(403, message)


class _Ending:
    """Says the last words of an answer, under the ids by which the page knows it."""

    __slots__ = ("answer", "candidate", "chunks", "conversation")

    def __init__(self, conversation: str) -> None:
        self.conversation = conversation
        self.answer = self.candidate = ""
        self.chunks = 0

    def say(self, message: str) -> bytes:
        """Two chunks: the text as a whole, and the end."""
        name = uuid5(NAMESPACE_URL, f"drawbridge:{self.conversation}:{message}").hex[:16]
        ids = [self.conversation or f"c_{name}", self.answer or f"r_{name}"]
        inner = [None, ids, None, None, [[self.candidate or f"rc_{name}", [message]]]]
        part = ["wrb.fr", None, orjson.dumps(inner).decode()]
        end = ["e", self.chunks + 2, None, None, 0]
        return batches.chunk(orjson.dumps([part])) + batches.chunk(orjson.dumps([end]))


class GeminiWebReader:
    """Reads the chunks of one answer."""

    def __init__(self, conversation: str = "", *, answers: bool = True) -> None:
        self._answers = answers
        self._snapshots = Snapshots()
        self._ending = _Ending(conversation)

    def read(self, event: str, data: bytes) -> EventView:
        """What the chunk means; an empty view where it is none."""
        del event
        if not data:
            return EventView(keepalive=True)
        self._ending.chunks += 1
        whole = data[:1] not in (b"\n", b"\r")  # no chunk, whose text begins with a line end: all that came
        try:
            parts = _loaded(data)
        except ContentError:
            return _unread(data) if whole else EventView()
        found = _Found(self._snapshots)
        final = whole
        if isinstance(parts, dict):
            found.error(parts)
        for index, part in enumerate(parts if isinstance(parts, list) else []):
            match part:
                case ["wrb.fr", _, str(text), *_] if self._answers:
                    self._part((index, 2), text, found)
                case ["e", *_]:
                    final = True
        if final:
            found.closes += self._snapshots.close()
        return EventView(
            deltas=tuple(found.deltas), closes=tuple(found.closes), repeats=tuple(found.repeats), final=final
        )

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """The answer with the message for its text, and the end: each chunk says the text as a whole."""
        del in_step
        return self._ending.say(message)

    def _part(self, place: Path, text: str, found: _Found) -> None:
        try:
            inner = _loaded(text)
        except ContentError:
            found.whole(place, text)
            return
        ids = _at(inner, (1,))
        ending = self._ending
        ending.conversation = string(_at(ids, (0,))) or ending.conversation
        ending.answer = string(_at(ids, (1,))) or ending.answer
        known: set[Path] = set()
        candidates = _at(inner, (_CANDIDATES,))
        for index, candidate in enumerate(candidates if isinstance(candidates, list) else []):
            name = string(_at(candidate, (0,)))
            ending.candidate = ending.candidate or name
            for where in (_SAID, _THOUGHT):
                said = _at(candidate, where)
                if isinstance(said, str):
                    inside = (_CANDIDATES, index, *where)
                    known.add(inside)
                    found.snapshot((name or index, *where), batches.flat(place, inside), said)
        for inside, other in _prose(inner):
            if inside not in known:
                found.whole(batches.flat(place, inside), other)


class _Found:
    """What was found in one chunk."""

    __slots__ = ("_snapshots", "closes", "deltas", "repeats")

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self.deltas: list[Delta] = []
        self.closes: list[str] = []
        self.repeats: list[Slot] = []

    def snapshot(self, key: Path, place: Path, text: str) -> None:
        """A text that grows from chunk to chunk."""
        delta, closed = self._snapshots.take(key, new_slot((place,), Role.ASSISTANT, text), loose=_LOOSE)
        self.deltas += [delta] if delta is not None else []
        self.closes += closed

    def error(self, document: dict[str, object]) -> None:
        """What comes instead of a batch."""
        collector = Collector()
        collector.prose((), Role.ASSISTANT, document)
        self.repeats += collector.slots

    def whole(self, place: Path, text: str) -> None:
        """A text beside the answer."""
        collector = Collector()
        collector.text(place, Role.ASSISTANT, text)
        self.repeats += collector.slots


def _loaded(document: bytes | str) -> object:
    """The value of a JSON document. Raises ContentError."""
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError:
        return parse(document)  # which reads halves of surrogate pairs, too


def _at(value: object, path: Path) -> object:
    """What stands there in nested arrays; None where nothing does."""
    for step in path:
        if not isinstance(value, list) or not isinstance(step, int) or step >= len(value):
            return None
        value = value[step]
    return value


def _strings(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case list():
            for index, item in enumerate(value):
                yield from _strings(item, (*path, index))
        case dict():
            for key, item in value.items():
                yield from _strings(item, (*path, key))


def _prose(value: object) -> Iterator[tuple[Path, str]]:
    """The strings that hold white space between words."""
    return ((path, text) for path, text in _strings(value) if holds_prose(text))


def _files(value: object) -> Iterator[tuple[str, str]]:
    """The ids of uploaded files, and their names."""
    for entry in value if isinstance(value, list) else []:
        file, name = _at(entry, (0, 0)), _at(entry, (1,))
        if isinstance(file, str):
            yield file, string(name)


def _unread(data: bytes) -> EventView:
    """An answer that is no JSON, judged as one text."""
    text = data.decode("utf-8", "replace")
    return EventView(repeats=(Slot(address=((),), role=Role.ASSISTANT, text=text),), final=True)
