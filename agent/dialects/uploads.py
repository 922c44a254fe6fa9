"""Uploads: files that travel apart from the prompts which use them, in forms, as base64 in JSON, or as they are.

One family of dialects, which differ in how they say no. What an upload's answer means is data of the catalog
(`file_id`, `upload_url`), read with `pointed`. A body that is none of the three forms is taken for a file as a whole:
it is looked at, not passed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from xml.sax.saxutils import escape

import orjson

from agent.dialects import counting
from agent.dialects.anthropic_messages import AnthropicMessages
from agent.dialects.base import Block, EventView, ParsedAnswer, ParsedRequest, RequestHead, Voice
from agent.dialects.gemini_generate import GeminiGenerate
from agent.dialects.jsonedits import edit
from agent.dialects.multipart import edit_form, is_form, read_form
from agent.dialects.openai_chat import OpenAIChat
from agent.dialects.replies import JsonEdits, json_reply
from agent.dialects.shapes import integer, json_object, mapping, string
from agent.dialects.slots import Collector
from agent.errors import ContentError
from agent.model.content import Attachment, Coding, Edit, Held, Path, Role, Usage
from agent.model.conversation import TokenCount

_NAMES = ("file_name", "fileName", "filename", "display_name", "displayName", "name")
_TYPES = ("mime_type", "mimeType", "fileMimeType", "content_type", "contentType", "file_type")
_SIZES = ("bytes", "file_size", "fileSize", "size_bytes", "sizeBytes", "size")
_CONTENTS = ("content", "contents", "file_data", "fileData", "base64", "data")


_SHORT = 16  # characters that are no file


class Form(StrEnum):
    """How a body holds a file."""

    TOLD = "told"  # as its content type says: a form or JSON; anything else is the file
    WHOLE = "whole"  # it is the file, whatever its content type says


class Upload(JsonEdits):
    """One dialect of uploads. `about` is what earlier requests of the same upload said of the file."""

    __slots__ = ("_about", "_form", "_name", "_sealed", "_voice")

    def __init__(
        self,
        name: str,
        voice: Voice,
        *,
        form: Callable[[RequestHead], Form] = lambda _: Form.TOLD,
        about: Attachment | None = None,
        sealed: bool = False,
    ) -> None:
        self._name = name
        self._voice = voice
        self._form = form
        self._about = about
        self._sealed = sealed

    def of(self, about: Attachment | None, *, sealed: bool, whole: bool = False) -> Upload:
        """The same for one upload. `sealed`: other bytes would be refused; `whole`: the body is the file."""
        form = (lambda _: Form.WHOLE) if whole else self._form
        return Upload(self._name, self._voice, form=form, about=about, sealed=sealed)

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return self._name

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The files of the body, and the texts beside them. Raises ContentError."""
        if self._about is not None and self._about.problem:  # not to be had here: only known of
            return ParsedRequest(attachments=(self._about,))
        if self._form(head) is Form.WHOLE:
            return self._as_file(head, body)
        if is_form(body):
            try:
                return self._known(read_form(head, body, many=True))
            except ContentError:  # read differently by others
                return self._as_file(head, body)
        if _is_json(head) or (not head.content_type and body.startswith(b"{")):
            return self._known(_read_json(body))
        return self._as_file(head, body)

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edit_form(body, edits) if is_form(body) else edit(body, edits)

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Nothing a model said."""
        del body
        return ParsedAnswer()

    def count(self, usage: Usage) -> TokenCount:
        """No model was asked."""
        return counting.inclusive(usage)

    def stream_reader(self, request: ParsedRequest) -> NothingSaid:
        """A reader of a stream in which no model speaks."""
        del request
        return NothingSaid(self._voice)

    def block(self, message: str) -> Block:
        """The refusal of an upload."""
        return self._voice.block(message)

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return self._voice.error(status, message)

    def _as_file(self, head: RequestHead, body: bytes) -> ParsedRequest:
        known = self._about or Attachment(kind="file")
        declared = head.content_type.partition(";")[0].strip().lower()
        held = Held(coding=Coding.BODY, sealed=self._sealed)
        file = replace(known, media_type=known.media_type or declared, size=len(body), held=held)
        return ParsedRequest(attachments=(file,))

    def _known(self, request: ParsedRequest) -> ParsedRequest:
        """What the request does not say of its file, as an earlier one said it."""
        about, listed = self._about, request.attachments
        if about is not None and len(listed) == 1:
            listed = (
                replace(
                    listed[0],
                    name=listed[0].name or about.name,
                    media_type=listed[0].media_type or about.media_type,
                ),
            )
        if self._sealed:  # what stands beside the file is a store's own, signed like its address
            request = replace(request, slots=())
            listed = tuple(
                each if each.held is None else replace(each, held=replace(each.held, sealed=True))
                for each in listed
            )
        return replace(request, attachments=listed)


class NothingSaid:
    """Reads a stream that is no model's. Implements `StreamReader`."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def read(self, event: str, data: bytes) -> EventView:
        """Nothing."""
        del event, data
        return EventView()

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """The refusal, as it is."""
        del in_step
        return self._voice.block(message).body


class DetailVoice:
    """Says no as web pages' own back ends do: `{"detail": …}`."""

    def block(self, message: str) -> Block:
        """HTTP 400, which no page tries again."""
        return self.error(400, message)

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return json_reply(status, {"detail": message})


class GoogleVoice:
    """Says no as Google's APIs do. Without its last header clients take an upload for unanswered and send it again."""

    def __init__(self) -> None:
        self._voice = GeminiGenerate()

    def block(self, message: str) -> Block:
        """HTTP 400 `INVALID_ARGUMENT`, and no upload is left to go on with."""
        return self._ended(self._voice.block(message))

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        return self._ended(self._voice.error(status, message))

    @staticmethod
    def _ended(block: Block) -> Block:
        return replace(block, headers=(*block.headers, (b"x-goog-upload-status", b"final")))


class StorageVoice:
    """Says no as object stores do, in XML. Pages ask them across origins: without leave they are shown nothing."""

    def block(self, message: str) -> Block:
        """HTTP 403."""
        return self.error(403, message)

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy."""
        code = "AccessDenied" if status == 403 else "InternalError" if status >= 500 else "InvalidRequest"
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        ).encode("utf-8", "replace")
        return Block(
            status=status,
            headers=(
                (b"content-type", b"application/xml"),
                (b"content-length", str(len(body)).encode()),
                (b"access-control-allow-origin", b"*"),
            ),
            body=body,
        )


def pointed(body: bytes, pointer: str) -> str:
    """The text at a JSON Pointer (RFC 6901) of an answer, `text` for all of it; empty where there is none."""
    if pointer == "text":
        text = body[:4096].decode("utf-8", "replace").strip()
        return text if text.isprintable() else ""
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    for step in pointer.removeprefix("/").split("/"):
        value = mapping(value).get(step)
    return string(value)


def _google(head: RequestHead) -> Form:
    """An address with an upload's id takes the bytes, the one without it says that they will come."""
    return Form.WHOLE if "upload_id=" in head.query else Form.TOLD


def _read_json(body: bytes) -> ParsedRequest:
    document = json_object(body)
    found = Collector()
    places: list[tuple[Path, dict[str, object]]] = [((), document)]
    if isinstance(inner := document.get("file"), dict):
        places.append((("file",), inner))
    for path, fields in places:
        name = _first(fields, _NAMES)
        held = data = None
        for key in _CONTENTS:
            if isinstance(value := fields.get(key), str) and len(value) > _SHORT:
                held, data = Held(coding=Coding.BASE64, path=(*path, key)), value
                break
        declared = _first(fields, _TYPES)
        size = next((each for key in _SIZES if (each := integer(fields.get(key))) is not None), None)
        if not name and not declared and held is None and size is None:
            continue
        found.attach("file", media_type=declared, data=data, name=name, held=held)
        if held is None and size is not None:
            found.attachments[-1] = replace(found.attachments[-1], size=size)
    files = {each.held.path for each in found.attachments if each.held is not None}
    for key, value in document.items():
        if (key,) not in files and key != "file":
            found.leaves((key,), Role.USER, value)
    return ParsedRequest(slots=tuple(found.slots), attachments=tuple(found.attachments))


def _first(fields: dict[str, object], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := string(fields.get(name)))), "")


def _is_json(head: RequestHead) -> bool:
    declared = head.content_type.partition(";")[0].strip().lower()
    return declared == "application/json" or declared.endswith("+json")


def upload_dialects() -> tuple[Upload, ...]:
    """All of them."""
    return (
        Upload("upload-openai", OpenAIChat()),
        Upload("upload-anthropic", AnthropicMessages()),
        Upload("upload-google", GoogleVoice(), form=_google),
        Upload("upload-detail", DetailVoice()),
        Upload("upload-storage", StorageVoice(), form=_stored),
    )


def _stored(head: RequestHead) -> Form:
    """A store takes files by PUT as they are, and by POST in forms."""
    return Form.TOLD if head.method == "POST" else Form.WHOLE
