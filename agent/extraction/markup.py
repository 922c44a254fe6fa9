"""Markup as text: XML by a streaming parser that refuses entities, HTML with what it hides.

What a page does not show is what an attack hides in it, so comments, hidden elements and attributes with words in them
are read like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from xml.parsers import expat

from agent.extraction.budget import Budget, Stopped
from agent.model.reading import Problem

type Attributes = Mapping[str, str]

_CHUNK = 256 * 1024
_BLOCKS = frozenset(
    (
        *(
            "p",
            "div",
            "br",
            "li",
            "ul",
            "ol",
            "tr",
            "table",
            "section",
            "article",
            "header",
            "footer",
            "title",
            "hr",
        ),
        *(
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "pre",
            "blockquote",
            "option",
            "form",
            "head",
            "body",
            "script",
            "dt",
        ),
        *("dd", "caption", "label", "summary", "details", "nav", "main", "aside", "textarea", "button"),
    )
)
_CELLS = frozenset({"td", "th"})
_SPOKEN = frozenset(
    (
        "alt",
        "title",
        "aria-label",
        "aria-description",
        "placeholder",
        "value",
        "content",
        "href",
        "src",
        "summary",
        "label",
    )
)
_LONGEST_LINK = 2000  # characters; what is longer is data


class XmlReader:
    """Feeds an XML document to two functions. Declares nothing, fetches nothing."""

    def __init__(
        self,
        budget: Budget,
        *,
        start: Callable[[str, Attributes], object] | None = None,
        end: Callable[[str], object] | None = None,
        text: Callable[[str], object],
    ) -> None:
        """`start` and `end` are told the local names of elements, `text` what stands between them."""
        self._budget = budget
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refused
        parser.EntityDeclHandler = self._refused
        if start is not None:
            parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
        if end is not None:
            parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        parser.CharacterDataHandler = text

    def read(self, document: bytes) -> None:
        """Read all of it; a damaged one as far as it goes, which the budget is told. Raises Stopped."""
        try:
            for at in range(0, len(document), _CHUNK):
                self._parser.Parse(document[at : at + _CHUNK], False)  # noqa: FBT003
                self._budget.check_time()
            self._parser.Parse(b"", True)  # noqa: FBT003
        except (expat.ExpatError, ValueError):
            self._budget.note(Problem.DAMAGED)

    def _refused(self, *_: object) -> None:
        raise Stopped(Problem.ENTITIES)


def xml_text(document: bytes, budget: Budget, *, breaks: frozenset[str] | None = None) -> str:
    """The texts and attributes of a document. After the elements `breaks`, or after every one, a line ends."""
    parts: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        del name
        for value in attributes.values():
            if value and not value.isspace():
                parts.append(f"{value}\n")

    def end(name: str) -> None:
        if breaks is None or name in breaks:
            parts.append("\n")

    XmlReader(budget, start=start, end=end, text=parts.append).read(document)
    return _tidied("".join(parts))


def html_text(document: str, budget: Budget) -> str:
    """What a page says, shown or not."""
    reader = _Page()
    for at in range(0, len(document), _CHUNK):
        reader.feed(document[at : at + _CHUNK])
        budget.check_time()
    reader.close()
    return _tidied("".join(reader.parts))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._styling = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._styling = tag == "style"
        if tag in _BLOCKS:
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append("\t")
        for name, value in attrs:
            spoken = name in _SPOKEN or name.startswith("data-")
            if value and spoken and not value.startswith("data:") and len(value) <= _LONGEST_LINK:
                self.parts.append(f" {value} ")

    def handle_endtag(self, tag: str) -> None:
        self._styling = False
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._styling:
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        self.parts.append(f"\n{data}\n")


def _tidied(text: str) -> str:
    """Without empty lines and white space at their ends."""
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
