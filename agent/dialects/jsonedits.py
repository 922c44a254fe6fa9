"""Text replaced inside a JSON document, and inside the JSON documents its strings hold. Every byte that no edit touches
stays as it came."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import orjson

from agent.dialects.jsontext import embedded, number_text, parse
from agent.dialects.jsontokens import Span, decoded_offset, locate, tokens
from agent.errors import ContentError
from agent.model.content import Address, Edit


def edit(body: bytes, edits: tuple[Edit, ...]) -> bytes:
    """`body` with the edits made and every other byte as it came.

    Only the tokens of edited values are written anew. A number that is edited becomes a string. Where the edited text
    is itself a JSON document it stays one: if putting the replacements in as they are would break it, they are made
    inside its strings, and numbers they touch become strings; only an edit of the whole text is taken as it is. Of
    edits that overlap, the first to start replaces the whole stretch. Raises ContentError where an address leads
    nowhere or a span lies outside its text.
    """
    if not edits:
        return body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ContentError("not UTF-8") from None
    changes = _Changes()
    for one in edits:
        changes.add(one.address[1:] if one.address[:1] == ((),) else one.address, one)
    return _changed(text, changes).encode()


@dataclass(slots=True)
class _Changes:
    """What is to happen to one text: spans of its own, and edits of the documents' values inside it."""

    spans: list[Edit] = field(default_factory=list)
    inside: list[tuple[Address, Edit]] = field(default_factory=list)
    as_written: bool = False  # the spans of a number count in its token, not in `number_text`

    def add(self, address: Address, one: Edit) -> None:
        if address:
            self.inside.append((address, one))
        else:
            self.spans.append(one)


def _changed(text: str, changes: _Changes) -> str:
    """The text with its changes made, still a JSON document if it was one."""
    if not changes.inside:
        plain = _spliced(text, changes.spans)
        if any(one.start == 0 and one.end == len(text) for one in changes.spans):
            return plain
        document = embedded(text)
        if document is None:
            return plain
        result = embedded(plain)
        if result is not None and _shape(result) == _shape(document):
            return plain
    by_token: dict[Span, _Changes] = {}
    places = locate(text, {address[0] for address, _ in changes.inside})
    for address, one in changes.inside:
        by_token.setdefault(places[address[0]], _Changes()).add(address[1:], one)
    if changes.spans:
        _share_out(text, changes.spans, by_token)
    pieces: list[str] = []
    done = 0
    for start, end in sorted(by_token):
        pieces += text[done:start], _changed_token(text[start:end], by_token[start, end])
        done = end
    return "".join((*pieces, text[done:]))


def _shape(value: object) -> object:
    """What is left of a document without its keys and scalars."""
    match value:
        case dict():
            return {}, [_shape(item) for item in value.values()]
        case list():
            return [_shape(item) for item in value]
    return None


def _changed_token(token: str, changes: _Changes) -> str:
    if token[0] in "{[":
        raise ContentError("an edit's address leads to an object or array, not to a text")
    text = token
    if not changes.as_written:
        value = parse(token)
        text = (
            value
            if isinstance(value, str)
            else number_text(value)
            if isinstance(value, (int, float))
            else token
        )
    return orjson.dumps(_changed(text, changes)).decode()


def _share_out(text: str, spans: list[Edit], by_token: dict[Span, _Changes]) -> None:
    """Turn edits of a document's text into edits of the tokens they touch, keys only where one touches no value."""
    for one in spans:
        _check_span(one, text)
    leaves = list(tokens(text, min(one.start for one in spans), max(one.end for one in spans)))
    ends = [end for _, end, _ in leaves]
    for one in spans:
        at = bisect_right(ends, one.start)
        touched = []
        while at < len(leaves) and leaves[at][0] < one.end:
            touched.append(leaves[at])
            at += 1
        values = [leaf for leaf in touched if not leaf[2]]
        for start, end, _ in values or touched:
            _edit_token(text, start, end, one, by_token)


def _edit_token(text: str, start: int, end: int, one: Edit, by_token: dict[Span, _Changes]) -> None:
    """Add to `by_token` what the edit means for the token at `[start, end)`, in the token's own text."""
    quoted = text[start] == '"'
    if quoted:
        inner = text[start + 1 : end - 1]
        first = decoded_offset(inner, max(one.start - start - 1, 0), up=False)
        last = decoded_offset(inner, min(one.end - start - 1, len(inner)), up=True)
    else:
        first, last = max(one.start - start, 0), min(one.end, end) - start
    if first < last or one.start == one.end:  # else it touches no more than a quote
        changes = by_token.setdefault((start, end), _Changes())
        changes.spans.append(Edit(address=(), start=first, end=max(first, last), replacement=one.replacement))
        changes.as_written = not quoted


def _check_span(one: Edit, text: str) -> None:
    if not 0 <= one.start <= one.end <= len(text):
        raise ContentError("an edit's span lies outside its text")


def _spliced(text: str, spans: list[Edit]) -> str:
    pieces: list[str] = []
    done = 0  # the text up to here is in `pieces`, or replaced
    for one in sorted(spans, key=lambda e: (e.start, -e.end)):
        _check_span(one, text)
        if one.start >= done:
            pieces += text[done : one.start], one.replacement
        done = max(done, one.end)
    return "".join((*pieces, text[done:]))
