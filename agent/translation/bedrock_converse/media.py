"""Images, documents, videos and sounds as Converse names them: by format, not by media type.

Source: the service model `bedrock-runtime` 2023-09-30, shapes ImageBlock, DocumentBlock, VideoBlock, AudioBlock.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from agent.dialects.shapes import mapping, objects, string
from agent.model.conversation import Media, MediaKind
from agent.translation.unread import Unread

BLOCKS: Mapping[str, MediaKind] = {
    "image": MediaKind.IMAGE,
    "document": MediaKind.DOCUMENT,
    "video": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
}
_MEDIA_TYPES: Mapping[
    MediaKind, Mapping[str, str]
] = {  # by format; where a type has two, the first is written
    MediaKind.IMAGE: {
        "png": "image/png",
        "jpeg": "image/jpeg",
        "gif": "image/gif",
        "webp": "image/webp",
    },
    MediaKind.DOCUMENT: {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    MediaKind.VIDEO: {
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp4": "video/mp4",
        "webm": "video/webm",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "mpg": "video/mpeg",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    MediaKind.AUDIO: {
        "mp3": "audio/mpeg",
        "mpeg": "audio/mpeg",
        "mpga": "audio/mpeg",
        "wav": "audio/wav",
        "flac": "audio/flac",
        "ogg": "audio/ogg",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "x-aac": "audio/aac",
        "m4a": "audio/mp4",
        "mp4": "audio/mp4",
        "webm": "audio/webm",
        "mkv": "audio/x-matroska",
        "mka": "audio/x-matroska",
        "pcm": "audio/pcm",
    },
}
_ALSO = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav"}
_FORMATS: Mapping[MediaKind, Mapping[str, str]] = {
    kind: {media_type: name for name, media_type in reversed(list(formats.items()))}
    for kind, formats in _MEDIA_TYPES.items()
}
_BLOCK_FIELDS = frozenset(("format", "source", "name"))
_MAX_NAME = 200
_NAME_SIGNS = frozenset("-()[] ")
_UNNAMED = "document"


def read_media(path: str, block: str, value: Mapping[str, object], unread: Unread) -> Media | None:
    """The `block` (image, document …) whose content is `value`; None where its source cannot be told elsewhere."""
    unread.others(path, value, _BLOCK_FIELDS)
    kind = BLOCKS[block]
    source = mapping(value.get("source"))
    media_type = _MEDIA_TYPES[kind].get(string(value.get("format")), "")
    name = string(value.get("name"))
    match source:
        case {"bytes": str() as data, **others} if data:
            made = Media(kind=kind, media_type=media_type, data=data, name=name)
        case {"s3Location": {"uri": str() as uri}, **others} if uri:
            made = Media(kind=kind, media_type=media_type, url=uri, name=name)
        case {"text": str() as text, **others}:
            made = _words(kind, media_type, text, name)
        case {"content": list() as content, **others}:
            texts = [string(each.get("text")) for _, each in objects(content)]
            made = _words(kind, media_type, "\n\n".join(texts), name)
        case _:
            unread.note(f"{path}.source")
            return None
    unread.others(f"{path}.source", others, ())
    owner = mapping(source.get("s3Location")).get("bucketOwner")
    if owner is not None:
        unread.note(f"{path}.source.s3Location.bucketOwner")
    return made


def _words(kind: MediaKind, media_type: str, text: str, name: str) -> Media:
    data = b64encode(text.encode("utf-8", "replace")).decode()
    return Media(kind=kind, media_type=media_type or "text/plain", data=data, name=name)


class MediaWriter:
    """Writes the media of one request: documents must have names, and no two the same."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def write(self, media: Media) -> dict[str, object] | None:
        """The content block, or None where Converse has none for it: no such format, or a place it does not read."""
        source = _source(media)
        media_type = media.media_type.partition(";")[0].strip().lower()
        formats = _FORMATS[media.kind]
        name = formats.get(_ALSO.get(media_type, media_type), "")
        if not name and media.kind is MediaKind.DOCUMENT and media_type.startswith("text/"):
            name = "txt"
        if source is None or not name:
            return None
        block: dict[str, object] = {"format": name, "source": source}
        if media.kind is MediaKind.DOCUMENT:
            block["name"] = self._unique(document_name(media.name))
        return {media.kind.value: block}

    def _unique(self, name: str) -> str:
        number = 1
        unique = name
        while unique in self._names:
            number += 1
            ending = f" ({number})"
            unique = name[: _MAX_NAME - len(ending)] + ending
        self._names.add(unique)
        return unique


def document_name(name: str) -> str:
    """`name` with nothing but what Converse allows in it: letters, digits, single spaces, hyphens, brackets."""
    plain = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in _NAME_SIGNS) else " " for sign in name
    )
    return " ".join(plain.split())[:_MAX_NAME].rstrip() or _UNNAMED


def _source(media: Media) -> dict[str, object] | None:
    if media.data:
        return {"bytes": media.data}
    if media.url.startswith("s3://"):
        return {"s3Location": {"uri": media.url}}
    return None
