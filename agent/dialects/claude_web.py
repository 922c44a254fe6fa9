"""Claude's page and desktop app: the dialect `claude-web`.

A question carries the newest prompt, the text that was taken out of documents, and ids of other files; the service
keeps the conversation, whose id stands in the path. Answers are the Messages API's stream with events of the page's
own, or, from older servers, `completion` events.
Source: public clients of the page, recorded traffic of the desktop app (2024 to 2026); the maker has not described it.
"""

from __future__ import annotations

import orjson

from agent.dialects.anthropic_messages import AnthropicMessages, AnthropicReader
from agent.dialects.base import Block, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.moulds import delta_view, new_slot, text_delta
from agent.dialects.shapes import holds_prose, integer, json_object, mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.errors import ContentError
from agent.model.content import Address, Attachment, Role

_CONVERSATIONS = "/chat_conversations/"
_TITLED = ("message_content", "message", "recent_titles")  # in a request for a title
_COMPLETION: Address = (("completion",),)
_THINKING: Address = (("delta", "thinking"),)


class ClaudeWeb(AnthropicMessages):
    """The dialect `claude-web`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "claude-web"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The prompt, the documents' texts, styles, tools; or what a title is to be made of. Raises ContentError, also
        where there is no prompt at its place."""
        document = json_object(body)
        found = Collector()
        files: list[str] = []
        for key, value in document.items():
            if key in ("files", "files_v2"):
                files += _files(value)
            else:
                _read_field(found, key, value)
        if found.slots and not isinstance(document.get("prompt"), str) and not _is_for_title(document):
            raise ContentError("a question to Claude holds no prompt where its format has it")
        return ParsedRequest(
            model=string(document.get("model"))
            or string(mapping(document.get("create_conversation_params")).get("model")),
            stream=True,
            slots=tuple(found.slots),
            attachments=(*found.attachments, *(Attachment(kind="file", name=file) for file in files)),
            conversation=_conversation(head.path),
            files=tuple(files),
            wordless=document.get("prompt") == "" and not holds_prose(document),  # asked for once more
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """A title, an error, or an answer that did not stream. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        found.prose((), Role.ASSISTANT, document)
        found.text(("completion",), Role.ASSISTANT, document.get("completion"))
        return ParsedAnswer(
            slots=tuple(found.slots),
            model=string(document.get("model")),
            finish_reason=string(document.get("stop_reason")),
        )

    def stream_reader(self, request: ParsedRequest) -> ClaudeWebReader:
        """A reader for the events that answer `request`."""
        return ClaudeWebReader()

    def block(self, message: str) -> Block:
        """HTTP 403 `permission_error`: as the service itself says that a company's network forbids something."""
        return self.error(403, message)


class ClaudeWebReader(AnthropicReader):
    """Reads the Messages API's events as the page gets them. What Claude thinks is shown there and never sent back: it
    is read like any text."""

    __slots__ = ("_old",)

    def __init__(self) -> None:
        super().__init__()
        self._old = False

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """See `AnthropicReader`; where the stream is of the old kind, a last event of that kind."""
        if not self._old:
            return super().block(message, in_step=in_step)
        last = {"type": "completion", "completion": f"\n\n{message}", "stop_reason": "stop_sequence"}
        return encode("completion", orjson.dumps(last))

    def _read_frame(self, kind: object, document: dict[str, object]) -> EventView:
        if kind == "completion":
            return self._read_completion(document)
        view = super()._read_frame(kind, document)
        if view == EventView() and not str(kind).startswith("content_block"):
            found = Collector()
            found.prose((), Role.ASSISTANT, document)
            return EventView(repeats=tuple(found.slots))
        return view

    def _read_completion(self, document: dict[str, object]) -> EventView:
        self._old = True
        text, reason = string(document.get("completion")), string(document.get("stop_reason"))
        piece = text_delta("completion", new_slot(_COMPLETION, Role.ASSISTANT, text))
        return EventView(
            deltas=(piece,) if text else (),
            closes=("completion",) if reason else (),
            model=string(document.get("model")),
            finish_reason=reason,
            final=bool(reason),
        )

    def _read_delta(self, index: int | None, delta: object) -> EventView:
        thought = delta.get("thinking") if isinstance(delta, dict) else None
        if isinstance(thought, str) and thought:
            slot = new_slot(_THINKING, Role.ASSISTANT, thought)
            return delta_view((text_delta(self._channel(index, "thinking"), slot),))
        return super()._read_delta(index, delta)


def _read_field(found: Collector, key: str, value: object) -> None:
    match key:
        case "prompt":
            found.text((key,), Role.USER, value)
        case "attachments":
            _read_attachments(found, value)
        case "personalized_styles":
            for index, style in objects(value):
                for field in ("prompt", "summary", "name"):
                    found.text((key, index, field), Role.SYSTEM, style.get(field))
        case "custom_system_prompt" | "system_prompt":
            found.text((key,), Role.SYSTEM, value)
        case "tools":
            found.schema((key,), value)
        case _ if key == "sync_sources" or key in _TITLED:
            found.leaves((key,), Role.USER, value)


def _read_attachments(found: Collector, value: object) -> None:
    for index, attachment in objects(value):
        found.text(
            ("attachments", index, "extracted_content"), Role.USER, attachment.get("extracted_content")
        )
        found.attachments.append(
            Attachment(
                kind="document",
                media_type=string(attachment.get("file_type")),
                size=integer(attachment.get("file_size")),
                name=string(attachment.get("file_name")),
            )
        )


def _files(value: object) -> list[str]:
    """The ids of files that were uploaded before."""
    found = []
    for each in value if isinstance(value, list) else []:
        name = each if isinstance(each, str) else string(mapping(each).get("file_uuid"))
        if name:
            found.append(name)
    return found


def _is_for_title(document: dict[str, object]) -> bool:
    return any(key in document for key in _TITLED)


def _conversation(path: str) -> str:
    """`/api/organizations/{id}/chat_conversations/{id}/completion`."""
    return path.partition(_CONVERSATIONS)[2].partition("/")[0]
