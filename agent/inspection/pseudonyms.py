"""Pseudonyms: consistent stand-ins for values on the way out, and the values again on the way back.

Owns the vault of one conversation and the question where a value may be put back. A vault lives in memory only, and as
long as its conversation is remembered. The same value has the same stand-in throughout a conversation, so that
a model can speak of it and a prompt cache stays warm; another conversation has others, and knows none of these.

A stand-in is ASCII, typed and of a fixed form, `ALIAS_EMAIL_7K3QH2XA`: Markdown, JSON and shells leave it alone, and
one pattern finds it. It is put back only as a whole, only if this conversation issued it, and never where it would
carry the value off the machine: in web addresses, or in calls of tools that are not known to stay local.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from agent.guardrails.offsets import occurrences
from agent.guardrails.regex import Regexp, compiled, escaped
from agent.guardrails.rule import Rule
from agent.model.content import Role, Slot
from agent.model.findings import Family, Finding

MAX_VALUES = 2_000
"""Values of one conversation; beyond that values are redacted instead."""
SHORTEST_KNOWN = 6
"""Characters from which on a known value is also looked for where no rule finds it."""

LOOK_BACK = 2_048
"""Characters before a stand-in that tell whether it stands in a web address."""
KNOWN_RULE = "known-value"
"""The rule of findings that are values already known."""

_LONGEST_KNOWN = 256
_MEMORY = 64 << 20
_PREFIX = "ALIAS_"
_DIGEST = 8  # base-32 digits: 40 bits, keyed, so that nobody can make one up
_MAX_KIND = 40
_BREAKS = frozenset(" \t\r\n<>")
_QUOTES = frozenset("\"'`")
_GOES_ON = frozenset("=?&/#%+")  # a quote behind one of these may belong to an address
_MARKS = (
    "](",
    "=//",
    "http:",
    "https:",
    "ws://",
    "wss://",
    "ftp://",
)  # "](" opens the target of a Markdown link; browsers do with one slash, or none
_WEB = ("http:", "https:", "data:", "javascript:", "//", "www.")

ALIAS_RULE = Rule(
    id="alias",
    family=Family.CUSTOM,
    type="alias",
    pattern=rf"(?i)\b{_PREFIX}[A-Z0-9_]{{1,{_MAX_KIND}}}_[A-Z2-7]{{{_DIGEST}}}\b",
    keywords=(_PREFIX.lower(),),
    counts=False,
    rank=1_000,  # a stand-in is what we put there: no other rule has a say about it
)
"""What recognises a stand-in. Part of the rules of a policy that pseudonymises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A value that was replaced."""

    value: str
    family: Family
    type: str


class Vault:
    """The stand-ins of one conversation, both ways. `key` is random and never leaves it."""

    def __init__(self, key: bytes, *, elders: Callable[[], Iterable[Vault]] | None = None) -> None:
        """`elders` gives vaults that are asked too when a value is put back: those of the same user's conversations,
        where the provider keeps what came before and the request does not say which."""
        self._key = key
        self._elders = elders
        self._known: dict[str, Known] = {}  # by stand-in
        self._values: dict[str, str] = {}  # stand-in by value
        self._search: tuple[int, Regexp | None] = (0, None)  # and how many values there were when it was made

    @property
    def active(self) -> bool:
        """Whether there can be anything to put back."""
        return bool(self._known) or self._elders is not None

    def stand_in(self, finding: Finding, value: str) -> str | None:
        """What stands for `value`; None where the vault is full."""
        if (known := self._values.get(value)) is not None:
            return known
        if len(self._known) >= MAX_VALUES:
            return None
        kind = "".join(char if char.isalnum() else "_" for char in finding.type.upper() if char.isascii())
        digest = hmac.digest(self._key, f"{finding.type}\0{value}".encode("utf-8", "surrogatepass"), "sha256")
        token = f"{_PREFIX}{kind[:_MAX_KIND].strip('_') or 'VALUE'}_{b32encode(digest).decode()[:_DIGEST]}"
        self._known[token] = Known(value=value, family=finding.family, type=finding.type)
        self._values[value] = token  # last: who finds the value here looks its stand-in up
        return token

    def original(self, token: str) -> Known | None:
        """The value for which this conversation issued `token`, in any case; None where it did not."""
        token = token.upper()
        if (known := self._known.get(token)) is not None or self._elders is None:
            return known
        for vault in self._elders():
            if vault is not self and (known := vault.original(token)) is not None:
                return known
        return None

    def occurrences(self, text: str, covered: Iterable[Finding]) -> Iterator[Finding]:
        """Known values that stand in `text` as whole words and that no finding of `covered` touches: what was found in
        its context once is the same value without it."""
        if not self._values or (search := self._searched()) is None:
            return
        taken = [(each.start, each.end) for each in covered]
        for start, end in occurrences(search, text):
            if _alone(text, start, end) and all(end <= begin or stop <= start for begin, stop in taken):
                known = self._known[self._values[text[start:end]]]
                yield Finding(start=start, end=end, family=known.family, type=known.type, rule=KNOWN_RULE)

    def _searched(self) -> Regexp | None:
        """One pattern for all known values, made anew when there are more."""
        # in one step: requests of one conversation are inspected in several threads
        values = tuple(self._values)
        made, search = self._search
        if made != len(values):
            wanted = (value for value in values if SHORTEST_KNOWN <= len(value) <= _LONGEST_KNOWN)
            words = [escaped(value) for value in sorted(wanted, key=len, reverse=True)]
            search = compiled("|".join(words), memory=_MEMORY, captures=False) if words else None
            self._search = len(values), search
        return search


def stays(slot: Slot, local_tools: frozenset[str]) -> bool:
    """Whether what the slot says stays on the machine: an answer's text, or the arguments of a tool that is known to
    stay local. Names of tools in lower case."""
    return slot.role is not Role.TOOL_CALL or slot.tool.lower() in local_tools


def leads_away(text: str, start: int) -> bool:
    """Whether what stands at `start` of `text` is part of a web address, an image's or link's included, which a client
    may open by itself. Addresses of databases and the like are not: nobody opens those unasked."""
    begin = start
    floor = max(0, start - LOOK_BACK)
    while begin > floor and not _ends_address(text, begin - 1):
        begin -= 1
    if begin == floor > 0:
        return True  # too long to tell
    before = text[begin:start].lower()
    if _disguised(before) or _in_quotes(text, floor, start) or _in_brackets(text[floor:start]):
        return True
    slashes = before.replace("\\", "/")  # browsers take the one for the other
    before = before.replace("\\", "")
    if any(each.startswith(_WEB) or any(mark in each for mark in _MARKS) for each in (before, slashes)):
        return True
    host, slash, _ = before.partition("/")
    return bool(slash) and "://" not in before and _hostlike(host)


def _disguised(text: str) -> bool:
    """Whether some of it is spelled as HTML (`&#104;`) or JSON (`\\u0068`) may spell it: no telling what it reads."""
    return ("&" in text and ";" in text) or "\\u00" in text


def _in_quotes(text: str, floor: int, start: int) -> bool:
    """Whether the place stands in a quoted value, of an attribute or a style's `url("…")`, that is an address: there it
    goes on behind white space."""
    for quote in "\"'":
        place = text.rfind(quote, floor, start)
        opening = text[max(floor, place - 64) : max(floor, place)].rstrip(" \t\r\n\\").lower()
        if not opening.endswith(("=", "url(")):
            continue
        value = text[place + 1 : start].lower()
        if (
            "//" in value.replace("\\", "/")
            or _disguised(value)
            or any(each in value for each in ("http:", "https:"))
        ):
            return True
    return False


def _in_brackets(before: str) -> bool:
    """Whether it stands in the target of a Markdown link in angle brackets, which may hold blanks (CommonMark 0.31.2,
    section 6.3)."""
    at = before.rfind("\n") + 1
    while (at := before.find("<", at)) >= 0:
        if before[max(0, at - 64) : at].rstrip().endswith(("](", "]:")) and ">" not in before[at:].replace(
            "\\>", ""
        ):
            return True
        at += 1
    return False


def _ends_address(text: str, place: int) -> bool:
    char = text[place]
    return char in _BREAKS or (char in _QUOTES and text[place - 1 : place] not in _GOES_ON)


def _hostlike(text: str) -> bool:
    """`evil.example`, which some clients make a link of."""
    labels = text.rpartition("@")[2].partition(":")[0].split(".")
    return len(labels) > 1 and labels[-1].isalpha() and len(labels[-1]) > 1 and all(labels)


def _alone(text: str, start: int, end: int) -> bool:
    return not (_word(text[start - 1 : start]) and _word(text[start])) and not (
        _word(text[end : end + 1]) and _word(text[end - 1])
    )


def _word(char: str) -> bool:
    return char.isalnum() or char == "_"
