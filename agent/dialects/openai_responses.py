"""OpenAI Responses, as Codex and the OpenAI SDK speak it.

Owns the paths of that API's items and the meaning of its stream events. Items are read by field, not by kind: each
field name has one meaning in all of them, so a kind that is not known yet is read as well as its fields are.
Source: the OpenAI API reference, "Responses" and "Streaming events", and the official SDK's types.
"""

from __future__ import annotations

import orjson

from agent.dialects.base import EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.dialects.replies import OpenAIReplies
from agent.dialects.shapes import integer, json_object, mapping, most, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sse import encode
from agent.model.content import NO_USAGE, Address, Coding, Held, Path, Role, Usage

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL_RESULT,
}
_DELTA: Address = (("delta",),)
_FIELDS = {  # what a stream event adds to, by the middle of its name: the channel's last part, and who speaks
    "output_text": ("content", Role.ASSISTANT),
    "refusal": ("refusal", Role.ASSISTANT),
    "reasoning_text": ("reasoning", Role.ASSISTANT),
    "reasoning_summary_text": ("summary", Role.ASSISTANT),
    "audio.transcript": ("transcript", Role.ASSISTANT),
    "function_call_arguments": ("arguments", Role.TOOL_CALL),
    "mcp_call_arguments": ("arguments", Role.TOOL_CALL),
    "custom_tool_call_input": ("input", Role.TOOL_CALL),
    "code_interpreter_call_code": ("code", Role.TOOL_CALL),
    "shell_call_command": ("command", Role.TOOL_CALL),
    "apply_patch_call_operation_diff": ("diff", Role.TOOL_CALL),
    "shell_call_output_content": ("output", Role.TOOL_RESULT),
}
_CALL_FIELDS = ("arguments", "input", "code", "action", "operation", "queries", "revised_prompt")
_RESULT_FIELDS = ("output", "outputs", "results", "error")
_WHOLE = ("text", "refusal", "arguments", "input", "code", "transcript", "command", "diff", "output")
_BINARY = ("audio", "image_generation_call.partial_image")  # events whose delta is base64
_ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


class OpenAIResponses(OpenAIReplies):
    """The dialect `openai-responses`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "openai-responses"

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Instructions, input items, tool definitions, prompt variables and metadata. Raises ContentError."""
        return self.parse_document(json_object(body))

    def parse_document(self, document: dict[str, object]) -> ParsedRequest:
        """The same for a document that was parsed already."""
        found = Collector()
        for key, value in document.items():
            match key:
                case "instructions":
                    _read_input(found, (key,), Role.SYSTEM, value)
                case "input" | "items":  # the latter of a conversation that the service keeps
                    _read_input(found, (key,), Role.USER, value)
                case "tools" | "text":  # `text.format` holds a JSON Schema
                    found.schema((key,), value)
                    _read_containers(found, value)
                case "prompt":
                    for name, variable in mapping(mapping(value).get("variables")).items():
                        _read_part(found, (key, "variables", name), Role.USER, variable)
                case "metadata":
                    found.leaves((key,), Role.USER, value)
        return ParsedRequest(
            model=string(document.get("model")),
            stream=document.get("stream") is True,
            max_tokens=most(document.get("max_output_tokens")),
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
            files=tuple(found.files),
        )

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Every output item. Raises ContentError."""
        document = json_object(body)
        found = Collector()
        _read_output(found, (), document)
        return ParsedAnswer(
            slots=tuple(found.slots),
            model=string(document.get("model")),
            usage=_usage(document.get("usage")),
            finish_reason=_finish_reason(document),
        )

    def stream_reader(self, request: ParsedRequest) -> OpenAIResponsesReader:
        """A reader for the events that answer `request`."""
        return OpenAIResponsesReader(request.model)


class OpenAIResponsesReader:
    """Reads `response.*` events. Remembers what a closing event of our own must repeat: id, time and number."""

    __slots__ = ("_channels", "_created_at", "_id", "_model", "_number", "_tools")

    def __init__(self, model: str) -> None:
        self._channels: dict[tuple[str, int | None, int | None], str] = {}
        self._tools: dict[int | None, str] = {}  # by place in the output: the tool that is called
        self._model = model
        self._id = "resp_blocked"
        self._created_at: int | float = 0
        self._number = -1

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means; an empty view where it is none."""
        if not data:
            return EventView(keepalive=True)
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return EventView(final=data == b"[DONE]")  # sent by compatible servers
        return self.view(event, document) if isinstance(document, dict) else EventView()

    def view(self, event: str, document: dict[str, object]) -> EventView:
        """What an event's document means."""
        kind = string(document.get("type")) or event
        number = document.get("sequence_number")
        if type(number) is int:
            self._number = number
        if kind.endswith(".delta"):
            return self._read_delta(kind[9:-6], document)
        if kind in ("keepalive", "ping", "response.heartbeat"):
            return EventView(keepalive=True)
        return self._read_whole(kind, document)

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """`response.failed` with code `invalid_prompt`, which Codex shows as it is and does not retry."""
        del in_step
        failed: dict[str, object] = {
            "type": "response.failed",
            "sequence_number": self._number + 1,
            "response": {
                "id": self._id,
                "object": "response",
                "created_at": self._created_at,
                "status": "failed",
                "error": {"code": "invalid_prompt", "message": message},
                "incomplete_details": None,
                "instructions": None,
                "metadata": {},
                "model": self._model,
                "output": [],
                "parallel_tool_calls": True,
                "temperature": None,
                "tool_choice": "auto",
                "tools": [],
                "top_p": None,
                "usage": None,
            },
        }
        return encode("response.failed", orjson.dumps(failed))

    def _read_delta(self, name: str, document: dict[str, object]) -> EventView:
        text = document.get("delta")
        if name in _BINARY:
            return EventView()
        field, role = _FIELDS.get(name, (name, Role.ASSISTANT))
        channel = self._channel(name, field, document)
        if isinstance(text, str):
            if not text:
                return EventView()
            tool = (
                self._tools.get(integer(document.get("output_index")), "") if role is Role.TOOL_CALL else ""
            )
            slot = new_slot(_DELTA, role, text, tool)
            return delta_view(
                (json_delta(channel, slot) if field == "arguments" else text_delta(channel, slot),)
            )
        return delta_view(  # a shell's output: its streams side by side
            tuple(
                text_delta(f"{channel}/{key}", new_slot((("delta", key),), role, piece))
                for key, piece in mapping(text).items()
                if isinstance(piece, str) and piece
            )
        )

    def _channel(self, name: str, field: str, document: dict[str, object]) -> str:
        part = document.get("content_index")
        if part is None:
            part = document.get("summary_index", document.get("command_index"))
        key = (name, integer(document.get("output_index")), integer(part))
        channel = self._channels.get(key)
        if channel is None:
            _, item, number = key
            channel = f"item/{item or 0}/{field}" + ("" if number is None else f"/{number}")
            self._channels[key] = channel
        return channel

    def _read_whole(self, kind: str, document: dict[str, object]) -> EventView:
        found = Collector()
        closes: tuple[str, ...] = ()
        name = kind[9:]
        if name.endswith(".done") and (known := _FIELDS.get(name[:-5])):
            closes = self._close(name[:-5], document)
            found.tool = self._tools.get(integer(document.get("output_index")), "")
            for key in _WHOLE:
                _read_part(found, (key,), known[1], document.get(key))
        elif isinstance(item := document.get("item"), dict):
            self._tools[integer(document.get("output_index"))] = _tool(item)
            read_item(found, ("item",), item, Role.ASSISTANT)
        elif isinstance(part := document.get("part"), dict):
            _read_part(found, ("part",), Role.ASSISTANT, part)
        elif isinstance(response := document.get("response"), dict):
            return self._read_response(kind, response)
        elif kind == "error":
            return EventView(final=True, finish_reason="failed", closes=self._close_all())
        else:
            found.prose((), Role.ASSISTANT, document)
        return EventView(closes=closes, repeats=tuple(found.slots))

    def _read_response(self, kind: str, response: dict[str, object]) -> EventView:
        self._id = string(response.get("id")) or self._id
        self._model = string(response.get("model")) or self._model
        created = response.get("created_at")
        if isinstance(created, (int, float)):
            self._created_at = created
        found = Collector()
        _read_output(found, ("response",), response)
        final = kind in _ENDS
        return EventView(
            repeats=tuple(found.slots),
            closes=self._close_all() if final else (),
            model=string(response.get("model")),
            usage=_usage(response.get("usage")),
            finish_reason=_finish_reason(response) if final else "",
            final=final,
        )

    def _close(self, name: str, document: dict[str, object]) -> tuple[str, ...]:
        field, _ = _FIELDS[name]
        channel = self._channel(name, field, document)
        self._channels = {key: value for key, value in self._channels.items() if value != channel}
        if isinstance(document.get("output"), list):  # a shell's output was two channels
            return f"{channel}/stdout", f"{channel}/stderr"
        return (channel,)

    def _close_all(self) -> tuple[str, ...]:
        closes = tuple(self._channels.values())
        self._channels.clear()
        return closes


def _read_input(found: Collector, path: Path, role: Role, value: object) -> None:
    """A text, or a list of items. Items without a role of their own speak as `role`."""
    if isinstance(value, str):
        found.text(path, role, value)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                read_item(found, (*path, index), item, role)
            else:
                found.text((*path, index), role, item)


def _read_output(found: Collector, path: Path, response: dict[str, object]) -> None:
    for index, item in objects(response.get("output")):
        read_item(found, (*path, "output", index), item, Role.ASSISTANT)


def read_item(found: Collector, path: Path, item: dict[str, object], role: Role) -> None:
    """One item of an input, an output or a conversation. Without a role of its own it speaks as `role`."""
    kind = string(item.get("type"))
    speaker = _ROLES.get(string(item.get("role")), role)
    if kind == "reasoning":
        speaker = Role.ASSISTANT
    elif kind.startswith(("input_", "output_")) or kind in ("text", "refusal"):
        _read_part(found, path, speaker, item)  # a part where an item should stand
        return
    for key, value in item.items():
        if key in ("content", "summary"):
            _read_parts(found, (*path, key), speaker, value)
        elif key in _CALL_FIELDS:
            found.call((*path, key), _tool(item), value)
        elif key in _RESULT_FIELDS:
            _read_parts(found, (*path, key), Role.TOOL_RESULT, value)
        elif key == "result" and kind == "image_generation_call":
            found.attach("image", media_type=f"image/{item.get('output_format') or 'png'}", data=value)
        elif key == "tools":
            found.schema((*path, key), value)
        elif key in ("text", "refusal", "reason", "result"):
            found.prose((*path, key), Role.TOOL_RESULT if key == "result" else speaker, value)


def _tool(item: dict[str, object]) -> str:
    """The tool that an item calls: its name, or for built-in tools what its type says (`shell_call`)."""
    return string(item.get("name")) or string(item.get("type")).removesuffix("_call")


def _read_parts(found: Collector, path: Path, role: Role, value: object) -> None:
    if isinstance(value, list):
        for index, part in enumerate(value):
            _read_part(found, (*path, index), role, part)
    else:
        _read_part(found, path, role, value)


def _read_part(found: Collector, path: Path, role: Role, part: object) -> None:
    if not isinstance(part, dict):
        found.prose(path, role, part)
        return
    match part.get("type"):
        case "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text":
            found.text((*path, "text"), role, part.get("text"))
        case "refusal":
            found.text((*path, "refusal"), role, part.get("refusal"))
        case "input_image" | "computer_screenshot" | "image":
            key = "image_url" if "image_url" in part else "url"
            found.attach_url("image", part.get(key), file=part.get("file_id"), held=_held(path, key))
        case "input_audio":
            audio = mapping(part.get("input_audio"))
            form = audio.get("format")
            found.attach(
                "audio", media_type=f"audio/{form}" if isinstance(form, str) else "", data=audio.get("data")
            )
        case "input_file":
            _read_file(found, path, part)
        case _:
            found.prose(path, role, part)


def _read_containers(found: Collector, tools: object) -> None:
    """The files that a code interpreter is given."""
    for _, tool in objects(tools):
        files = mapping(tool.get("container")).get("file_ids")
        for each in files if isinstance(files, list) else ():
            found.attach("file", file=each)


def _read_file(found: Collector, path: Path, part: dict[str, object]) -> None:
    data, name = part.get("file_data"), part.get("filename")
    held = _held(path, "file_data")
    if isinstance(data, str) and not data.startswith("data:"):  # both ways are taken
        found.attach("file", data=data, name=name, held=held)
    else:
        url = data if data is not None else part.get("file_url")
        found.attach_url("file", url, name=name, file=part.get("file_id"), held=held)


def _held(path: Path, key: str) -> Held:
    return Held(coding=Coding.BASE64, path=(*path, key), element=path, text_type="input_text")


def _finish_reason(response: dict[str, object]) -> str:
    """Why the answer ended: `incomplete_details.reason` where it is cut short, else its status."""
    reason = string(mapping(response.get("incomplete_details")).get("reason"))
    return reason or string(response.get("status"))


def _usage(value: object) -> Usage:
    if not isinstance(value, dict):
        return NO_USAGE
    read = mapping(value.get("input_tokens_details"))
    return Usage(
        input_tokens=integer(value.get("input_tokens")),
        output_tokens=integer(value.get("output_tokens")),
        cache_read_tokens=integer(read.get("cached_tokens")),
        cache_write_tokens=integer(read.get("cache_write_tokens")),
        reasoning_tokens=integer(mapping(value.get("output_tokens_details")).get("reasoning_tokens")),
    )
