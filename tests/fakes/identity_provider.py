"""An OpenID provider on loopback: discovery, authorization with PKCE, tokens, keys, refresh with rotation, codes for
other devices, revocation. It does what the specifications say unless a test has it misbehave; `asked` is
what it heard."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from joserfc import jwk, jwt

CLIENT = "drawbridge-client"

type Twist = Callable[[dict[str, Any]], None]
"""Changes something that is about to be given out."""


def _nothing(found: dict[str, Any]) -> None:
    del found


@dataclass
class Person:
    """Who signs in."""

    subject: str = "00u1"
    claims: dict[str, Any] = field(
        default_factory=lambda: {
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada Lovelace",
            "groups": ["engineering", "ai-pilots"],
        }
    )


@cache
def _first_key() -> jwk.RSAKey:
    """Made once: it takes longer than a test."""
    return jwk.RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


@dataclass
class _Session:
    nonce: str | None
    challenge: str = ""
    redirect: str = ""
    approved: bool = True


class IdentityProvider:
    """The provider. Its knobs may be turned at any time."""

    def __init__(self) -> None:
        self.key = _first_key()
        self.shown_keys: list[jwk.Key] | None = None  # None: those it signs with
        self.person = Person()
        self.life = 3600.0
        self.offset = 0.0  # of its clock
        self.in_token: Twist = _nothing
        self.in_discovery: Twist = _nothing
        self.in_redirect: Twist = _nothing
        self.in_grant: Twist = _nothing
        self.signed: Callable[[dict[str, Any]], str] = self.sign
        self.bodies: dict[str, bytes] = {}  # instead of what a path answers
        self.slow = 0.0  # seconds before each byte of an answer
        self.redirects: dict[str, str] = {}  # paths that lead elsewhere
        self.refuses_renewal = False
        self.device_says: list[str] = []  # errors before the device code is approved
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.revoked: list[str] = []
        self._codes: dict[str, _Session] = {}
        self._refresh: dict[str, _Session] = {}
        self._devices: dict[str, _Session] = {}
        self.port = 0

    @property
    def issuer(self) -> str:
        """Its own name."""
        return f"http://127.0.0.1:{self.port}/tenant"

    def paths(self) -> list[str]:
        """The paths that were asked, in order."""
        return [path for path, _ in self.asked]

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = jwk.RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    def claims(self, nonce: str | None) -> dict[str, Any]:
        """What an ID token says, twisted."""
        now = time.time() + self.offset
        found: dict[str, Any] = {
            "iss": self.issuer,
            "sub": self.person.subject,
            "aud": CLIENT,
            "iat": int(now),
            "exp": int(now + self.life),
            **self.person.claims,
        }
        if nonce is not None:
            found["nonce"] = nonce
        self.in_token(found)
        return found

    def sign(self, claims: dict[str, Any]) -> str:
        """A token of it."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def token(self, nonce: str | None = None) -> str:
        """An ID token, given to whoever asks the test."""
        return self.signed(self.claims(nonce))

    # what is asked

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any], str]:
        """Status, document, where to."""
        match path:
            case "/tenant/.well-known/openid-configuration":
                return 200, self._discovery(), ""
            case "/tenant/keys":
                keys = self.shown_keys or [self.key]
                return 200, {"keys": [each.as_dict(private=False) for each in keys]}, ""
            case "/tenant/authorize":
                return 302, {}, self._authorize(query)
            case _:
                return 404, {}, ""

    def post(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Status, document."""
        if form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        match path:
            case "/tenant/token":
                return self._token(form)
            case "/tenant/device":
                code = secrets.token_hex(8)
                self._devices[code] = _Session(nonce=None)
                return 200, {
                    "device_code": code,
                    "user_code": "ABCD-EFGH",
                    "verification_uri": f"{self.issuer}/activate",
                    "expires_in": 600,
                    "interval": 1,
                }
            case "/tenant/revoke":
                self.revoked.append(form["token"])
                self._refresh.pop(form["token"], None)
                return 200, {}
            case _:
                return 404, {}

    def _discovery(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "device_authorization_endpoint": f"{self.issuer}/device",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "end_session_endpoint": f"{self.issuer}/logout",
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        self.in_discovery(found)
        return found

    def _authorize(self, query: dict[str, str]) -> str:
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_hex(8)
        self._codes[code] = _Session(
            nonce=query["nonce"], challenge=query["code_challenge"], redirect=query["redirect_uri"]
        )
        found = {"code": code, "state": query["state"], "iss": self.issuer}
        self.in_redirect(found)
        return f"{query['redirect_uri']}?{urlencode(found)}"

    def _token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        match form["grant_type"]:
            case "authorization_code":
                session = self._codes.pop(form["code"], None)
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                if session is None or (challenge, form["redirect_uri"]) != (
                    session.challenge,
                    session.redirect,
                ):
                    return 400, {"error": "invalid_grant"}
                return 200, self._granted(session)
            case "refresh_token":
                session = self._refresh.pop(form["refresh_token"], None)  # shown once
                if session is None or self.refuses_renewal:
                    return 400, {"error": "invalid_grant", "error_description": "the account is\nclosed"}
                return 200, self._granted(session)
            case _:
                if self.device_says:
                    return 400, {"error": self.device_says.pop(0)}
                return 200, self._granted(self._devices[form["device_code"]])

    def _granted(self, session: _Session) -> dict[str, Any]:
        refresh = secrets.token_hex(16)
        self._refresh[refresh] = session
        found = {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": self.signed(self.claims(session.nonce)),
            "refresh_token": refresh,
        }
        self.in_grant(found)
        return found


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider that is there."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            provider.asked.append((parts.path, query))
            status, document, location = provider.get(parts.path, query)
            self._say(status, document, parts.path, location)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = dict(parse_qsl(body))
            provider.asked.append((self.path, form))
            status, document = provider.post(self.path, form)
            self._say(status, document, self.path)

        def _say(self, status: int, document: Mapping[str, Any], path: str, location: str = "") -> None:
            body = provider.bodies.get(path, json.dumps(document).encode())
            if elsewhere := provider.redirects.get(path):
                status, location = 307, elsewhere
            self.send_response(status)
            if location:
                self.send_header("location", location)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                for at in range(0, len(body), 1 if provider.slow else len(body)):
                    time.sleep(provider.slow)
                    self.wfile.write(body[at : at + (1 if provider.slow else len(body))])

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        provider.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


class Browser:
    """A browser that follows where it is led, in a thread of its own as real ones do; `pages` is what it ended on."""

    def __init__(self, twist: Callable[[str], str] = lambda address: address) -> None:
        """`twist` changes the address that it is led back to."""
        self._twist = twist
        self._threads: list[threading.Thread] = []
        self.opened: list[str] = []
        self.pages: list[httpx.Response] = []

    def __call__(self, address: str) -> bool:
        """See `agent.signin.browser.Show`."""
        self.opened.append(address)
        thread = threading.Thread(target=self._visit, args=(address,))
        self._threads.append(thread)
        thread.start()
        return True

    def close(self) -> None:
        """Wait for what it does."""
        for each in self._threads:
            each.join(10)

    def _visit(self, address: str) -> None:
        with httpx.Client(trust_env=False, timeout=10) as client, suppress(httpx.HTTPError):
            answer = client.get(address)
            if "location" in answer.headers:
                self.pages.append(client.get(self._twist(answer.headers["location"])))
