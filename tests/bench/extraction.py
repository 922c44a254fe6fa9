"""What it costs to make files into text, type by type: `python -m tests.bench.extraction [--quick]`.

CPU seconds of reading, not of waiting, on files made by the libraries that people's files are made with. Beside each
stands the floor, the same text read as a plain text, and the cost of scanning what was read: reading is one part of
judging a file. The last lines measure the process of its own: its start, its memory, and what crossing over adds.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable

import psutil

from agent.extraction import Extractor, Limits
from agent.extraction.reading import read
from agent.guardrails import Scanner, bundled_rules
from tests.fakes import documents

LINE = "The quarterly figures of the northern region were sent to the committee on Tuesday, number 4711."


def corpus(lines: int) -> dict[str, bytes]:
    """One file of each type, all saying the same."""
    text = [f"{number}: {LINE}" for number in range(lines)]
    plain = "\n".join(text)
    page = [*(text[at : at + 50] for at in range(0, lines, 50))]
    return {
        "text": plain.encode(),
        "csv": "\n".join(f'{number},"{LINE}"' for number in range(lines)).encode(),
        "json": json.dumps([{"n": number, "said": LINE} for number in range(lines)]).encode(),
        "html": ("<!doctype html>" + "".join(f"<p class='a'>{line}</p>\n" for line in text)).encode(),
        "xml": ("<?xml version='1.0'?><a>" + "".join(f"<p>{line}</p>" for line in text) + "</a>").encode(),
        "docx": documents.docx(*text),
        "xlsx": documents.xlsx([[number, line, number * 2] for number, line in enumerate(text)]),
        "pptx": documents.pptx("figures", plain),
        "odt": documents.odt(plain),
        "pdf": documents.pdf(*("\n".join(lines) for lines in page)),
        "rtf": (r"{\rtf1\ansi " + r"\par ".join(text) + "}").encode(),
        "eml": documents.mail(plain),
        "zip": documents.archive(
            {f"{number}.txt": "\n".join(lines).encode() for number, lines in enumerate(page)}
        ),
        "png": documents.png(600, 400),
    }


def cpu(work: Callable[[], object], runs: int) -> float:
    """The median of the CPU seconds that `work` takes."""
    work()
    taken: list[float] = []
    for _ in range(runs):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def show(files: dict[str, bytes], runs: int) -> None:
    """A line for each type."""
    scanner = Scanner(bundled_rules())
    scanner.warm()
    limits = Limits(seconds=120)
    print(f"{'type':6} {'file':>9} {'text':>9} {'p50':>10} {'of text':>12} {'x floor':>8} {'scan':>9}")
    for kind, data in files.items():
        reading = read(data, name=f"a.{kind}", declared="", limits=limits)
        said = "\n".join(passage.text for passage in reading.passages)
        seconds = cpu(
            lambda data=data, kind=kind: read(data, name=f"a.{kind}", declared="", limits=limits), runs
        )
        floor = cpu(lambda said=said: read(said.encode(), name="a.txt", declared="", limits=limits), runs)
        scan = cpu(lambda said=said: scanner.scan(said), max(3, runs // 3))
        speed = len(said) / seconds / 1e6 if said else 0
        print(
            f"{kind:6} {len(data) / 1024:7.0f} K {len(said) / 1024:7.0f} K {seconds * 1e3:7.2f} ms "
            f"{speed:7.1f} MB/s {seconds / max(floor, 1e-6):8.0f} {scan * 1e3:6.1f} ms"
        )


async def process(files: dict[str, bytes]) -> None:
    """Its start, its memory, and the way there and back."""
    extractor = Extractor()
    limits = Limits()
    data = documents.docx("a word")
    began = time.perf_counter()
    await extractor.read(data, name="", declared="", limits=limits)
    print(f"\nfirst file, with the start of the process: {(time.perf_counter() - began) * 1e3:.0f} ms")
    times: list[float] = []
    for _ in range(30):
        began = time.perf_counter()
        await extractor.read(data, name="", declared="", limits=limits)
        times.append(time.perf_counter() - began)
    print(f"a small document, there and back: {statistics.median(times) * 1e3:.2f} ms")
    here = cpu(lambda: read(data, name="", declared="", limits=limits), 30)
    print(f"the same read here: {here * 1e3:.2f} ms of CPU")
    for each in files.values():
        await extractor.read(each, name="", declared="", limits=limits)
    assert extractor.pid is not None
    print(
        f"memory of the process afterwards: {psutil.Process(extractor.pid).memory_info().rss / 2**20:.0f} MB"
    )
    extractor.close()


def main() -> None:
    """Measure."""
    quick = "--quick" in sys.argv
    files = corpus(400 if quick else 4000)
    show(files, 5 if quick else 15)
    asyncio.run(process(files))


if __name__ == "__main__":
    main()
