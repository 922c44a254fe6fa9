"""A provider: a service that the gateway can send model requests to, as the catalog (or the policy) describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Scheme(StrEnum):
    """How a request shows that it may be sent."""

    NONE = "none"  # a server on this machine
    BEARER = "bearer"  # `authorization: Bearer KEY`
    HEADER = "header"  # the key alone, in `Provider.key_header`
    SIGV4 = "sigv4"  # AWS Signature Version 4, or a bearer key of Bedrock
    GOOGLE = "google"  # an OAuth token of a service account or of application default credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One format a provider speaks: `paths` by operation (`chat`, `chat_stream`, `embeddings`, …), after the origin,
    with a query where one is always needed. `{model}` in a path stands for the provider's model id, percent-encoded as
    one segment, `{model_path}` for one whose slashes part segments; `{parameters}` are filled in as in the origin."""

    dialect: str
    paths: Mapping[str, str]
    models: tuple[str, ...] = ()  # globs: only these models are spoken to so; none: all
    body: Mapping[str, str] = field(default_factory=dict)
    """Top-level fields that each request's body must have beside the format's own; an empty text: must not have."""
    follows: tuple[str, ...] = ()
    """Globs of the hosts where an answer that is only promised may go on, beside the one that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider.

    `origin` may hold `{parameters}` that the policy fills in (`https://{resource}.openai.azure.com`); `parameters` has
    their names with defaults, an empty default must be given. An empty origin: the policy must give a `base_url`.
    `speaks` is in order of preference. `quirks` is what its dialects' writers must know (`translation.base.Quirks`), by
    field.
    """

    id: str
    name: str
    genai: str  # the OpenTelemetry name: openai, anthropic, aws.bedrock, …
    origin: str
    speaks: tuple[Spoken, ...]
    scheme: Scheme = Scheme.BEARER
    key_header: str = ""
    key_env: str = ""  # the environment variable in which its own tools look for a key
    headers: tuple[tuple[str, str], ...] = ()  # sent with every request
    parameters: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)  # `location=global` → the origin for that value
    models_path: str = ""  # lists its models; empty where it has no list
    small_model: str = ""  # a cheap one, to try whether all is well
    local: bool = False  # runs on this machine: needs no key, is never far away
    prices: str = ""  # its id in the table of prices, where that differs from `id`
    quirks: Mapping[str, object] = field(default_factory=dict)
    source: str = ""  # the vendor's page these facts are from
