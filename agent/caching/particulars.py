"""What must agree word for word before two prompts that sound alike count as the same question. Pure.

Embeddings blur just what answers turn on: "convert 5 miles" and "convert 6 miles" point the same way, and so do
"enable" and "disable". Before an answer is given to another prompt than it was made for, both must hold the same

- numbers, in digits or in words, in the same order, with the units behind them, and signs such as % and +;
- units that stand alone, and currencies;
- quoted text, code and options;
- names: identifiers, capitalised words inside a sentence and names in `lexicon.toml`, whatever their case;
- negations, as many;
- sides, of words that come in opposites (first and last, encrypt and decrypt);
- and language and script;

"A to B" is not "B to A", and words come in one order, but for one stretch that may stand elsewhere. Half of the words
must be the same, of long prompts all. Where two prompts differ in nothing but one word for another, or by one word
more, the words must be known to say the same: this is how near-misses look. A check that errs costs a call of the
provider; a missing one a wrong answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import re2

from agent.caching.lexicon import Lexicon, Pole, lexicon

_TOKEN = re2.compile(
    r"```(?s:.*?)```"  # code
    r"|`[^`\n]+`"
    r'|"[^"\n]+"|“[^”\n]+”|„[^“”\n]+[“”]|«[^»\n]+»|「[^」\n]+」'  # quotes
    r"|(?:https?://|www\.)\S+"
    r"|--?[A-Za-z][\w-]*"  # options; a hyphen inside a word is part of it, below
    r"|\d+(?:[.,:]\d+)*"
    r"|[\p{L}\p{M}_][\p{L}\p{M}\p{N}_]*(?:(?:['’\-./:]|::)[\p{L}\p{N}_]+)*(?:\+\+|#)?(?:\(\))?"
    r"|[%+*/=<>^°$€£¥&|~@]|≤|≥|≠|×|÷"
)
_QUOTED = re2.compile(r"(?:^|[\s(])'([^'\n]+)'(?:$|[\s).,;:!?])")  # not an apostrophe
_IDENTIFIER = re2.compile(r"[_/:.\d]|\(\)|\+\+|#|\p{Ll}\p{Lu}|^\p{Lu}{2,}$|^\p{Lu}{2,}\d")
_ENDINGS = frozenset({"s", "re", "ve", "ll", "m", "d"})
_DEGREES = frozenset({"degrees", "degree", "grad", "degrés", "grados", "gradi"})
_FORMS = frozenset(
    [
        "",
        "e",
        "s",
        "d",
        "n",
        "t",
        "r",
        "a",
        "o",
        "i",
        "и",
        "es",
        "ed",
        "en",
        "st",
        "er",
        "ar",
        "ir",
        "re",
        "ez",
        "ing",
    ]
)  # endings that only bend a word
_SHORT = 12  # words that say something, of which two prompts may say some otherwise
_SENTENCE_ENDS = frozenset(".?!:\n¿¡。？！")


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a prompt says that another must say, too."""

    numbers: tuple[str, ...]
    units: tuple[str, ...]
    literal: tuple[str, ...]  # quoted text and code
    names: frozenset[str]
    negations: int
    alone: tuple[str, ...]  # sides without an axis
    sides: Mapping[str, frozenset[str]]  # by axis
    language: str  # empty where unknown
    script: str
    words: tuple[str, ...]  # those that say something, one for all that say the same
    links: frozenset[tuple[str, str]]  # words on both sides of a "to", "than", "from"
    seen: frozenset[str]  # all words in lower case


def difference(first: str, second: str) -> str:
    """In which kind of particular the prompts differ; empty where they agree."""
    if first == second:
        return ""
    one, other = particulars(first), particulars(second)
    for kind in ("script", "numbers", "units", "literal", "negations", "alone"):
        if getattr(one, kind) != getattr(other, kind):
            return kind
    if one.language != other.language and one.language and other.language:
        return "language"
    if not one.names <= other.names | other.seen or not other.names <= one.names | one.seen:
        return "names"
    if any(one.sides[axis] != other.sides[axis] for axis in one.sides.keys() & other.sides.keys()):
        return "sides"
    if any((after, before) in other.links for before, after in one.links if before != after):
        return "order"
    if not _same_order(one, other):
        return "order"
    return "" if _same_words(one, other) else "words"


@lru_cache(maxsize=512)
def particulars(text: str) -> Particulars:
    """What `text` says in particular."""
    return _Reading(lexicon()).read(text)


class _Reading:
    """One prompt, read word by word."""

    def __init__(self, known: Lexicon) -> None:
        self._known = known
        self._numbers: list[str] = []
        self._units: list[str] = []
        self._literal: list[str] = []
        self._names: set[str] = set()
        self._words: list[str] = []
        self._links: set[tuple[str, str]] = set()
        self._seen: set[str] = set()
        self._negations = 0
        self._noes = 0
        self._poles: list[Pole] = []
        self._languages: Counter[str] = Counter()
        self._after_number = False
        self._linking: list[str] = []  # words before a "to" that wait for the word behind it

    def read(self, text: str) -> Particulars:
        """What `text` says in particular."""
        for quoted in _QUOTED.finditer(text):
            self._literal.append(quoted.group(1).casefold())
        end = 0
        for match in _TOKEN.finditer(text):
            begins = end == 0 or any(each in _SENTENCE_ENDS for each in text[end : match.start()])
            end = match.end()
            self._token(match.group(), begins=begins)
        language, script = self._language(), _script(text)
        if language != "pt":
            self._negations += self._noes
        if script != "latin":
            self._unspaced(text)
        sides: dict[str, set[str]] = {}
        for pole in self._poles:
            if pole.axis:
                sides.setdefault(pole.axis, set()).add(pole.side)
        return Particulars(
            numbers=tuple(self._numbers),
            units=tuple(sorted(self._units)),
            literal=tuple(self._literal),
            names=frozenset(self._names),
            negations=self._negations,
            alone=tuple(sorted(pole.side for pole in self._poles if not pole.axis)),
            sides={axis: frozenset(each) for axis, each in sides.items()},
            language=language,
            script=script,
            words=tuple(self._words),
            links=frozenset(self._links),
            seen=frozenset(self._seen),
        )

    def _token(self, token: str, *, begins: bool) -> None:
        first = token[0]
        if first.isdigit():
            self._numbers.append(_number(token))
            self._after_number = True
        elif first in '`"“„«「' or token.startswith(("http://", "https://", "www.")):
            self._literal.append(token.strip('`"“”„«»「」 \n').casefold())
        elif first == "-":
            self._literal.append(token)  # -v is not -V
        elif first.isalpha() or first == "_":
            self._word(token, begins=begins)
        else:
            self._numbers.append(token)  # a sign: of arithmetic, percent, money

    def _word(self, token: str, *, begins: bool) -> None:
        head, apostrophe, tail = token.replace("’", "'").partition("'")
        if tail.lower() == "t":  # don't, can't
            self._negations += 1
        elif apostrophe and tail and tail.lower() not in _ENDINGS:
            self._single(head, begins=begins)
            head, begins = tail, False  # l'Autriche, qu'est
        if head:
            self._single(head, begins=begins)

    def _single(self, token: str, *, begins: bool) -> None:
        known, lower = self._known, token.lower()
        self._seen.add(lower)
        for language in known.languages.get(lower, ()):
            self._languages[language] += 1
        if lower in _DEGREES and self._after_number:
            return
        if lower == "no":
            self._noes += 1  # in Portuguese it says "in the"
        elif lower in known.negations:
            self._negations += 1
        elif (number := known.numbers.get(lower)) is not None:
            self._numbers.append(number)
            self._after_number = True
            return
        elif self._unit(lower):
            pass
        elif (pole := known.poles.get(lower)) is not None:
            self._poles.append(pole)
        elif (name := known.names.get(lower)) is not None:
            self._names.add(name)
            self._seen.add(name)
        elif self._is_name(token, lower, begins=begins):
            self._names.add(lower)
        self._after_number = False
        self._meaning(lower)

    def _unit(self, lower: str) -> bool:
        unit = self._known.units.get(lower)
        if unit is None:
            return False
        if self._after_number:
            self._numbers.append(unit)
        elif unit not in self._known.attached:
            self._units.append(unit)
        else:
            return False
        return True

    def _is_name(self, token: str, lower: str, *, begins: bool) -> bool:
        if _IDENTIFIER.search(token) is not None:
            return True
        return token[0].isupper() and not begins and lower not in self._known.empty

    def _meaning(self, lower: str) -> None:
        if lower in self._known.comparing and self._words:
            self._linking = self._words[-2:]  # "Python faster than"
        if lower in self._known.empty:
            return
        stem = _stem(lower)
        word = self._known.same.get(lower) or self._known.same.get(stem)
        if word is None:
            word = pole.side if (pole := self._known.poles.get(lower)) is not None else stem
        self._links |= {(before, word) for before in self._linking}
        self._linking = []
        self._words.append(word)

    def _unspaced(self, text: str) -> None:
        """Languages without spaces: their words are looked for wherever they may stand."""
        self._negations += sum(text.count(word) for word in self._known.unspaced_negations)
        self._poles += [pole for word, pole in self._known.unspaced_poles.items() if word in text]
        self._names |= {name for word, name in self._known.unspaced_names.items() if word in text}

    def _language(self) -> str:
        """The language most of whose small words stand here, where that is plain."""
        top = self._languages.most_common(2)
        if not top or top[0][1] < 2 or (len(top) == 2 and top[0][1] - top[1][1] < 2):
            return ""
        return top[0][0]


def _number(token: str) -> str:
    """A number in one spelling: `1,000` and `1000`, `2.50` and `2.5`."""
    whole, comma, thousand = token.rpartition(",")
    if comma and len(thousand) == 3 and "." not in thousand:
        token = whole.replace(",", "") + thousand
    if "." in token and token.count(".") == 1:
        token = token.rstrip("0").rstrip(".")
    try:
        return "".join(str(int(each)) if each.isdecimal() else each for each in token)
    except ValueError:
        return token


def _stem(word: str) -> str:
    """Without the plural's `s`."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and word.isascii() else word


def _script(text: str) -> str:
    """The blocks of letters, roughly; kana, of which Japanese always has some, makes Han characters Japanese."""
    others = [each for each in text if each > "\u024f" and each.isalpha()]
    if any("\u3040" <= each <= "\u30ff" for each in others):
        return "japanese"
    return " ".join(sorted({_block(each) for each in others})) or "latin"


def _block(letter: str) -> str:
    if "\u0370" <= letter <= "\u03ff":
        return "greek"
    if "\u0400" <= letter <= "\u052f":
        return "cyrillic"
    if "\u2e80" <= letter <= "\u9fff":
        return "han"
    return "hangul" if "\uac00" <= letter <= "\ud7af" else f"block {ord(letter) >> 8}"


def _same_words(one: Particulars, other: Particulars) -> bool:
    """Not the same sentence with one word replaced, left out or put in."""
    left, right = Counter(one.words), Counter(other.words)
    only_left, only_right = list((left - right).elements()), list((right - left).elements())
    if not only_left and not only_right:
        return bool(one.words) or one.seen == other.seen
    shared = (left & right).total()
    if shared > _SHORT:
        return False  # a word or two of a long text change what it says, but hardly where its vector points
    if max(len(only_left), len(only_right)) > shared:
        return False  # a model makes one vector of all it does not know, such as other scripts
    if len(only_left) > 1 or len(only_right) > 1:
        return True
    return len(only_left) == len(only_right) == 1 and _inflected(only_left[0], only_right[0])


def _same_order(one: Particulars, other: Particulars) -> bool:
    """Words that both have come in one order, but for one stretch that may stand elsewhere ("a Python list", "a list in
    Python"): "the cat chases the dog" is not the other way round."""
    both = set(one.words) & set(other.words)
    left, right = ([word for word in dict.fromkeys(each.words) if word in both] for each in (one, other))
    while left and left[0] == right[0]:
        del left[0], right[0]
    while left and left[-1] == right[-1]:
        del left[-1], right[-1]
    if not left:
        return True
    turn = right.index(left[0])
    return right[turn:] + right[:turn] == left


def _inflected(first: str, second: str) -> bool:
    """Whether two words are forms of one: `ordeno` and `ordenar`."""
    shared = 0
    while shared < min(len(first), len(second)) and first[shared] == second[shared]:
        shared += 1
    return shared >= 4 and first[shared:] in _FORMS and second[shared:] in _FORMS
