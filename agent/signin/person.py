"""The person's side: signs in and out, and renews, for the command line and the tray. Blocks.

Asks the agent whom to sign in with, so that nothing in a person's own files leads elsewhere; hands it the ID token,
which the agent checks itself; keeps the refresh token, which the agent never gets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent.errors import DrawbridgeError
from agent.host.lock import ProcessLock
from agent.signin.browser import Show, by_browser, with_query
from agent.signin.device_code import Invitation, by_device_code
from agent.signin.discovery import Provider, discover
from agent.signin.listener import PATIENCE_SECONDS
from agent.signin.problems import EndedError, SignInError
from agent.signin.requests import Tokens, granted, revoked
from agent.signin.token_store import Kept, TokenStore
from agent.signin.web import Web

_LOCK_SECONDS = 20.0  # for which one of a person's programs waits for another that renews


class Agent(Protocol):
    """The control API (`agent.control.client.Control`)."""

    def ask(self, verb: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Raises NotRunningError, ConfigError, HostError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut:
    """What became of a sign-out. `problem` is why the provider could not be told."""

    was: str  # the name of the sign-in; empty: there was none
    revoked: bool = False
    problem: str = ""


class Person:
    """One person's dealings with the provider that the agent names."""

    def __init__(self, agent: Agent, web: Web, store: TokenStore) -> None:
        self._agent = agent
        self._web = web
        self._store = store

    def sign_in(self, show: Show, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """By the browser. How the person stands now. Raises DrawbridgeError."""

        def way(provider: Provider, offer: Mapping[str, Any]) -> Tokens:
            return by_browser(
                self._web,
                provider,
                client=offer["client"],
                scopes=tuple(offer["scopes"]),
                nonce=offer["nonce"],
                show=show,
                port=offer["port"],
                seconds=seconds,
            )

        return self._sign_in("browser", way)

    def sign_in_elsewhere(
        self, tell: Callable[[Invitation], None], *, sleep: Callable[[float], None] = time.sleep
    ) -> dict[str, Any]:
        """With a code, on another device. How the person stands now. Raises DrawbridgeError."""

        def way(provider: Provider, offer: Mapping[str, Any]) -> Tokens:
            return by_device_code(
                self._web,
                provider,
                client=offer["client"],
                scopes=tuple(offer["scopes"]),
                nonce=offer["nonce"],
                tell=tell,
                sleep=sleep,
            )

        return self._sign_in("device_code", way)

    def renew(self) -> dict[str, Any] | None:
        """Without asking the person; None where nothing is kept that renews. Where the provider ended the session, the
        agent is told, and EndedError says so. Raises DrawbridgeError."""
        offer = _offered(self._agent.ask("me")["sign_in"])
        if offer is None:
            return None
        issuer, client = offer
        with ProcessLock(self._store.lock, "sign-in", patience=_LOCK_SECONDS):
            kept = self._store.read(issuer, client)
            if kept is None:
                return None
            provider = discover(self._web, issuer)
            form = {"grant_type": "refresh_token", "refresh_token": kept.refresh_token}
            try:
                tokens = granted(self._web, provider, client, form)
            except EndedError:
                self._store.forget(issuer)
                self._agent.ask("sign-out", {"why": "refused"})
                raise
            if tokens.refresh_token and tokens.refresh_token != kept.refresh_token:
                self._store.keep(Kept(issuer=issuer, client=client, refresh_token=tokens.refresh_token))
            return self._agent.ask("sign-in", {"id_token": tokens.id_token})

    def sign_out(self, *, everywhere: Show | None = None) -> SignedOut:
        """Here, and with the provider as far as it can be told. With `everywhere` its own page ends the session of the
        browser, too. Raises DrawbridgeError where the agent or the store refuses."""
        offer = _offered(self._agent.ask("me")["sign_in"])
        was = str(self._agent.ask("sign-out", {"why": "signed_out"})["was"])
        if offer is None:
            return SignedOut(was=was)
        issuer, client = offer
        problem, done = "", False
        with ProcessLock(self._store.lock, "sign-in", patience=_LOCK_SECONDS):
            try:
                kept = self._store.read(issuer, client)
                if kept is not None or everywhere is not None:
                    provider = discover(self._web, issuer)
                    if everywhere is not None and provider.end_session:
                        everywhere(with_query(provider.end_session, {"client_id": client}))
                    done = kept is not None and revoked(self._web, provider, client, kept.refresh_token)
            except DrawbridgeError as error:
                problem = str(error)
            self._store.forget(issuer)
        return SignedOut(was=was, revoked=done, problem=problem)

    def _sign_in(self, word: str, way: Callable[[Provider, Mapping[str, Any]], Tokens]) -> dict[str, Any]:
        offer = self._agent.ask("begin-sign-in", {"way": word})
        provider = discover(self._web, offer["issuer"])
        tokens = way(provider, offer)
        found = self._agent.ask("sign-in", {"id_token": tokens.id_token})
        with ProcessLock(self._store.lock, "sign-in", patience=_LOCK_SECONDS):
            if tokens.refresh_token:
                self._store.keep(
                    Kept(
                        issuer=offer["issuer"],
                        client=offer["client"],
                        refresh_token=tokens.refresh_token,
                    )
                )
            else:
                self._store.forget(offer["issuer"])
        return found


def _offered(standing: Mapping[str, Any]) -> tuple[str, str] | None:
    """The provider and our id there, None where sign-in is not set up."""
    if "issuer" not in standing:
        return None
    if not isinstance(standing["issuer"], str) or not isinstance(standing["client"], str):
        raise SignInError("the agent is of another version")
    return standing["issuer"], standing["client"]
