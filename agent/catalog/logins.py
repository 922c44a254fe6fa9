"""What requests show of accounts, as data: reads `logins.toml`, strictly.

`key` rows tell a credential by how it begins, `scheme` rows by the first word of Authorization, `issuer` rows a JSON
Web Token by who made it. `claim`, `field`, `header`, `answer` and `cookie` rows say where a fact stands and which it
is: plan, organisation, domain or subject; a cookie may also just show a session. `host` rows know a plan, or a kind, by
where a request goes. `plan` rows turn vendors' words into ours and say whose accounts have that plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING

from agent.catalog import tables
from agent.catalog.patterns import fits
from agent.errors import ConfigError
from agent.model.login import LoginKind, Tenancy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.catalog.tables import Table


class Fact(StrEnum):
    """What a place says."""

    PLAN = "plan"
    ORGANISATION = "organisation"
    DOMAIN = "domain"
    SUBJECT = "subject"
    SESSION = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyKind:
    """What a credential is that begins so."""

    begins: str
    kind: LoginKind
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One of our words for plans, and vendors' words for it, as patterns in lower case."""

    name: str
    tenancy: Tenancy
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKnows:
    """What is known of accounts by the host they are used at; empty where nothing is."""

    plan: str = ""
    kind: LoginKind = LoginKind.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFacts:
    """The whole file. `keys` and `issuers` are in the order in which they are to be tried."""

    keys: tuple[KeyKind, ...] = ()
    schemes: Mapping[str, KeyKind] = field(default_factory=dict)
    issuers: tuple[KeyKind, ...] = ()
    claims: tuple[tuple[tuple[str, ...], Fact], ...] = ()
    fields: Mapping[str, Fact] = field(default_factory=dict)
    headers: Mapping[bytes, Fact] = field(default_factory=dict)
    answers: Mapping[bytes, Fact] = field(default_factory=dict)
    cookies: Mapping[bytes, Fact] = field(default_factory=dict)
    hosts: Mapping[str, HostKnows] = field(default_factory=dict)
    plans: tuple[Plan, ...] = ()
    consumer_domains: frozenset[str] = frozenset()
    consumer_organisations: frozenset[str] = frozenset()

    def plan(self, word: str) -> Plan | None:
        """The plan that a vendor's word means."""
        word = word.lower()
        return next((plan for plan in self.plans if any(fits(each, word) for each in plan.words)), None)


def bundled_logins() -> LoginFacts:
    """The facts shipped with the agent. Reads one small file."""
    text = (files("agent.catalog") / "logins.toml").read_text(encoding="utf-8")
    return parse_logins(text, source="agent/catalog/logins.toml")


def parse_logins(text: str, *, source: str) -> LoginFacts:
    """The facts in a TOML text. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    kinds = frozenset(
        {"key", "scheme", "issuer", "claim", "field", "header", "answer", "cookie", "host", "plan"}
    )
    tables.check_keys(document, frozenset(), kinds | {"consumer"}, where=source)
    consumer = tables.table(document, "consumer", where=source)
    where = f"{source}: consumer"
    tables.check_keys(consumer, frozenset(), frozenset({"domains", "organisations"}), where=where)

    def rows[T](kind: str, read: Callable[[Table, str], T]) -> tuple[T, ...]:
        return tuple(read(row, f"{source}: {kind}") for row in tables.rows(document, kind, where=source))

    def named(kind: str) -> dict[str, Fact]:
        return dict(rows(kind, _named))

    return LoginFacts(
        keys=tuple(sorted(rows("key", _key), key=lambda each: -len(each.begins))),
        schemes=dict(rows("scheme", _scheme)),
        issuers=tuple(sorted(rows("issuer", _key), key=lambda each: -len(each.begins))),
        claims=rows("claim", _claim),
        fields=named("field"),
        headers={name.lower().encode(): fact for name, fact in named("header").items()},
        answers={name.lower().encode(): fact for name, fact in named("answer").items()},
        cookies={name.encode(): fact for name, fact in named("cookie").items()},
        hosts=dict(rows("host", _host)),
        plans=rows("plan", _plan),
        consumer_domains=frozenset(tables.texts(consumer, "domains", where=where)),
        consumer_organisations=frozenset(tables.texts(consumer, "organisations", where=where)),
    )


def _key(row: Table, where: str) -> KeyKind:
    tables.check_keys(row, frozenset({"begins", "kind", "type"}), frozenset(), where=where)
    begins = tables.text(row, "begins", where=where)
    return KeyKind(begins=begins, kind=_login_kind(row, where), type=tables.text(row, "type", where=where))


def _scheme(row: Table, where: str) -> tuple[str, KeyKind]:
    tables.check_keys(row, frozenset({"name", "kind", "type"}), frozenset(), where=where)
    name = tables.text(row, "name", where=where)
    return name, KeyKind(begins="", kind=_login_kind(row, where), type=tables.text(row, "type", where=where))


def _claim(row: Table, where: str) -> tuple[tuple[str, ...], Fact]:
    tables.check_keys(row, frozenset({"path", "gives"}), frozenset(), where=where)
    return tables.texts(row, "path", where=where), _fact(row, where)


def _named(row: Table, where: str) -> tuple[str, Fact]:
    tables.check_keys(row, frozenset({"name", "gives"}), frozenset(), where=where)
    return tables.text(row, "name", where=where), _fact(row, where)


def _host(row: Table, where: str) -> tuple[str, HostKnows]:
    tables.check_keys(row, frozenset({"name"}), frozenset({"plan", "kind"}), where=where)
    kind = _login_kind(row, where) if "kind" in row else LoginKind.UNKNOWN
    plan = tables.text(row, "plan", where=where)
    return tables.text(row, "name", where=where), HostKnows(plan=plan, kind=kind)


def _plan(row: Table, where: str) -> Plan:
    tables.check_keys(row, frozenset({"name", "tenancy", "words"}), frozenset(), where=where)
    word = tables.text(row, "tenancy", where=where)
    try:
        tenancy = Tenancy(word)
    except ValueError:
        raise ConfigError(f"{where}: there is no tenancy {word!r}") from None
    return Plan(
        name=tables.text(row, "name", where=where),
        tenancy=tenancy,
        words=tuple(each.lower() for each in tables.texts(row, "words", where=where)),
    )


def _login_kind(row: Table, where: str) -> LoginKind:
    word = tables.text(row, "kind", where=where)
    try:
        return LoginKind(word)
    except ValueError:
        raise ConfigError(
            f"{where}: there is no kind {word!r}", hint=f"one of: {', '.join(LoginKind)}"
        ) from None


def _fact(row: Table, where: str) -> Fact:
    word = tables.text(row, "gives", where=where)
    try:
        return Fact(word)
    except ValueError:
        raise ConfigError(f"{where}: nothing gives {word!r}", hint=f"one of: {', '.join(Fact)}") from None
