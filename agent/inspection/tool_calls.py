"""What an event tells of the tools that a model asked for. Pure.

The names and arguments are those that a dialect found: `Slot.tool`, and the place or channel of the arguments. What is
kept of arguments is scanned by every rule of ours for credentials and personal data and by the policy's own detectors,
whatever its guardrails do with them in traffic: an event stays for months.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import orjson

from agent.catalog.harness import Harness
from agent.dialects.fragment import FragmentText
from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import embedded
from agent.dialects.slots import Collector
from agent.errors import ContentError
from agent.inspection.replacements import marker
from agent.model.content import Edit, Role, Slot
from agent.model.findings import Family, Finding
from agent.model.tool import NO_TOOLS, CalledTool, ToolKind, ToolUse
from agent.policy.tool_calls import Report, ToolCalls

MAX_CALLS = 100
"""Calls that one event may tell of."""
MAX_GATHERED = 32 * 1024
"""Characters of one call's arguments that are looked at: twice what is kept at most, so that nothing that is found is
cut in half by the end of what is kept."""
MAX_TOLD = 64 * 1024
"""Characters of arguments in one event."""
_MAX_NAME = 128
_ROUNDS = 8  # texts nest at most 4 levels deep; each round clears the deepest that still has findings
_WITHHELD = "[withheld: it could not be redacted]"

type Call = tuple[str, str]
"""A tool, and its arguments as the model wrote them: a JSON text, or free text."""


class Finder(Protocol):
    """Finds what must not be kept. A rule book is one."""

    def scan(self, text: str) -> tuple[Finding, ...]:
        """What the policy's rules find."""
        ...

    def private(self, text: str) -> tuple[Finding, ...]:
        """What any rule of ours takes for a credential or for personal data."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """How calls are told, by a policy that wants it."""

    settings: ToolCalls
    harness: Harness

    def kind(self, tool: str, app: str) -> ToolKind | None:
        """What `tool` does in the hands of `app`; None where nobody wants to know of such tools."""
        kind = self.harness.kind(tool, app)
        wanted = self.settings.kinds
        return kind if not wanted or kind in wanted else None

    @property
    def tells_arguments(self) -> bool:
        """Whether arguments are kept."""
        return self.settings.report is Report.ARGUMENTS

    def told(self, calls: Iterable[Call], rules: Finder, *, app: str, names_only: bool) -> ToolUse:
        """What an event holds of `calls`."""
        found: list[CalledTool] = []
        left_out = 0
        room = 0 if names_only or not self.tells_arguments else MAX_TOLD
        for tool, arguments in calls:
            kind = self.kind(tool, app)
            if kind is None:
                continue
            if len(found) == MAX_CALLS:
                left_out += 1
                continue
            text = redacted(arguments[:MAX_GATHERED], rules) if room else ""
            kept = text[: min(room, self.settings.max_characters)]
            room -= len(kept)
            cut = len(kept) < len(text) or (bool(kept) and len(arguments) > MAX_GATHERED)
            found.append(CalledTool(tool=tool[:_MAX_NAME], kind=kind, arguments=kept, cut=cut))
        return ToolUse(calls=tuple(found), left_out=left_out) if found else NO_TOOLS


def calls_in(body: bytes, slots: tuple[Slot, ...]) -> Iterator[Call]:
    """The calls of a whole answer, whose slots a dialect has found in `body`."""
    places = dict.fromkeys(
        (slot.address[0][: slot.call], slot.tool)
        for slot in slots
        if slot.call and slot.role is Role.TOOL_CALL
    )
    if not places:
        return
    document = orjson.loads(body)
    for path, tool in places:
        value = document
        for step in path:
            value = value[step]
        yield tool, value if isinstance(value, str) else orjson.dumps(value).decode()


def redacted(text: str, rules: Finder) -> str:
    """`text` without what any rule finds in it, nor in the texts inside it."""
    if embedded(text) is None:  # no JSON, or not all of it: read as it would read
        view = FragmentText()
        text = view.feed(text) + view.finish() if text[:1] in "{[" else text
    body = orjson.dumps([text.encode("utf-8", "replace").decode()])
    for _ in range(_ROUNDS):
        edits = _edits(body, rules)
        if not edits:
            return str(orjson.loads(body)[0])
        depth = max(len(each.address) for each in edits)
        try:
            body = edit(body, tuple(each for each in edits if len(each.address) == depth))
        except ContentError:
            break
    return _WITHHELD


def _edits(body: bytes, rules: Finder) -> list[Edit]:
    found = Collector()
    found.text((0,), Role.TOOL_CALL, orjson.loads(body)[0])
    return [
        Edit(address=slot.address, start=each.start, end=each.end, replacement=marker(each.type))
        for slot in found.slots
        for each in (*rules.scan(slot.text), *rules.private(slot.text))
        if each.family is not Family.INJECTION
    ]
