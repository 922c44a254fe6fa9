"""With which account a request is made: read once for each credential, and remembered without it.

What a provider's answers say of an account (the organisation a key belongs to) is remembered, too, and counts for the
next requests with the same credential that name none themselves.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b, sha256

from agent.accounts import presented
from agent.catalog.logins import Fact
from agent.gateway.routing import parameter
from agent.gateway.transport.base import Headers
from agent.inspection import RuleBook
from agent.inspection.logins import CREDENTIALS, Shown, domain_of, read_login
from agent.model.login import NO_LOGIN, Login, LoginKind, Tenancy
from agent.model.record import CaptureMode

_MAX_KNOWN = 1024
_MAX_FACT = 128
_MARK = 16  # hex digits that stand for an address

VIRTUAL = Login(kind=LoginKind.API_KEY, key_type="virtual", tenancy=Tenancy.COMPANY)
"""A key that the gateway itself gave out."""


class Logins:
    """Reads logins. For one thread, the event loop's."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)  # what is remembered is of use to nobody else
        self._known: OrderedDict[bytes, Login] = OrderedDict()
        self._learned: OrderedDict[bytes, dict[Fact, str]] = OrderedDict()  # by credential
        self.edition = object()
        """Another object after something was learned: logins that were told before may be out of date then."""

    def login_of(self, rules: RuleBook, host: str, fields: Headers, query: bytes = b"") -> Login:
        """The account of a request to `host`. Costs a hash where the same was seen before. Never raises."""
        shown, credential = self._shown(rules, host, fields, query)
        digest = blake2b(credential, key=self._key, digest_size=16)
        for part in (rules.digest.encode(), host.encode(), *(_named(each) for each in shown.fields.items())):
            digest.update(len(part).to_bytes(4))
            digest.update(part)
        place = digest.digest()
        if (known := self._known.get(place)) is not None:
            self._known.move_to_end(place)
            return known
        learned = self._learned.get(self._name(credential))
        if learned:
            shown = replace(shown, learned=learned)
        login = self._known[place] = read_login(shown, rules.logins, rules.policy.company)
        while len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        return login

    def learn(self, rules: RuleBook, host: str, fields: Headers, query: bytes, answer: Headers) -> bool:
        """Note what an answer says of the account of its request (`fields`, `query`); whether that is new."""
        said = {
            rules.logins.answers[name]: value[:_MAX_FACT].decode("latin-1")
            for name, value in answer
            if name in rules.logins.answers and value
        }
        if not said:
            return False
        _, credential = self._shown(rules, host, fields, query)
        if not credential:
            return False
        name = self._name(credential)
        if self._learned.get(name) == said:
            return False
        self._learned[name] = said
        self._known.clear()  # happens once for each credential
        self.edition = object()
        while len(self._learned) > _MAX_KNOWN:
            self._learned.popitem(last=False)
        return True

    def _shown(self, rules: RuleBook, host: str, fields: Headers, query: bytes) -> tuple[Shown, bytes]:
        """What matters of a request, and its credential alone."""
        wanted = rules.logins.headers
        found: dict[bytes, bytes] = {}
        for name, value in fields:
            if name in _ALWAYS or name in wanted:
                found.setdefault(name, value)
        if (cookies := found.pop(b"cookie", b"")) and (telling := _cookies(cookies, rules)):
            found[b"cookie"] = telling
        query_key = _query_key(query) if query else b""
        credential = b"\0".join((*(found.get(name, b"") for name in CREDENTIALS), query_key))
        shown = Shown(host=host, fields=found, query_key=query_key)
        return shown, credential if credential.strip(b"\0") else found.get(b"cookie", b"")

    def _name(self, credential: bytes) -> bytes:
        return blake2b(credential, key=self._key, digest_size=16, person=b"credential").digest()


_ALWAYS = frozenset((*CREDENTIALS, b"cookie"))


def recorded(login: Login, capture: CaptureMode, key: bytes) -> Login:
    """The login as an event may hold it: a mail address stands there in full only where content does; else as a mark
    made with `key`, the same for the same address on this machine, with its domain."""
    domain = domain_of(login.subject)
    if not domain or capture is CaptureMode.FULL:
        return login
    mark = hmac.new(key, login.subject.lower().encode("utf-8", "replace"), sha256).hexdigest()[:_MARK]
    return replace(login, subject=f"{mark}@{domain}")


def shown_virtual(login: Login, found: presented.Presented | None) -> Login:
    """`login`, or that of a virtual key where one was shown and no other credential beside it."""
    if found is None or login.kind not in (LoginKind.ANONYMOUS, LoginKind.UNKNOWN):
        return login
    return VIRTUAL


def _named(field: tuple[bytes, bytes]) -> bytes:
    return field[0] + b":" + field[1]


def _cookies(header: bytes, rules: RuleBook) -> bytes:
    """Only the cookies that say something: others change with every request."""
    wanted = rules.logins.cookies
    return b";".join(part for part in header.split(b";") if part.partition(b"=")[0].strip() in wanted)


def _query_key(query: bytes) -> bytes:
    if b"key=" not in query.lower():
        return b""
    for part in query.split(b"&"):
        if parameter(part) == b"key":
            return part.partition(b"=")[2]
    return b""


__all__ = ["NO_LOGIN", "VIRTUAL", "Logins", "recorded", "shown_virtual"]
