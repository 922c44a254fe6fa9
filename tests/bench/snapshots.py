"""What a stream of snapshots costs beside one of deltas, and beside a scan of every snapshot.

    python -m tests.bench.snapshots

CPU time of the inspection alone, the best of three runs, under the bundled policy.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest
from agent.host.paths import bundled_policies
from agent.inspection import RuleBook, Scope, StreamInspector
from agent.policy import Subject, load
from tests.fakes.chat_pages import deltas, gemini, snapshots

CHARACTERS = 20_000
EVENTS = 400
_WORDS = (
    *(
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "a",
        "lazy",
        "dog,",
        "and",
        "then",
        "its",
        "den",
        "is",
    ),
    *("`x = foo(bar)`", "4711", "on 2026-05-01.", "Then", "we", "see", "it", "again"),
)


def main() -> None:
    """Measure, and print a table."""
    policy = load((bundled_policies() / "default" / "policy.yaml").read_text(), source="policy.yaml")
    rules = RuleBook(policy, examples=False)
    rules.warm()
    scope = rules.scope(Subject(host="chatgpt.com", path="/", surface="chatgpt-web"), ref="BENCH")
    text = _text()
    step = CHARACTERS // EVENTS
    pieces = [text[at : at + step] for at in range(0, CHARACTERS, step)]

    def scans() -> None:
        for end in range(step, CHARACTERS + 1, step):
            rules.scanner.scan(text[:end])

    print(f"an answer of {CHARACTERS} characters in {EVENTS} events: ms of CPU time")
    print(f"  chatgpt, deltas      {_best(lambda: _inspect('chatgpt-web', deltas(pieces), scope)):7.1f}")
    print(f"  chatgpt, snapshots   {_best(lambda: _inspect('chatgpt-web', snapshots(pieces), scope)):7.1f}")
    print(f"  gemini, snapshots    {_best(lambda: _inspect('gemini-web', gemini(pieces), scope)):7.1f}")
    print(f"  a scan of each       {_best(scans):7.1f}")


def _text() -> str:
    dice = random.Random(1)
    text = ""
    while len(text) < CHARACTERS:
        text += dice.choice(_WORDS) + " "
    return text[:CHARACTERS]


def _inspect(name: str, events: list[bytes], scope: Scope) -> None:
    dialect = DIALECTS[name]
    inspector = StreamInspector(dialect, dialect.stream_reader(ParsedRequest()), scope)
    for event in events:
        inspector.feed(event)
    inspector.finish()


def _best(work: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best * 1000


if __name__ == "__main__":
    main()
