"""`data:` URLs (RFC 2397) with base64, the way in which several formats carry a file inline."""

from __future__ import annotations


def split(url: str) -> tuple[str, str] | None:
    """Media type and base64 text of a `data:` URL; None where it is another kind of URL, or not in base64."""
    if not url.startswith("data:"):
        return None
    head, comma, data = url[5:].partition(",")
    media_type, _, rest = head.partition(";")
    if not comma or rest.rpartition(";")[2].strip().lower() != "base64":
        return None
    return media_type, unbroken(data)


def join(media_type: str, data: str) -> str:
    """The URL that holds `data`, which is base64."""
    return f"data:{media_type or 'application/octet-stream'};base64,{data}"


def unbroken(data: str) -> str:
    """Base64 without line breaks, in the ordinary alphabet (RFC 4648 section 4) and with its padding."""
    if any(sign in data for sign in "\r\n \t"):
        data = "".join(data.split())
    if "-" in data or "_" in data:
        data = data.replace("-", "+").replace("_", "/")
    return data + "=" * (-len(data) % 4)
