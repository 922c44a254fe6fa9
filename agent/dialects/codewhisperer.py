"""What Kiro and Amazon Q Developer ask their service: one state of a conversation in, Amazon's event stream out.

Several operations share the path `/`; the header X-Amz-Target tells them apart. Those that ask no model (limits, lists,
telemetry) are no requests of this format, and pass. Nothing of it is documented: the fields are those of the generated
client in Amazon's own Q CLI (`amzn-codewhisperer-streaming-client`) and of proxies that speak it (kiro-tap, 9router).
"""

from __future__ import annotations

import orjson

from agent.dialects import counting
from agent.dialects.base import Block, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.eventstream import exception
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.replies import AmazonReplies, json_reply
from agent.dialects.shapes import json_object, mapping, objects, string
from agent.dialects.slots import Collector
from agent.model.content import Address, Path, Role, Usage
from agent.model.conversation import TokenCount

_ASKING = frozenset(
    (
        "generateassistantresponse",
        "sendmessage",
        "sendmessagestreaming",
        "generatecompletions",
        "generaterecommendations",
        "generatetaskassistplan",
        "starttransformation",
    )
)
"""Operations that send text to a model, in lower case."""
_CONTENT: Address = (("content",),)
_INPUT: Address = (("input",),)
_REASONING: Address = (("text",),)
_NO_TEXT = frozenset(("programmingLanguage", "languageName", "conversationId", "utteranceId", "profileArn"))


class CodeWhisperer(AmazonReplies):
    """The dialect `aws-codewhisperer`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "aws-codewhisperer"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """The current message, the history, tools and their results; or the code around a cursor. Raises
        ContentError."""
        operation = (head.action.rpartition(".")[2] or head.path.strip("/")).lower()
        if operation not in _ASKING and head.path == "/" and head.action:
            return ParsedRequest(operation="control", asks=False)
        document = json_object(body)
        found = Collector()
        state = mapping(document.get("conversationState"))
        model = string(document.get("modelId"))
        for key, value in state.items():
            if key == "currentMessage":
                model = _read_message(found, ("conversationState", key), value) or model
            elif key == "history":
                for index, message in objects(value):
                    _read_message(found, ("conversationState", key, index), message)
        for key in ("fileContext", "supplementalContexts", "editorState"):
            _read_code(found, (key,), document.get(key))
        return ParsedRequest(
            model=model,
            stream=bool(state),
            operation="chat" if state else "completions",
            conversation=string(state.get("conversationId")),
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Completions of code, or a message that came whole. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        found.prose((), Role.ASSISTANT, document)
        for key in ("completions", "recommendations"):
            for index, made in objects(document.get(key)):
                found.text((key, index, "content"), Role.ASSISTANT, made.get("content"))
        slots = {slot.address: slot for slot in found.slots}
        return ParsedAnswer(slots=tuple(slots.values()))

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised: it reports none."""
        return counting.inclusive(usage)

    def stream_reader(self, request: ParsedRequest) -> CodeWhispererReader:
        """A reader for the events that answer `request`."""
        return CodeWhispererReader()

    def block(self, message: str) -> Block:
        """A ValidationException by its name in the header and, as this protocol has it, in the body."""
        document: dict[str, object] = {"__type": "ValidationException", "message": message}
        return json_reply(400, document, (b"x-amzn-errortype", b"ValidationException"))


class CodeWhispererReader:
    """Reads `assistantResponseEvent`, `toolUseEvent` and the other events."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[str] = []

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        if not data and not event.endswith("Exception"):
            return EventView(keepalive=True)
        try:
            document = mapping(orjson.loads(data or b"{}"))
        except orjson.JSONDecodeError:
            return EventView()
        match event:
            case "assistantResponseEvent" | "codeEvent":
                return self._text("content", _CONTENT, document.get("content"))
            case "reasoningContentEvent":
                return self._text("reasoning", _REASONING, document.get("text"))
            case "toolUseEvent":
                return self._call(document)
            case _ if event.endswith("Exception"):
                closes, self._open = tuple(self._open), []
                return EventView(final=True, closes=closes, finish_reason="error")
        found = Collector()
        found.prose((), Role.ASSISTANT, document)
        return EventView(repeats=tuple(found.slots))

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """An exception."""
        del in_step
        return exception("validationException", orjson.dumps({"message": message}))

    def _text(self, channel: str, address: Address, text: object) -> EventView:
        if not isinstance(text, str) or not text:
            return EventView()
        return delta_view((text_delta(self._begin(channel), new_slot(address, Role.ASSISTANT, text)),))

    def _call(self, document: dict[str, object]) -> EventView:
        """A piece of a call's arguments; some versions send the arguments whole."""
        tool = string(document.get("name"))
        channel = f"call/{string(document.get('toolUseId'))}"
        given = document.get("input")
        closes = (channel,) if document.get("stop") is True else ()
        if isinstance(given, str) and given:
            delta = json_delta(self._begin(channel), new_slot(_INPUT, Role.TOOL_CALL, given, tool))
            return EventView(deltas=(delta,), closes=closes)
        found = Collector()
        found.call(("input",), tool, given)
        return EventView(repeats=tuple(found.slots), closes=closes)

    def _begin(self, channel: str) -> str:
        if channel not in self._open:
            self._open.append(channel)
        return channel


def _read_message(found: Collector, path: Path, value: object) -> str:
    """One message of a user or of the model; returns the model that it names."""
    model = ""
    for key, content in mapping(value).items():
        message = mapping(content)
        if key == "userInputMessage":
            model = string(message.get("modelId"))
            _read_asked(found, (*path, key), message)
        elif key == "assistantResponseMessage":
            found.text((*path, key, "content"), Role.ASSISTANT, message.get("content"))
            for index, call in objects(message.get("toolUses")):
                found.call((*path, key, "toolUses", index, "input"), call.get("name"), call.get("input"))
    return model


def _read_asked(found: Collector, path: Path, message: dict[str, object]) -> None:
    for key, value in message.items():
        match key:
            case "content":
                found.text((*path, key), Role.USER, value)
            case "images":
                for _, image in objects(value):
                    source = mapping(image.get("source"))
                    found.attach("image", media_type=f"image/{image.get('format')}", data=source.get("bytes"))
            case "userInputMessageContext":
                _read_context(found, (*path, key), mapping(value))


def _read_context(found: Collector, path: Path, context: dict[str, object]) -> None:
    for key, value in context.items():
        match key:
            case "tools":
                found.schema((*path, key), value)
            case "toolResults":
                for index, result in objects(value):
                    found.leaves((*path, key, index, "content"), Role.TOOL_RESULT, result.get("content"))
            case "envState":  # what the system is, and the names of variables
                found.leaves((*path, key), Role.SYSTEM, value)
            case _:  # state of the editor, of the shell, of git
                _read_code(found, (*path, key), value)


def _read_code(found: Collector, path: Path, value: object) -> None:
    """Documents and code, by any field but those that only name things."""
    match value:
        case dict():
            for key, item in value.items():
                if key not in _NO_TEXT:
                    _read_code(found, (*path, key), item)
        case list():
            for index, item in enumerate(value):
                _read_code(found, (*path, index), item)
        case _:
            found.leaves(path, Role.USER, value)
