"""An ID token checked against the configured provider: its word and its keys are fetched, kept a while, and fetched
anew when it signs with a key that is not known yet. Blocks; may be used from several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from agent.signin.discovery import Provider, discover
from agent.signin.problems import SignInError, UnknownKeyError
from agent.signin.terms import Terms
from agent.signin.tokens import Claims, Key, checked, read_keys
from agent.signin.web import Web

KEPT_SECONDS = 3600.0  # after which word and keys are fetched anew
AGAIN_SECONDS = 15.0  # between two looks for new keys: whoever shows junk must not have us ask on and on


class Verifier:
    """Checks tokens of one provider."""

    def __init__(self, terms: Terms, web: Web, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._terms = terms
        self._web = web
        self._clock = clock
        self._guard = threading.Lock()
        self._provider: Provider | None = None
        self._keys: tuple[Key, ...] = ()
        self._until = float("-inf")
        self._looked = float("-inf")

    @property
    def hosts(self) -> frozenset[str]:
        """The provider's hosts, as far as they are known. Never blocks."""
        provider = self._provider
        own = urlsplit(self._terms.issuer).hostname or ""
        return provider.hosts | {own} if provider is not None else frozenset({own})

    def verify(self, token: str, now: float) -> Claims:
        """What a token says that is for us. Raises UpstreamError, SignInError."""
        with self._guard:
            fresh = self._refresh()
            assert self._provider is not None
            offered = self._provider.algorithms
            try:
                return checked(token, self._keys, self._terms, now, offered)
            except UnknownKeyError:
                if fresh or self._clock() - self._looked < AGAIN_SECONDS:
                    raise
            self._until = float("-inf")  # the provider has changed its keys, or the token is junk
            self._refresh()
            return checked(token, self._keys, self._terms, now, self._provider.algorithms)

    def _refresh(self) -> bool:
        """Whether something was fetched."""
        now = self._clock()
        if now < self._until:
            return False
        self._looked = now
        provider = discover(self._web, self._terms.issuer)
        answer = self._web.get(provider.keys)
        if answer.status != 200:
            raise SignInError(f"the identity provider's keys cannot be fetched: it answers {answer.status}")
        self._keys = read_keys(answer.document())
        self._provider = provider
        self._until = now + KEPT_SECONDS
        return True
