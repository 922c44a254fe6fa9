"""What of a ChatGPT message is text, and who speaks in it.

A message has an author, a recipient (`all`, or the tool it calls), and a content whose fields depend on its
`content_type` (text, multimodal_text, code, execution_output, thoughts, tether_quote …). Contents are read by field:
whatever is a string there and no label is text, so a type that is not known yet is read as well.
Read in public clients of the page (2024 to 2026); no description by the maker exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.dialects.shapes import mapping, objects, string
from agent.dialects.slots import Collector
from agent.model.content import Path, Role

_ROLES = {"user": Role.USER, "system": Role.SYSTEM, "developer": Role.SYSTEM, "tool": Role.TOOL_RESULT}
_LABELS = frozenset(
    (
        *(
            "content_type",
            "language",
            "response_format_name",
            "source_analysis_msg_id",
            "mime_type",
            "format",
        ),
        *("asset_pointer", "id", "url", "domain", "tether_id", "fovea", "sharing_info"),
    )
)
_ENDS = ("finished_successfully", "finished_partial_completion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks in a message. `echo` marks the messages of the user and the operator, which a stream only repeats:
    the page shows its own copy of them."""

    role: Role = Role.ASSISTANT
    tool: str = ""
    json: bool = False  # the text is a JSON document that comes in pieces
    echo: bool = False


def speaker_of(message: dict[str, object]) -> Speaker:
    """Who speaks in a message of an answer; the assistant where it does not say."""
    author = mapping(message.get("author"))
    role = _ROLES.get(string(author.get("role")), Role.ASSISTANT)
    recipient = string(message.get("recipient"))
    if role is Role.ASSISTANT and recipient not in ("", "all"):
        content = mapping(message.get("content"))
        spoken = content.get("language") == "json" or recipient.startswith("canmore")
        return Speaker(role=Role.TOOL_CALL, tool=recipient, json=spoken)
    return Speaker(
        role=role,
        tool=string(author.get("name")) if role is Role.TOOL_RESULT else "",
        echo=role in (Role.USER, Role.SYSTEM),
    )


def has_ended(message: dict[str, object]) -> bool:
    """Whether nothing more is to come of a message."""
    return string(message.get("status")) in _ENDS


def ends(status: object) -> bool:
    """Whether a message with that status is whole."""
    return status in _ENDS


def is_text(path: Path) -> bool:
    """Whether a string at this place below a message's `content` is one that somebody wrote."""
    names = [step for step in path if isinstance(step, str)]
    return not names or names[-1] not in _LABELS


def texts(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The texts in a content, or in a part of one that stands at `path` in it, with their places; empty ones too: a
    stream adds to them."""
    match value:
        case str() if is_text(path):
            yield path, value
        case dict():
            for key, item in value.items():
                yield from texts(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from texts(item, (*path, index))


def read_message(found: Collector, path: Path, message: dict[str, object]) -> None:
    """The texts and attachments of a message that a request carries."""
    role = _ROLES.get(string(mapping(message.get("author")).get("role")), Role.USER)
    content = message.get("content")
    for place, text in texts(content):
        found.text((*path, "content", *place), role, text)
    for _, part in objects(mapping(content).get("parts")):
        if pointer := string(part.get("asset_pointer")):
            found.attach(_kind(string(part.get("content_type"))), name=pointer)
    metadata = mapping(message.get("metadata"))
    for _, attachment in objects(metadata.get("attachments")):
        media_type = attachment.get("mimeType", attachment.get("mime_type"))
        found.attach(_kind(string(media_type)), media_type=media_type, name=attachment.get("name"))


def files_of(message: dict[str, object]) -> Iterator[str]:
    """The ids of files that were uploaded before, as the upload's own answers write them."""
    for _, attachment in objects(mapping(message.get("metadata")).get("attachments")):
        if name := string(attachment.get("id")):
            yield name
    for _, part in objects(mapping(message.get("content")).get("parts")):
        pointer = string(part.get("asset_pointer"))  # sediment://file_… or file-service://file-…
        if name := pointer.rpartition("://")[2]:
            yield name


def _kind(said: str) -> str:
    kind = said.partition("/")[0].partition("_")[0]
    return kind if kind in ("image", "audio") else "file"
