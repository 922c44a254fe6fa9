"""What a file is: by its content first, then by its name, last by what its sender declares. Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from agent.dialects.charsets import decoded

PICTURES = frozenset({"png", "jpeg", "gif", "webp", "bmp", "tiff", "ico", "heic", "avif"})
SOUNDS = frozenset({"mp3", "wav", "ogg", "flac", "m4a", "aiff"})
FILMS = frozenset({"mp4", "webm", "mov", "avi"})
SILENT = PICTURES | SOUNDS | FILMS
"""Kinds that hold no text to read: they are noted."""

OFFICE = frozenset({"docx", "xlsx", "pptx", "odt", "ods", "odp"})
ARCHIVES = frozenset({"zip", "gzip", "tar"})
PLAIN = frozenset({"text", "csv", "tsv", "json", "jsonl", "yaml", "markdown", "source"})
"""Texts that are what they look like: reading them is decoding them."""

MARKUP = frozenset({"html", "xml", "svg"})
"""Texts that show something else than their bytes say: read as texts, and as what they show."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\0\0\1\0", "ico"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"\x1aE\xdf\xa3", "webm"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"{\\rtf", "rtf"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"SQLite format 3\0", "sqlite"),
    (b"PAR1", "parquet"),
)
_SHORT = frozenset({b"BM", b"MZ", b"BZh", b"ID3", b"PAR1"})  # words that a text may begin with
_RIFF = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}
_BRANDS = {b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"avif": "avif", b"M4A ": "m4a", b"qt  ": "mov"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("EncryptedPackage", "encrypted"),
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("PowerPoint Document", "ppt"),
    ("__nameid_version1.0", "msg"),
)
_PDF_HEAD = 1024  # bytes in which readers look for a PDF's head (ISO 32000-1, annex H.3, note 13)
_ZIP_TAIL = 22 + 0xFFFF  # the end record with the longest comment
_OFFICE_FOLDERS = (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx"))
_ODF = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
}
_BY_EXTENSION: Mapping[str, str] = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "json": "json",
    "geojson": "json",
    "ipynb": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "yaml": "yaml",
    "yml": "yaml",
    "md": "markdown",
    "markdown": "markdown",
    "html": "html",
    "htm": "html",
    "xhtml": "html",
    "xml": "xml",
    "xsl": "xml",
    "xsd": "xml",
    "rss": "xml",
    "svg": "svg",
    "eml": "eml",
    **dict.fromkeys(
        (
            *(
                "py",
                "js",
                "mjs",
                "cjs",
                "ts",
                "tsx",
                "jsx",
                "java",
                "kt",
                "go",
                "rs",
                "c",
                "h",
                "cc",
                "cpp",
                "hpp",
            ),
            *(
                "cs",
                "rb",
                "php",
                "swift",
                "scala",
                "sh",
                "bash",
                "zsh",
                "ps1",
                "bat",
                "sql",
                "r",
                "lua",
                "pl",
                "tf",
            ),
            *(
                "css",
                "scss",
                "vue",
                "dart",
                "ex",
                "exs",
                "clj",
                "hs",
                "m",
                "proto",
                "gradle",
                "cmake",
                "patch",
                "diff",
            ),
        ),
        "source",
    ),
}
_BY_MEDIA_TYPE: Mapping[str, str] = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/yaml": "yaml",
    "text/yaml": "yaml",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/xml": "xml",
    "text/xml": "xml",
    "image/svg+xml": "svg",
    "message/rfc822": "eml",
}


def kind_of(data: bytes, *, name: str = "", declared: str = "") -> str:
    """The kind of a file: one of the words of docs/attachments.md, `unknown` where it is none of them."""
    if not data:
        return "empty"
    found = _by_magic(data)
    if found:
        return found
    text = decoded(data[:4096], cut=len(data) > 4096)
    if text is None:
        return "zip" if is_archive_too(data) else "unknown"
    return _kind_of_text(text[0], name, declared)


def is_archive_too(data: bytes) -> bool:
    """Whether a file ends as a ZIP archive does, whatever it begins as."""
    return b"PK\x05\x06" in data[-_ZIP_TAIL:] and zipfile.is_zipfile(io.BytesIO(data))


def extension(name: str) -> str:
    """The last extension of a file's name, lower case, without its dot; empty where it has none."""
    stem, dot, last = name.rpartition(".")
    return last.lower() if dot and stem and len(last) <= 16 else ""


def _by_magic(data: bytes) -> str:
    if b"%PDF-" in data[:_PDF_HEAD]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(data)
    if data.startswith(_OLE):
        return _kind_of_ole(data)
    if data[:4] == b"RIFF" and data[8:12] in _RIFF:
        return _RIFF[data[8:12]]
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "mp4")
    if data[257:262] == b"ustar":
        return "tar"
    for magic, kind in _MAGIC:
        if data.startswith(magic) and not (magic in _SHORT and decoded(data[:512], cut=True) is not None):
            return kind
    return ""


def _kind_of_zip(data: bytes) -> str:
    if data.count(b"PK\x01\x02") > 100_000:
        return "zip"  # not opened to find out more
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if names and "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
                found = _ODF.get(archive.read("mimetype").decode("ascii", "replace").strip())
                if found:
                    return found
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return "zip"
    if "[Content_Types].xml" in names:
        for folder, kind in _OFFICE_FOLDERS:
            if any(each.startswith(folder) for each in names):
                return kind
    return "zip"


def _kind_of_ole(data: bytes) -> str:
    for stream, kind in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return kind
    return "ole"


def _kind_of_text(start: str, name: str, declared: str) -> str:
    head = start.lstrip("\ufeff \t\r\n")
    lower = head[:512].lower()
    named = _BY_EXTENSION.get(extension(name)) or _BY_MEDIA_TYPE.get(
        declared.partition(";")[0].strip().lower(), ""
    )
    if lower.startswith(("<!doctype html", "<html")):
        return "html"
    if lower.startswith("<?xml"):
        return named if named in ("svg", "html") else "svg" if "<svg" in lower else "xml"
    if lower.startswith("<svg"):
        return "svg"
    if named in MARKUP and not lower.startswith("<"):
        return "text" if named != "html" else "html"
    if named:
        return named
    if head.startswith(("{", "[")) and head[1:].lstrip()[:1] in ('"', "{", "[", "]", "}"):
        return "json"
    return "text"
