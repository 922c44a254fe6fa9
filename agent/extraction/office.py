"""Office documents (OOXML, ECMA-376; ODF, ISO 26300): the texts of their XML parts, read as a stream.

Not only of the body: headers, footnotes, comments, deleted passages, hidden sheets, notes of slides, properties, links
and embedded documents leave the machine as well.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable

from agent.extraction.archives import opened, unpacked
from agent.extraction.budget import Budget
from agent.extraction.markup import Attributes, XmlReader, xml_text
from agent.model.reading import Problem

type Nested = Callable[[str, bytes], None]
"""Reads a document that is embedded in another: its name and content."""

_LINE_ENDS = frozenset(
    {"p", "h", "tr", "br", "cr", "si", "comment", "line-break", "table-row", "row", "property"}
)
_CELL_ENDS = frozenset({"tc", "table-cell", "tab"})
_SPOKEN = frozenset({"descr", "title", "alt"})  # of pictures and shapes
_DUMB = (  # parts that hold no words of a person
    *(
        "[Content_Types].xml",
        "word/styles",
        "word/settings.xml",
        "word/fontTable.xml",
        "word/webSettings.xml",
    ),
    *("word/numbering.xml", "xl/styles.xml", "xl/calcChain.xml", "ppt/presProps.xml", "ppt/viewProps.xml"),
    *(
        "ppt/tableStyles.xml",
        "word/theme/",
        "xl/theme/",
        "ppt/theme/",
        "ppt/slideLayouts/",
        "ppt/slideMasters/",
    ),
    *(
        "ppt/notesMasters/",
        "docProps/app.xml",
        "customXml/itemProps",
        "META-INF/",
        "Configurations2/",
        "settings.xml",
        "styles.xml",
    ),
)
_EMBEDDED = (
    ".docx",
    ".xlsx",
    ".pptx",
    ".odt",
    ".ods",
    ".odp",
    ".txt",
    ".csv",
    ".pdf",
    ".rtf",
    ".htm",
    ".html",
    ".zip",
)
_PAGES = {"xlsx": ("xl/worksheets/",), "pptx": ("ppt/slides/",)}
_RELATIONS = ".rels"
_FACTS = ("docProps/", "customXml/", "meta.xml")  # a word each in elements of their own
_MACROS = "vbaProject.bin"


def read_office(data: bytes, kind: str, budget: Budget, nested: Nested) -> None:
    """Every text of a document of that kind. Raises Stopped."""
    with opened(data, budget) as archive:
        parts = [entry for entry in archive.infolist() if not entry.is_dir()]
        budget.entry(len(parts))
        shared: list[str] = []
        for entry in sorted(parts, key=_order):
            name = entry.filename
            if name.startswith(_DUMB):
                continue
            if name.endswith(_MACROS):  # compressed in a way of their own
                budget.note(Problem.UNSUPPORTED)
            elif name.lower().endswith(_EMBEDDED):
                if (content := unpacked(archive, entry, budget)) is not None:
                    nested(name, content)
            elif name.endswith((".xml", _RELATIONS)):
                _read_part(archive, entry, kind, budget, shared)


def _read_part(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, kind: str, budget: Budget, shared: list[str]
) -> None:
    document = unpacked(archive, entry, budget)
    if document is None:
        return
    name = entry.filename
    if name.startswith(_PAGES.get(kind, ("\0",))) and name.endswith(".xml"):
        budget.page()
    if name.endswith(_RELATIONS):
        budget.text(_links(document, budget))
    elif name == "xl/sharedStrings.xml":
        shared += _shared_strings(document, budget)
        budget.text("\n".join(shared))
    elif name.startswith("xl/worksheets/"):
        budget.text(_sheet(document, budget, shared))
    elif name.startswith(_FACTS):
        budget.text(xml_text(document, budget))
    else:
        budget.text(_flow(document, budget))


def is_encrypted(data: bytes, budget: Budget) -> bool:
    """Whether an ODF document is encrypted: its manifest says so (part 3, section 4.9)."""
    with opened(data, budget) as archive:
        if "META-INF/manifest.xml" not in archive.namelist():
            return False
        manifest = unpacked(archive, archive.getinfo("META-INF/manifest.xml"), budget) or b""
    return b"encryption-data" in manifest


def _order(entry: zipfile.ZipInfo) -> tuple[bool, int, str]:
    """Shared strings first, for sheets point into them; then by number, as people read."""
    digits = "".join(each for each in entry.filename if each.isdigit())[:9]
    return entry.filename != "xl/sharedStrings.xml", int(digits or 0), entry.filename


def _flow(document: bytes, budget: Budget) -> str:
    parts: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        if name in _LINE_ENDS:
            parts.append("\n")
        elif name in _CELL_ENDS or name == "s":  # ODF's `text:s` stands for spaces
            parts.append("\t" if name != "s" else " ")
        for key, value in attributes.items():
            local = key.rpartition(" ")[2]
            if value and (local in _SPOKEN or (local == "href" and "xlink" in key)):
                parts.append(f"\n{value}\n")

    def end(name: str) -> None:
        if name in _LINE_ENDS:
            parts.append("\n")
        elif name in _CELL_ENDS:
            parts.append("\t")

    XmlReader(budget, start=start, end=end, text=parts.append).read(document)
    lines = (line.rstrip() for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _links(document: bytes, budget: Budget) -> str:
    """Where a part's links lead outside of the document."""
    found: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") == "External":
            found.append(attributes.get("Target", ""))

    XmlReader(budget, start=start, text=lambda _: None).read(document)
    return "\n".join(found)


def _shared_strings(document: bytes, budget: Budget) -> list[str]:
    strings: list[str] = []
    parts: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        del attributes
        if name == "si":
            parts.clear()

    def end(name: str) -> None:
        if name == "si":
            strings.append("".join(parts))

    XmlReader(budget, start=start, end=end, text=parts.append).read(document)
    return strings


def _sheet(document: bytes, budget: Budget, shared: list[str]) -> str:
    """A line for each row, its cells apart by tabs; a cell's formula, if it has one, beside its value."""
    rows: list[str] = []
    row: list[str] = []
    text: list[str] = []
    kind = ""

    def start(name: str, attributes: Attributes) -> None:
        nonlocal kind
        if name == "row":
            row.clear()
        elif name == "c":
            kind = attributes.get("t", "")
        if name in ("v", "t", "f"):
            text.clear()

    def end(name: str) -> None:
        value = "".join(text)
        if name == "v":
            row.append(_shown(value, kind, shared))
            text.clear()
        elif name in ("t", "f"):
            row.append(value)
            text.clear()
        elif name == "row":
            rows.append("\t".join(row))

    XmlReader(budget, start=start, end=end, text=text.append).read(document)
    rest = "".join(text).strip()  # headers and footers of the page
    return "\n".join((*rows, rest))


def _shown(value: str, kind: str, shared: list[str]) -> str:
    """What a cell shows. Long numbers are stored as 4.2E+15."""
    if kind == "s":
        try:
            return shared[int(value)]
        except (ValueError, IndexError):
            return ""
    if "E" in value or "e" in value:
        try:
            number = float(value)
        except ValueError:
            return value
        if number.is_integer() and abs(number) < 1e18:
            return str(int(number))
    return value
