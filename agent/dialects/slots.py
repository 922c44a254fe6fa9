"""From JSON values to text slots and attachments.

Owns the question what of a value is text. Knows nothing of any API: a dialect says which value is a text, which a
structured value, which a schema, and who speaks in it.

Rules for structured values (a tool call's arguments as an object): each string is a slot of its own, and so is each
number of nine digits or more (a payment card or account number needs no quotes). Keys are not slots: they are the
tool's contract, an edit would break it. A leaf is offered without its key, so a detector of `password = …` does not
see the name of the field; in JSON carried inside a string it does, because the whole text is a slot as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialects.jsontext import embedded, number_text
from agent.dialects.moulds import new_slot
from agent.model.content import Address, Attachment, Held, Path, Role, Slot

_NESTING = 4  # texts inside texts, counted in documents
_LONG_NUMBER = 10**8  # nine digits
_ESCAPED = {'"': '"', "": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# Fields that bear text in objects of a kind that is not known.
_TEXT_KEYS = frozenset(
    (
        *(
            "text",
            "content",
            "message",
            "title",
            "description",
            "summary",
            "snippet",
            "context",
            "cited_text",
            "transcript",
        ),
        *("input", "arguments", "query", "queries", "code", "command", "diff"),
        *("output", "outputs", "result", "results", "logs", "stdout", "stderr", "error"),
        *("thinking", "reasoning", "refusal"),
    )
)
# Fields of a tool definition or schema that name things instead of saying them.
_SCHEMA_WORDS = frozenset(
    (
        *("type", "$schema", "$ref", "$id", "$anchor", "format", "pattern", "required", "name"),
        *("contentEncoding", "contentMediaType", "cache_control"),
    )
)


class Collector:
    """Gathers the slots and attachments of one document, in the order in which it is told of them.

    `tool` names the tool whose call is being read; slots found meanwhile carry it. `outer` leads to the text in which
    the document that is being read stands, where it does not stand for itself.
    """

    __slots__ = ("_call", "attachments", "files", "outer", "slots", "tool")

    def __init__(self, *, tool: str = "") -> None:
        self.outer: Address = ()
        self.slots: list[Slot] = []
        self.attachments: list[Attachment] = []
        self.files: list[str] = []  # ids of files that were uploaded before
        self.tool = tool
        self._call = 0  # steps that lead to the arguments being read

    def call(self, path: Path, tool: object, value: object) -> None:
        """The arguments of a call of `tool`: a JSON text, a structured value, or free text."""
        outer, self.tool = self.tool, tool if isinstance(tool, str) else ""
        self._call = len(path)
        self.leaves(path, Role.TOOL_CALL, value)
        self.tool, self._call = outer, 0

    def text(self, path: Path, role: Role, value: object) -> None:
        """`value`, if it is a text: a slot, and further slots for texts with escapes in the JSON it may hold."""
        if isinstance(value, str) and value:
            address = (*self.outer, path)
            self.slots.append(new_slot(address, role, value, self.tool, self._call))
            if "\\" in value:
                self._texts_inside(address, role, value)

    def leaves(self, path: Path, role: Role, value: object) -> None:
        """A structured value: every string and every long number in it."""
        match value:
            case str():
                self.text(path, role, value)
            case dict():
                for key, item in value.items():
                    self.leaves((*path, key), role, item)
            case list():
                for index, item in enumerate(value):
                    self.leaves((*path, index), role, item)
            case bool() | None:
                pass
            case int() | float() if abs(value) >= _LONG_NUMBER:
                address = (*self.outer, path)
                self.slots.append(new_slot(address, role, number_text(value), self.tool, self._call))

    def schema(self, path: Path, value: object) -> None:
        """A tool definition or JSON Schema: what it says to the model, without the words of the schema language."""
        if isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, str):
                    if key not in _SCHEMA_WORDS:
                        self.text((*path, key), Role.TOOL_CALL, item)
                elif isinstance(item, dict) or (isinstance(item, list) and key not in _SCHEMA_WORDS):
                    self.schema((*path, key), item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.schema((*path, index), item)
        else:
            self.text(path, Role.TOOL_CALL, value)

    def prose(self, path: Path, role: Role, value: object) -> None:
        """A value of unknown kind: only what stands under a key that names text (`text`, `content`, `output` …).

        Ids, signatures, encrypted and binary fields stay unseen.
        """
        if isinstance(value, str):
            self.text(path, role, value)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self.prose((*path, index), role, item)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.field(path, key, role, item)

    def field(self, path: Path, key: str, role: Role, value: object) -> None:
        """One field of an object of unknown kind, read as `prose` reads it."""
        if (
            key in _TEXT_KEYS
            or isinstance(value, dict)
            or (isinstance(value, list) and _holds_objects(value))
        ):
            self.prose((*path, key), role, value)

    def attach(
        self,
        kind: str,
        *,
        media_type: object = "",
        data: object = None,
        name: object = "",
        file: object = None,
        held: Held | None = None,
    ) -> None:
        """Note something that is no text. `data` is its base64 form, if the request carries it, and `held` where that
        stands; `file` the id of something that was uploaded before."""
        size = _decoded_size(data) if isinstance(data, str) else None
        self._note(kind, media_type, size, name, file, held if data else None)

    def attach_url(
        self,
        kind: str,
        url: object,
        *,
        media_type: str = "",
        name: object = "",
        file: object = None,
        held: Held | None = None,
    ) -> None:
        """Note something that is no text, named by a URL or carried in a `data:` URL (RFC 2397); `held` is where that
        stands."""
        if isinstance(url, str) and url[:5].lower() == "data:":
            head, _, data = url.partition(",")
            mime, *parameters = head[5:].split(";")
            size = _decoded_size(data) if "base64" in parameters else None
            self._note(kind, mime, size, name, file, held)
        else:
            self._note(kind, media_type, None, name, file, None)

    def _note(
        self, kind: str, media_type: object, size: int | None, name: object, file: object, held: Held | None
    ) -> None:
        known = file if isinstance(file, str) else ""
        if known:
            self.files.append(known)
        self.attachments.append(
            Attachment(
                kind=kind,
                media_type=media_type if isinstance(media_type, str) else "",
                size=size,
                name=name if isinstance(name, str) else "",
                id=known,
                held=held,
            )
        )

    def _texts_inside(self, address: Address, role: Role, text: str) -> None:
        if len(address) <= _NESTING and (document := embedded(text)) is not None:
            self._escaped_leaves(address, (), role, document, _escaped_characters(text))

    def _escaped_leaves(
        self, address: Address, path: Path, role: Role, value: object, escaped: _Escaped
    ) -> None:
        """The texts of an embedded document that are written with escapes. The others stand in the outer text as they
        are, where a detector has already seen them."""
        if isinstance(value, str):
            if escaped.touch(value):
                self.slots.append(new_slot((*address, path), role, value, self.tool, self._call))
                if "\\" in value:
                    self._texts_inside((*address, path), role, value)
            return
        items = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for step, item in items:
            if isinstance(item, (dict, list)) or (isinstance(item, str) and escaped.touch(item)):
                self._escaped_leaves(address, (*path, step), role, item, escaped)


@dataclass(frozen=True, slots=True)
class _Escaped:
    """Characters that a JSON text spells with an escape somewhere; a few too many where backslashes meet."""

    ascii: str
    others: bool

    def touch(self, value: str) -> bool:
        """Whether `value` may be written with an escape."""
        for character in self.ascii:
            if character in value:
                return True
        return self.others and not value.isascii()


def _escaped_characters(text: str) -> _Escaped:
    pieces = text.split("\\")[1:]
    found = {_ESCAPED[letter] for letter in {piece[:1] for piece in pieces} if letter in _ESCAPED}
    others = False
    for code in {piece[1:5] for piece in pieces if piece[:1] == "u"}:
        try:
            number = int(code, 16)
        except ValueError:  # a backslash before a word that begins with u
            continue
        if number < 0x80:
            found.add(chr(number))
        else:
            others = True
    return _Escaped("".join(found), others)


def _holds_objects(items: list[object]) -> bool:
    return any(isinstance(item, (dict, list)) for item in items)


def _decoded_size(data: str) -> int:
    """How many bytes a base64 text stands for (RFC 4648), line breaks and padding left out."""
    return (len(data) - data.count("=", -2) - data.count("\n") - data.count("\r")) * 3 // 4
