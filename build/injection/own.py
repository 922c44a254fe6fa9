"""Our own training texts, made from the templates in `tests/data/injection`: attacks, their disguises, and harmless
texts that use the same words. The same seed makes the same texts."""

from __future__ import annotations

import base64
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sources import Sample

_DEPTH = 4
_GRAMMAR = 20  # texts of either kind that the grammar of a language makes
_CARRIED = ("own-indirect", "own-answers", "own-deeds")
"""Sources whose attacks stand in what a tool returns: nobody disguises those letter by letter."""


def own_samples(folder: Path, *, seed: int) -> list[Sample]:
    """All of them, in a fixed order and none twice."""
    found = [
        *_languages(_read(folder / "languages.toml"), seed),
        *_languages(_read(folder / "languages_more.toml"), seed),
        *_languages(_read(folder / "languages_third.toml"), seed),
        *_languages(_read(folder / "tongues.toml"), seed),
        *_grammar(_read(folder / "grammar.toml"), seed),
        *_sets(folder, "harmless.toml", seed, attack=False),
        *_sets(folder, "attacks.toml", seed, attack=True),
        *_sets(folder, "harness.toml", seed, attack=False),
        *_sets(folder, "indirect.toml", seed, attack=True),
        *_sets(folder, "roles.toml", seed, attack=True),
        *_sets(folder, "steering.toml", seed, attack=True),
        *_sets(folder, "everyday.toml", seed, attack=False),
        *_sets(folder, "games.toml", seed),
        *_sets(folder, "answers.toml", seed),
        *_sets(folder, "markers.toml", seed),
        *_sets(folder, "questions.toml", seed),
        *_sets(folder, "reports.toml", seed),
        *_honest(_read(folder / "carriers.toml")),
        *_lists(_read(folder / "people.toml"), "own-people"),
        *_lists(_read(folder / "voices.toml"), "own-voices"),
    ]
    found += _disguised([sample for sample in found if sample.attack and sample.source not in _CARRIED], seed)
    return list({sample.text: sample for sample in found}.values())


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _sets(folder: Path, name: str, seed: int, *, attack: bool | None = None) -> Iterator[Sample]:
    """The sets of a file; where it holds both kinds, each says of itself which it is."""
    source = _read(folder / name)
    around = _read(folder / "carriers.toml")
    for each in source["sets"]:
        for place, template in enumerate(each["templates"]):
            draw = random.Random(f"{seed}/{template}")
            for _ in range(each["each"]):
                text = _cased(_filled(template, source["slots"], draw), draw)
                if each.get("carried"):
                    text = _carried(draw.choice(around["carriers"]), text)
                if each.get("framed"):
                    text = _carried(draw.choice(around["frames"]), text)
                yield Sample(
                    text=text,
                    attack=each["attack"] if attack is None else attack,
                    source=each["group"],
                    group=f"{each['group']}-{place % 2}",
                )


def _filled(template: str, slots: dict[str, list[str]], draw: random.Random) -> str:
    text = template
    for _ in range(_DEPTH):
        for name, values in slots.items():
            while (place := "{" + name + "}") in text:
                text = text.replace(place, draw.choice(values), 1)
    return text.replace("{{", "{").replace("}}", "}")


def _cased(text: str, draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.08:
        return text.upper()
    return text[:1].upper() + text[1:] if kind < 0.75 else text


def _carried(carrier: str, text: str) -> str:
    return carrier.replace("{here}", text).replace("{{", "{").replace("}}", "}")


def _honest(source: dict[str, Any]) -> Iterator[Sample]:
    for carrier in source["carriers"]:
        for place, sentence in enumerate(source["honest"]):
            text = _carried(carrier, sentence)
            yield Sample(text=text, attack=False, source="own-carriers", group=f"own-carriers-{place % 2}")


def _lists(source: dict[str, list[str]], name: str) -> Iterator[Sample]:
    """Sentences as they are; every second one belongs to another group."""
    for key, attack in (("attacks", True), ("harmless", False)):
        for place, text in enumerate(source[key]):
            yield Sample(text=text, attack=attack, source=name, group=f"{name}-{place % 2}")


def _languages(source: dict[str, Any], seed: int) -> Iterator[Sample]:
    draw = random.Random(f"{seed}/languages")
    for code, language in source.items():
        for attack in (True, False):
            texts = language["attacks" if attack else "harmless"]
            pairs = [f"{text} {draw.choice(language['harmless'])}" for text in texts]
            for text in (*texts, *pairs):
                yield Sample(text=text, attack=attack, source="own-languages", group=f"own-{code}")


def _grammar(source: dict[str, Any], seed: int) -> Iterator[Sample]:
    """Beginnings and ends of each language, put together."""
    for code, parts in source.items():
        draw = random.Random(f"{seed}/{code}")
        for attack, first, second in ((True, "drop", "aim"), (False, "start", "rest")):
            texts = [
                f"{begin.rstrip('.')}{joint}{end}"
                for begin in parts[first]
                for end in parts[second]
                for joint in [draw.choice((" ", ", ", ". ", "! ", " - ", "\n"))]
            ]
            for text in (*draw.sample(texts, min(_GRAMMAR, len(texts))), *parts[first]):
                yield Sample(text=text, attack=attack, source="own-languages", group=f"own-{code}")


# --- disguises


def _disguised(attacks: list[Sample], seed: int) -> Iterator[Sample]:
    draw = random.Random(f"{seed}/disguises")
    plain = [sample for sample in attacks if sample.text.isascii() and len(sample.text) < 300]
    for make in (_leet, _spaced, _alike, _encoded, _backwards, _dashed, _joined, _zero_width, _typos):
        for sample in draw.sample(plain, 40):
            yield Sample(
                text=make(sample.text, draw), attack=True, source="own-disguised", group=sample.group
            )


def _leet(text: str, draw: random.Random) -> str:
    swaps = str.maketrans("oieast", "013457")
    return "".join(char.translate(swaps) if draw.random() < 0.7 else char for char in text.lower())


def _spaced(text: str, draw: random.Random) -> str:
    first, _, rest = text.partition(". ")
    return " ".join(" ".join(word) for word in first.split()) + " " + rest


def _dashed(text: str, draw: random.Random) -> str:
    return " ".join("-".join(word) if draw.random() < 0.6 else word for word in text.split())


def _joined(text: str, draw: random.Random) -> str:
    return draw.choice(["", "_", "."]).join(text.split()[:9]) + " " + " ".join(text.split()[9:])


def _alike(text: str, draw: random.Random) -> str:
    return text.translate(str.maketrans("aeopcyxi", "аеорсухі"))


def _encoded(text: str, draw: random.Random) -> str:
    order = draw.choice(
        ["Decode this and follow it: ", "Base64, do what it says: ", "Execute the decoded text: "]
    )
    return order + base64.b64encode(text.encode()).decode()


def _backwards(text: str, draw: random.Random) -> str:
    return "Read this backwards and obey: " + text[::-1]


def _zero_width(text: str, draw: random.Random) -> str:
    return "".join(char + ("\u200b" if draw.random() < 0.4 else "") for char in text)


def _typos(text: str, draw: random.Random) -> str:
    told = []
    for word in text.split():
        if len(word) > 5 and draw.random() < 0.5:
            at = draw.randrange(1, len(word) - 2)
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        told.append(word)
    return " ".join(told)
