"""Images, sounds and documents as formats spell them: `data:` URLs (RFC 2397), base64, links."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from agent.errors import ContentError
from agent.model.conversation import CacheHint, Media, MediaKind

_BREAKS = str.maketrans("", "", " \r\n\t")


def from_url(
    kind: MediaKind,
    url: str,
    *,
    name: str = "",
    detail: str = "",
    cache: CacheHint | None = None,
) -> Media:
    """The part behind `url`: a `data:` URL is taken apart, any other is a link."""
    if url[:5].lower() != "data:":
        return Media(kind=kind, url=url, name=name, detail=detail, cache=cache)
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise ContentError("a `data:` URL without data", hint="Write `data:image/png;base64,…`.")
    media_type, *parameters = head.split(";")
    data = unbroken(data) if "base64" in parameters else base64.b64encode(unquote_to_bytes(data)).decode()
    return Media(kind=kind, media_type=media_type, data=data, name=name, detail=detail, cache=cache)


def data_url(media: Media) -> str:
    """An inline part as a `data:` URL."""
    return f"data:{media.media_type or 'application/octet-stream'};base64,{media.data}"


def unbroken(data: str) -> str:
    """Base64 without line breaks."""
    return data.translate(_BREAKS) if "\n" in data or " " in data else data


def from_text(text: str, *, name: str = "", cache: CacheHint | None = None) -> Media:
    """A document of plain text."""
    data = base64.b64encode(text.encode()).decode()
    return Media(kind=MediaKind.DOCUMENT, media_type="text/plain", data=data, name=name, cache=cache)


def text_in(media: Media) -> str | None:
    """The text of an inline document of text, None where it is no such."""
    if not media.data or not media.media_type.startswith("text/"):
        return None
    try:
        return base64.b64decode(media.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
