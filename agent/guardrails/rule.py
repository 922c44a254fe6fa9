"""Detector rules as values. Owns what a rule says; compiling and judging happen elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.errors import PolicyError
from agent.guardrails.allowlist import Allowlist
from agent.guardrails.regex import escaped
from agent.model.findings import Family

KEYWORD_REACH = 64
"""How far before a match, in bytes of UTF-8, one of its rule's keywords may stand."""

KEYWORD_AHEAD = 1_024
"""How far into a match, in bytes of UTF-8, one of its rule's keywords may end."""

FIRST_GROUP = -1
"""`Rule.group`: the first group that is not empty, or the whole match, without line feeds around it, where all are."""

_MAX_WORDS = 2_000
_MAX_WORD_LENGTH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One detector rule.

    A keyword must stand at most `KEYWORD_REACH` bytes before the match or within its first `KEYWORD_AHEAD`. That is
    narrower than gitleaks, where it may stand anywhere: a stream cannot look ahead, and must find what a whole text
    does.
    """

    id: str  # "openai-api-key"; unique over all rules of a scanner
    family: Family
    type: str  # kind of data: "openai_api_key", "payment_card", "email"
    pattern: str  # RE2 syntax
    keywords: tuple[str, ...] = ()  # ASCII, lower case; one of them must be there; () = always tried
    labels: tuple[str, ...] = ()  # words of which one must stand before what `pattern` matches: see `context`
    group: int = (
        0  # which group is the finding's span; 0 = whole match; a match without that group is no finding
    )
    entropy: float = 0.0  # the span's Shannon entropy, in bits per character, must exceed this; 0 = not asked
    validator: str = ""  # name in validators.VALIDATORS; "" = none
    allow: tuple[str, ...] = ()  # RE2 patterns; a span in which one matches is no finding
    stopwords: tuple[str, ...] = ()  # a span that contains one, in any case, is no finding
    description: str = field(default="", repr=False, compare=False)  # for people; changes no verdict
    tested: bool = field(
        default=False, repr=False, compare=False
    )  # ours: held by our own tests, compiled when needed
    allowlists: tuple[
        Allowlist, ...
    ] = ()  # exceptions that look at the match or its line, or ask for two things
    lead: int = (
        0  # letters, digits and `_.-` before a match, at most so many, that allowlists count to the match
    )
    counts: bool = True  # whether its findings count towards a text's limit: our own marks do not
    confidence: float = 1.0  # the score of its findings, 0 to 1: how much a match says by itself
    rank: int = (
        0  # of overlapping findings the higher rank wins, whatever else; for a policy to put actions in order
    )


def keyword_rule(
    rule_id: str,
    words: tuple[str, ...],
    *,
    family: Family = Family.CUSTOM,
    case_sensitive: bool = False,
    whole_words: bool = True,
) -> Rule:
    """A rule that finds `words`, for policies that list words instead of writing patterns.

    A space in a word stands for any run of white space up to 16 characters. Word boundaries are ASCII ones: at an
    edge that is no ASCII letter, digit or underscore none is asked for (languages without spaces need that).
    Raises PolicyError where a word is empty or too long, or there are none or too many.
    """
    if not 0 < len(words) <= _MAX_WORDS:
        raise PolicyError(
            f"rule {rule_id}: between 1 and {_MAX_WORDS} words are needed, there are {len(words)}"
        )
    patterns = []
    for word in sorted({" ".join(word.split()) for word in words}, key=lambda word: (-len(word), word)):
        if not 0 < len(word) <= _MAX_WORD_LENGTH:
            raise PolicyError(f"rule {rule_id}: a word must have between 1 and {_MAX_WORD_LENGTH} characters")
        patterns.append(_word_pattern(word, whole_words=whole_words))
    pattern = ("" if case_sensitive else "(?i)") + "(?:" + "|".join(patterns) + ")"
    return Rule(id=rule_id, family=family, type=rule_id, pattern=pattern)


def _word_pattern(word: str, *, whole_words: bool) -> str:
    pattern = r"\s{1,16}".join(escaped(part) for part in word.split())
    return _edge(word[0]) + pattern + _edge(word[-1]) if whole_words else pattern


def _edge(char: str) -> str:
    return r"\b" if char.isascii() and (char.isalnum() or char == "_") else ""
