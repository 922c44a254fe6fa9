"""The messages of OpenAI's chat format: their texts, parts, files and calls.

Requests, answers and, by the part, streams are made of them. Source: see `openai_chat`.
"""

from __future__ import annotations

from agent.dialects.shapes import mapping, objects
from agent.dialects.slots import Collector
from agent.model.content import Coding, Held, Path, Role

ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL_RESULT,
    "function": Role.TOOL_RESULT,
}
_REASONING = ("reasoning_content", "reasoning", "reasoning_text")  # DeepSeek; OpenRouter and Ollama; Copilot
CALL_FIELDS = (("function", "arguments"), ("custom", "input"))
TEXT_FIELDS = ("content", "refusal", *_REASONING)


def read_message(found: Collector, path: Path, role: Role, message: dict[str, object]) -> None:
    """A message: of a request, or the one that an answer is."""
    for key, value in message.items():
        match key:
            case "content":
                read_content(found, (*path, key), role, value)
            case "tool_calls":
                _read_calls(found, (*path, key), value)
            case "function_call":
                call = mapping(value)
                found.call((*path, key, "arguments"), call.get("name"), call.get("arguments"))
            case "audio":
                found.text((*path, key, "transcript"), role, mapping(value).get("transcript"))
            case "reasoning_details":
                for index, detail in objects(value):
                    if not detail.get("signature"):
                        found.prose((*path, key, index), role, detail)
            case _ if key in TEXT_FIELDS:
                found.text((*path, key), role, value)


def _read_calls(found: Collector, path: Path, value: object) -> None:
    for index, call in objects(value):
        for kind, holds in CALL_FIELDS:
            fields = mapping(call.get(kind))
            found.call((*path, index, kind, holds), fields.get("name"), fields.get(holds))


def read_content(found: Collector, path: Path, role: Role, value: object) -> None:
    """A text, or parts."""
    if not isinstance(value, list):
        found.prose(path, role, value)
        return
    for index, part in enumerate(value):
        if isinstance(part, dict):
            _read_part(found, (*path, index), role, part)
        else:
            found.text((*path, index), role, part)


def _read_part(found: Collector, path: Path, role: Role, part: dict[str, object]) -> None:
    match part.get("type"):
        case "text":
            found.text((*path, "text"), role, part.get("text"))
        case "refusal":
            found.text((*path, "refusal"), role, part.get("refusal"))
        case "image_url":
            image = part.get("image_url")
            if isinstance(image, str):
                found.attach_url("image", image, held=_held(path, "image_url"))
            else:
                found.attach_url("image", mapping(image).get("url"), held=_held(path, "image_url", "url"))
        case "input_audio":
            audio = mapping(part.get("input_audio"))
            found.attach("audio", media_type=_audio_type(audio.get("format")), data=audio.get("data"))
        case "file":
            file = mapping(part.get("file"))
            data, name, held = file.get("file_data"), file.get("filename"), _held(path, "file", "file_data")
            if isinstance(data, str) and not data.startswith("data:"):  # both ways are taken
                found.attach("file", data=data, name=name, held=held)
            else:
                found.attach_url("file", data, name=name, file=file.get("file_id"), held=held)
        case _:
            found.prose(path, role, part)


def _held(path: Path, *keys: str) -> Held:
    return Held(coding=Coding.BASE64, path=(*path, *keys), element=path, text_type="text")


def _audio_type(form: object) -> str:
    return f"audio/{form}" if isinstance(form, str) else ""
