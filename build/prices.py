"""Compiles the data of genai-prices into the catalog's table of prices: `python build/prices.py`, offline.

The package is a development dependency; only its data ships, as one readable text (agent/catalog/prices.txt, whose form
agent/catalog/price_rows.py reads), so that a change of prices is a change of lines that a person can read. With
`--check` nothing is written: the exit status says whether the file is what the installed data gives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from genai_prices import types  # noqa: E402
from genai_prices.data import providers  # noqa: E402

from agent.catalog.providers import bundled_providers  # noqa: E402

FILE = ROOT / "agent" / "catalog" / "prices.txt"
FIELDS = (  # in the order of the table
    "input_mtok",
    "output_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "cache_write_1h_mtok",
    "output_reasoning_mtok",
    "requests_kcount",
)
TOKENS = FIELDS[:-1]
DECIMALS = 6  # what the table counts in: pico-USD for a token
NOT_TTS = r"^(?!.*-[tT][tT][sS](?:$|-))"
HEAD = """\
# What models cost and how much they take. Made by build/prices.py from genai-prices {version}; not to be edited.
# genai-prices is Copyright (c) Pydantic Services Inc. 2025 to present, MIT licence; its text stands in NOTICE.
#
# [provider, then those whose models it serves too]
# model <tab> tokens of context <tab> prices <tab> patterns of names it goes by, where not its own alone
# (a `~` before the model: its provider is about to end it)
#
# USD per million tokens: input/output/cache read/cache write/the same for an hour/reasoning/USD per 1000 requests;
# what is left out is as its neighbour. `>N` before: for prompts of more than N tokens. `@date` or `@from-to` (UTC):
# from when, or when in the day; of several the last that fits counts. `#` in a pattern is a digit, `*` anything,
# `!` separates what must not fit.
"""


def compiled() -> str:
    """The table's text."""
    known = {row.prices or row.id for row in bundled_providers()}
    by_id = {provider.id: provider for provider in providers}
    wanted = sorted(known & by_id.keys())
    for name in tuple(wanted):
        wanted += [each for each in by_id[name].fallback_model_providers or () if each not in wanted]
    lines = [HEAD.format(version=version("genai-prices"))]
    for name in sorted(wanted):
        provider = by_id[name]
        lines.append(f"[{' '.join((name, *(provider.fallback_model_providers or ())))}]")
        lines += [line for model in provider.models if (line := row(model))]
    return "\n".join(lines) + "\n"


def row(model: types.ModelInfo) -> str:
    """A model's line; empty where nothing is known of it."""
    prices = ";".join(priced for each in conditions(model) if (priced := condition(each)))
    if not prices and not model.context_window:
        return ""
    patterns = [pattern for clause in clauses(model.match) for pattern in globs(clause)]
    if any("\t" in each or " " in each for each in (model.id, *patterns)):
        raise SystemExit(f"{model.id}: a name with a space")
    names = "" if patterns == [model.id.lower()] else " ".join(dict.fromkeys(patterns))
    name = f"~{model.id}" if model.deprecated else model.id
    return "\t".join((name, str(model.context_window or ""), prices, names)).rstrip("\t")


def conditions(model: types.ModelInfo) -> list[types.ConditionalPrice]:
    """A model's prices with the times from when they hold."""
    return model.prices if isinstance(model.prices, list) else [types.ConditionalPrice(prices=model.prices)]


def condition(price: types.ConditionalPrice) -> str:
    """Prices and when they hold; empty where they are not by tokens."""
    values = {key: value for key, value in vars(price.prices).items() if value is not None}
    if values and not values.keys() & set(TOKENS):
        return ""
    starts = {tier.start for value in values.values() for tier in tiers(value)}
    steps = [(0, ""), *((start, f">{start} ") for start in sorted(starts))]
    return when(price.constraint) + " ".join(mark + amounts(values, start) for start, mark in steps)


def when(constraint: object) -> str:
    """The time from which, or in which, prices hold."""
    match constraint:
        case None:
            return ""
        case types.StartDateConstraint(start_date=start):
            return f"@{start.isoformat()} "
        case types.TimeOfDateConstraint(start_time=start, end_time=end):
            return f"@{clock(start)}-{clock(end)} "
    raise SystemExit(f"a constraint that is not known: {constraint}")


def clock(at: time) -> str:
    """A time of day in UTC."""
    moment = datetime.combine(datetime(2020, 1, 1, tzinfo=UTC).date(), at)
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).strftime("%H:%M")


def tiers(value: object) -> list[types.Tier]:
    """The steps of a price."""
    return value.tiers if isinstance(value, types.TieredPrices) else []


def amounts(values: dict[str, Any], start: int) -> str:
    """The prices for prompts of more than `start` tokens; 0 for none."""
    parts = [amount(values.get(key), start) for key in FIELDS]
    parts[0], parts[1] = parts[0] or "0", parts[1] or "0"
    return "/".join(parts).rstrip("/")


def amount(value: Decimal | types.TieredPrices | None, start: int) -> str:
    """One price."""
    if isinstance(value, types.TieredPrices):
        fitting = [tier.price for tier in value.tiers if tier.start <= start]
        value = fitting[-1] if fitting else value.base
    return "" if value is None else f"{round(value, DECIMALS).normalize():f}"


def clauses(match: Any) -> Iterator[Any]:
    """The alternatives of a rule."""
    if isinstance(match, types.ClauseOr):
        for each in match.or_:
            yield from clauses(each)
    else:
        yield match


def globs(clause: Any) -> Iterator[str]:
    """An alternative as patterns. What they cannot say is an error: a person must look at it."""
    match clause:
        case types.ClauseEquals(equals=text):
            yield text.lower()
        case types.ClauseStartsWith(starts_with=text):
            yield f"{text.lower()}*"
        case types.ClauseEndsWith(ends_with=text):
            yield f"*{text.lower()}"
        case types.ClauseContains(contains=text):
            yield f"*{text.lower()}*"
        case types.ClauseRegex(regex=regex):
            yield from of_regex(regex)
        case types.ClauseAnd(and_=[first, types.ClauseRegex(regex=regex)]) if regex == NOT_TTS:
            yield from (f"{glob}!*-tts!*-tts-*" for glob in globs(first))
        case _:
            raise SystemExit(f"a rule that no pattern says: {clause}")


def of_regex(regex: str) -> Iterator[str]:
    """The few shapes of regular expressions that the data uses."""
    text = regex.removeprefix("^")
    ended = text.endswith("$")
    text = (
        text.removesuffix("$").replace(r"\d{8}", "#" * 8).replace(r"\d{4}", "#" * 4).replace(r"\d{2}", "##")
    )
    text = text.replace(r"\d", "#").replace(r"\.", ".")
    variants = [text.replace("[-@]", each) for each in "-@"] if "[-@]" in text else [text]
    for each in variants:
        if not regex.startswith("^") or set(each) & set("\\[](){}*+?|^$"):
            raise SystemExit(f"a regular expression that no pattern says: {regex}")
        yield each if ended else f"{each}*"


def main() -> None:
    """Write the table, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Compare, write nothing.")
    text = compiled()
    if parser.parse_args().check:
        sys.exit(0 if FILE.is_file() and FILE.read_text(encoding="utf-8") == text else 1)
    FILE.write_text(text, encoding="utf-8", newline="\n")
    print(f"{FILE}: {text.count(chr(10))} lines, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
