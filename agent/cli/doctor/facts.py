"""What the doctor saw, as values. A text in `unread` says why something could not be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.cli.doctor.rivals import Rival
from agent.host.trust.survey import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One warning of the running agent."""

    code: str
    title: str
    text: str
    degrades: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One of our ports: who listens there, as far as this account may know."""

    name: str
    number: int
    listening: bool
    ours: bool
    holder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """The running agent. `silent` is why one that should answer does not."""

    installed: str  # version
    running: str = ""  # version; empty where none answers
    pid: int = 0
    started_at: float = 0.0
    now: float = 0.0
    supervised: bool = False
    silent: str = ""
    paused_minutes: float | None = None
    warnings: tuple[Warned, ...] = ()
    ports: tuple[Port, ...] = ()
    agents: tuple[str, ...] = ()  # state directories on which one runs
    programs: tuple[str, ...] = ()  # where `drawbridge` is found on PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFacts:
    """The policy on the disk, and the digest of the one in force."""

    source: str
    id: str = ""
    revision: int | str = ""
    digest: str = ""
    age_days: float = 0.0
    unread: str = ""
    problem: str = ""
    hint: str = ""
    running: str | None = None  # digest; None where no agent answers


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFacts:
    """The state directory."""

    place: str
    there: bool = True
    unread: str = ""
    guarded: str = ""  # why the rest is known from the service alone
    open_to_others: tuple[str, ...] = ()  # paths, with their modes
    free_bytes: int | None = None
    trail_bytes: int | None = None
    trail_limit: int = 0
    newest_hours: float | None = None  # age of the newest event
    events: int | None = None  # that the chain holds; None: not verified
    chain_problem: str = ""
    chain_unread: str = ""
    key_problem: str = ""
    key_there: bool = True
    keyring: str = ""  # name of the backend, empty for none
    needs_keyring: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFacts:
    """Our roots and who trusts them."""

    now: datetime
    subject: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    unread: str = ""
    system: tuple[Row, ...] = ()
    browsers: tuple[Row, ...] = ()
    python: Row | None = None
    node: Row | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """One connection to an AI host through the proxy, without a request."""

    host: str
    problem: str = ""
    issuer: str = ""
    names_host: bool = False
    under_our_root: bool = False
    root_known: bool = True  # whether we could read our own root
    root_in_system: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PacFacts:
    """The PAC file as it is served."""

    problem: str = ""
    port: int = 0
    expected_port: int = 0
    hosts: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()  # catalogued, not named


@dataclass(frozen=True, slots=True, kw_only=True)
class WayFacts:
    """How programs are led here."""

    runs: bool
    line: LineFacts | None = None
    pac: PacFacts | None = None
    asked: bool = False  # whether settings are ours to manage
    settings: tuple[str, ...] = ()  # those that are as they should be
    wrong: tuple[str, ...] = ()
    settings_problem: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What came of one connection to a provider. `skew` is how far its clock is ahead of ours, in seconds."""

    host: str
    problem: str = ""
    issuer: str = ""
    skew: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """The way out. `portal` is what answered instead of the network's probe, None where it was not asked."""

    fast: bool = False
    proxy: str = ""
    reached: tuple[Reached, ...] = ()
    portal: str | None = None
    portal_unread: str = ""
    behind_seconds: float = 0.0  # by how much the clock is behind the time of our own files


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFacts:
    """Signing in with the company's identity provider. `skew` is how far its clock is ahead of ours, in seconds."""

    issuer: str = ""  # empty: it is not set up
    fast: bool = False
    problem: str = ""
    hint: str = ""
    skew: float | None = None
    state: str = ""  # of this account, in the agent's word; empty: nobody says
    name: str = ""
    store: str = ""  # where the refresh token is, in words
    stored_safely: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFacts:
    """What else is on this machine."""

    proxies: Mapping[str, str] = field(default_factory=dict)  # variable and where it leads, not to us
    company: str = ""  # upstream_proxy
    rivals: tuple[Rival, ...] = ()
    node: str = ""  # version; empty where there is none
