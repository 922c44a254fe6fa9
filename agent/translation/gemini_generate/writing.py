"""Requests, written for a provider. What the format cannot say is told to `Losses`.

Hints are left out without a word: cache hints (this provider caches by itself), how closely an image is looked at, the
client's name for its user. Nothing is ever fetched: a URL is the provider's to read.
"""

from __future__ import annotations

from agent.errors import ContentError
from agent.model.conversation import (
    Conversation,
    Media,
    Part,
    Speaker,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.base import Losses, Quirks, WireRequest
from agent.translation.documents import write_document
from agent.translation.fitting import fitted
from agent.translation.gemini_generate import names, parts, settings
from agent.translation.gemini_generate.parts import FILES, Fields

_NO_SIGNATURE = "skip_thought_signature_validator"
"""For a call that another provider's model made, or whose signature the client's format could not carry: "Thought
signatures" documents it for histories that did not come from the model itself."""
_ENDINGS = {  # media types that are demanded beside a URL, by how its path ends
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
}
_PLAIN = frozenset(("type", "properties", "required", "additionalProperties"))
_MODES = {ToolUse.AUTO: "AUTO", ToolUse.NONE: "NONE", ToolUse.REQUIRED: "ANY", ToolUse.NAMED: "ANY"}


def write(conversation: Conversation, losses: Losses, quirks: Quirks) -> WireRequest:
    """The request that says `conversation`. Raises ContentError where nothing is asked, or where a tool's result
    answers no call."""
    conversation = fitted(conversation, quirks, losses)
    contents = _Contents(conversation.model, losses)
    instruction: list[Fields] = []
    for index, turn in enumerate(conversation.turns):
        if turn.speaker is Speaker.SYSTEM:  # one place for all of them: contents have two roles
            instruction += contents.system(f"turns[{index}]", turn)
        else:
            contents.add(f"turns[{index}]", turn)
    if not contents.written:
        raise ContentError(
            "the conversation asks nothing", hint="send at least one message that is not the system's"
        )
    body: Fields = {"contents": contents.written}
    if instruction:
        body["systemInstruction"] = {"parts": instruction}
    _put_tools(body, conversation, losses)
    if config := settings.write(conversation):
        body["generationConfig"] = config
    return WireRequest(body=write_document(body), operation="chat_stream" if conversation.stream else "chat")


class _Contents:
    """The contents so far. Roles alternate, so neighbours of one role become one: the results of parallel calls
    stand together, as this format demands."""

    __slots__ = ("_losses", "_names", "_signed", "_step", "written")

    def __init__(self, model: str, losses: Losses) -> None:
        self.written: list[Fields] = []
        self._losses = losses
        self._names: dict[str, str] = {}  # of functions, by call id
        self._signed = names.is_signed(model)
        self._step = False  # whether the content under way has a call; only the first is signed

    def system(self, where: str, turn: Turn) -> list[Fields]:
        """The texts of a system's turn."""
        texts: list[Fields] = []
        for index, part in enumerate(turn.parts):
            if isinstance(part, Text):
                texts.append({"text": part.text})
            else:
                self._losses.lose(f"{where}.parts[{index}]")
        return texts

    def add(self, where: str, turn: Turn) -> None:
        """A turn's parts."""
        role = "model" if turn.speaker is Speaker.ASSISTANT else "user"
        if self.written and self.written[-1]["role"] == role:
            listed = self.written[-1]["parts"]
            assert isinstance(listed, list)
        else:
            listed = []
            self._step = False
        for index, part in enumerate(turn.parts):
            listed += self._part(f"{where}.parts[{index}]", part)
        if listed and not (self.written and self.written[-1]["parts"] is listed):
            self.written.append({"role": role, "parts": listed})

    def _part(self, at: str, part: Part) -> list[Fields]:
        match part:
            case Text():
                return [{"text": part.text}] if part.text else []  # an empty part is refused
            case Media():
                return self._media(at, part)
            case Thinking():
                return [parts.thought(part)] if parts.is_own(part) else []  # others it refuses
            case ToolCall():
                return self._call(at, part)
            case ToolResult():
                return self._result(at, part)

    def _call(self, at: str, part: ToolCall) -> list[Fields]:
        self._names[part.id] = part.name
        arguments = parts.read_arguments(part.arguments)
        if arguments is None:  # the call was cut off; it stays a call, or its result would answer none
            self._losses.lose(f"{at}.arguments")
            arguments = {}
        written = parts.call(part, arguments)
        if self._signed and not self._step:
            written.setdefault("thoughtSignature", _NO_SIGNATURE)
        self._step = True
        return [written]

    def _result(self, at: str, part: ToolResult) -> list[Fields]:
        name = part.name or self._names.get(part.call_id)
        if not name:
            raise ContentError(
                f"{at} is the result of a tool call that no earlier turn made",
                hint="send the assistant's message with the call before its result",
            )
        said = "\n".join(one.text for one in part.parts if isinstance(one, Text))
        written: Fields = {
            "id": part.call_id,
            "name": name,
            "response": {"error" if part.error else "output": said},
        }
        files: list[Fields] = []
        for index, one in enumerate(part.parts):
            if isinstance(one, Media):
                files += self._media(f"{at}.parts[{index}]", one)
        if files and self._signed:
            written["parts"] = files
            files = []
        return [{"functionResponse": written}, *files]

    def _media(self, at: str, part: Media) -> list[Fields]:
        media_type = part.media_type or _type_of(part)
        if part.data:
            if media_type:
                return [{"inlineData": {"mimeType": media_type, "data": part.data}}]
            self._losses.lose(f"{at}.media_type")
            return []
        if part.file_id and not part.file_id.startswith((FILES, "files/", "gs://")):
            self._losses.lose(f"{at}.file_id")  # uploaded to another provider
            return []
        file: Fields = {"fileUri": part.url or part.file_id}
        if media_type:
            file["mimeType"] = media_type
        elif part.url and not _is_youtube(part.url):  # demanded of files that are not Google's
            self._losses.lose(f"{at}.media_type")
            return []
        return [{"fileData": file}]


def _type_of(part: Media) -> str:
    """The media type, by how the name or the URL ends."""
    path = (part.name or part.url).partition("?")[0].partition("#")[0]
    return _ENDINGS.get(path.rpartition(".")[2].lower(), "")


def _is_youtube(url: str) -> bool:
    return url.startswith(("https://www.youtube.com/", "https://youtu.be/", "https://youtube.com/"))


def _put_tools(body: Fields, conversation: Conversation, losses: Losses) -> None:
    choice = conversation.tool_choice
    if choice and choice.parallel is False:
        losses.lose("tool_choice.parallel")
    if not conversation.tools:
        return
    body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in conversation.tools]}]
    if config := _calling(choice, strict=any(tool.strict for tool in conversation.tools)):
        body["toolConfig"] = {"functionCallingConfig": config}


def _declaration(tool: Tool) -> Fields:
    """`parametersJsonSchema` and not `parameters`: that is a subset of OpenAPI, which refuses `$ref`,
    `additionalProperties` and lists of types, and a schema cut down to it would let through what the client's forbids.
    A function without parameters has no schema at all: an object without properties is refused."""
    declaration: Fields = {"name": tool.name}
    if tool.description:
        declaration["description"] = tool.description
    if tool.parameters.get("properties") or not _PLAIN.issuperset(tool.parameters):
        declaration["parametersJsonSchema"] = dict(tool.parameters)
    return declaration


def _calling(choice: ToolChoice | None, *, strict: bool) -> Fields:
    """`VALIDATED` is the promise that calls follow their schemas (`strict`), where the model is free to call; where it
    must, the format keeps that promise anyway."""
    use = choice.use if choice else None
    if strict and use in (None, ToolUse.AUTO):
        return {"mode": "VALIDATED"}
    if use is None:
        return {}
    config: Fields = {"mode": _MODES[use]}
    if choice and use is ToolUse.NAMED:
        config["allowedFunctionNames"] = [choice.name]
    return config
