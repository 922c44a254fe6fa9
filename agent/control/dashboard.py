"""The dashboard: a few static files and documents on loopback, read-only, for whoever has a session.

Loopback is no protection by itself: any page in the browser may name it, and any account of the machine may connect.
So the `Host` must be ours, a request that another site began is refused, and everything but the notice needs the cookie
of a session, which only somebody whom the control API knows can begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from agent.control.caller import Caller
from agent.control.http import CLOSED_POLICY, Answer, Request
from agent.control.notice import notice_page
from agent.control.reading import Reading
from agent.control.sessions import Session, Sessions
from agent.control.verbs import LiveWish, Nothing
from agent.errors import DrawbridgeError
from agent.host.peers import Peer
from agent.inspection import RuleBook

_NAMES = ("127.0.0.1", "localhost")
_PAGES = Path(__file__).parent / "pages"
_COOKIE = "drawbridge"
_OWN_FETCHES = ("", "none", "same-origin")
_CONTENT = (
    "default-src 'none'",
    *(f"{kind}-src 'self'" for kind in ("script", "style", "connect", "img")),
    *(f"{kind} 'none'" for kind in ("base-uri", "form-action", "frame-ancestors", "trusted-types")),
    "require-trusted-types-for 'script'",
)
PAGE_POLICY = ("content-security-policy", "; ".join(_CONTENT))
_STATIC: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "/dashboard.css": ("dashboard.css", "text/css; charset=utf-8"),
        "/dashboard.js": ("dashboard.js", "text/javascript; charset=utf-8"),
        "/icon.svg": ("icon.svg", "image/svg+xml"),
    }
)


class Dashboard:
    """Answers browsers. One for the life of the engine."""

    def __init__(self, reading: Reading, sessions: Sessions, rules: Callable[[], RuleBook]) -> None:
        self._reading = reading
        self._sessions = sessions
        self._rules = rules
        self._files = {path: _file(name, kind) for path, (name, kind) in _STATIC.items()}
        self._page = _file("dashboard.html", "text/html; charset=utf-8")
        self._stranger = _file("stranger.html", "text/html; charset=utf-8", status=401)
        self.port = 0

    def url(self, caller: Caller) -> str:
        """An address that lets this person in once."""
        return f"http://127.0.0.1:{self.port}/enter?ticket={self._sessions.ticket(caller)}"

    async def __call__(self, request: Request, peer: Peer | None) -> Answer:
        """See `agent.control.http.Respond`."""
        del peer
        if problem := self._foreign(request):
            return Answer.refusal(403, problem)
        if request.method != "GET":
            return Answer.refusal(405, "nothing can be changed here")
        path = request.path
        if path == "/notice":
            return _html(notice_page(self._rules()))
        if (answer := self._files.get(path)) is not None:
            return answer
        if path == "/enter":
            return self._enter(request)
        if path.startswith("/s/"):
            place, _, rest = path.removeprefix("/s/").partition("/")
            session = self._sessions.find(place, _cookie(request))
            if session is not None:
                return await self._serve(rest, request, session)
            if rest:
                return Answer.refusal(401, "the session is over", hint="Run: drawbridge dashboard")
        return (
            self._stranger
            if path == "/" or path.startswith("/s/")
            else Answer.refusal(404, "there is no such page")
        )

    def _foreign(self, request: Request) -> str:
        host = request.headers.get("host", "").lower()
        if host not in {f"{name}:{self.port}" for name in _NAMES}:
            return f"this is 127.0.0.1:{self.port}"
        if request.headers.get("origin", f"http://{host}") != f"http://{host}":
            return "requests from other sites are not served"
        site, mode = request.headers.get("sec-fetch-site", ""), request.headers.get("sec-fetch-mode", "")
        if site in _OWN_FETCHES or (request.path == "/notice" and mode == "navigate"):
            return ""
        return "requests from other sites are not served"

    def _enter(self, request: Request) -> Answer:
        entered = self._sessions.enter(request.query.get("ticket", ""))
        if entered is None:
            return self._stranger
        place, cookie = entered
        return Answer(
            status=303,
            headers=(
                CLOSED_POLICY,
                ("location", f"/s/{place}/"),
                ("set-cookie", f"{_COOKIE}={cookie}; Path=/s/{place}/; HttpOnly; SameSite=Strict"),
            ),
        )

    async def _serve(self, rest: str, request: Request, session: Session) -> Answer:
        caller = session.caller
        try:
            match rest:
                case "":
                    return self._page
                case "data/live":
                    live = await self._reading.live(caller, LiveWish.model_validate(dict(request.query)))
                    return Answer.json({**await self._reading.status(caller, Nothing()), "view": live})
                case "data/policy":
                    return Answer.json(await self._reading.policy(caller, Nothing()))
                case "data/event":
                    return Answer.json(await self._reading.event(caller, request.query.get("id", "")))
        except ValidationError:
            return Answer.refusal(400, "the query is not understood")
        except DrawbridgeError as error:
            return Answer.refusal(409, str(error), hint=error.hint())
        return Answer.refusal(404, "there is no such page")


def _cookie(request: Request) -> str:
    """Our cookie. Others on the same host may have left theirs."""
    for pair in request.headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == _COOKIE:
            return value
    return ""


def _file(name: str, kind: str, *, status: int = 200) -> Answer:
    return Answer(
        status=status, body=(_PAGES / name).read_bytes(), headers=(("content-type", kind), PAGE_POLICY)
    )


def _html(text: str) -> Answer:
    return Answer(body=text.encode(), headers=(("content-type", "text/html; charset=utf-8"), PAGE_POLICY))
