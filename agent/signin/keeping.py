"""The agent's side: who has signed in, of which account of this machine. For one event loop.

Nothing that a person's own programs say is believed. A sign-in begins here, with a nonce that is given to one account
and taken back from it alone, once: somebody else's ID token is of no use to an account that finds it. What renews it
must be about the same person. An identity outlives its token by the settings' grace, since a laptop may be offline;
then it is gone, and what is remembered is only who may renew it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from agent.errors import ConfigError, HostError
from agent.model.identity import NO_IDENTITY, Identity
from agent.signin.kept import SignIn, read_sign_ins, write_sign_ins
from agent.signin.problems import SignInError
from agent.signin.terms import Terms
from agent.signin.tokens import SKEW_SECONDS, Claims

log = logging.getLogger(__name__)

BEGUN_SECONDS = 20 * 60.0  # in which a sign-in must be finished; a device code lives fifteen minutes
RENEW_AT = 0.75  # of a token's life
_MOST_ACCOUNTS = 256
_NOT_SET_UP = "sign-in is not set up on this machine"


class Way(StrEnum):
    """How a person signs in."""

    BROWSER = "browser"
    DEVICE_CODE = "device_code"


class Ended(StrEnum):
    """Why somebody is no longer signed in."""

    SIGNED_OUT = "signed_out"
    REFUSED = "refused"  # the provider would not renew it


class Checks(Protocol):
    """Checks tokens (`agent.signin.verification.Verifier`)."""

    @property
    def hosts(self) -> frozenset[str]:
        """The provider's hosts."""
        ...

    def verify(self, token: str, now: float) -> Claims:
        """What a token says. Blocks. Raises UpstreamError, SignInError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A sign-in under way."""

    nonce: str = field(repr=False)
    way: Way
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What came of a token. `before` is as whom the account was signed in until now."""

    now: SignIn
    before: SignIn | None
    renewed: bool


class Keeper:
    """Knows who is who. Without `terms` nobody is, and nobody can be."""

    def __init__(
        self,
        terms: Terms | None,
        checks: Checks | None,
        path: Path,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.terms = terms
        self._checks = checks
        self._path = path
        self._now = now
        self._people: dict[str, SignIn] = {}
        self._why: OrderedDict[str, Ended] = OrderedDict()
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._writing = asyncio.Lock()

    async def restore(self) -> None:
        """Take up what was kept, as far as the settings still mean the same provider."""
        if self.terms is None:
            return
        issuer = self.terms.issuer
        found = await asyncio.to_thread(read_sign_ins, self._path)
        self._people = {each.account: each for each in found if each.identity.issuer == issuer}

    def of(self, account: str) -> Identity:
        """As whom an account has signed in, as far as that still counts. Never waits."""
        found = self._people.get(account)
        return found.identity if found is not None and self._counts(found) else NO_IDENTITY

    def shields(self, host: str) -> bool:
        """Whether a host is the provider's: what people type there is never read."""
        return self._checks is not None and host.lower().rstrip(".") in self._checks.hosts

    def begin(self, account: str, way: Way) -> dict[str, object]:
        """A sign-in begins: what the person's side must know. Raises ConfigError."""
        terms = self._set_up()
        if way is Way.DEVICE_CODE and not terms.device_code:
            raise ConfigError(
                "signing in with a code is not allowed on this machine",
                hint="An administrator can allow it: the setting sign_in_device_code.",
            )
        nonce = secrets.token_urlsafe(24)
        self._begun.pop(account, None)
        self._begun[account] = _Begun(nonce=nonce, way=way, at=self._now())
        while len(self._begun) > _MOST_ACCOUNTS:
            self._begun.popitem(last=False)
        return {**self.offer(), "nonce": nonce}

    def offer(self) -> dict[str, object]:
        """With whom one signs in. No secret. Raises ConfigError."""
        terms = self._set_up()
        return {
            "issuer": terms.issuer,
            "client": terms.client,
            "scopes": list(terms.scopes),
            "port": terms.port,
            "device_code": terms.device_code,
        }

    async def sign_in(self, account: str, uid: int, token: str) -> Arrived:
        """Somebody shows an ID token: of the sign-in that his account has begun, or one that renews it. Raises
        ConfigError, UpstreamError, SignInError."""
        self._set_up()
        assert self._checks is not None
        begun = self._begun.get(account)
        if begun is not None and self._now() - begun.at > BEGUN_SECONDS:
            begun = None
        claims = await asyncio.to_thread(self._checks.verify, token, self._now())
        before = self._people.get(account)
        if before is not None and before.uid != uid:  # an account of that name that is another's now
            before = None
        if begun is not None and self._answers(begun, claims):
            self._begun.pop(account, None)
            found = self._entered(account, uid, claims, since=self._now(), nonce=claims.nonce)
            return await self._arrive(Arrived(now=found, before=before, renewed=False))
        if before is None or not _renews(before, claims):
            raise SignInError(
                "this ID token is of no sign-in that this account has begun", hint="Run: drawbridge sign-in"
            )
        if claims.issued_at < before.issued_at:
            raise SignInError("a newer ID token was shown before")
        found = self._entered(account, uid, claims, since=before.since, nonce=before.nonce)
        return await self._arrive(Arrived(now=found, before=before, renewed=True))

    async def sign_out(self, account: str, why: Ended) -> SignIn | None:
        """The account is nobody's any more; as whom it was signed in, None if it was not. Raises HostError."""
        self._begun.pop(account, None)
        found = self._people.pop(account, None)
        if found is None:
            return None
        self._why.pop(account, None)
        self._why[account] = why
        while len(self._why) > _MOST_ACCOUNTS:
            self._why.popitem(last=False)
        await self._keep()
        return found

    def standing(self, account: str) -> dict[str, object]:
        """How an account stands, for the person whose it is. `until` is when it stops counting if nothing renews it."""
        terms = self.terms
        if terms is None:
            return {"state": "not_set_up"}
        found = self._people.get(account)
        if found is None:
            why = self._why.get(account)
            return {"state": "signed_out", **({"why": why.value} if why is not None else {}), **self.offer()}
        now, identity = self._now(), found.identity
        state = "signed_in" if now < found.expires_at else "grace" if self._counts(found) else "expired"
        life = found.expires_at - found.issued_at
        return {
            "state": state,
            "name": identity.name,
            "full_name": identity.full_name,
            "groups": list(identity.groups),
            "groups_left_out": found.groups_left_out,
            "since": found.since,
            "expires_at": found.expires_at,
            "renew_at": found.issued_at + RENEW_AT * life,
            "until": found.expires_at + terms.grace_seconds,
            **self.offer(),
        }

    @property
    def expired(self) -> tuple[str, ...]:
        """The accounts whose sign-in counts no more."""
        return tuple(each.account for each in self._people.values() if not self._counts(each))

    @property
    def ungrouped(self) -> tuple[str, ...]:
        """The accounts whose groups the provider left out of the token."""
        return tuple(
            each.account for each in self._people.values() if each.groups_left_out and self._counts(each)
        )

    def _counts(self, found: SignIn) -> bool:
        return self.terms is not None and self._now() < found.expires_at + self.terms.grace_seconds

    def _set_up(self) -> Terms:
        if self.terms is None:
            raise ConfigError(
                _NOT_SET_UP, hint="An administrator sets sign_in_issuer and sign_in_client: docs/sign-in.md."
            )
        return self.terms

    @staticmethod
    def _answers(begun: _Begun, claims: Claims) -> bool:
        """Whether a token is the answer to a sign-in that was begun. Providers leave the nonce out of tokens that a
        device code brings: those must be younger than the question."""
        if claims.nonce:
            return secrets.compare_digest(claims.nonce.encode(), begun.nonce.encode())
        return begun.way is Way.DEVICE_CODE and claims.issued_at >= begun.at - SKEW_SECONDS

    @staticmethod
    def _entered(account: str, uid: int, claims: Claims, *, since: float, nonce: str) -> SignIn:
        return SignIn(
            account=account,
            uid=uid,
            identity=claims.identity,
            since=since,
            issued_at=claims.issued_at,
            expires_at=claims.expires_at,
            nonce=nonce,
            groups_left_out=claims.groups_left_out,
        )

    async def _arrive(self, arrived: Arrived) -> Arrived:
        account = arrived.now.account
        if account not in self._people and len(self._people) >= _MOST_ACCOUNTS:
            raise HostError("too many accounts of this machine are signed in")
        self._people[account] = arrived.now
        self._why.pop(account, None)
        try:
            await self._keep()
        except HostError as error:  # it counts all the same; after a restart the person signs in again
            log.warning("a sign-in cannot be kept: %s", error)
        return arrived

    async def _keep(self) -> None:
        async with self._writing:
            await asyncio.to_thread(write_sign_ins, self._path, tuple(self._people.values()))


def _renews(before: SignIn, claims: Claims) -> bool:
    """Whether a token is about the person who signed in (OpenID Connect Core 12.2)."""
    same = (claims.identity.issuer, claims.identity.subject) == (
        before.identity.issuer,
        before.identity.subject,
    )
    return same and claims.nonce in ("", before.nonce)


def unchanged(arrived: Arrived) -> bool:
    """Whether nothing is new but the times."""
    before = arrived.before
    return arrived.renewed and before is not None and before.identity == arrived.now.identity
