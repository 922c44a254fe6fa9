"""The door to the model: texts in, findings of prompt injection out."""

from __future__ import annotations

from collections.abc import Iterable

from agent.guardrails.injection.concepts import bundled_lexicon
from agent.guardrails.injection.features import Extractor
from agent.guardrails.injection.model import Model, bundled_model
from agent.guardrails.injection.signs import SURE, Signs, known_rules, sought_in_windows
from agent.guardrails.injection.windows import Window, WindowFeed, pieces, windows
from agent.model.findings import Family, Finding

INJECTION_TYPE = "prompt_injection"
INJECTION_RULE = "injection-model"
THRESHOLD = 0.5
"""The score from which a window is a finding; a policy may ask for more."""
FLOOR = 0.4
"""The score that a window needs for a rule in it that says little by itself to be a finding."""


class InjectionScorer:
    """Judges texts window by window, each by its pieces. Immutable: one scorer serves any number of threads.

    A piece's score is the probability that it tries to steer a model against its user or operator, from the words,
    the rules that hit and what they mean together: a lone sign in a long harmless text stays below the threshold.
    """

    def __init__(
        self, extractor: Extractor, model: Model, *, rules: Signs, threshold: float = THRESHOLD
    ) -> None:
        """`rules` find by themselves, in every window; the threshold is for the model alone."""
        self._extractor = extractor
        self._model = model
        self._rules = rules
        self._threshold = threshold

    @property
    def kinds(self) -> dict[str, str]:
        """What it may find: the type by the rule, the model's own among them."""
        return {rule.id: rule.type for rule in self._rules.rules} | {INJECTION_RULE: INJECTION_TYPE}

    def score(self, text: str) -> float:
        """The highest score of the pieces of one window, 0 to 1."""
        return max((score for _, score in self._scored(text)), default=0.0)

    def findings(self, text: str) -> tuple[Finding, ...]:
        """What the rules for windows find, and the pieces that score at least the threshold: by position, disjoint.

        Where a rule finds something in a piece that the model finds too, the model's findings stand around it.
        """
        return tuple(self._judged(windows(text), 0, 0))

    def stream(self) -> ScoreStream:
        """A scan of one text that arrives in pieces; its findings are those of `findings` on the whole."""
        return ScoreStream(self)

    def judged(self, done: Iterable[Window], after: int, seen: int) -> list[Finding]:
        """The findings among some windows, none of which begins before `after`: windows overlap, findings do not.

        `seen` is the end of the window before them: what lies before it was judged there.
        """
        return list(self._judged(done, after, seen))

    def _judged(self, done: Iterable[Window], after: int, seen: int) -> Iterable[Finding]:
        for window in done:
            scored = self._scored(window.text, seen - window.start)
            seen = window.end
            best = max((score for _, score in scored), default=0.0)
            hits: list[Finding] = []
            for start, end, rule in self._rules.spans(window.text):
                plain = rule.confidence >= SURE
                if plain or best >= FLOOR:
                    sure = rule.confidence if plain else best
                    hits.append(_finding(window.start + start, window.start + end, rule.type, rule.id, sure))
            regions = _regions(
                (window.start + piece.start, window.start + piece.end, score)
                for piece, score in scored
                if score >= self._threshold
            )
            for finding in _disjoint(hits, regions, after):
                yield finding
                after = finding.end

    def _scored(self, text: str, seen: int = 0) -> list[tuple[Window, float]]:
        judge, features = self._model.probability, self._extractor.features
        return [(piece, judge(features(piece.text))) for piece in pieces(text) if piece.end > seen]


def _regions(found: Iterable[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Pieces that overlap, as one with the highest score."""
    regions: list[tuple[int, int, float]] = []
    for start, end, score in found:
        if regions and start <= regions[-1][1]:
            before = regions.pop()
            start, score = before[0], max(before[2], score)
        regions.append((start, end, score))
    return regions


def _disjoint(hits: list[Finding], regions: list[tuple[int, int, float]], after: int) -> Iterable[Finding]:
    """What rules found, and of the model's regions what stands between: by position, none before `after`."""
    for hit in hits:
        if hit.start < after:
            continue
        while regions and regions[0][0] < hit.start:
            start, end, score = regions.pop(0)
            if max(start, after) < min(end, hit.start):
                yield _finding(max(start, after), min(end, hit.start), INJECTION_TYPE, INJECTION_RULE, score)
            if end > hit.end:
                regions.insert(0, (hit.end, end, score))
                break
        yield hit
        after = hit.end
    for start, end, score in regions:
        if max(start, after) < end:
            yield _finding(max(start, after), end, INJECTION_TYPE, INJECTION_RULE, score)
            after = end


def _finding(start: int, end: int, kind: str, rule: str, score: float) -> Finding:
    return Finding(start=start, end=end, family=Family.INJECTION, type=kind, rule=rule, score=score)


class ScoreStream:
    """One text in pieces. A window is judged as soon as it is complete: about 1,000 characters late."""

    def __init__(self, scorer: InjectionScorer) -> None:
        self._scorer = scorer
        self._feed = WindowFeed()
        self._after = 0
        self._seen = 0

    def feed(self, piece: str) -> list[Finding]:
        """The findings in the windows that `piece` completes; offsets count from the start of the text."""
        return self._noted(self._feed.feed(piece))

    def finish(self) -> list[Finding]:
        """The findings in what is left."""
        return self._noted(self._feed.finish())

    def _noted(self, done: list[Window]) -> list[Finding]:
        found = self._scorer.judged(done, self._after, self._seen)
        if found:
            self._after = found[-1].end
        if done:
            self._seen = done[-1].end
        return found


def bundled_scorer(*, threshold: float = THRESHOLD) -> InjectionScorer:
    """The scorer with the lexicon, the rules and the weights that ship with the program."""
    extractor = Extractor(bundled_lexicon(), Signs(known_rules()))
    return InjectionScorer(extractor, bundled_model(), rules=Signs(sought_in_windows()), threshold=threshold)
