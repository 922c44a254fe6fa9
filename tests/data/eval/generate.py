"""Writes the evaluation sets to `tests/data/eval/generated/`, the same bytes every time; checks or records their hash.

The values are made up from a fixed seed: formats are the vendors', characters are chance, so no credential is real and
none stands in the repository. Run from its root:

    python -m tests.data.eval.generate            write the sets
    python -m tests.data.eval.generate --record   and write their hashes to sets.sha256, after a change of a generator
    python -m tests.data.eval.generate --seed 7 --to /tmp/other     other values in other places: do the figures hold?
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.data.eval.generators import benign_rows, evasions, injection_rows, pii_rows, secret_rows
from tests.data.eval.generators.marking import Row

HERE = Path(__file__).parent
GENERATED = HERE / "generated"
HASHES = HERE / "sets.sha256"
SEED = 20260101
LICENCE = "Apache-2.0"  # of the rows, as of the generators: nothing is copied from another set

SETS: dict[str, Callable[[random.Random], Iterator[Row]]] = {
    "secrets": secret_rows.rows,
    "evasion": evasions.rows,
    "pii": pii_rows.rows,
    "injection": injection_rows.rows,
    "benign": benign_rows.rows,
}


def lines(name: str, seed: int = SEED) -> Iterator[str]:
    """The rows of a set as JSON, no text twice. Each set has a draw of its own: adding to one changes no other."""
    draw = random.Random(f"{seed}/{name}")
    different = {row.text: row for row in SETS[name](draw)}
    for number, row in enumerate(different.values(), start=1):
        table: dict[str, object] = {"id": f"{name}-{number:04}", "kind": row.kind}
        if row.family:
            table["family"] = row.family
        if row.variant:
            table["variant"] = row.variant
        table |= {
            "context": row.context,
            "source": row.source,
            "licence": LICENCE,
            "spans": row.spans,
            "text": row.text,
        }
        yield json.dumps(table, ensure_ascii=False)


def content(name: str, seed: int = SEED) -> bytes:
    """The file of a set."""
    return "".join(line + "\n" for line in lines(name, seed)).encode("utf-8", "surrogatepass")


def recorded() -> dict[str, str]:
    """The hashes that stand in the repository, by the name of the set."""
    pairs = (line.split() for line in HASHES.read_text(encoding="utf-8").splitlines())
    return {file.removesuffix(".jsonl"): digest for digest, file in pairs}


def main() -> int:
    """Write the sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="write the hashes of the sets")
    parser.add_argument("--seed", type=int, default=SEED, help="make other sets, whose hashes nobody knows")
    parser.add_argument("--to", type=Path, default=GENERATED, help="the folder they are written to")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name in SETS:
        data = content(name, options.seed)
        digests[name] = hashlib.sha256(data).hexdigest()
        (options.to / f"{name}.jsonl").write_bytes(data)
        print(f"{name}: {data.count(b'\n')} rows, {len(data) // 1024} KiB")
    if options.seed != SEED:
        return 0
    if options.record:
        HASHES.write_text(
            "".join(f"{digest}  {name}.jsonl\n" for name, digest in digests.items()), encoding="utf-8"
        )
    elif digests != recorded():
        print(
            "the sets are not those of sets.sha256: a generator or a library of check digits changed (--record)"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
