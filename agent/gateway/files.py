"""Reads the files of a request before it is judged: those that it carries, and what is remembered of those it names."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Protocol

from agent.dialects.base import ParsedRequest
from agent.dialects.carried import fetch
from agent.extraction import Limits
from agent.extraction.reading import read_plainly
from agent.gateway.filebook import FileBook
from agent.gateway.scans import ScanPool
from agent.inspection.attached import Attached, File, read_as
from agent.inspection.rules import Scope
from agent.model.content import Attachment
from agent.model.reading import Problem, Reading
from agent.policy.attachments import may_be_read

MAX_FILES = 100
"""Of one request that are read; more of them are too many."""
_SECONDS = 30.0  # for all files of one request: others wait for their turn
_REMEMBERED = 64  # readings, for clients send the whole conversation again with each request
_REMEMBERED_TEXT = 8_000_000  # characters of them all


class FileParser(Protocol):
    """Reads what needs a parser."""

    async def read(self, data: bytes, *, name: str, declared: str, limits: Limits) -> Reading:
        """Never raises, but when it is cancelled."""
        ...


class FileReader:
    """Gives the files of requests. Its methods never raise, but when they are cancelled."""

    def __init__(
        self, parser: FileParser, scans: ScanPool, book: FileBook, *, limits: Limits | None = None
    ) -> None:
        self._parser = parser
        self._scans = scans
        self.book = book
        self.limits = limits or Limits()
        self._known: OrderedDict[bytes, Reading] = OrderedDict()
        self._characters = 0

    async def attached(
        self, request: ParsedRequest, body: bytes, scope: Scope, provider: str
    ) -> Attached | None:
        """The files of a request, read as the policy allows; None where it has none that anything could be known of.
        `provider` is whom their ids belong to."""
        listed = list(request.attachments)
        ids = {each.id for each in listed}
        listed += [Attachment(kind="file", id=name) for name in request.files if name not in ids]
        if not any(each.held is not None or each.id for each in listed):
            return None
        wanted = [each for each in listed if each.held is not None and self._wanted(each, scope)]
        places = tuple(each.held for each in wanted if each.held is not None)
        contents = dict(
            zip(places, await self._scans.run(len(body), fetch, body, places), strict=True) if places else ()
        )
        files: list[File] = []
        ends = time.monotonic() + _SECONDS
        for each in listed:
            if each.held is None:
                files.append(File(attachment=self._remembered(each, provider)))
            elif each.held not in contents:
                files.append(File(attachment=each))
            elif len(files) >= MAX_FILES:
                files.append(read_as(each, Reading(type="", problem=Problem.TOO_LARGE), None))
            elif time.monotonic() > ends:
                files.append(read_as(each, Reading(type="", problem=Problem.TIMEOUT), None))
            else:
                files.append(await self._read(each, contents.pop(each.held)))
        return Attached(tuple(files))

    async def _read(self, attachment: Attachment, data: bytes | None) -> File:
        if data is None:
            return read_as(attachment, Reading(type="", problem=Problem.DAMAGED), None)
        key = hashlib.blake2b(data, digest_size=16, person=b"file").digest()
        key += f"{attachment.name}\0{attachment.media_type}".encode("utf-8", "surrogatepass")
        reading = self._known.get(key)
        if reading is None:
            reading = await self.reading(data, name=attachment.name, declared=attachment.media_type)
            self._remember(key, reading)
        else:
            self._known.move_to_end(key)
        return read_as(attachment, reading, len(data))

    async def reading(self, data: bytes, *, name: str, declared: str) -> Reading:
        """One file, read here or, where that needs a parser, beside us."""
        limits = self.limits
        plainly = await self._scans.run(
            len(data), read_plainly, data, name=name, declared=declared, limits=limits
        )
        if plainly is not None:
            return plainly
        return await self._parser.read(data, name=name, declared=declared, limits=limits)

    def _wanted(self, attachment: Attachment, scope: Scope) -> bool:
        return may_be_read(scope.rules.policy, scope.subject, attachment)

    def _remembered(self, attachment: Attachment, provider: str) -> Attachment:
        if not attachment.id:
            return attachment
        known = self.book.find(provider, attachment.id)
        if known is None:
            return replace(attachment, readable=False, problem=Problem.UNKNOWN_FILE)
        return replace(
            known,
            kind=attachment.kind if attachment.kind != "file" else known.kind,
            id=attachment.id,
            held=None,
        )

    def _remember(self, key: bytes, reading: Reading) -> None:
        """Only what may be the same next time: a file that could not be read now may be read then."""
        if reading.problem in (Problem.BUSY, Problem.TIMEOUT, Problem.CRASHED, Problem.MEMORY):
            return
        size = _weight(reading)
        if size > _REMEMBERED_TEXT // 2 or key in self._known:  # two requests may have read it at once
            return
        self._known[key] = reading
        self._characters += size
        while len(self._known) > _REMEMBERED or self._characters > _REMEMBERED_TEXT:
            _, oldest = self._known.popitem(last=False)
            self._characters -= _weight(oldest)


def _weight(reading: Reading) -> int:
    return sum(len(passage.text) for passage in reading.passages)
