"""Prints the table in Markdown, and below it what failed. `--only TEXT` tries the cells whose names hold it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from tests.clients.matrix.grid import CLIENTS, ITSELF, KNOWN, PROVIDERS, WAYS, Cell, cells
from tests.clients.matrix.stage import Result, others, tried

_PACKAGES = (
    "openai",
    "anthropic",
    "google-genai",
    "cohere",
    "boto3",
    "litellm",
    "langchain-openai",
    "langchain-anthropic",
    "langchain-google-genai",
)


def table(results: list[Result]) -> Iterator[str]:
    """The lines."""
    found = {result.cell: result.wrong for result in results}
    columns = (ITSELF, *PROVIDERS)
    yield "| client | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for client in CLIENTS:
        marks = []
        for provider in columns:
            tries = [Cell(client=client, provider=provider, way=way) for way in WAYS]
            marks.append(
                " ".join(_mark(found, cell) for cell in tries) if any(t in found for t in tries) else ""
            )
        yield f"| {client} | " + " | ".join(marks) + " |"


def _mark(found: dict[Cell, str | None], cell: Cell) -> str:
    if cell not in found:
        return "·"
    if found[cell] is None:
        return "✓"
    return "–" if cell in KNOWN else "✗"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of cells")
    options = parser.parse_args()
    wanted = [cell for cell in (*cells(), *others()) if options.only in str(cell)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        results = tried(wanted, Path(name))
    write = sys.stdout.write
    write("\n".join(table(results)) + f"\n\nIn each field, in this order: {', '.join(WAYS)}.\n\n")
    found = {result.cell: result.wrong for result in results}
    passing = ", ".join(
        f"{each.cell.way} {_mark(found, each.cell)}" for each in results if each.cell.client not in CLIENTS
    )
    write(f"Beside chat: {passing}.\n\n")
    write("With " + ", ".join(f"{package} {version(package)}" for package in _PACKAGES) + ".\n")
    for result in results:
        if result.wrong is not None and result.cell not in KNOWN:
            write(f"- {result.cell}: {result.wrong}\n")
    for reason in dict.fromkeys(KNOWN[cell] for cell in found if cell in KNOWN):
        write(f"– {reason}\n")
    write(f"\n{len(results)} tries in {time.monotonic() - begun:.0f} s.\n")


if __name__ == "__main__":
    main()
