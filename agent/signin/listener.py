"""Where the browser brings the identity provider's answer: one address on loopback, for one answer (RFC 8252, 7.3).

Whatever else comes is turned away and changes nothing, so that no web page and no other program can spoil a sign-in:
only a request to the exact path, with the state that nobody else knows, is the answer; after it nobody is served.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agent.errors import HostError
from agent.signin.problems import SignInError
from agent.signin.terms import CALLBACK_PATH

PATIENCE_SECONDS = 120.0
_CLIENT_SECONDS = 5.0  # for a program that connects and says nothing
_MOST_CLIENTS = 16  # at a time
_LONGEST = 16 * 1024  # characters of the request's target
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Drawbridge</title>
<h1>{title}</h1>
<p>{text}</p>
</html>
"""
_DONE = ("Drawbridge has got the answer", "You may close this page. What came of it stands where you began.")
_NOTHING = ("Nothing is here", "This address only takes the answer to a sign-in that is under way.")

type Answer = Mapping[str, str]
"""The parameters of an authorization response."""


class Listener:
    """Listens from the moment it is made; to be used with `with`."""

    def __init__(self, state: str, port: int = 0) -> None:
        """`state` is what the answer must show. Raises HostError where the port is taken."""
        self._state = state.encode()
        self._answer: dict[str, str] | None = None
        self._arrived = threading.Event()
        self._guard = threading.Lock()
        try:
            self._server = _Server(("127.0.0.1", port), self)
        except OSError as error:
            raise HostError(
                f"the port {port} on 127.0.0.1 is taken: {error.strerror}",
                hint="End the other program, or have sign_in_port changed.",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="sign-in", daemon=True
        )

    @property
    def address(self) -> str:
        """The redirect address."""
        return f"http://127.0.0.1:{self._server.server_port}{CALLBACK_PATH}"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_CLIENT_SECONDS)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> Answer:
        """The answer. Blocks. Raises SignInError where none comes in time."""
        if not self._arrived.wait(seconds) or self._answer is None:
            raise SignInError(f"no answer came within {seconds:.0f} s", hint="Try again: drawbridge sign-in")
        return self._answer

    def take(self, target: str, host: str) -> bool:
        """Whether a request is the answer; the first one is kept. `host` is the Host that it names."""
        try:
            parts = urlsplit(target)
            pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=20)
        except ValueError:  # no URL, or more parameters than an answer has
            return False
        if parts.path != CALLBACK_PATH or host != urlsplit(self.address).netloc or len(target) > _LONGEST:
            return False
        found = dict(pairs)
        if len(found) < len(pairs) or not secrets.compare_digest(
            found.get("state", "").encode(), self._state
        ):
            return False
        with self._guard:
            if self._answer is not None:
                return False
            self._answer = found
        return True

    def told(self) -> None:
        """The browser has its page: whoever waits goes on."""
        self._arrived.set()


class _Server(ThreadingHTTPServer):
    """Serves a few clients at a time, each for seconds."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False

    def __init__(self, address: tuple[str, int], listener: Listener) -> None:
        self.listener = listener
        self._room = threading.BoundedSemaphore(_MOST_CLIENTS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Turn away whom there is no room for."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _Server
    timeout = _CLIENT_SECONDS

    def handle(self) -> None:
        """Serve one request, within its time, however slowly its bytes come."""
        limit = threading.Timer(_CLIENT_SECONDS, self._cut)
        limit.daemon = True
        limit.start()
        try:
            self.close_connection = True
            self.handle_one_request()
        finally:
            limit.cancel()

    def do_GET(self) -> None:
        """Answer it."""
        listener = self.server.listener
        if not listener.take(self.path, self.headers.get("host", "")):
            self._say(404, *_NOTHING)
            return
        try:
            self._say(200, *_DONE)
        finally:
            listener.told()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of its base
        """A line of a log would hold the code."""

    def version_string(self) -> str:
        """Nobody's business."""
        return "Drawbridge"

    def _say(self, status: int, title: str, text: str) -> None:
        body = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        for name, value in {
            "content-type": "text/html; charset=utf-8",
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
