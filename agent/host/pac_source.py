"""PAC files, fetched: the company's, to be wrapped, and our own, to see that it is served before a setting names it.

Over HTTP(S) or from a file, within limits, through no proxy. Blocks. Standard library only: the supervisor uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.errors import HostError
from agent.host.earlier import PAC_LIMIT
from agent.host.files import read_limited

_SECONDS = 5.0
_PAUSE = 0.2
_OPENS = {"(": ")", "[": "]", "{": "}"}
_BEFORE_A_PATTERN = frozenset("=(,:;!&|?{}[+-*%<>~^")
"""After these a slash begins a regular expression; after anything else it divides."""

type Fetch = Callable[[str], str]


def fetch(url: str, *, limit: int = PAC_LIMIT, seconds: float = _SECONDS) -> str:
    """The text of a PAC file. Raises HostError, saying where it was to come from."""
    scheme = urlsplit(url).scheme.lower()
    if scheme == "file":
        data = read_limited(Path(unquote(urlsplit(url).path)), limit=limit)
        if data is None:
            raise HostError(f"the PAC file {url} is missing")
    elif scheme in ("http", "https"):
        data = _load(url, limit, seconds)
    else:
        raise HostError(f"a PAC file cannot be read from {url}", hint="http, https and file are.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def fetch_company(url: str) -> str:
    """The text of a company's PAC file, if it can be wrapped. Raises HostError."""
    text = fetch(url)
    if "FindProxyForURL" not in text or not stands_alone(text):
        raise HostError(
            f"what {url} holds is no PAC file that can be wrapped",
            hint="See docs/proxy-settings.md: its brackets must match, and it must define FindProxyForURL.",
        )
    return text


def wait_for(url: str, mark: str, *, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Return once `url` gives a PAC file in which `mark` stands. Raises HostError after `seconds`."""
    deadline = time.monotonic() + seconds
    told = ""
    while True:
        try:
            if mark in fetch(url, limit=2 * PAC_LIMIT + 1024 * 1024):
                return
            told = "it does not know yet where other traffic goes"
        except HostError as error:
            told = str(error)
        if time.monotonic() >= deadline:
            raise HostError(
                f"no agent serves {url} as it must be before a setting may name it: {told}",
                hint="Start the agent first: drawbridge supervise, or drawbridge up.",
            )
        sleep(_PAUSE)


def stands_alone(text: str) -> bool:
    """Whether every bracket of a JavaScript text is closed within it, so that it can stand in a function of ours."""
    awaited: list[str] = []
    at, before = 0, ";"
    while at < len(text):
        char = text[at]
        if text.startswith(("//", "/*"), at):
            end, after = ("\n", 0) if text[at + 1] == "/" else ("*/", 2)
            found = text.find(end, at + 2)
            if found < 0:
                return end == "\n" and not awaited
            at = found + after
            continue
        if char in "\"'`" or (char == "/" and before in _BEFORE_A_PATTERN):
            at = _end_of_literal(text, at)
            if at < 0:
                return False
            before = "x"
            continue
        if char in _OPENS:
            awaited.append(_OPENS[char])
        elif char in ")]}" and (not awaited or awaited.pop() != char):
            return False
        if not char.isspace():
            before = char
        at += 1
    return not awaited


def _end_of_literal(text: str, at: int) -> int:
    """Where the literal that begins at `at` has ended; -1 where it does not."""
    quote = text[at]
    within_class = False
    at += 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
            continue
        if char in "\r\n" and quote != "`":
            return -1
        if quote == "/" and char in "[]":
            within_class = char == "["
        elif char == quote and not within_class:
            return at + 1
        at += 1
    return -1


def _load(url: str, limit: int, seconds: float) -> bytes:
    import ssl  # all of these take 60 ms, and few need them
    import urllib.request as web
    from http.client import HTTPException

    import truststore

    opener = web.OpenerDirector()  # not the usual one: it asks proxies, and follows to files and FTP
    opener.add_handler(web.HTTPHandler())
    opener.add_handler(web.HTTPSHandler(context=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))
    for handler in (
        web.HTTPErrorProcessor,
        web.HTTPDefaultErrorHandler,
        web.HTTPRedirectHandler,
        web.UnknownHandler,
    ):
        opener.add_handler(handler())
    try:
        with opener.open(url, timeout=seconds) as answer:
            data: bytes = answer.read(limit + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise HostError(f"cannot read {url}: {error}") from error
    if len(data) > limit:
        raise HostError(f"{url} is larger than {limit} bytes")
    return data
