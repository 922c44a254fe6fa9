"""What it costs to find a host and path in the whole catalog, beside one lookup in a dict.

Run from the repository's root: `python -m tests.bench.catalog`. Times are CPU times of this thread, the least of many
rounds; the ratio to the floor says more than the microseconds on a busy machine. Exit status 1 where a lookup takes
more than 2 µs on a machine whose dict takes 40 ns, that is 50 times the floor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from agent.catalog import Catalog, bundled_rows

_ROUNDS, _LOOKUPS = 60, 2000
_MOST = 50.0  # times the floor

CASES = (
    ("exact host, path under any prefix", "api.openai.com", "/v1/chat/completions"),
    ("exact host, listed path", "openrouter.ai", "/api/v1/chat/completions"),
    ("exact host, unlisted path", "openrouter.ai", "/docs/quickstart"),
    ("exact host, path never looked at", "chatgpt.com", "/backend-api/wham/usage"),
    (
        "exact host, model in the path",
        "generativelanguage.googleapis.com",
        "/v1beta/models/g:streamGenerateContent",
    ),
    ("suffix", "corp.openai.azure.com", "/openai/v1/responses"),
    ("template", "us-east-1.api.x.ai", "/v1/chat/completions"),
    ("unknown host", "example.com", "/"),
    ("unknown host of six labels", "a.b.c.d.example.com", "/v1/chat/completions"),
)


def nanoseconds(work: Callable[[], object]) -> float:
    """CPU time of one call, in the quietest round."""
    least = float("inf")
    for _ in range(_ROUNDS):
        start = time.thread_time_ns()
        for _ in range(_LOOKUPS):
            work()
        least = min(least, (time.thread_time_ns() - start) / _LOOKUPS)
    return least


def main() -> int:
    """Print the table."""
    start = time.thread_time_ns()
    rows = bundled_rows()
    read = time.thread_time_ns()
    catalog = Catalog(rows.surfaces, version=rows.version)
    made = time.thread_time_ns()
    print(
        f"catalog {rows.version}: {len(rows.surfaces)} rows, {len(catalog.hosts)} hosts; "
        f"read in {(read - start) / 1e6:.1f} ms, compiled in {(made - read) / 1e6:.1f} ms"
    )
    known = {host: host for _, host, _ in CASES}
    floor = nanoseconds(lambda: known.get("api.openai.com"))
    print(f"{'a dict':36} {floor / 1000:6.2f} µs    1x")
    worst = 0.0
    for name, host, path in CASES:
        each = nanoseconds(lambda host=host, path=path: catalog.found(host, path))  # type: ignore[misc]
        worst = max(worst, each / floor)
        print(f"{name:36} {each / 1000:6.2f} µs {each / floor:4.0f}x")
    return 0 if worst <= _MOST else 1


if __name__ == "__main__":
    sys.exit(main())
