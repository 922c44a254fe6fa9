"""What the detection engine costs: scans, streams, hold-back, and whether it blocks an event loop; and its peers.

Run from the repository's root: `python -m tests.bench.guardrails`; `--quick` for the figures of docs/guardrails.md
only. Times are CPU times of this thread, so that a busy machine disturbs them little; event-loop gaps are wall-clock
times. Texts: Python's own library as source code, its documentation strings as prose, and made-up secrets between.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.cli.eval import all_families
from agent.gateway.policy_file import read_rules
from agent.guardrails import Limits, Rule, Scanner, bundled_rules
from agent.host.paths import bundled_policies
from agent.inspection import RuleBook
from agent.model.findings import Family
from tests.bench import guardrail_peers as peers
from tests.unit.guardrails.samples import samples

_KIB = 1024
_ANSWER = (
    "Here is how you can do it. First, open the settings and choose the project you want to edit. Then run the build "
    "with the new options; the result will be written to the output folder. If something goes wrong, look at the log "
    "and try again with a smaller input. "
)
_MODULES = """
    argparse ast asyncio/base_events asyncio/streams configparser csv dataclasses datetime difflib doctest email/message
    enum functools gettext http/client http/cookiejar imaplib inspect ipaddress json/decoder logging/__init__ mailbox
    optparse pathlib/_local pickle platform plistlib pydoc random shutil smtplib socket ssl statistics subprocess
    tarfile tempfile textwrap threading tkinter/__init__ traceback turtle typing unittest/case unittest/mock
    urllib/parse urllib/request uuid zipfile/__init__
"""


def _modules() -> list[Path]:
    library = Path(ast.__file__).parent
    return [path for name in _MODULES.split() if (path := library / f"{name}.py").exists()]


def source_code() -> str:
    """About two megabytes of Python."""
    return "\n".join(path.read_text(encoding="utf-8") for path in _modules())


def prose() -> str:
    """The documentation strings of the same modules."""
    texts = [
        ast.get_docstring(node) or ""
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    return "\n\n".join(text for text in texts if len(text) > 80)


def pieces(text: str, size: int, count: int) -> list[str]:
    """`count` texts of `size` characters, round and round."""
    text = text * (size * count // len(text) + 1)
    return [text[at : at + size] for at in range(0, size * count, size)]


def microseconds(work: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """CPU time of `work` for each text."""
    times = []
    for text in texts:
        start = time.thread_time_ns()
        work(text)
        times.append((time.thread_time_ns() - start) / 1000)
    return times


def row(label: str, times: Sequence[float]) -> None:
    """One line of the table of times."""
    ordered = sorted(times)
    p95, p99 = ordered[len(ordered) * 95 // 100], ordered[len(ordered) * 99 // 100]
    print(
        f"{label:<44}{statistics.fmean(ordered):>10.1f}{statistics.median(ordered):>10.1f}"
        f"{p95:>10.1f}{p99:>10.1f}{ordered[-1]:>10.1f}"
    )


def head(title: str, unit: str) -> None:
    """The heading of a table."""
    print(f"\n{title:<44}{'mean':>10}{'median':>10}{'p95':>10}{'p99':>10}{'max':>10}   {unit}")


def resident() -> int:
    """Mebibytes of memory this process holds at most so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (_KIB * _KIB if sys.platform == "darwin" else _KIB)


def scans(scanner: Scanner, source: str, words: str) -> None:
    """Whole texts, first visit and again."""
    head("scan", "µs")
    dense = " ".join(
        f"{words[place * 90 : place * 90 + 90]} {each.text}" for place, each in enumerate(samples(1))
    )
    for label, text in (("source code", source), ("prose", words)):
        for size, count in ((4 * _KIB, 250), (200 * _KIB, 6)):
            texts = pieces(text, size, count)
            row(f"{label}, {size // _KIB} KiB, first visit", microseconds(scanner.scan, texts))
            row(f"{label}, {size // _KIB} KiB, again", microseconds(scanner.scan, texts))
    row("200 kinds of secret and data in 40 KiB", microseconds(scanner.scan, pieces(dense, 40 * _KIB, 5)))
    for label, text in adversarial().items():
        row(f"200 KiB: {label}", microseconds(scanner.scan, [text] * 3))


def adversarial() -> dict[str, str]:
    """Texts made to be slow."""
    size = 200 * _KIB
    draw = random.Random(1)
    base64 = "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=size))
    header = "-----BEGIN RSA PRIVATE " + "KEY-----\n"
    return {
        "one letter": "a" * size,
        "base64": base64,
        "key=key=": "key=" * (size // 4),
        "password:password:": "password:" * (size // 9),
        "PEM headers": header * (size // len(header)),
        "curl -u": "curl -u " * (size // 8),
        "digits and dashes": "415-867-1234-" * (size // 13),
        "addresses": "".join(f"user{place}@corp{place}.com " for place in range(size // 24)),
    }


def streams(scanner: Scanner, source: str, words: str) -> None:
    """Small pieces, as models send them: cost of each, and how much is held back after it."""
    for label, text in (("source code", source[:200_000]), ("prose", words[:200_000])):
        for round_name in ("first visit", "again"):
            draw = random.Random(7)
            costs, held = [], []
            stream, at = scanner.stream(), 0
            while at < len(text):
                size = draw.randint(2, 6)
                start = time.thread_time_ns()
                stream.feed(text[at : at + size])
                costs.append((time.thread_time_ns() - start) / 1000)
                at = min(len(text), at + size)
                held.append(float(at - stream.cleared))
            head(f"stream of 2-6 characters: {label}, {round_name}", "")
            row("  µs per piece", costs)
            row("  characters held back", held)
    held, stream = [], scanner.stream()
    for each in samples(3):
        for char in each.text + ". Then on. ":
            stream.feed(char)
    head("stream of single characters, all secrets", "")
    costs = []
    stream = scanner.stream()
    fed = 0
    for each in samples(3):
        for char in each.text + ". Then on. ":
            start = time.thread_time_ns()
            stream.feed(char)
            costs.append((time.thread_time_ns() - start) / 1000)
            fed += 1
            held.append(float(fed - stream.cleared))
    row("  µs per piece", costs)
    row("  characters held back", held)


async def longest_gap(work: Callable[[], object], *, threaded: bool) -> tuple[float, float]:
    """Milliseconds that `work` takes, and the longest time a ticker of 1 ms had to wait for its turn meanwhile."""
    gap = 0.0
    done = asyncio.Event()

    async def tick() -> None:
        nonlocal gap
        last = time.perf_counter()
        while not done.is_set():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gap, last = max(gap, now - last), now

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    gap = 0.0
    start = time.perf_counter()
    if threaded:
        await asyncio.to_thread(work)
    else:
        work()
    took = time.perf_counter() - start
    await asyncio.sleep(0.002)
    done.set()
    await ticker
    return took * 1000, gap * 1000


async def gaps(scanner: Scanner, source: str, words: str) -> None:
    """Whether RE2 lets other threads run while it scans."""
    print(
        f"\n{'event loop while 1 MiB is scanned':<44}{'took':>10}{'gap':>10}   ms, median of 7 and worst gap"
    )
    clean, dense = (
        (source * 2)[: _KIB * _KIB],
        ((words[:2000] + " a.smith@corp-mail.com ") * 600)[: _KIB * _KIB],
    )
    for label, text in (("source code", clean), ("prose with 500 addresses", dense)):
        scanner.scan(text)
        for threaded in (False, True):
            results = [
                await longest_gap(lambda text=text: scanner.scan(text), threaded=threaded) for _ in range(7)
            ]
            took, gap = (statistics.median(column) for column in zip(*results, strict=True))
            where = "in a thread" if threaded else "inline"
            print(f"{label + ', ' + where:<44}{took:>10.1f}{gap:>10.1f}{max(g for _, g in results):>10.1f}")


def start_of_engine() -> RuleBook:
    """The rule book of the policy that Drawbridge starts with, and what it took to read and to warm it."""
    before, begin = resident(), time.process_time()
    book = read_rules(bundled_policies() / "default" / "policy.yaml")
    read = time.process_time()
    book.warm()
    warmed = time.process_time()
    print(
        f"engine start, {len(book.scanner.rules)} rules of the default policy: {(read - begin) * 1e3:.0f} ms of CPU, "
        f"and {(warmed - read) * 1e3:.0f} ms in a thread behind it; {resident() - before} MiB"
    )
    return book


def in_short(book: RuleBook, source: str, words: str) -> None:
    """The figures that matter day by day, through the rule book, as the agent scans."""
    head("rule book", "µs")
    for size, count in ((4 * _KIB, 200), (200 * _KIB, 6)):
        texts = [*pieces(source, size, count), *pieces(words, size, count)]
        row(f"{size // _KIB} KiB, cold", microseconds(book.scan, texts))
        row(f"{size // _KIB} KiB, warm", microseconds(book.scan, texts))
    print(f"  memory after scans: {resident()} MiB at most")
    answers = (("code and documents", source[:50_000] + words[:50_000]), ("an answer", _ANSWER * 60))
    for label, text in answers:
        row(f"a chunk of 2-6 characters, {label}", _chunks(book, text))
        row(f"the same again, {label}", _chunks(book, text))


def _chunks(book: RuleBook, text: str) -> list[float]:
    """What each chunk of a stream of `text` costs, in microseconds of CPU."""
    costs = []
    stream, at = book.scanner.stream(), 0
    draw = random.Random(7)
    while at < len(text):
        size = draw.randint(2, 6)
        begin = time.thread_time_ns()
        stream.feed(text[at : at + size])
        costs.append((time.thread_time_ns() - begin) / 1000)
        at += size
    return costs


def beside_peers(book: RuleBook, rules: tuple[Rule, ...], source: str) -> None:
    """The same texts, scanned by others in the same run; then the same evaluation sets."""
    small, large = pieces(source, 4 * _KIB, 24), pieces(source, 200 * _KIB, 2)
    secrets, data = peers.detect_secrets(), peers.presidio()
    contenders: list[tuple[str, Callable[[str], object] | None]] = [("ours, RE2", book.scanner.scan)]
    contenders += [(label, scan) for scan, label in (peers.gated(rules), peers.naive(rules))]
    contenders += [("detect-secrets", secrets), ("Presidio, patterns only", data)]
    head("peers on source code", "µs")
    for label, scan in contenders:
        if scan is None:
            print(f"{label:<44}  not installed")
            continue
        row(f"{label}, 4 KiB", microseconds(scan, small))
        row(f"{label}, 200 KiB", microseconds(scan, large[:1] if "every rule" in label else large))
    print(
        f"\n{'what they find':<44}{'precision':>12}{'recall':>12}{'F1':>12}{'alarmed':>12}{'benign/1000':>12}"
    )
    for family, name, others in (
        (Family.SECRET, "secrets", (("detect-secrets", secrets),)),
        (Family.PII, "pii", (("Presidio, patterns only", data),)),
    ):
        texts = peers.rows((name, "benign"))
        peers.quality(f"ours, {name}", book.scan, family, texts)
        for label, detect in others:
            if detect is None:
                print(f"{label:<44}  not installed")
            else:
                peers.quality(f"{label}, {name}", detect, family, texts)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", default="", help="only rules whose id contains this")
    parser.add_argument("--quick", action="store_true", help="only the short table and the peers")
    options = parser.parse_args()
    source, words = source_code(), prose()
    before = resident()  # the texts are no part of what the engine takes
    book = start_of_engine()
    rules = tuple(rule for rule in bundled_rules() if options.rules in rule.id)
    print(f"{len(rules)} rules; source code: {len(source) // _KIB} KiB, prose: {len(words) // _KIB} KiB")
    in_short(book, source, words)
    print(f"\nmemory: {before} MiB before, {resident()} MiB at most, +{resident() - before}")
    if not options.quick:
        scanner = Scanner(rules, limits=Limits())
        scans(scanner, source, words)
        streams(scanner, source, words)
        asyncio.run(gaps(scanner, source, words))
        print(f"\nmemory: {resident()} MiB at most")
    beside_peers(all_families(), rules, source)


if __name__ == "__main__":
    main()
