"""Puts values back where their stand-ins stand in an answer, as far as they stay on the machine.

For whole documents; `channels` does the same for texts that stream. What is put back was hidden from the provider, not
from the user: it is not judged again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from agent.dialects.jsontext import embedded
from agent.guardrails.offsets import occurrences
from agent.guardrails.regex import Regexp
from agent.inspection.documents import ROUNDS, Parse, Rewrite
from agent.inspection.pseudonyms import Vault, leads_away, stays
from agent.model.content import Edit, Role, Slot


@dataclass(slots=True)
class Restored:
    """How many stand-ins were put back, and how many were left: unknown, or about to leave the machine."""

    back: int = 0
    left: int = 0


class Restorer:
    """Finds the stand-ins of one vault by `alias`, the compiled pattern of `ALIAS_RULE`."""

    def __init__(self, vault: Vault, alias: Regexp, local_tools: frozenset[str]) -> None:
        self._vault = vault
        self._alias = alias
        self._local_tools = local_tools
        self.count = Restored()

    def value(self, slot: Slot, text: str, start: int, end: int) -> str | None:
        """What the stand-in `text[start:end]` stands for, where it may be put back; `slot` says who speaks."""
        known = self._vault.original(text[start:end])
        if known is None or not stays(slot, self._local_tools) or leads_away(text, start):
            self.count.left += 1
            return None
        self.count.back += 1
        return known.value

    def edits(self, slot: Slot) -> list[Edit]:
        """All that is to be put back in a slot."""
        text = slot.text
        found: list[Edit] = []
        for start, end in occurrences(self._alias, text):
            if (value := self.value(slot, text, start, end)) is not None:
                found.append(Edit(address=slot.address, start=start, end=end, replacement=value))
        if found and slot.role is Role.TOOL_CALL and embedded(text) is not None:
            return [replace(each, replacement=in_json(each.replacement)) for each in found]
        return found

    def document(self, body: bytes, slots: tuple[Slot, ...], *, parse: Parse, rewrite: Rewrite) -> bytes:
        """A whole document with everything put back, from the deepest of the texts inside texts up."""
        back = 0
        for _ in range(ROUNDS):
            self.count = Restored()
            edits = [edit for slot in slots for edit in self.edits(slot)]
            if not edits:
                break
            depth = max(len(edit.address) for edit in edits)
            deepest = tuple(edit for edit in edits if len(edit.address) == depth)
            back += len(deepest)
            body = rewrite(body, deepest)
            slots = parse(body)
        self.count.back = back
        return body


def in_json(text: str) -> str:
    """`text` as it is written between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
