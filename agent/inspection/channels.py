"""One text of a stream: what arrived, how much of it is clear, and what is to be changed in it.

Owns the scanner of the text and the changes it leads to, in the text as it came (raw): pieces of a JSON document are
scanned as they read, and changed as they are written. Knows nothing of events and their order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.dialects.fragment import FragmentText
from agent.inspection.pseudonyms import ALIAS_RULE, LOOK_BACK
from agent.inspection.replacements import replacement
from agent.inspection.restoration import Restorer, in_json
from agent.inspection.rules import Scope
from agent.model.content import Role, Slot, Where
from agent.model.decision import Action
from agent.model.findings import Finding

_KEPT_BACK = LOOK_BACK + 1  # one more, so that a cut text does not look like the beginning of one

type Judge = Callable[[Finding, Role], Action]
"""Counts a finding and says what is done about it."""


@dataclass(slots=True)
class Rewrite:
    """A change in a channel's own (raw) offsets; `end` may grow while a long match goes on. `restored` marks a value
    that was put back."""

    start: int
    end: int
    replacement: str
    restored: bool = False


class Channel:
    """Feed it the pieces of one text. `clear` counts the raw characters that may go out with `rewrites` applied;
    nothing from `stop` on may."""

    __slots__ = (
        "_fragment",
        "_judge",
        "_restorer",
        "_scanner",
        "_seen",
        "_slot",
        "_suspicion",
        "_unscanned",
        "_view",
        "_view_start",
        "clear",
        "closed",
        "kept",
        "length",
        "rewrites",
        "sent",
        "stop",
    )

    def __init__(
        self,
        scope: Scope,
        slot: Slot,
        judge: Judge,
        *,
        restorer: Restorer | None,
        json_fragment: bool,
        keep_text: bool,
    ) -> None:
        """`slot` is the first piece: it says who speaks, and to which tool."""
        self._slot = slot
        self._judge = judge
        self._restorer = restorer
        self._scanner = scope.rules.scanner.stream()
        self._fragment = FragmentText() if json_fragment else None
        scorer = scope.rules.scorer
        self._suspicion = scorer.stream() if scorer and scope.distrusts(Where.ANSWER, slot.role) else None
        self._seen = 0
        self._unscanned: list[str] = []
        self._view = ""  # of the text as it reads: what is not clear, and some of what is
        self._view_start = 0
        self.length = 0
        self.clear = 0
        self.closed = False
        self.rewrites: list[Rewrite] = []
        self.stop: int | None = None
        self.kept: list[str] | None = [] if keep_text else None
        self.sent = 0  # of the text that is kept, how much went out

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self.length += len(text)
        if self.kept is not None:
            self.kept.append(text)
        self._scan(text)

    def gather(self, text: str) -> None:
        """Take the next piece, to be scanned with those that came with it: see `scan_gathered`."""
        self.length += len(text)
        if self.kept is not None:
            self.kept.append(text)
        self._unscanned.append(text)

    def scan_gathered(self) -> None:
        """Scan what was gathered, as one piece."""
        if self._unscanned:
            text = "".join(self._unscanned)
            self._unscanned.clear()
            self._scan(text)

    def _scan(self, text: str) -> None:
        read = text if self._fragment is None else self._fragment.feed(text)
        self._view += read
        self._scanner.feed(read)
        self._update()
        if self._suspicion is not None:
            self._suspect(self._suspicion.feed(read))

    def rest(self) -> None:
        """Nothing has come for a while."""
        if not self.closed and self._scanner.holding:
            self._scanner.rest()
            self._update()

    def finish(self) -> None:
        """The text has ended."""
        if not self.closed:
            self.closed = True
            self.scan_gathered()
            self._scanner.finish()
            self._update()
            if self._suspicion is not None:
                self._suspect(self._suspicion.finish())
            self.clear = self.length

    def rewritten(self, start: int, text: str, *, restored: bool = True) -> str | None:
        """The piece of text that began at `start`, with its part of every change; None where nothing changes. Without
        what was put back, where not `restored`."""
        end = start + len(text)
        parts: list[str] = []
        at = start
        first = bisect_right(self.rewrites, start, key=lambda rewrite: rewrite.end)
        changed = False
        for rewrite in self.rewrites[first:]:
            if rewrite.start >= end:
                break
            if rewrite.restored and not restored:
                continue
            changed = True
            parts.append(text[at - start : max(rewrite.start, at) - start])
            if rewrite.start >= start:
                parts.append(rewrite.replacement)
            at = min(max(rewrite.end, at), end)
        if not changed:
            return None
        parts.append(text[at - start :])
        return "".join(parts)

    def _update(self) -> None:
        findings = self._scanner.findings
        if len(findings) > self._seen or (findings and self._scanner.growing) or self.rewrites:
            if self.rewrites and self._seen:
                self._grow(findings[self._seen - 1])
            for finding in findings[self._seen :]:
                self._take(finding)
            self._seen = len(findings)
        cleared = self._scanner.cleared
        self.clear = self._raw(cleared)
        if cleared - self._view_start > 2 * _KEPT_BACK:
            keep = cleared - _KEPT_BACK
            self._view = self._view[keep - self._view_start :]
            self._view_start = keep

    def _grow(self, finding: Finding) -> None:
        """The last finding may have been open-ended when it was first seen."""
        last = self.rewrites[-1]
        if last.start == self._raw(finding.start):
            last.end = max(last.end, self._raw(finding.end))

    def _take(self, finding: Finding) -> None:
        if finding.rule == ALIAS_RULE.id:
            self._put_back(finding)
            return
        action = self._judge(finding, self._slot.role)
        start, end = self._raw(finding.start), self._raw(finding.end)
        if action.stops and self.stop is None:
            self.stop = start
        elif action.rewrites:
            if self._scanner.growing and finding is self._scanner.findings[-1]:
                action = Action.REDACT  # what it is as a whole is not known yet
            text = replacement(action, finding, self._read(finding))
            if self._fragment is not None:
                text = in_json(text) if self._fragment.in_string(finding.start) else f'"{text}"'
            self.rewrites.append(Rewrite(start, end, text))

    def _suspect(self, findings: Sequence[Finding]) -> None:
        """What the injection model finds comes a window late: its text may be gone, what comes after it can be kept
        back, and nothing can be changed in it."""
        for finding in findings:
            if self._judge(finding, self._slot.role).stops and self.stop is None:
                self.stop = self.clear

    def _put_back(self, finding: Finding) -> None:
        if self._restorer is None:
            return
        start = finding.start - self._view_start
        value = self._restorer.value(self._slot, self._view, start, finding.end - self._view_start)
        if value is None:
            return
        text = value if self._fragment is None else in_json(value)
        self.rewrites.append(Rewrite(self._raw(finding.start), self._raw(finding.end), text, restored=True))

    def _read(self, finding: Finding) -> str:
        """The text of a finding that was just told."""
        return self._view[finding.start - self._view_start : finding.end - self._view_start]

    def _raw(self, offset: int) -> int:
        return offset if self._fragment is None else self._fragment.raw_offset(offset)
