"""What the agent stands between in these tests: fake providers on loopback, and clients that speak through it.

One `Stage` serves a whole test session. Its upstreams do not change; what they do is scripted per test.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.provider import PROVIDER_HOSTS, Provider
from tests.fakes.raw_provider import RawProvider, RawScript, raw_answer
from tests.fakes.tls import Authority
from tests.integration.agent_process import AgentProcess
from tests.integration.formats import HOSTS as FORMAT_HOSTS
from tests.integration.line import Line, trusting, tunnel

ECHOING = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com", "chatgpt.com")
"""AI hosts that the echo serves."""

STRANGERS = (
    "intranet.example",
    "openai.com",
    "notapi.openai.com",
    "api-openai.com",
    "api.openai.com.intranet.example",
    "chat.chatgpt.com",
    "xgenerativelanguage.googleapis.com",
)
"""Hosts that no catalog row names, though some would like to be taken for one. The echo serves them, too."""

RAW = "api.mistral.ai"
"""An AI host (Chat Completions) that answers byte by byte as scripted."""

RAW_CURSOR = "agentn.api5.cursor.sh"
"""A host with a private format, which answers the same way."""

SILENT = "api.groq.com"
"""An AI host behind which a listener waits that accepts nobody."""

CLOSED = "api.x.ai"
"""An AI host on whose port nobody listens."""

ADDRESS = "192.0.2.7"
"""An address at which the echo is found; some programs resolve names before they ask the proxy."""

IMPOSTOR = "openrouter.ai"
"""An AI host whose certificate nobody trusts."""


class Switch:
    """The script of a raw provider, changed from test to test."""

    def __init__(self) -> None:
        self.script: RawScript = raw_answer()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        return await self.script(reader, writer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The upstreams."""

    directory: Path
    authority: Authority
    provider: Provider
    raw: RawProvider
    switch: Switch
    silent: socket.socket
    upstreams: Mapping[str, int]

    def agent(
        self,
        directory: Path,
        *,
        policy: str | None = None,
        environ: Mapping[str, str] | None = None,
        supervise: tuple[str, ...] | None = None,
    ) -> AgentProcess:
        """An agent before these upstreams, not yet started; `policy` is the text of its policy file, which stands in
        `directory` as policy.yaml. With `supervise`, options of that command, it runs under a supervisor."""
        file = directory / "policy.yaml"
        if policy is not None:
            file.write_text(policy)
        return AgentProcess(
            directory,
            upstreams=self.upstreams,
            ca_file=self.authority.ca_file,
            policy=file if policy is not None else None,
            environ=environ,
            supervise=supervise,
        )


@contextmanager
def staged(directory: Path) -> Iterator[Stage]:
    """The upstreams, running."""
    with ExitStack() as running:
        authority = Authority(directory)
        hosts = (*PROVIDER_HOSTS, *STRANGERS, *FORMAT_HOSTS)
        provider = running.enter_context(Provider(directory, hosts=hosts, authority=authority))
        switch = Switch()
        raw = running.enter_context(
            RawProvider(directory, switch, hosts=(*PROVIDER_HOSTS, RAW_CURSOR), authority=authority)
        )
        silent = running.enter_context(socket.create_server(("127.0.0.1", 0)))
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = closed.getsockname()[1]
        elsewhere = directory / "impostor"
        elsewhere.mkdir()
        impostor = running.enter_context(Provider(elsewhere))
        upstreams = dict.fromkeys((*ECHOING, *STRANGERS, *FORMAT_HOSTS, ADDRESS), provider.port)
        upstreams |= {
            RAW: raw.port,
            RAW_CURSOR: raw.port,
            SILENT: silent.getsockname()[1],
            CLOSED: nobody,
            IMPOSTOR: impostor.port,
        }
        yield Stage(
            directory=directory,
            authority=authority,
            provider=provider,
            raw=raw,
            switch=switch,
            silent=silent,
            upstreams=upstreams,
        )


@contextmanager
def dialling(agent: AgentProcess) -> Iterator[Dial]:
    """Lines to that agent, closed in the end: an agent that is stopped waits for its clients."""
    with ExitStack() as lines:
        yield Dial(agent, lines)


class Dial:
    """Opens lines through an agent, and closes them all in the end."""

    def __init__(self, agent: AgentProcess, lines: ExitStack) -> None:
        self._agent = agent
        self._lines = lines

    def __call__(
        self,
        host: str,
        *,
        server_name: str | None = "",
        alpn: tuple[str, ...] = ("http/1.1",),
        root: Path | None = None,
        port: int = 443,
    ) -> Line:
        """A TLS connection for which the proxy was asked for `host`; the server name is the same unless given, and
        none is sent where it is None. `root` is trusted instead of the agent's own."""
        context = trusting(root or self._agent.ca_file, alpn=alpn)
        name = host if server_name == "" else server_name
        line = Line.secured(tunnel(self._agent.proxy_port, host, port), context, name)
        line.host = name or host
        return self._lines.enter_context(line)

    def tunnel(self, host: str, port: int = 443) -> Line:
        """A connection on which CONNECT was answered, and nothing else happened."""
        sock = tunnel(self._agent.proxy_port, host, port)
        return self._lines.enter_context(Line(sock, host=host))

    def gateway(self) -> Line:
        """A connection to the base-URL listener."""
        port = self._agent.gateway_port
        sock = socket.create_connection(("127.0.0.1", port), 15)
        return self._lines.enter_context(Line(sock, host=f"127.0.0.1:{port}"))

    def proxy(self) -> Line:
        """A connection to the proxy, before any CONNECT."""
        port = self._agent.proxy_port
        sock = socket.create_connection(("127.0.0.1", port), 15)
        return self._lines.enter_context(Line(sock, host=f"127.0.0.1:{port}"))
