"""`drawbridge fingerprint`: makes the file by which a policy recognises a company's own documents."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn

from agent.cli.console import err, explains_errors, out, say_json
from agent.errors import ConfigError, HostError
from agent.guardrails.fingerprint_file import FingerprintWriter
from agent.host.files import read_limited, write_atomically
from agent.host.secrets import read_secret

MAX_FILE = 2 * 1024 * 1024
"""Bytes of a document; larger files are data, not text that people wrote."""
MAX_TOTAL = 512 * 1024 * 1024
"""Bytes of all documents of one run."""

_SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".mypy_cache"}
)
_SAMPLE = 8192
_READABLE = 0o644  # the file holds hashes only, and the agent may run under another account


@explains_errors
def fingerprint(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Documents, or folders of them.")],
    *,
    name: Annotated[str, typer.Option("--id", help="A name for the set of documents.")],
    key: Annotated[
        str | None,
        typer.Option(
            help="Reference to a key (env:NAME, file:/path, keyring:service/name, exec:/program); "
            "the policy needs it too."
        ),
    ] = None,
    leave_out: Annotated[
        list[Path] | None,
        typer.Option(
            help="Text that anybody may have, such as licences; what documents share with it is not theirs."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write keyed hashes of documents, by which a policy finds parts of them in prompts. No text gets into the file.

    Binary files, files over 2 MB, symbolic links and folders such as .git are left out. Without --key anybody who has
    the file can test whether a text that he has is one of the documents.
    """
    secret = read_secret(key).encode() if key is not None else b""
    writer = FingerprintWriter(name, secrets.token_bytes(16), secret)
    left_out: Counter[str] = Counter()
    for path in leave_out or ():
        for _, text in _documents(path, left_out):
            writer.leave_out(text)
    left_out.clear()
    total = 0
    terminal = err()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.completed} documents"),
        console=terminal,
        transient=True,
        disable=not terminal.is_terminal,  # it would leave an empty line in a log
    ) as progress:
        task = progress.add_task("", total=None)
        for path in paths:
            for document, text in _documents(path, left_out):
                total += len(text)
                if total > MAX_TOTAL:
                    raise ConfigError(
                        f"the documents are larger than {MAX_TOTAL // 2**20} MB together",
                        hint="Make several files.",
                    )
                writer.add(document, text)
                progress.advance(task)
    data, summary = writer.written()
    write_atomically(target, data, mode=_READABLE)
    facts = {
        "file": str(target),
        "id": name,
        "documents": summary.documents,
        "hashes": summary.hashes,
        "bytes": len(data),
        "keyed": bool(secret),
        "left_out": {**left_out, "too short": summary.short},
        "common_hashes": summary.common,
    }
    if as_json:
        say_json(facts)
    else:
        _show(facts)


def _show(facts: dict[str, object]) -> None:
    left_out = facts["left_out"]
    assert isinstance(left_out, dict)
    out().print(
        f"[green]ok[/] {escape(str(facts['file']))}: {facts['documents']} documents, {facts['hashes']} hashes, "
        f"{facts['bytes']} bytes, {'with' if facts['keyed'] else 'without'} a key"
    )
    told = [f"{count} {reason}" for reason, count in left_out.items() if count]
    if told:
        out().print(f"left out: {', '.join(told)}")
    if facts["common_hashes"]:
        out().print(
            f"{facts['common_hashes']} hashes stand in many documents or in public text, and were left out"
        )


def _documents(path: Path, left_out: Counter[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of the documents at `path`; what is left out is counted by its reason."""
    if not path.exists():
        raise ConfigError(f"there is no {path}", hint="Name a file or a folder.")
    for file in _files(path):
        try:
            data = read_limited(file, limit=MAX_FILE) if file.stat().st_size <= MAX_FILE else None
        except (HostError, OSError):
            left_out["unreadable"] += 1
            continue
        if data is None:
            left_out["too large"] += 1
        elif (text := _text(data)) is None:
            left_out["binary"] += 1
        else:
            yield file.relative_to(path).as_posix() if file != path else file.name, text


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(each for each in inner if each not in _SKIPPED_FOLDERS)
        for name in sorted(names):
            file = Path(folder, name)
            if not file.is_symlink():
                yield file


def _text(data: bytes) -> str | None:
    if b"\0" in data[:_SAMPLE]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
