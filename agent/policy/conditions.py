"""Conditions of rules (`when`), written in CEL: checked when a policy is read, evaluated for an exchange. Pure.

Only comparisons are taken: no arithmetic, no `map`, no regular expressions (those belong to RE2), and at most two
comprehensions within each other over lists of at most `MAX_LISTED` items. So the cost of a condition is bounded by
its text, whoever wrote it. See docs/adr/0006-conditions-are-cel.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random

type Value = bool | int | float | str | list[Value] | dict[str, Value]

MAX_LENGTH = 1000
MAX_LISTED = 100
"""So many attachments and groups a condition sees; the rest is cut off."""

_MAX_NESTED = 2
_TRIALS = 256
_MACROS = frozenset({"exists", "all", "exists_one", "filter"})
_FUNCTIONS = _MACROS | {"has", "size", "contains", "startsWith", "endsWith"}
_WORDS = frozenset({"true", "false", "null", "in"})
_NO_OPERATORS = frozenset("+*/%")
_UNRELATED = (KeyboardInterrupt, SystemExit, GeneratorExit)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")

_ATTACHMENT: Mapping[str, Value] = {
    "kind": "image",
    "media_type": "image/png",
    "size": 1,
    "name": "a.png",
    "type": "png",
    "readable": True,
    "characters": 1,
    "pages": 1,
    "findings": 1,
}
_SAMPLE: Mapping[str, Value] = {
    "app": "",
    "user": "",
    "groups": [],
    "model": "",
    "host": "",
    "surface": "",
    "kind": "",
    "state": "",
    "path": "",
    "direction": "prompt",
    "size": 0,
    "attachments": [],
    "destination": {"kind": "native", "host": ""},
    "device": {"os": "linux"},
    "hour": 0,
    "weekday": 1,
    "app_evidence": "",
    "app_claimed": "",
    "within": [],
    "identity": {"signed_in": False, "subject": "", "name": ""},
    "login": {"kind": "", "plan": "", "tenancy": "", "organisation": "", "domain": "", "key_type": ""},
}
VARIABLES = tuple(_SAMPLE)
"""What a condition may ask for."""

_ROUTING: Mapping[str, Value] = {
    **_SAMPLE,
    "tokens": 0,
    "tier": "simple",
    "cost": 0.0,
    "labels": [],
    "virtual_key": "",
    "team": "",
}
ROUTING_VARIABLES = tuple(_ROUTING)
"""What the condition of a routing rule may ask for besides: what is known once a request has been inspected."""

_LATER = frozenset({"model", "size", "attachments", "direction", "destination", "state"})
_WHO: Mapping[str, Value] = {name: value for name, value in _SAMPLE.items() if name not in _LATER}

_ATTRIBUTES = frozenset(_ATTACHMENT) | {
    *("kind", "host", "os"),
    *("signed_in", "subject"),
    *("plan", "tenancy", "organisation", "domain", "key_type"),
}


class ConditionFailed(Exception):
    """A condition could not be evaluated: it asked for an item or attribute that is not there."""


def check_condition(text: str) -> str:
    """`text` if it is a condition that can be used. Raises ValueError with what is wrong."""
    return _checked(text, _SAMPLE)


def check_routing_condition(text: str) -> str:
    """`text` if it is a condition that a routing rule can use. Raises ValueError with what is wrong."""
    return _checked(text, _ROUTING)


def check_app_condition(text: str) -> str:
    """`text` if it is a condition that a rule of `apps` can use, which is asked before a request is read. Raises
    ValueError with what is wrong."""
    return _checked(text, _WHO)


def _checked(text: str, sample: Mapping[str, Value]) -> str:
    tokens = tuple(_tokens(text))
    _check_grammar(tokens)
    _check_attributes(tokens)
    program = _Program(text)
    unknown = set(program.variables()) - set(sample) - _bound(tokens)
    if unknown:
        raise ValueError(
            f"there is no variable '{min(unknown)}' (there are: {', '.join(sample)}; texts stand in quotes)"
        )
    _try(program, tokens, sample)
    return text


class Condition:
    """A condition that is ready to be evaluated. `text` has passed one of the checks above."""

    __slots__ = ("_names", "_program", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._program = _Program(text)
        self._names = frozenset(self._program.variables()) & frozenset(ROUTING_VARIABLES)

    def holds(self, facts: Mapping[str, Value]) -> bool:
        """Whether it holds. `facts` has a value for each variable that its check knows. Raises ConditionFailed."""
        found = self._program.run({name: facts[name] for name in self._names})
        if not isinstance(found, bool):
            raise ConditionFailed("it is neither true nor false")
        return found


class _Program:
    """The one place that meets the library."""

    def __init__(self, text: str) -> None:
        import cel  # brings a command line of its own along, 90 ms: only for policies that have conditions

        self._context = cel.Context
        try:
            self._compiled = cel.compile(text)
        except _UNRELATED:
            raise
        except BaseException as error:  # a panic of the library is no Exception
            raise ValueError(f"is not CEL: {_in_short(error)}") from None

    def variables(self) -> list[str]:
        return self._compiled.variables()

    def run(self, variables: Mapping[str, Value]) -> object:
        # a Context, since a plain dict would be joined by the library's own functions: 30 µs for each evaluation
        try:
            return self._compiled.execute(self._context(dict(variables)))
        except _UNRELATED:
            raise
        except BaseException as error:  # a panic of the library is no Exception
            raise ConditionFailed(f"{type(error).__name__}: {_in_short(error)}") from error


def _in_short(error: BaseException) -> str:
    lines = str(error).splitlines()
    said = next((line for line in lines if "ERROR:" in line), lines[0] if lines else "")
    return said.partition("ERROR: ")[2].removeprefix("<input>:1:")[:160] or said.partition(".")[0][:160]


# What the text says


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # word, text, number, sign
    value: str


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens of an expression (CEL's language definition, "Syntax"); texts without their quotes."""
    at = 0
    while at < len(text):
        start, here = at, text[at]
        if here in "\"'":
            at = _end_of_text(text, start)
            yield _Token("text", text[start + 1 : at - 1])
        elif here.isalnum() or here == "_":
            while at < len(text) and (text[at].isalnum() or text[at] == "_"):
                at += 1
            yield _Token("number" if here.isdigit() else "word", text[start:at])
        else:
            at += 1
            if not here.isspace():
                yield _Token("sign", here)


def _end_of_text(text: str, start: int) -> int:
    if text[start : start + 3] in ('"""', "'''"):
        raise ValueError("a text must stand in plain quotes")
    at = start + 1
    while at < len(text) and text[at] != text[start]:
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _check_grammar(tokens: tuple[_Token, ...]) -> None:
    """Refuse what is not offered. Raises ValueError."""
    open_calls: list[bool] = []  # for each open bracket, whether it is a comprehension's
    for before, token in pairwise((_Token("sign", ""), *tokens)):
        if token.kind == "text" and before.kind == "word" and before.value not in _WORDS:
            raise ValueError("a text must stand in plain quotes, without a prefix")
        if token.kind != "sign":
            continue
        if token.value in _NO_OPERATORS:
            raise ValueError(f"'{token.value}' is not offered: a condition compares, it does not compute")
        if token.value in _OPENING:
            call = before.kind == "word" and before.value not in _WORDS and token.value == "("
            if call and before.value not in _FUNCTIONS:
                raise ValueError(
                    f"there is no function '{before.value}' (there are: {', '.join(sorted(_FUNCTIONS))})"
                )
            open_calls.append(call and before.value in _MACROS)
            if sum(open_calls) > _MAX_NESTED:
                raise ValueError(f"at most {_MAX_NESTED} of {', '.join(sorted(_MACROS))} within each other")
        elif token.value in _CLOSING and open_calls:
            open_calls.pop()


def _check_attributes(tokens: tuple[_Token, ...]) -> None:
    """Refuse attributes that nothing has. Raises ValueError."""
    for dot, name, after in zip(tokens, tokens[1:], (*tokens[2:], _Token("sign", "")), strict=False):
        if dot.value != "." or dot.kind != "sign" or name.kind != "word" or after.value == "(":
            continue
        if name.value not in _ATTRIBUTES:
            raise ValueError(
                f"nothing has the attribute '{name.value}' (there are: {', '.join(sorted(_ATTRIBUTES))})"
            )


def _bound(tokens: tuple[_Token, ...]) -> frozenset[str]:
    """The names that comprehensions give to the items of a list."""
    triples = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return frozenset(
        name.value
        for macro, opening, name in triples
        if macro.value in _MACROS and opening.value == "(" and name.kind == "word"
    )


# Trials: the library has no type checker


def _try(program: _Program, tokens: tuple[_Token, ...], sample: Mapping[str, Value]) -> None:
    """Evaluate with made-up exchanges, made of the texts and numbers that the condition itself names so that its
    branches are reached. Raises ValueError where one shows a mistake that no exchange could mend."""
    answered, failure = False, ""
    for facts in _made_up(tokens, frozenset(program.variables()), sample):
        try:
            found = program.run(facts)
        except ConditionFailed as error:
            if str(error).startswith("TypeError"):
                raise ValueError(f"compares or calls with values of the wrong type ({error})") from None
            failure = str(error)
            continue
        if not isinstance(found, bool):
            raise ValueError("must be true or false: compare with something")  # noqa: TRY004  pydantic takes this one
        answered = True
    if not answered:
        raise ValueError(f"can never be evaluated ({failure})")


def _made_up(
    tokens: tuple[_Token, ...], names: frozenset[str], sample: Mapping[str, Value]
) -> Iterator[dict[str, Value]]:
    texts = ["", *_named(token.value for token in tokens if token.kind == "text")]
    numbers = [0, *_numbers(token.value for token in tokens if token.kind == "number")]
    asked = {name: value for name, value in sample.items() if name in names}
    dice = Random(0)  # noqa: S311  the same trials each time: no secret is made here
    for trial in range(_TRIALS):
        facts = {name: _like(value, texts, numbers, dice) for name, value in asked.items()}
        many = (0, 1, 8)[trial % 3]
        for name in ("groups", "labels", "within"):
            if name in asked:
                facts[name] = [dice.choice(texts) for _ in range(many)]
        if "attachments" in names:
            facts["attachments"] = [_like(dict(_ATTACHMENT), texts, numbers, dice) for _ in range(many)]
        yield facts


def _like(value: Value, texts: list[str], numbers: list[int], dice: Random) -> Value:
    match value:
        case str():
            return dice.choice(texts)
        case bool():
            return dice.choice((False, True))
        case int():
            return dice.choice(numbers)
        case float():
            return float(dice.choice(numbers))
        case dict():
            return {key: _like(each, texts, numbers, dice) for key, each in value.items()}
        case _:
            return value


def _named(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))[:16]


def _numbers(words: Iterable[str]) -> list[int]:
    found = [int(word) for word in dict.fromkeys(words) if word.isdecimal()][:8]
    return [near for number in found for near in (number, number + 1)]
