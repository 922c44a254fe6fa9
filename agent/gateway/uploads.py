"""Uploads: a file is judged before a byte of it leaves, and remembered by the id that its service gives it.

An upload may take several requests. What the first says of a file (its name) is known when its bytes come; of a file
in parts, a text is judged with each part, and every file as a whole before it is completed. What is too large to be
held passes unread, if policy lets pass what cannot be read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

from agent.catalog.paths import named
from agent.dialects import UPLOADS
from agent.dialects.carried import fetch
from agent.dialects.encoding import decode
from agent.dialects.uploads import Upload as UploadDialect
from agent.dialects.uploads import pointed
from agent.errors import ContentError
from agent.extraction.kinds import PLAIN, kind_of
from agent.gateway import headers
from agent.gateway.direct import Direct
from agent.gateway.filebook import FileBook, Upload
from agent.gateway.judging import Judge, Question
from agent.gateway.routing import Refused, Route
from agent.gateway.settlement import Settlement
from agent.gateway.transport.base import Headers, UpstreamResponse
from agent.gateway.unified.passing import way_of
from agent.gateway.wire import ClientRequest, Wire
from agent.inspection import RequestVerdict
from agent.model import surface
from agent.model.content import Attachment
from agent.model.reading import Problem
from agent.model.surface import UPLOAD, UPLOAD_END, UPLOAD_PART, UPLOAD_START

_HEADER = "header:"
_COMMAND = b"x-goog-upload-command"
_NAME = b"x-goog-upload-file-name"
_TYPE = b"x-goog-upload-header-content-type"
_NOT_OURS = frozenset({b"accept-encoding", b"content-length", b"expect", b"host"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request of an upload. `address` names the upload it belongs to; `sent` is its body as it came, unless it was
    too large to be held: then `rest` gives it."""

    request: ClientRequest
    route: Route
    operation: str
    address: str
    upload: Upload | None
    sent: bytes
    part: str = ""  # the name of a part, where the client gives it
    rest: AsyncIterator[bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An upload's request that may go on: `body` in the place of what was sent, unless that is None."""

    verdict: RequestVerdict
    body: bytes | None
    content: bytes = b""  # of a part


class Uploads:
    """Judges and forwards them."""

    def __init__(self, judge: Judge, direct: Direct, book: FileBook, *, max_body: int) -> None:
        """`max_body` is the largest body that is held and judged, in bytes."""
        self._judge = judge
        self._direct = direct
        self._book = book
        self._max_body = max_body

    async def receive(self, request: ClientRequest, route: Route, wire: Wire) -> Sending:
        """The request with its body, as far as that is to be held. Raises ClientGone."""
        assert route.endpoint is not None
        query = route.query.decode("latin-1")
        address = _address(route.host, route.path, query)
        if upload_id := named(route.endpoint.path, route.plain_path).get("upload"):
            address = upload_id
        sent, rest = await self._body(request, wire)
        return Sending(
            request=request,
            route=route,
            operation=_operation(route.endpoint.operation, request.headers, query),
            address=address,
            upload=self._book.upload(address),
            sent=sent,
            part=_parameter(query, "blockid"),
            rest=rest,
        )

    async def judged(self, sending: Sending, book: Settlement, asker: str) -> Judged:
        """The verdict, noted in the ledger. Raises Refused where the body cannot be decoded."""
        ledger = book.ledger
        with ledger.working():
            body = self._decoded(sending)
            question, content = self._question(sending, body, asker)
        verdict, _ = await self._judge.judge(question, ledger)
        ledger.request = verdict.request
        ledger.decided(verdict.decision)
        ledger.error = verdict.problem
        unchanged = question.body is not body or verdict.body is question.body
        return Judged(verdict=verdict, body=None if unchanged else verdict.body, content=content)

    async def forwarded(self, sending: Sending, judged: Judged, book: Settlement) -> UpstreamResponse:
        """The upstream's answer. Raises UpstreamError and Refused."""
        route, headed = way_of(sending.request, sending.route, book.routes, book.account)
        fields = headers.forwardable(headed, drop=_NOT_OURS)
        if judged.body is not None:
            fields = headers.without_body_facts(fields)
        fields.append((b"accept-encoding", b"identity"))
        book.ledger.sent()
        if sending.rest is not None:
            announced = headers.get(sending.request.headers, b"content-length")
            length = int(announced) if announced.isdigit() else None
            return await self._direct.send(sending.request.method, route, fields, sending.rest, length=length)
        payload = sending.sent if judged.body is None else judged.body
        return await self._direct.send(sending.request.method, route, fields, payload, length=len(payload))

    def hears(
        self, sending: Sending, judged: Judged, response: UpstreamResponse, *, at: float
    ) -> Callable[[bytes], None] | None:
        """What is to be told of the answer's body; None where it says nothing. `at` is now, in Unix seconds."""
        if response.status >= 400:
            return None
        return lambda body: self._heard(sending, judged, response.headers, body, at)

    def _heard(self, sending: Sending, judged: Judged, fields: Headers, body: bytes, at: float) -> None:
        endpoint = sending.route.endpoint
        assert endpoint is not None
        listed = judged.verdict.request.attachments
        about = _kept(listed[0], at) if listed else Attachment(kind="file", uploaded_at=at)
        file = pointed(body, endpoint.file_id) if endpoint.file_id else ""
        if url := _told(endpoint.upload_url, fields, body):
            parts = urlsplit(url)
            host = parts.hostname or sending.route.host
            self._book.begin(_address(host, parts.path, parts.query), Upload(attachment=about, file=file))
            return
        match sending.operation:
            case surface.UPLOAD_START:
                if upload_id := pointed(body, endpoint.upload_id):
                    self._book.begin(upload_id, Upload(attachment=about))
            case surface.UPLOAD_PART:
                if sending.upload is not None:
                    name = sending.part or pointed(body, "/id")
                    self._book.keep(sending.upload, judged.content, name=name)
            case _:
                known = file or (sending.upload.file if sending.upload is not None else "")
                if known:
                    self._book.remember(sending.route.surface.provider, known, about)
                self._book.end(sending.address)

    def _question(self, sending: Sending, body: bytes, asker: str) -> tuple[Question, bytes]:
        """What is to be judged, and of a part what it holds."""
        endpoint = sending.route.endpoint
        assert endpoint is not None
        dialect = UPLOADS[endpoint.dialect]
        upload, content = sending.upload, b""
        about = upload.attachment if upload is not None else None
        sealed, whole = endpoint.sealed, False
        if sending.rest is not None:
            about = _problem(about, Problem.TOO_LARGE, size=_announced(sending.request.headers))
        elif sending.operation in (UPLOAD_PART, UPLOAD_END):
            own = dialect.of(about, sealed=True)
            content = self._content(own, sending, asker, body)
            body, about = _so_far(sending, upload, content, body, about)
            whole = True
        elif about is None or sending.operation == UPLOAD_START:
            about = _headed(sending.request.headers)
        dialect = dialect.of(about, sealed=sealed, whole=whole)
        question = Question(
            request=sending.request, route=sending.route, dialect=dialect, body=body, asker=asker
        )
        return question, content

    @staticmethod
    def _content(dialect: UploadDialect, sending: Sending, asker: str, body: bytes) -> bytes:
        """The bytes of a part, or of the last request if it brings some."""
        if sending.operation == UPLOAD_END and not _is_raw(sending):
            return b""
        head = Question(
            request=sending.request, route=sending.route, dialect=dialect, body=body, asker=asker
        ).head
        listed = dialect.parse_request(head, body).attachments
        held = tuple(each.held for each in listed if each.held is not None)
        return b"".join(part for part in fetch(body, held) if part)

    async def _body(self, request: ClientRequest, wire: Wire) -> tuple[bytes, AsyncIterator[bytes] | None]:
        announced = _announced(request.headers)
        if announced is not None and announced > self._max_body:
            return b"", wire.chunks()
        parts: list[bytes] = []
        chunks = wire.chunks()
        async for part in chunks:
            parts.append(part)
            if wire.bytes_in > self._max_body:  # its length was not told
                return b"", _joined(parts, chunks)
        return b"".join(parts), None

    def _decoded(self, sending: Sending) -> bytes:
        encoding = headers.combined(sending.request.headers, b"content-encoding")
        if not encoding or sending.rest is not None:
            return sending.sent
        try:
            return decode(sending.sent, encoding.decode("latin-1"), limit=self._max_body)
        except ContentError as error:
            raise Refused(400, str(error)) from error


def _so_far(
    sending: Sending, upload: Upload | None, content: bytes, body: bytes, about: Attachment | None
) -> tuple[bytes, Attachment]:
    """What there is of a file in parts, to be judged as one, and what is known of it. A part of what is no text says
    nothing alone: its turn comes with the last."""
    known = about or _headed(sending.request.headers) or Attachment(kind="file")
    ends = sending.operation == UPLOAD_END
    if upload is None or upload.lost:
        if content and ((ends and upload is None) or _plain(content, known)):
            return content, known  # at least what is here
        missing = Problem.TOO_LARGE if upload is not None else Problem.UNKNOWN_FILE
        return body, _problem(known, missing if ends else Problem.PENDING, size=known.size)
    file = upload.joined(body if ends and not _is_raw(sending) else b"") + content
    if ends or _plain(file, known):
        return file, known
    return body, _problem(known, Problem.PENDING, size=len(file))


def _plain(data: bytes, about: Attachment) -> bool:
    return kind_of(data, name=about.name, declared=about.media_type) in PLAIN


def _headed(fields: Headers) -> Attachment | None:
    """What Google's clients say of a file in headers, None where they say nothing."""
    name = headers.get(fields, _NAME).decode("utf-8", "replace")
    declared = headers.get(fields, _TYPE).decode("latin-1")
    return Attachment(kind="file", name=name, media_type=declared) if name or declared else None


def _problem(about: Attachment | None, problem: Problem, *, size: int | None) -> Attachment:
    known = about or Attachment(kind="file")
    return replace(
        known,
        problem=problem,
        readable=False,
        size=known.size if size is None else size,
        outcome="unreadable",
    )


def _kept(about: Attachment, at: float) -> Attachment:
    """What is remembered of a file that went: what was found in it, if it is still there."""
    gone = about.outcome in ("rewritten", "removed")
    return replace(about, uploaded_at=at, held=None, findings=() if gone else about.findings)


def _operation(declared: str, fields: Headers, query: str) -> str:
    """What the request is of its upload; Google's says that in a header, Azure's blocks in the query."""
    if (blocks := _parameter(query, "comp")) and declared == UPLOAD:
        return {"block": UPLOAD_PART, "blocklist": UPLOAD_END}.get(blocks, declared)
    command = headers.get(fields, _COMMAND).decode("latin-1").lower()
    if declared != UPLOAD or not command:
        return declared
    if "finalize" in command:
        return UPLOAD_END
    return UPLOAD_START if "start" in command else UPLOAD_PART


def _is_raw(sending: Sending) -> bool:
    """Whether the last request of an upload brings bytes, as Google's does; OpenAI's names the parts."""
    return bool(headers.get(sending.request.headers, _COMMAND))


def _told(where: str, fields: Headers, body: bytes) -> str:
    if not where:
        return ""
    if where.startswith(_HEADER):
        return headers.get(fields, where.removeprefix(_HEADER).encode()).decode("latin-1")
    return pointed(body, where)


def _address(host: str, path: str, query: str) -> str:
    """What tells an upload's address from others, without what signs it."""
    return f"{host.lower()}\0{path}\0{_parameter(query, 'upload_id')}"


def _parameter(query: str, name: str) -> str:
    return parse_qs(query).get(name, [""])[0]


def _announced(fields: Headers) -> int | None:
    value = headers.get(fields, b"content-length")
    return int(value) if value.isdigit() else None


async def _joined(first: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts that were held, let go one by one, then the rest."""
    first.reverse()
    while first:
        yield first.pop()
    async for part in rest:
        yield part
