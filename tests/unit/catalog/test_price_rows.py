"""The table's lines, and that the table is what the installed data gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.catalog.price_rows import Offer, PricedModel, rates, read_model, split_sections
from agent.catalog.prices import bundled_sections
from agent.errors import ConfigError

ROOT = Path(__file__).parents[3]
MILLION = 1_000_000


def test_a_line_is_read_in_full() -> None:
    line = "~M-1\t200000\t3/15/0.3 >200000 6/22.5/0.6;@2026-01-02 1/2;@16:30-00:30 0.000001/0\tm-1 m-1-####"
    assert read_model(line) == PricedModel(
        id="M-1",
        window=200_000,
        offers=(
            Offer(
                steps=(
                    (0, rates(input=3 * MILLION, output=15 * MILLION, cache_read=300_000)),
                    (200_000, rates(input=6 * MILLION, output=22_500_000, cache_read=600_000)),
                )
            ),
            Offer(steps=((0, rates(input=MILLION, output=2 * MILLION)),), from_day=20_455),
            Offer(steps=((0, rates(input=1, output=0)),), hours=(59_400, 1_800)),
        ),
        patterns=("m-1", "m-1-####"),
        deprecated=True,
    )


def test_a_model_goes_by_its_own_name_and_may_have_no_price() -> None:
    assert read_model("M\t1000") == PricedModel(id="M", window=1000, patterns=("m",))


@pytest.mark.parametrize("line", ["m\tx", "m\t\tone/2", "m\t\t0.0000001/1", "m\t\t@2026-13-01 1/1"])
def test_a_broken_line_is_named(line: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read: m"):
        read_model(line)


def test_sections_name_whose_models_are_served_too() -> None:
    assert split_sections("# note\n[a b c]\nm\t1\n\n[b]\nn\n") == {
        "a": (("b", "c"), ["m\t1"]),
        "b": ((), ["n"]),
    }


def test_every_line_of_the_bundled_table_can_be_read() -> None:
    models = [read_model(line) for _, lines in bundled_sections().values() for line in lines]
    assert len(models) > 1000


def test_the_bundled_table_is_small_and_names_its_source() -> None:
    text = (ROOT / "agent" / "catalog" / "prices.txt").read_text(encoding="utf-8")
    assert len(text.encode()) <= 150_000
    assert "from genai-prices " in text.splitlines()[0]
    assert "Pydantic Services Inc." in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_the_bundled_table_is_what_the_installed_data_gives() -> None:
    done = subprocess.run([sys.executable, ROOT / "build" / "prices.py", "--check"], cwd=ROOT, timeout=60)
    assert done.returncode == 0, "run: python build/prices.py"
