"""Uploads to OpenAI's files (`/v1/files`) and parts of large ones (`/v1/uploads/{id}/parts`).

A batch is a file of requests, one to a line, and material for fine-tuning a file of conversations: both are read line
by line, as the requests they are, and edited in place. Other files are attachments. Source: the OpenAI API reference,
"Files", "Batch" and "Fine-tuning".
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from agent.dialects.base import ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.jsonlines import edit_lines, lines_of
from agent.dialects.multipart import Part, edit_form, is_form, parts_of, read_form, spliced
from agent.dialects.openai_chat import OpenAIChat, OpenAIChatReader
from agent.dialects.openai_responses import OpenAIResponses
from agent.dialects.replies import OpenAIReplies
from agent.dialects.shapes import json_object, string
from agent.dialects.slots import Collector
from agent.errors import ContentError
from agent.model.content import Edit, Path, Role, Slot

_READABLE = frozenset(("batch", "fine-tune", "evals"))
"""Purposes whose files are JSON Lines."""
_LINE = "\x00line"  # in an address: what follows is the number of a line of a part
_CHAT, _RESPONSES = OpenAIChat(), OpenAIResponses()


class OpenAIFiles(OpenAIReplies):
    """The dialect `openai-files`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "openai-files"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The texts of the requests in the file, where its purpose says that it holds such. Raises ContentError."""
        if not is_form(body):
            return self._plain(body)
        parsed = read_form(head, body)
        purpose = next((slot.text for slot in parsed.slots if slot.address[0][0] == "purpose"), "")
        slots = tuple(slot for slot in parsed.slots if slot.address[0][0] != "purpose")
        models: dict[str, None] = {}
        for place, part in enumerate(parts_of(body)):
            if part.filename is not None and purpose in _READABLE:
                slots += _read_lines(body, part, place, models)
        if len(models) > 1:
            raise ContentError("a batch that asks several models")
        return replace(parsed, operation="files", model=next(iter(models), ""), slots=slots)

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """The form with edits made in its fields, and in the lines of its files."""
        if not is_form(body):
            return super().edit_request(body, edits)
        inside: dict[int, list[tuple[int, Edit]]] = {}
        for one in edits:
            if one.address[0][:1] == (_LINE,):
                _, place, number, *path = one.address[0]
                there = replace(one, address=(tuple(path), *one.address[1:]))
                inside.setdefault(int(place), []).append((int(number), there))
        fields = tuple(one for one in edits if one.address[0][:1] != (_LINE,))
        parts = parts_of(body)
        changed = {
            place: edit_lines(body[parts[place].start : parts[place].end], ones)
            for place, ones in inside.items()
        }
        body = spliced(body, changed)
        return edit_form(body, fields) if fields else body

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """The facts of a file are no text. Raises ContentError."""
        json_object(body)
        return ParsedAnswer()

    def stream_reader(self, request: ParsedRequest) -> OpenAIChatReader:
        """There are no streams here."""
        return _CHAT.stream_reader(request)

    def _plain(self, body: bytes) -> ParsedRequest:
        """The announcement of a large upload: its name, size and purpose."""
        document = json_object(body)
        found = Collector()
        if "filename" in document:
            found.attach("file", media_type=document.get("mime_type"), name=document.get("filename"))
        return ParsedRequest(operation="files", attachments=tuple(found.attachments))


def _read_lines(body: bytes, part: Part, place: int, models: dict[str, None]) -> tuple[Slot, ...]:
    found: list[Slot] = []
    for number, line in lines_of(body[part.start : part.end]):
        document = json_object(line)
        asked = document.get("body")
        path: Path = (_LINE, place, number)
        if isinstance(asked, dict):  # one request of a batch
            url = string(document.get("url"))
            dialect = _RESPONSES if url.rstrip("/").endswith("/responses") else _CHAT
            parsed = dialect.parse_request(RequestHead(method="POST", path=url), orjson.dumps(asked))
        else:
            parsed = _CHAT.parse_request(RequestHead(method="POST", path=""), line)
        if parsed.model:
            models[parsed.model] = None
        at = (*path, "body") if isinstance(asked, dict) else path
        found += (_below(at, slot) for slot in parsed.slots)
        found += _material(path, document)
    return tuple(found)


def _material(path: Path, document: dict[str, object]) -> list[Slot]:
    """Texts that no request has: completions to learn from, preferences, items to grade."""
    found = Collector()
    for key in ("completion", "item"):
        found.leaves((*path, key), Role.ASSISTANT, document.get(key))
    for key in ("preferred_output", "non_preferred_output"):
        found.prose((*path, key), Role.ASSISTANT, document.get(key))
    return found.slots


def _below(path: Path, slot: Slot) -> Slot:
    first, *deeper = slot.address
    return replace(slot, address=((*path, *first), *deeper))
