"""A surface: one AI service as the catalog (or the policy) describes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What people use a surface as."""

    API = "api"  # programs call it
    AGENT = "agent"  # one maker's coding agents and assistants call it
    CHAT = "chat"  # a web page or a desktop app of the same service calls it


class Confidence(StrEnum):
    """How surely the format of a surface is known."""

    SEEN = "seen"  # read in traffic, or in the source of a program that speaks it
    DOCUMENTED = "documented"  # its maker describes it
    INFERRED = "inferred"  # nobody has seen it whole: the policy's unknown_format is for what it does not fit


UPLOAD = "upload"  # a file, whole
UPLOAD_START = "upload_start"  # says that a file will come: its name, size and type
UPLOAD_PART = "upload_part"  # a part of one
UPLOAD_END = "upload_end"  # all parts are there
UPLOADS = frozenset({UPLOAD, UPLOAD_START, UPLOAD_PART, UPLOAD_END})
"""Operations of endpoints that take files, which later prompts mean by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An inference path and the dialect spoken there.

    `path` is matched against the whole decoded path; `{name}` stands for one or more characters without `/`, a
    leading `**` for any prefix. `dialect` is empty where models are asked over a WebSocket only. `operation` is the
    GenAI operation name. `socket` names the format of the messages where a WebSocket is opened there; empty:
    WebSockets are refused. `app` is the id of the app that speaks there when nothing better is known of the program
    behind a connection.

    Of uploads (`UPLOADS`) the answer holds, at these JSON Pointers (RFC 6901), the id by which prompts name the file
    (`file_id`), the address to which its bytes are sent next (`upload_url`; `header:NAME` where a header says it), or
    the id of an upload in parts (`upload_id`; later paths have it as `{upload}`). `sealed`: the size or digest of the
    bytes was told before, so they can be refused but not changed. `seal` is the header by which the service's clients
    sign the body: where a request has it, nothing in the body can be changed.
    """

    path: str
    dialect: str = ""
    operation: str = "chat"
    socket: str = ""
    app: str = ""
    seal: str = ""
    file_id: str = ""
    upload_url: str = ""
    upload_id: str = ""
    sealed: bool = False

    @property
    def takes_files(self) -> bool:
        """Whether no model is asked there, but a file is uploaded, or a part of one."""
        return self.operation in UPLOADS


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """An AI service: the hosts it answers on, the paths on which models are asked, and how its TLS is ended.

    A host is an exact name (`api.openai.com`), a suffix (`*.openai.azure.com`: any name below, not the name itself) or
    a template (`bedrock-runtime.{region}.amazonaws.com`); see `agent.model.hostpattern`.
    Paths not listed (sign-in, updates, telemetry) pass as they came, and those under `never` are not even considered
    where an unlisted path looks like a question to a model. Several surfaces may live on one host if each says so
    (`shares`): the request's path, and the app where a row names `apps`, tell which one is meant.
    """

    id: str
    name: str
    provider: str  # GenAI provider name: openai, anthropic, gcp.gemini, …
    hosts: tuple[str, ...]
    endpoints: tuple[Endpoint, ...] = ()
    kind: Kind = Kind.API
    shares: bool = False  # other rows have the same hosts; a row that does not say so takes them over
    never: tuple[str, ...] = ()  # path templates that are never looked at, whatever else says so; `/login/**`
    apps: tuple[str, ...] = ()  # only for connections of these apps, or of unknown ones; empty: of any
    http2: bool = False  # clients need HTTP/2: the HTTP tier serves those that offer it
    websockets: bool = (
        False  # web pages: a WebSocket where no model is asked is piped as it is, elsewhere refused
    )
    pinned: tuple[str, ...] = ()  # apps that accept none but the vendor's own certificates
    misread: tuple[
        int, ...
    ] = ()  # HTTP statuses that its clients take for something else (a login that ended)
    optional: bool = False  # of the bundled rows: off until a policy turns it on
    prefix: str = ""  # path prefix of the base URL, here and on a central gateway; empty where there is none
    origin: str = ""  # where base-URL requests go, `https://host`; required with a prefix
    own: bool = (
        False  # served by the gateway itself at its root: it has no hosts, and the request's model chooses
    )
    key_header: str = (
        ""  # the header that carries an API key: `authorization` (as a bearer) or the provider's own
    )
    confidence: Confidence = Confidence.DOCUMENTED
    seen: str = ""  # the month (YYYY-MM) in which the format was last read; empty where nobody noted it
