"""A text that arrives in pieces, folded and scanned: the streaming twin of `Scanner.scan`.

Owns the way back from the folded text, which the rules see, to the text as it came, which its reader has to change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.guardrails.folding import Folding
from agent.guardrails.stream import StreamScanner
from agent.model.findings import Finding


class TextStream:
    """Scans one text that arrives in pieces and says how much of it can no longer be part of a match.

    `cleared`: characters of the text that may be released with the findings applied; never decreases.
    `findings`: by position, disjoint, in characters of the whole text; each ends at or before `cleared`. Only the last
    one may still grow, and only while `growing`; what is added to it is no new finding.
    """

    def __init__(self, scanner: StreamScanner, folding: Folding) -> None:
        self._scanner = scanner
        self._folding = folding
        self._mapped: list[Finding] = []

    @property
    def cleared(self) -> int:
        """How many characters may be released."""
        if self._folding.straight:
            return self._scanner.cleared
        return self._folding.start(self._scanner.cleared)

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found in the cleared text."""
        found = self._scanner.findings
        if self._folding.straight:
            return found
        settled = max(0, len(self._mapped) - 1)  # the last may have grown
        self._mapped[settled:] = unfolded(found[settled:], self._folding)
        return self._mapped

    @property
    def growing(self) -> bool:
        """Whether the last finding's end may still move."""
        return self._scanner.growing

    @property
    def holding(self) -> bool:
        """Whether some of the text is held back."""
        return self._scanner.holding

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self._scanner.feed(self._folding.feed(text))

    def rest(self) -> None:
        """No text has come for a while: release what is not the beginning of a match that a rule would recognise."""
        self._scanner.rest()

    def finish(self) -> None:
        """The text has ended: everything is decided, and cleared."""
        self._scanner.feed(self._folding.finish())
        self._scanner.finish()


def unfolded(found: Iterable[Finding], folding: Folding) -> tuple[Finding, ...]:
    """Findings of the folded text, in the text as it came."""
    return tuple(
        Finding(
            start=folding.start(each.start),
            end=folding.end(each.end),
            family=each.family,
            type=each.type,
            rule=each.rule,
            score=each.score,
        )
        for each in found
    )
