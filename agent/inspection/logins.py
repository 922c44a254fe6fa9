"""Reads the account of a request from what it shows: its credential, the claims in it, headers and cookies. Pure.

Nothing is verified: the provider does that. What a request shows never leaves as it is; a `Login` holds the last four
characters of an API key, and claims, shortened and printable. Every input is bounded.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from agent.catalog.logins import Fact, KeyKind, LoginFacts
from agent.model.login import Login, LoginKind, Tenancy
from agent.policy.company import Company

CREDENTIALS = (b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key")
"""Headers that carry a credential, the weightiest first."""

_MAX_TOKEN = 16 * 1024  # bytes of a credential that are read; ChatGPT's tokens have 2 KB
_MAX_COOKIES = 32 * 1024
_MAX_FACT = 128  # characters of a claim
_MAX_FIELDS = 64
_TAIL = 4
_OPAQUE = "opaque"  # a credential that says nothing
_LEAST_KEY = 16  # characters: of a shorter key four tell too much


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a request shows. `fields` are its headers, names in lower case, at most one of a name that matters."""

    host: str
    fields: Mapping[bytes, bytes] = field(default_factory=dict)
    query_key: bytes = b""  # `?key=`, as Google's services take it
    learned: Mapping[Fact, str] = field(default_factory=dict)  # what the provider said of the same credential


class _Facts(dict[Fact, str]):
    """Facts as they are found; the first counts."""

    def note(self, fact: Fact, value: object) -> None:
        if isinstance(value, str) and value and fact not in self:
            self[fact] = value[:_MAX_FACT]


def read_login(shown: Shown, facts: LoginFacts, company: Company) -> Login:
    """The account of a request. Never raises."""
    found = _Facts()
    kind, key_type, tail = _credential(shown, facts, found)
    for name, header in shown.fields.items():
        if (gives := facts.headers.get(name)) is not None:
            found.note(gives, _text(header[:_MAX_FACT]))
    has_session = _cookies(shown.fields.get(b"cookie", b""), facts, found)
    for fact, value in shown.learned.items():  # what a request names itself, the provider checks
        found.note(fact, value)
    host = facts.hosts.get(shown.host)
    if host is not None and kind in (LoginKind.CLOUD, LoginKind.UNKNOWN) and host.kind and key_type:
        kind = host.kind
    if kind is LoginKind.UNKNOWN and has_session:
        kind = LoginKind.SESSION
    elif kind is LoginKind.UNKNOWN and not key_type:
        kind = LoginKind.ANONYMOUS
    word = found.get(Fact.PLAN) or (host.plan if host is not None else "")
    plan = facts.plan(word) if word else None
    subject = _clean(found.get(Fact.SUBJECT, ""))
    login = Login(
        kind=kind,
        key_type=key_type,
        tail=tail,
        subject=subject,
        organisation=_clean(found.get(Fact.ORGANISATION, "")),
        domain=(_clean(found.get(Fact.DOMAIN, "")) or domain_of(subject)).lower(),
        plan=plan.name if plan is not None else _clean(word).lower(),
    )
    tenancy = _tenancy(login, facts, company, plan.tenancy if plan is not None else Tenancy.UNKNOWN)
    return _with_tenancy(login, tenancy)


def domain_of(subject: str) -> str:
    """The domain of a mail address, empty for everything else."""
    local, at, domain = subject.rpartition("@")
    return domain.lower() if at and local and "." in domain else ""


def _credential(shown: Shown, facts: LoginFacts, found: _Facts) -> tuple[LoginKind, str, str]:
    """The kind of the credential, its type, and the end of a key."""
    for name in (*CREDENTIALS, b""):
        value = (shown.fields.get(name, b"") if name else shown.query_key)[: _MAX_TOKEN + 1]
        if not value.strip() or len(value) > _MAX_TOKEN:
            continue
        token = _text(value).strip()
        if name == b"authorization":
            word, space, rest = token.partition(" ")
            if space and (scheme := facts.schemes.get(word.lower())) is not None:
                return scheme.kind, scheme.type, ""
            token = rest.strip() if space and word.lower() in ("bearer", "token") else token
        kind, key_type = _kind_of(token, facts, found)
        if key_type == _OPAQUE and name != b"authorization":  # a header that is for keys alone
            kind, key_type = LoginKind.API_KEY, "azure" if name == b"api-key" else "generic"
        tail = token[-_TAIL:] if kind is LoginKind.API_KEY and len(token) >= _LEAST_KEY else ""
        return kind, key_type, _clean(tail)
    return LoginKind.UNKNOWN, "", ""


def _kind_of(token: str, facts: LoginFacts, found: _Facts) -> tuple[LoginKind, str]:
    for key in facts.keys:
        if token.startswith(key.begins):
            return key.kind, key.type
    if token.startswith("eyJ") and token.count(".") >= 2:
        return _read_jwt(token, facts, found)
    if token.startswith("tid=") and ";" in token:
        for name, value in _pairs(token):
            if (gives := facts.fields.get(name)) is not None:
                found.note(gives, value)
        return LoginKind.SUBSCRIPTION, "copilot"
    return LoginKind.UNKNOWN, _OPAQUE if token else ""


def _read_jwt(token: str, facts: LoginFacts, found: _Facts) -> tuple[LoginKind, str]:
    claims = jwt_claims(token)
    if claims is None:
        return LoginKind.UNKNOWN, "jwt"
    for path, gives in facts.claims:
        value: object = claims
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        found.note(gives, value)
    issuer = claims.get("iss")
    maker: KeyKind | None = None
    if isinstance(issuer, str):
        maker = next((each for each in facts.issuers if issuer.startswith(each.begins)), None)
    return (maker.kind, maker.type) if maker is not None else (LoginKind.UNKNOWN, "jwt")


def jwt_claims(token: str) -> dict[str, object] | None:
    """The claims of a JSON Web Token (RFC 7519), not verified; None for everything else. Never raises."""
    parts = token.split(".", 3)
    if len(parts) < 3 or len(token) > _MAX_TOKEN:
        return None
    payload = parts[1]
    try:
        claims = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) else None


def _pairs(token: str) -> Iterator[tuple[str, str]]:
    """The fields of a Copilot token, up to its signature."""
    for part in token.split(";", _MAX_FIELDS)[:_MAX_FIELDS]:
        name, _, value = part.partition("=")
        yield name.strip(), value.partition(":")[0]


def _cookies(header: bytes, facts: LoginFacts, found: _Facts) -> bool:
    """Notes what cookies say; whether one shows a session."""
    session = False
    for name, value in _cookie_pairs(header[:_MAX_COOKIES]):
        match facts.cookies.get(name):
            case None:
                pass
            case Fact.SESSION:
                session = True
            case gives:
                found.note(gives, _text(value[:_MAX_FACT]))
    return session


def _cookie_pairs(header: bytes) -> Iterable[tuple[bytes, bytes]]:
    for part in header.split(b";"):
        name, equals, value = part.partition(b"=")
        if equals:
            yield name.strip(), value.strip().strip(b'"')


def _tenancy(login: Login, facts: LoginFacts, company: Company, by_plan: Tenancy) -> Tenancy:
    """Whose account it is. The company's own ids come first; then an id that is none of them; then what everybody
    knows of the id; then the plan."""
    organisation, domain = login.organisation.lower(), login.domain
    ours = {*company.organisations, *company.tenants}
    if organisation and organisation in ours:
        return Tenancy.COMPANY
    if domain and any(domain == each or domain.endswith(f".{each}") for each in company.domains):
        return Tenancy.COMPANY
    if organisation in facts.consumer_organisations or domain in facts.consumer_domains:
        return Tenancy.PERSONAL
    if by_plan is Tenancy.PERSONAL:
        return Tenancy.PERSONAL
    known = company.tenants if login.key_type == "entra" else company.organisations
    if (organisation and known) or (domain and company.domains):
        return Tenancy.OTHER
    if login.key_type == "entra" and organisation:
        return Tenancy.COMPANY  # a tenant of somebody's; the policy does not say whose are ours
    return by_plan


def _with_tenancy(login: Login, tenancy: Tenancy) -> Login:
    return Login(
        kind=login.kind,
        key_type=login.key_type,
        tail=login.tail,
        subject=login.subject,
        organisation=login.organisation,
        domain=login.domain,
        plan=login.plan,
        tenancy=tenancy,
    )


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _clean(value: str) -> str:
    """Printable, and no longer than anybody reads."""
    short = value[:_MAX_FACT].strip()
    return short if short.isprintable() else "".join(each for each in short if each.isprintable())
