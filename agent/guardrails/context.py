"""Values that only a word tells: a shape such as nine digits, and the labels of which one must stand before it.

Owns how a label may be written and how far from its value it may stand. A label is given as plain words in lower
case ("date of birth"); it is found in any case, as snake_case, kebab-case or camelCase, as a key of JSON (escaped
or not), an element of XML, a name before `=`, a few words before the value in a sentence, or a question that the line
below answers. Column heads of tables are out of reach: they stand lines away from their values.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.guardrails.regex import escaped

_SHORT = 4
_SHORT_PHRASE = 6
_BEGIN = r"(?:\b|_|\\[nrt])"
_APART = r"[ _.\-]{0,2}"
# The rest of the label's word and up to three words more; no mark that ends a field of a record stands between them,
# and a line may break only right before the value. Words are counted, not characters: so a stream can tell after a
# few words that no value follows, and all rules with labels share one small automaton.
_LETTER = r"[A-Za-z_\x{80}-\x{10FFFF}]"
_MARK = r"[^\w,;{}\n\x{80}-\x{10FFFF}]"
_ASKED = r"\?\r?\n"  # "Your NHS number?\nAnn: it's 943 ...": the line below answers
_ELEMENT = r"</[a-z]{1,8}>\s{0,16}<[a-z]{1,8}>"
_GAP = (
    rf"{_LETTER}{{0,16}}(?:(?:{_MARK}{{1,6}}|{_ASKED}){_LETTER}{{1,16}}){{0,3}}?(?:{_ELEMENT}|[^\w\x{{80}}-\x{{10FFFF}}]{{0,10}}?)"
    r"(?:\b|\W|\\[nrt])"
)


def labelled(words: tuple[str, ...], value: str) -> str:
    """A pattern for `value` behind one of `words`. Its groups are those of `value`; without any, `value` is one.

    A label of up to four ASCII letters must be a word of its own (`cpf`, `user_cpf`, `userCpf`); a longer one may be
    part of a word, as labels are in many languages.
    """
    if not _captures(value):
        value = f"({value})"
    return f"{label_pattern(words)}{_GAP}(?:{value})"


def label_pattern(words: tuple[str, ...]) -> str:
    """A pattern for any of `words` as a label, without groups."""
    short, long = _by_length(words)
    labels = []
    if short:
        labels.append(rf"{_short_label(short)}(?:\b|_|[A-Z])")
    if long:
        labels.append(f"(?i:{'|'.join(_spelled(word) for word in long)})")
    return f"(?:{'|'.join(labels)})"


def label_marks(words: Iterable[str]) -> tuple[str, str]:
    """Patterns for where a label of `words` may begin: a long one, which may be part of a word here, and a short one.
    Empty where there are none. They make a tenth of the states that labels with their boundaries make."""
    short, long = _by_length(sorted(set(words)))
    loose = f"(?i:{'|'.join(_APART.join(map(escaped, word.split())) for word in long)})" if long else ""
    return loose, rf"{_short_label(short)}(?:\b|_|[A-Z])" if short else ""


def _by_length(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """Labels that must be words of their own, and those that may be part of one."""
    short, long = list[str](), list[str]()
    for word in words:
        own = word.isascii() and word.isalpha() and len(word) <= _SHORT
        (short if own else long).append(word)
    return short, long


def _short_label(words: Iterable[str]) -> str:
    """Labels that must be words of their own, up to the end of the word."""
    words = list(words)
    humps = "|".join(word.capitalize() for word in words)
    return rf"(?:{_BEGIN}(?i:{'|'.join(words)})s?|[a-z](?:{humps}))"


def label_opening(words: Iterable[str]) -> str:
    """A pattern for what stands in every beginning of a label of `words` that is more than ASCII letters in a row."""
    short, long = _by_length(sorted(set(words)))
    fronts = sorted({_front(word) for word in long})
    openings = [f"(?i:{'|'.join(fronts)})"] if fronts else []
    if short:
        openings.append(_short_label(short))
    return "|".join(openings)


def label_rest(words: Iterable[str], values: str) -> str:
    """A pattern for whatever stands behind `label_opening` of `words` up to the end of one of `values`, and for more:
    which words a label has is not asked."""
    marks = [[char for char in word if not (char.isalnum() or char == "_")] for word in words]
    between = "".join(map(escaped, sorted({" ", ".", "-"}.union(*marks))))
    letter = r"[\w\x{80}-\x{10FFFF}]"
    return rf"{letter}*(?:[{between}]{{1,2}}{letter}+){{0,{max(map(len, marks))}}}{_GAP}(?:{values})"


def _front(word: str) -> str:
    """A pattern for the words of `word` up to the first mark between or in them, that included, or to the end."""
    pattern, open_groups = _BEGIN if _is_short_phrase(word) else "", 0
    for place, part in enumerate(word.split()):
        if place:
            pattern += r"(?:[ _.\-]|"
            open_groups += 1
        plain = next((at for at, char in enumerate(part) if not (char.isascii() and char.isalnum())), None)
        if plain is not None:
            pattern += escaped(part[: plain + 1])
            break
        pattern += escaped(part)
    return pattern + ")" * open_groups


def _spelled(word: str) -> str:
    parts = [escaped(part) for part in word.split()]
    if _is_short_phrase(word):
        return _BEGIN + r"[ _.\-]{1,2}".join(parts)  # "sa id" must not be found in "said"
    return _APART.join(parts)


def _is_short_phrase(word: str) -> bool:
    """Whether `word` is several words, so short that others would hold them: "sa id", "d nummer"."""
    parts = word.split()
    few = len("".join(parts)) <= _SHORT_PHRASE or len(parts[0]) == 1
    return len(parts) > 1 and word.isascii() and few


def _captures(pattern: str) -> bool:
    """Whether a pattern has a capturing group."""
    place, in_class = 0, False
    while place < len(pattern):
        char = pattern[place]
        if char == "\\":
            place += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(" and not pattern.startswith("(?", place):
            return True
        place += 1
    return False
