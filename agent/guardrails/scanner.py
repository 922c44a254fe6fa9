"""The door to the engine: scans whole texts, and starts scans of texts that arrive in pieces.

Each rule that can match searches on its own in the folded text (see `folding`), its matches are judged, then overlaps
are resolved. All of it is linear in the text. Knows nothing of roles, policies and actions: which findings matter
where is the policy's matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from agent.guardrails.detector import Cursor, Span
from agent.guardrails.explanation import Account, explained
from agent.guardrails.folding import Folder
from agent.guardrails.offsets import encoded, in_characters
from agent.guardrails.overlap import disjoint
from agent.guardrails.rule import Rule
from agent.guardrails.ruleset import Limits, RuleSet
from agent.guardrails.stream import StreamScanner
from agent.guardrails.textstream import TextStream, unfolded
from agent.model.findings import Finding

_ENGINE = "2"
_BEGINNING = Cursor(0, 0)
_LARGE = 16_384  # bytes from which on rules are told where in a text to search


class Scanner:
    """Finds what `rules` describe. Immutable: one scanner serves any number of threads and streams.

    `digest` names the rules, the limits and the engine: a verdict reached under another digest says nothing.
    """

    def __init__(self, rules: tuple[Rule, ...], *, limits: Limits | None = None) -> None:
        """Raises PolicyError naming the rule that RE2 refuses, that is too costly, or whose id is taken."""
        self.rules = rules
        limits = limits or Limits()
        self.digest = hashlib.sha256(repr((_ENGINE, limits, rules)).encode("utf-8")).hexdigest()
        self._rules = RuleSet(rules, limits)
        self._folder = Folder()

    def warm(self, pause: Callable[[], object] = lambda: None) -> None:
        """Make now what the first stream would have to wait for: a fraction of a second, in any thread. `pause` is
        called between the steps, to let other threads run."""
        self._rules.warm(pause)

    def scan(self, text: str) -> tuple[Finding, ...]:
        """The findings in `text`, by position, disjoint, as many as the limits allow."""
        if text.isascii():
            return self._scan(text)
        folding = self._folder.folding()
        folded = folding.feed(text) + folding.finish()
        found = self._scan(folded)
        return found if folding.straight else unfolded(found, folding)

    def _scan(self, text: str) -> tuple[Finding, ...]:
        data = encoded(text)
        most = self._rules.limits.max_findings
        spans: list[Span] = []
        whole = ((0, len(data) + 1),)
        places = (
            [(detector, whole) for detector in self._rules.candidates(data)]
            if len(data) <= _LARGE
            else self._rules.located(data)
        )
        for detector, parts in places:
            bound = self._rules.most(detector)
            cursor = _BEGINNING
            for start, stop in parts:
                if cursor.at < stop:
                    cursor = cursor._replace(at=max(start, cursor.at))
                    found, cursor = detector.spans(data, cursor, stop, bound, local=stop <= len(data))
                    spans.extend(found)
        if not spans:
            return ()
        spans.sort()
        rest: list[Span] = []
        counted = self._rules.counted(spans) if len(spans) > most else []
        if len(counted) > most:
            limit = counted[most].start
            spans = [span._replace(end=min(span.end, limit)) for span in spans if span.start < limit]
            rest = [Span(limit, len(data), self._rules.rest)]
        spans = [*disjoint(spans, self._rules.tiers), *rest]
        return tuple(self._rules.finding(*span) for span in in_characters(spans, data))

    def explain(self, text: str) -> tuple[Account, ...]:
        """Every match of every rule in `text`, with what became of it. For people: slower than a scan."""
        folding = self._folder.folding()
        folded = folding.feed(text) + folding.finish()
        accounts = explained(self._rules, folded, self._scan(folded))
        return accounts if folding.straight else tuple(each.unfolded(folding) for each in accounts)

    def stream(self) -> TextStream:
        """A scan of one text that arrives in pieces; its findings are those of `scan` on the whole."""
        return TextStream(StreamScanner(self._rules), self._folder.folding())
