"""A policy's own rows of the catalog: every key that a bundled row has, checked one by one and together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import Field, model_validator

from agent.model.surface import Endpoint, Kind, Surface
from agent.policy import fields
from agent.policy.section import MANY, Section

type Speaks = Mapping[str, tuple[Endpoint, ...]]
"""Endpoints by the name under which a row says that it speaks a dialect."""

NOTHING: Speaks = MappingProxyType({})
"""No such name is known."""

_Apps = Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)]


class CatalogEndpoint(Section):
    """An inference path and the dialect spoken there."""

    path: fields.EndpointPath = Field(
        description="'{name}' stands for a segment or part of it, '**/' for any prefix."
    )
    dialect: fields.Slug | None = Field(
        default=None, description="Needed unless models are asked over a WebSocket only; see docs/formats.md."
    )
    operation: fields.Slug = "chat"
    socket: fields.Slug | None = Field(
        default=None, description="Format of the messages of a WebSocket there; by default it is refused."
    )
    app: fields.Slug | None = Field(
        default=None, description="The app that speaks there where nothing better is known of the program."
    )

    seal: fields.HeaderName | None = Field(
        default=None,
        description="Header by which its clients sign the body: it is blocked then, never changed.",
    )

    @model_validator(mode="after")
    def _is_spoken_to(self) -> Self:
        if self.dialect is None and self.socket is None:
            raise ValueError("an endpoint needs a 'dialect', or a 'socket'")
        return self

    def endpoint(self) -> Endpoint:
        """The same as a value of the catalog."""
        return Endpoint(
            path=self.path,
            dialect=self.dialect or "",
            seal=self.seal or "",
            operation=self.operation,
            socket=self.socket or "",
            app=self.app or "",
        )


class CatalogRow(Section):
    """A further AI service. Only listed hosts are ever decrypted."""

    id: fields.Slug
    name: fields.Text
    provider: fields.Slug
    hosts: Annotated[tuple[fields.Host, ...], Field(min_length=1, max_length=MANY)] = Field(
        description="Exact names, '*.suffix' for every name below a suffix, or templates: 'llm.{region}.example.com'."
    )
    speaks: Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)] = Field(
        default=(),
        description="Dialects that are spoken at their usual path under any prefix: openai-chat, …",
    )
    endpoints: Annotated[tuple[CatalogEndpoint, ...], Field(max_length=MANY)] = ()
    kind: Kind = Kind.API
    shares: bool = Field(
        default=False, description="Other rows have the same hosts; the path tells which is meant."
    )
    never: Annotated[tuple[fields.NeverPath, ...], Field(max_length=MANY)] = Field(
        default=(), description="Paths that are never looked at: '/login/**' is all of them below /login."
    )
    apps: _Apps = Field(default=(), description="Only for connections of these programs, or of unknown ones.")
    http2: bool = Field(default=False, description="Its clients need HTTP/2.")
    websockets: bool = Field(
        default=False, description="Pipe WebSockets on paths where no model is asked; else they are refused."
    )
    pinned: _Apps = Field(default=(), description="Programs that accept only the vendor's own certificates.")
    misread: Annotated[tuple[Annotated[int, Field(ge=400, le=499)], ...], Field(max_length=100)] = Field(
        default=(),
        description="Statuses that its clients take for something else; a refusal is told as 400 instead.",
    )
    prefix: fields.Slug | None = Field(default=None, description="Path prefix of its base URL.")
    origin: fields.BaseUrl | None = Field(
        default=None, description="Where base-URL requests go; with a prefix."
    )
    key_header: fields.HeaderName | None = Field(
        default=None, description="Header of its API key; with a prefix. authorization is a bearer token."
    )
    overrides_never: Annotated[tuple[fields.Host, ...], Field(max_length=MANY)] = Field(
        default=(),
        description="Hosts that are never decrypted as the bundled table says, and are to be all the same.",
    )

    @model_validator(mode="after")
    def _base_url_is_whole(self) -> Self:
        parts = (self.prefix, self.origin, self.key_header)
        if any(parts) and not (all(parts) and self.origin and self.origin.startswith("https://")):
            raise ValueError("'prefix' goes with an https 'origin' and a 'key_header'")
        return self

    def surface(self, speaks: Speaks) -> Surface:
        """The same as a value of the catalog. A name that `speaks` does not have says nothing: it is checked before."""
        spoken = tuple(endpoint for name in self.speaks for endpoint in speaks.get(name, ()))
        return Surface(
            id=self.id,
            name=self.name,
            provider=self.provider,
            hosts=self.hosts,
            endpoints=(*spoken, *(each.endpoint() for each in self.endpoints)),
            kind=self.kind,
            shares=self.shares,
            never=self.never,
            apps=self.apps,
            http2=self.http2,
            websockets=self.websockets,
            pinned=self.pinned,
            misread=self.misread,
            prefix=self.prefix or "",
            origin=self.origin or "",
            key_header=self.key_header or "",
        )
