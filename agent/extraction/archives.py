"""Archives, opened with every limit that a bomb would run into. Nothing is written to disk, so names lead nowhere."""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from agent.extraction.budget import Budget, Stopped
from agent.model.reading import Problem

_CHUNK = 64 * 1024
_ENCRYPTED = 0x1  # APPNOTE.TXT section 4.4.4
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, IndexError)


@contextmanager
def opened(data: bytes, budget: Budget) -> Iterator[zipfile.ZipFile]:
    """A ZIP archive. Raises Stopped where it has too many entries or is none."""
    # every entry has a head in the directory, and Python makes an object of each: counted before it is opened
    if data.count(b"PK\x01\x02") > budget.limits.entries * 2:
        raise Stopped(Problem.TOO_LARGE)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except _DAMAGE:
        raise Stopped(Problem.DAMAGED) from None


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> bytes | None:
    """What an entry holds, or None where it cannot be had; the budget knows why. Raises Stopped."""
    if entry.flag_bits & _ENCRYPTED:
        budget.note(Problem.ENCRYPTED)
        return None
    parts: list[bytes] = []
    whole = 0
    try:
        with archive.open(entry) as file:
            while chunk := file.read(_CHUNK):
                whole += len(chunk)
                budget.unpacked(len(chunk), whole=whole, packed=max(entry.compress_size, 1))
                parts.append(chunk)
    except (NotImplementedError, RuntimeError):  # a method of compression that Python does not know
        budget.note(Problem.UNSUPPORTED)
        return None
    except _DAMAGE:
        budget.note(Problem.DAMAGED)
    return b"".join(parts)


def entries(data: bytes, kind: str, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in an archive of that kind: zip, gzip or tar. Raises Stopped."""
    match kind:
        case "zip":
            yield from _of_zip(data, budget)
        case "gzip":
            yield from _of_gzip(data, budget)
        case "tar":
            yield from _of_tar(data, budget)


def _of_zip(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    with opened(data, budget) as archive:
        listed = archive.infolist()
        budget.entry(len(listed))
        for entry in listed:  # two of the same name are both read: readers differ on which one counts
            if entry.is_dir():
                continue
            if (content := unpacked(archive, entry, budget)) is not None:
                yield entry.filename, content


def _of_gzip(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """All of its members as one file, as gzip(1) reads them."""
    budget.entry()
    parts: list[bytes] = []
    whole = 0
    rest = data
    while rest[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(wbits=31)
        try:
            while not stream.eof:
                chunk = stream.decompress(rest, _CHUNK)
                rest = stream.unconsumed_tail
                if not chunk and not rest:
                    break
                whole += len(chunk)
                budget.unpacked(len(chunk), whole=whole, packed=len(data))
                parts.append(chunk)
        except zlib.error:
            budget.note(Problem.DAMAGED)
            break
        if not stream.eof:
            budget.note(Problem.DAMAGED)
            break
        rest = stream.unused_data
    yield "", b"".join(parts)


def _of_tar(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                budget.entry()
                if not member.isreg():
                    continue
                file = archive.extractfile(member)
                content = file.read(member.size) if file is not None else b""
                budget.unpacked(len(content), whole=len(content), packed=max(len(data), 1))
                yield member.name, content
    except (tarfile.TarError, *_DAMAGE):
        budget.note(Problem.DAMAGED)
