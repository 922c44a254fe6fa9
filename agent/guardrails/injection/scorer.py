"""The door to the model: texts in, findings of prompt injection out."""

from __future__ import annotations

from collections.abc import Iterable

from agent.guardrails.injection.concepts import bundled_lexicon
from agent.guardrails.injection.features import Extractor
from agent.guardrails.injection.model import Model, bundled_model
from agent.guardrails.injection.signs import Signs
from agent.guardrails.injection.windows import Window, WindowFeed, windows
from agent.guardrails.pack import bundled_rules
from agent.model.findings import Family, Finding

TYPE = "prompt_injection"
RULE = "injection-model"
THRESHOLD = 0.5
"""The score from which a window is a finding; a policy may ask for more."""


class InjectionScorer:
    """Judges texts window by window. Immutable: one scorer serves any number of threads and streams.

    A window's score is the probability that it tries to steer a model against its user or operator, from the words,
    the rules that hit and what they mean together: a lone sign in a long harmless text stays below the threshold.
    """

    def __init__(self, extractor: Extractor, model: Model, *, threshold: float = THRESHOLD) -> None:
        self._extractor = extractor
        self._model = model
        self._threshold = threshold

    def score(self, text: str) -> float:
        """The score of one window, 0 to 1."""
        return self._model.probability(self._extractor.features(text))

    def findings(self, text: str) -> tuple[Finding, ...]:
        """The windows of `text` that score at least the threshold, by position and disjoint."""
        return tuple(self._judged(windows(text), 0))

    def stream(self) -> ScoreStream:
        """A scan of one text that arrives in pieces; its findings are those of `findings` on the whole."""
        return ScoreStream(self)

    def judged(self, done: Iterable[Window], after: int) -> list[Finding]:
        """The findings among some windows, none of which begins before `after`: windows overlap, findings do not."""
        return list(self._judged(done, after))

    def _judged(self, done: Iterable[Window], after: int) -> Iterable[Finding]:
        for window in done:
            score = self.score(window.text)
            if score >= self._threshold:
                start = max(window.start, after)
                yield Finding(
                    start=start, end=window.end, family=Family.INJECTION, type=TYPE, rule=RULE, score=score
                )
                after = window.end


class ScoreStream:
    """One text in pieces. A window is judged as soon as it is complete: about 1,000 characters late."""

    def __init__(self, scorer: InjectionScorer) -> None:
        self._scorer = scorer
        self._feed = WindowFeed()
        self._after = 0

    def feed(self, piece: str) -> list[Finding]:
        """The findings in the windows that `piece` completes; offsets count from the start of the text."""
        return self._noted(self._feed.feed(piece))

    def finish(self) -> list[Finding]:
        """The findings in what is left."""
        return self._noted(self._feed.finish())

    def _noted(self, done: list[Window]) -> list[Finding]:
        found = self._scorer.judged(done, self._after)
        if found:
            self._after = found[-1].end
        return found


def bundled_scorer(*, threshold: float = THRESHOLD) -> InjectionScorer:
    """The scorer with the lexicon, the rules and the weights that ship with the program."""
    rules = tuple(rule for rule in bundled_rules() if rule.family is Family.INJECTION)
    return InjectionScorer(Extractor(bundled_lexicon(), Signs(rules)), bundled_model(), threshold=threshold)
