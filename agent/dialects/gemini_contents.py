"""The contents of Gemini's formats: their texts, values, files and calls, in either spelling of protobuf JSON.

Requests, answers and live sessions are made of them. Source: see `gemini_generate`.
"""

from __future__ import annotations

from agent.dialects.shapes import mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.vertex_predict import read_instances
from agent.model.content import Coding, Held, Path, Role

_ROLES = {
    "model": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "function": Role.TOOL_RESULT,
    "tool": Role.TOOL_RESULT,
    "user": Role.USER,
}
_STRUCTURED = {  # parts that hold a value: the value's field, who speaks in it
    "functioncall": ("args", Role.TOOL_CALL),
    "toolcall": ("args", Role.TOOL_CALL),
    "functionresponse": ("response", Role.TOOL_RESULT),
    "toolresponse": ("response", Role.TOOL_RESULT),
    "executablecode": ("code", Role.TOOL_CALL),
    "codeexecutionresult": ("output", Role.TOOL_RESULT),
}


def read_request(found: Collector, path: Path, document: dict[str, object]) -> None:
    """What a request's document, or a live session's setup, gives to the model."""
    for key, value in document.items():
        match key:
            case "contents" | "content":
                _read_contents(found, (*path, key), value)
            case "systemInstruction" | "system_instruction":
                read_content(found, (*path, key), Role.SYSTEM, value)
            case "tools" | "generationConfig" | "generation_config":  # declarations and JSON Schemas
                found.schema((*path, key), value)
            case "request" | "generateContentRequest" | "generate_content_request":
                read_request(found, (*path, key), mapping(value))
            case "requests" | "batch" | "inputConfig" | "input_config":
                _read_batch(found, (*path, key), value)
            case "instances":  # of `predict`
                read_instances(found, (*path, key), value)


def _read_contents(found: Collector, path: Path, value: object) -> None:
    if not isinstance(value, list):
        read_content(found, path, Role.USER, value)
        return
    for index, content in enumerate(value):
        read_content(found, (*path, index), Role.USER, content)


def _read_batch(found: Collector, path: Path, value: object) -> None:
    """The requests of a batch, or what leads to them."""
    if isinstance(value, dict):
        read_request(found, path, value)
    for index, one in objects(value):
        read_request(found, (*path, index), one)


def read_content(found: Collector, path: Path, role: Role, content: object) -> None:
    """One content. Without a role of its own it speaks as `role`."""
    if not isinstance(content, dict):
        found.prose(path, role, content)
        return
    if role is not Role.SYSTEM:
        role = _ROLES.get(string(content.get("role")), role)
    for key, value in content.items():
        if key == "parts" and isinstance(value, list):
            for index, part in enumerate(value):
                read_part(found, (*path, key, index), role, part)
        elif key in ("parts", "text"):
            read_part(found, (*path, key), role, value)


def read_part(found: Collector, path: Path, role: Role, part: object) -> None:
    """One part: a text, a value, a file, or what is not known."""
    if not isinstance(part, dict):
        found.text(path, role, part)
        return
    for key, value in part.items():
        plain = key.replace("_", "").lower()  # one spelling for both
        if plain in _STRUCTURED:
            field, speaker = _STRUCTURED[plain]
            fields = mapping(value)
            if speaker is Role.TOOL_CALL:
                found.call((*path, key, field), fields.get("name"), fields.get(field))
            else:
                found.leaves((*path, key, field), speaker, fields.get(field))
            for index, one in objects(mapping(value).get("parts")):  # of a function's response
                read_part(found, (*path, key, "parts", index), speaker, one)
        elif plain in ("inlinedata", "filedata"):
            _attach(found, (*path, key), path, mapping(value))
        elif plain != "thoughtsignature":
            found.field(path, key, role, value)


def _attach(found: Collector, path: Path, element: Path, blob: dict[str, object]) -> None:
    media_type = string(either(blob, "mimeType", "mime_type"))
    kind = media_type.partition("/")[0]
    if kind not in ("image", "audio"):
        kind = "document" if media_type == "application/pdf" or kind == "text" else "file"
    uri = string(either(blob, "fileUri", "file_uri"))
    _, files, name = uri.rpartition("/files/")
    found.attach(
        kind,
        media_type=media_type,
        data=blob.get("data"),
        name=either(blob, "displayName", "display_name"),
        file=f"files/{name}" if files else None,  # as the answer to an upload names it
        held=Held(coding=Coding.BASE64, path=(*path, "data"), element=element),
    )


def named(value: dict[str, object], camel: str, snake: str) -> tuple[str, object]:
    """The field under the one of its two names that is used."""
    return (snake, value[snake]) if snake in value else (camel, value.get(camel))


def either(value: dict[str, object], camel: str, snake: str) -> object:
    """The value of that field."""
    return named(value, camel, snake)[1]
