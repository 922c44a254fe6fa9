"""The policy itself: immutable data, one class per section. Says what a policy may hold, decides nothing.

Every class refuses unknown keys. What spans sections (unique ids, references) is checked in `cross_checks`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

import orjson
from pydantic import BeforeValidator, Field, model_validator

from agent.model.decision import Action, Fallback
from agent.model.record import CaptureMode
from agent.model.surface import Surface
from agent.policy import fields, message
from agent.policy.accounts import Accounts
from agent.policy.apps import Apps
from agent.policy.attachment_rules import AttachmentRule
from agent.policy.caching import Caching
from agent.policy.catalog import NOTHING, CatalogRow, Speaks
from agent.policy.checks import Check
from agent.policy.company import Company
from agent.policy.discovery import Discovery
from agent.policy.guardrail import Ask, Examples, Guardrail
from agent.policy.notice import Notice
from agent.policy.packs import Pack
from agent.policy.pausing import Pausing
from agent.policy.programs import ProgramRow
from agent.policy.providers import Aliases, Prices, Providers
from agent.policy.routes import Routing
from agent.policy.section import MANY, Globs, Scope, Section
from agent.policy.telemetry import Telemetry
from agent.policy.tenants import Tenants
from agent.policy.tool_calls import ToolCalls


class Mode(StrEnum):
    """Whether verdicts are carried out."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class UnknownFormat(StrEnum):
    """What happens to a request on an inference path whose body cannot be read."""

    ALLOW = "allow"  # its raw text is scanned
    METADATA = "metadata"  # it passes, and only its metadata is recorded
    BLOCK = "block"


class UnknownSurface(StrEnum):
    """What happens to a request that asks a model where the catalog lists no such path."""

    REPORT = "report"  # it passes unread, and an incident says so
    INSPECT = "inspect"  # the same incident, and it is judged like any other
    BLOCK = "block"  # the same incident, and it is refused


class DistrustAction(StrEnum):
    """What happens to a client that refuses our certificate."""

    TUNNEL = "tunnel"
    REFUSE = "refuse"


class Route(StrEnum):
    """Where intercepted requests go."""

    NATIVE = "native"
    CENTRAL = "central"


def _integer(value: object) -> object:
    """Literal[1] alone would take `true` and `1.0` for 1."""
    if type(value) is not int:
        raise ValueError("must be 1")
    return value


class ClientDistrust(Section):
    """A client that refuses our certificate (pinning, own trust store)."""

    action: DistrustAction = Field(
        default=DistrustAction.TUNNEL, description="tunnel: pass its connections unseen; refuse: close them."
    )
    hours: int = Field(default=24, ge=1, le=720, description="How long the client and host are remembered.")


class WhenAway(StrEnum):
    """What happens to a request while the central gateway cannot be reached."""

    BLOCK = "block"
    NATIVE = "native"  # to the provider that the client meant, under the user's own credential
    PROVIDERS = "providers"  # to the providers of this policy


class Credential(StrEnum):
    """What becomes of the user's own credential on the way to a central gateway."""

    REMOVE = "remove"
    KEEP = "keep"


class Central(Section):
    """A central gateway that receives the requests instead of the provider."""

    base_url: fields.BaseUrl = Field(description="https only; http for loopback.")
    virtual_key: fields.SecretReference = Field(description="Reference to the key this machine presents.")
    header: fields.HeaderName = Field(default="authorization", description="Header that carries the key.")
    user_credential: Credential = Field(
        default=Credential.REMOVE,
        description="keep: the user's own travels beside the key, for subscriptions; the gateway must then pass it on.",
    )
    when_away: WhenAway = Field(
        default=WhenAway.BLOCK,
        description="What happens while it cannot be reached: block, native or providers.",
    )


class Upstream(Section):
    """Where intercepted requests go: to the provider the client meant, or to a central gateway."""

    route: Route = Route.NATIVE
    central: Central | None = Field(default=None, description="Required where route is central.")

    @model_validator(mode="after")
    def _central_is_configured(self) -> Self:
        if self.route is Route.CENTRAL and self.central is None:
            raise ValueError("'central' is required where route is central: give base_url and virtual_key")
        central = self.central
        if (
            central
            and central.user_credential is Credential.KEEP
            and central.header in fields.USER_CREDENTIALS
        ):
            raise ValueError(
                f"with user_credential: keep, 'header' must be one of its own, such as x-drawbridge-key: "
                f"'{central.header}' carries the user's"
            )
        return self


class FailRule(StrEnum):
    """What passes while nothing can judge it."""

    OPEN = "open"  # unseen, to where it was bound
    CLOSED = "closed"  # nothing


class Fail(Section):
    """What happens to connections to AI services while the engine does not run: it was killed, or cannot start."""

    default: FailRule = Field(
        default=FailRule.OPEN, description="open: connections pass unseen, each counted; closed: refused."
    )
    hosts: Annotated[dict[fields.Host, FailRule], Field(max_length=MANY)] = Field(
        default={}, description="The same for single hosts, or for '*.suffix'; an exact name counts first."
    )

    def rule(self, host: str) -> FailRule:
        """The rule for a host as the catalog writes it: a name, or `*.suffix`."""
        if (exact := self.hosts.get(host)) is not None:
            return exact
        rest = host
        while (dot := rest.find(".")) >= 0:
            rest = rest[dot + 1 :]
            if (below := self.hosts.get(f"*.{rest}")) is not None:
                return below
        return self.default


class AccessRule(Scope):
    """Allows or blocks exchanges by who talks to what. The first rule that fits decides; none allows."""

    id: fields.Slug
    paths: Globs = Field(default=(), description="Request paths without query.")
    action: fields.AccessAction
    message: fields.Template | None = Field(default=None, description="Instead of the policy's message.")


class Detector(Section):
    """A rule of your own. Its findings are of the family custom, with its id as type."""

    id: fields.Slug
    pattern: fields.Pattern | None = Field(default=None, description="A regular expression in RE2 syntax.")
    keywords: Annotated[
        tuple[Annotated[str, Field(min_length=2, max_length=200)], ...], Field(max_length=MANY)
    ] = Field(default=(), description="Words or phrases, taken literally.")
    ignore_case: bool = Field(default=True, description="For keywords; a pattern says (?i) itself.")
    examples: Examples = Field(default=Examples(), description="Tried whenever the policy is read.")
    fingerprints: fields.Companion | None = Field(
        default=None, description="A file made by `drawbridge fingerprint`, relative to the policy's folder."
    )
    key: fields.SecretReference | None = Field(
        default=None, description="For fingerprints: reference to the key that the file was made with."
    )
    min_match: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="For fingerprints: the part of a document that must be in the text.",
    )
    min_shingles: int = Field(
        default=12, ge=3, le=10_000, description="For fingerprints: or so many matches in one place."
    )

    @model_validator(mode="after")
    def _has_one_kind(self) -> Self:
        kinds = (self.pattern is not None, bool(self.keywords), self.fingerprints is not None)
        if sum(kinds) != 1:
            raise ValueError("needs either 'pattern' or 'keywords' or 'fingerprints', one of them")
        if not self.keywords and "ignore_case" in self.model_fields_set:
            raise ValueError("'ignore_case' is for keywords: start the pattern with (?i) instead")
        if self.fingerprints is None and {"key", "min_match", "min_shingles"} & self.model_fields_set:
            raise ValueError("'key', 'min_match' and 'min_shingles' are for fingerprints")
        return self


class Policy(Section):
    """What Drawbridge does with the AI traffic of this machine."""

    schema_version: Annotated[Literal[1], BeforeValidator(_integer)]
    id: fields.Slug
    revision: int = Field(default=0, ge=0, le=2**53 - 1)
    description: fields.Text = ""
    mode: Mode = Field(default=Mode.ENFORCE, description="observe: verdicts are recorded, not enforced.")
    message: fields.Template = Field(
        default=message.DEFAULT,
        description="What a blocked client shows; {reason}, {rule} and {ref} are filled in.",
    )
    ask: Ask = Ask()
    capture: CaptureMode = Field(
        default=CaptureMode.METADATA, description="What the audit trail keeps of content."
    )
    on_error: Fallback = Field(default=Fallback.BLOCK, description="Where a guardrail's check itself fails.")
    unknown_format: UnknownFormat = Field(
        default=UnknownFormat.ALLOW,
        description="A request on an inference path that cannot be read: allow scans its raw text.",
    )
    client_distrust: ClientDistrust = ClientDistrust()
    fail: Fail = Fail()
    pause: Pausing = Pausing()
    upstream: Upstream = Upstream()
    routing: Routing = Field(
        default=Routing(), description="Where base-URL clients are served, and what follows when that fails."
    )
    providers: Providers = Field(
        default={},
        description="Whom requests may go to, by an id of your own: keys, addresses, names of models.",
    )
    models: Aliases = Field(
        default={}, description="Names of your own for models: provider/model, or several, tried in order."
    )
    prices: Prices = Field(
        default=(), description="Instead of the bundled table's; the first that fits counts."
    )
    apps: Apps = Field(
        default=Apps(), description="Which programs may ask models, by which way, with whose accounts."
    )
    tenants: Tenants = Field(
        default={},
        description="Whose accounts services are to let in, by the id of the header in the catalog.",
    )
    access: Annotated[tuple[AccessRule, ...], Field(max_length=MANY)] = ()
    attachments: Annotated[tuple[AttachmentRule, ...], Field(max_length=MANY)] = Field(
        default=(), description="Which files may go along, and which are read; see docs/attachments.md."
    )
    guardrails: Annotated[tuple[Guardrail, ...], Field(max_length=MANY)] = ()
    detectors: Annotated[tuple[Detector, ...], Field(max_length=MANY)] = ()
    packs: Annotated[tuple[Pack, ...], Field(max_length=50)] = ()
    checks: Annotated[tuple[Check, ...], Field(max_length=20)] = Field(
        default=(), description="Remote services and classifiers that are asked beside the local rules."
    )
    catalog: Annotated[tuple[CatalogRow, ...], Field(max_length=MANY)] = Field(
        default=(), description="Further AI services; one with the id of a bundled row takes its place."
    )
    catalog_with: Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)] = Field(
        default=(), description="Ids of bundled rows that are off until a policy turns them on."
    )
    catalog_without: Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)] = Field(
        default=(), description="Ids of bundled rows that are left out: their hosts are not decrypted."
    )
    catalog_file: fields.Companion | None = Field(
        default=None,
        description="A TOML file, relative to the policy's folder, whose rows stand in place of all bundled ones.",
    )
    unknown_surface: UnknownSurface = Field(
        default=UnknownSurface.INSPECT,
        description="A request in a known format at a path that the catalog does not list, on a host that it does.",
    )
    shapes: Annotated[tuple[fields.Companion, ...], Field(max_length=50)] = Field(
        default=(),
        description="Files that describe formats of chat pages, for rows of the catalog; see docs/web-shapes.md.",
    )
    discovery: Discovery = Field(
        default=Discovery(), description="What AI software is looked for on this machine."
    )
    programs: Annotated[tuple[ProgramRow, ...], Field(max_length=MANY)] = Field(
        default=(), description="Programs of your own, that rules can name in 'apps'; see docs/apps.md."
    )
    company: Company = Field(
        default=Company(), description="By which ids the company's accounts are told from private ones."
    )
    accounts: Accounts | None = Field(
        default=None, description="Virtual keys, budgets and limits; see docs/accounts.md."
    )
    cache: Caching = Field(default=Caching(), description="Answers that are given again; off by default.")
    tool_calls: ToolCalls = Field(
        default=ToolCalls(),
        description="What events tell of the tools that models ask for; nothing by default.",
    )
    telemetry: Telemetry = Telemetry()
    notice: Notice = Field(default=Notice(), description="What the notice at /notice says besides the rules.")

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the effective content: no matter the comments, key order, spelt-out defaults."""
        content = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).hexdigest()

    @cached_property
    def discerning(self) -> bool:
        """Whether any guardrail is for some exchanges only, conditions apart."""
        return any(
            rule.surfaces or rule.hosts or rule.apps or rule.models or rule.users or rule.sampling < 1
            for rule in self.guardrails
        )

    def surfaces(self, speaks: Speaks = NOTHING) -> tuple[Surface, ...]:
        """The catalog rows this policy adds. `speaks` are the endpoints that a row means by the name of a dialect."""
        return tuple(row.surface(speaks) for row in self.catalog)

    def closed(self, hosts: Iterable[str]) -> frozenset[str]:
        """Those of `hosts` (as the catalog writes them) to which nothing may pass unseen."""
        return frozenset(host for host in hosts if self.fail.rule(host) is FailRule.CLOSED)

    def fallback(self, guardrail: Guardrail) -> Fallback:
        """What to do when the check of `guardrail` fails."""
        return guardrail.on_error or self.on_error

    def block_message(self, rule: AccessRule | AttachmentRule | Guardrail | None) -> str:
        """The message template for a block by `rule` (by none: the policy's); see `message.render`."""
        return (rule.message if rule is not None else None) or self.message

    def stop_message(self, guardrail: Guardrail, action: Action) -> str:
        """The message template where `guardrail` stops something by `action`. One that asks, but met an answer, blocks
        there: its own words about asking would mislead."""
        if action is Action.ASK:
            return guardrail.message or self.ask.message
        return self.message if guardrail.action is Action.ASK else self.block_message(guardrail)

    def enforces(self, action: Action) -> bool:
        """Whether a verdict of `action` changes what happens (nothing does in observe mode)."""
        return self.mode is Mode.ENFORCE and action.changes
