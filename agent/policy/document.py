"""The policy itself: immutable data, one class per section. Says what a policy may hold, decides nothing.

Every class refuses unknown keys. What spans sections (unique ids, references) is checked in `cross_checks`.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

import orjson
from pydantic import BeforeValidator, Field, model_validator

from agent.model.content import Where
from agent.model.decision import Action, Fallback
from agent.model.record import CaptureMode
from agent.model.surface import Endpoint, Surface
from agent.policy import fields, message
from agent.policy.checks import Check
from agent.policy.section import Section as _Section

_MANY = 1000


class Mode(StrEnum):
    """Whether verdicts are carried out."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class UnknownFormat(StrEnum):
    """What happens to a request on an inference path whose body cannot be read."""

    ALLOW = "allow"  # its raw text is scanned
    METADATA = "metadata"  # it passes, and only its metadata is recorded
    BLOCK = "block"


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


class ClientDistrust(_Section):
    """A client that refuses our certificate (pinning, own trust store)."""

    action: DistrustAction = Field(
        default=DistrustAction.TUNNEL, description="tunnel: pass its connections unseen; refuse: close them."
    )
    hours: int = Field(default=24, ge=1, le=720, description="How long the client and host are remembered.")


class Central(_Section):
    """A central gateway that receives the requests instead of the provider."""

    base_url: fields.BaseUrl = Field(description="https only; http for loopback.")
    virtual_key: fields.SecretReference = Field(description="Reference to the key this machine presents.")
    header: fields.HeaderName = Field(default="authorization", description="Header that carries the key.")


class Upstream(_Section):
    """Where intercepted requests go: to the provider the client meant, or to a central gateway."""

    route: Route = Route.NATIVE
    central: Central | None = Field(default=None, description="Required where route is central.")

    @model_validator(mode="after")
    def _central_is_configured(self) -> Self:
        if self.route is Route.CENTRAL and self.central is None:
            raise ValueError("'central' is required where route is central: give base_url and virtual_key")
        return self


class Provider(_Section):
    """A provider that clients of the base URL are served by."""

    key: fields.SecretReference = Field(description="env:NAME, file:/path or keyring:service/name.")
    base_url: fields.BaseUrl | None = Field(default=None, description="Instead of the provider's own.")


class Providers(_Section):
    """Keys for clients that use the local base URL, by reference only."""

    openai: Provider | None = None
    anthropic: Provider | None = None
    gemini: Provider | None = None


_Globs = Annotated[tuple[fields.Glob, ...], Field(max_length=_MANY)]


class Scope(_Section):
    """To which exchanges a rule applies. An empty list applies to all; several lists must all fit."""

    hosts: Annotated[tuple[fields.HostGlob, ...], Field(max_length=_MANY)] = ()
    surfaces: Annotated[tuple[fields.Slug, ...], Field(max_length=_MANY)] = Field(
        default=(), description="Ids of catalog rows; 'unknown' for hosts outside the catalog."
    )
    apps: _Globs = Field(default=(), description="Catalog ids of client programs.")
    models: _Globs = Field(default=(), description="Model names; '?*' is any request that names a model.")
    users: _Globs = Field(default=(), description="Accounts of this machine that run the client.")


class AccessRule(Scope):
    """Allows or blocks exchanges by who talks to what. The first rule that fits decides; none allows."""

    id: fields.Slug
    paths: _Globs = Field(default=(), description="Request paths without query.")
    action: fields.AccessAction
    message: fields.Template | None = Field(default=None, description="Instead of the policy's message.")


class Guardrail(Scope):
    """Says what is done with findings. The first guardrail that fits a finding decides; none allows."""

    id: fields.Slug
    detect: Annotated[tuple[fields.Selector, ...], Field(min_length=1, max_length=100)] = Field(
        description="Families (secret, pii, injection, custom, check) or family/type; the type is a glob."
    )
    where: Annotated[tuple[Where, ...], Field(min_length=1)] = Field(
        default=tuple(Where), description="Parts of an exchange; all by default."
    )
    action: fields.GuardrailAction
    message: fields.Template | None = Field(default=None, description="Instead of the policy's message.")
    on_error: Fallback | None = Field(
        default=None, description="What to do when the check itself fails, instead of the policy's on_error."
    )


class Detector(_Section):
    """A rule of your own. Its findings are of the family custom, with its id as type."""

    id: fields.Slug
    pattern: fields.Pattern | None = Field(default=None, description="A regular expression in RE2 syntax.")
    keywords: Annotated[
        tuple[Annotated[str, Field(min_length=2, max_length=200)], ...], Field(max_length=_MANY)
    ] = Field(default=(), description="Words or phrases, taken literally.")
    ignore_case: bool = Field(default=True, description="For keywords; a pattern says (?i) itself.")

    @model_validator(mode="after")
    def _has_one_kind(self) -> Self:
        if (self.pattern is None) == (not self.keywords):
            raise ValueError("needs either 'pattern' or 'keywords', not both and not neither")
        if self.pattern is not None and "ignore_case" in self.model_fields_set:
            raise ValueError("'ignore_case' is for keywords: start the pattern with (?i) instead")
        return self


class CatalogEndpoint(_Section):
    """An inference path and the dialect spoken there."""

    path: fields.EndpointPath = Field(
        description="'{name}' stands for a segment or part of it, '**/' for any prefix."
    )
    dialect: fields.Slug
    operation: fields.Slug = "chat"


class CatalogRow(_Section):
    """A further AI service. Only listed hosts are ever decrypted."""

    id: fields.Slug
    name: fields.Text
    provider: fields.Slug
    hosts: Annotated[tuple[fields.Host, ...], Field(min_length=1, max_length=_MANY)] = Field(
        description="Exact names, or '*.suffix' for every name below a suffix."
    )
    endpoints: Annotated[tuple[CatalogEndpoint, ...], Field(max_length=_MANY)] = ()
    http2: bool = Field(default=False, description="Its clients need HTTP/2.")
    websockets: bool = Field(
        default=False, description="Pipe WebSockets on paths where no model is asked; else they are refused."
    )


class Policy(_Section):
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
    capture: CaptureMode = Field(
        default=CaptureMode.METADATA, description="What the audit trail keeps of content."
    )
    on_error: Fallback = Field(default=Fallback.BLOCK, description="Where a guardrail's check itself fails.")
    unknown_format: UnknownFormat = Field(
        default=UnknownFormat.ALLOW,
        description="A request on an inference path that cannot be read: allow scans its raw text.",
    )
    client_distrust: ClientDistrust = ClientDistrust()
    upstream: Upstream = Upstream()
    providers: Providers = Providers()
    access: Annotated[tuple[AccessRule, ...], Field(max_length=_MANY)] = ()
    guardrails: Annotated[tuple[Guardrail, ...], Field(max_length=_MANY)] = ()
    detectors: Annotated[tuple[Detector, ...], Field(max_length=_MANY)] = ()
    checks: Annotated[tuple[Check, ...], Field(max_length=20)] = Field(
        default=(), description="Remote services and classifiers that are asked beside the local rules."
    )
    catalog: Annotated[tuple[CatalogRow, ...], Field(max_length=_MANY)] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the effective content: no matter the comments, key order, spelt-out defaults."""
        content = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).hexdigest()

    def surfaces(self) -> tuple[Surface, ...]:
        """The catalog rows this policy adds."""
        return tuple(
            Surface(
                id=row.id,
                name=row.name,
                provider=row.provider,
                hosts=row.hosts,
                endpoints=tuple(
                    Endpoint(path=each.path, dialect=each.dialect, operation=each.operation)
                    for each in row.endpoints
                ),
                http2=row.http2,
                websockets=row.websockets,
            )
            for row in self.catalog
        )

    def fallback(self, guardrail: Guardrail) -> Fallback:
        """What to do when the check of `guardrail` fails."""
        return guardrail.on_error or self.on_error

    def block_message(self, rule: AccessRule | Guardrail | None) -> str:
        """The message template for a block by `rule` (by none: the policy's); see `message.render`."""
        return (rule.message if rule is not None else None) or self.message

    def enforces(self, action: Action) -> bool:
        """Whether a verdict of `action` changes what happens (nothing does in observe mode)."""
        return self.mode is Mode.ENFORCE and action >= Action.REDACT
