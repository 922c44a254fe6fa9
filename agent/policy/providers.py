"""The policy's `providers`, `models` and `prices`: who is asked with which key, under which names, at which price.

A provider of the policy uses a row of the catalog and says what is its own: keys, parameters, names of models. What
must hold between the two is checked on the raw tree (`check_providers`), as all that spans sections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from agent.model.provider import Provider, Scheme
from agent.policy import fields
from agent.policy.section import MANY, Globs, Section
from agent.policy.source import Problem, Tree

_PARAMETER = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"}
)
_ONLY_FOR = {"profile": Scheme.SIGV4, "adc": Scheme.GOOGLE}


def _parameter(text: str) -> str:
    # it becomes part of a host name or a path: no character may end either
    if set(text) - _PARAMETER or text.startswith((".", "-")) or ".." in text:
        raise ValueError("must be letters, digits, '-', '_' and '.'")
    return text


def _plain_header(name: str) -> str:
    if name in _CREDENTIALS:
        raise ValueError("carries a credential: write a reference under 'key' instead")
    return name


def _header_value(text: str) -> str:
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("must be printable ASCII without spaces around it")
    return text


def _model(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be printable, without spaces around it")
    return text


def _target(text: str) -> str:
    provider, slash, model = text.partition("/")
    if not (provider and slash and model):
        raise ValueError("must be provider/model, such as openai/gpt-5-nano")
    return _model(text)


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


HeaderValue = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_header_value)]
Parameter = Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_parameter)]
ModelName = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_model)]
"""What a model is called; vendors use slashes, colons and dots in it."""

_TargetName = Annotated[str, Field(min_length=3, max_length=320), AfterValidator(_target)]
Targets = Annotated[
    tuple[_TargetName, ...],
    Field(min_length=1, max_length=20),
    BeforeValidator(_one_or_more),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    ),
]
"""`provider/model`, or several, tried in this order."""

Usd = Annotated[float, Field(ge=0, le=1_000_000)]


class Key(Section):
    """One of a provider's keys."""

    name: fields.Slug = Field(description="What records and metrics call it.")
    key: fields.KeyReference = Field(
        description="Reference to a secret; for AWS also profile:NAME, for Google also adc:."
    )
    weight: float = Field(
        default=1.0, ge=0, le=1000, description="Its share of the requests; 0: only if no other can."
    )
    models: Globs = Field(default=(), description="Models that it may be used for; all by default.")
    concurrency: int | None = Field(
        default=None, ge=1, le=10_000, description="The most requests at a time; no limit by default."
    )


class ProviderSettings(Section):
    """A provider that requests may go to."""

    uses: fields.Slug | None = Field(
        default=None, description="Id of a provider of the catalog; by default its own id here."
    )
    key: fields.KeyReference | None = Field(
        default=None,
        description="Short for one key: env:NAME, file:/path, keyring:service/name, exec:/program …; for AWS also "
        "profile:NAME, for Google adc:.",
    )
    keys: Annotated[tuple[Key, ...], Field(max_length=100)] = ()
    auth: Scheme | None = Field(
        default=None,
        description="How the key is shown, where not as the catalog says: bearer for Entra tokens.",
    )
    base_url: fields.BaseUrl | None = Field(default=None, description="Instead of the provider's own.")
    parameters: Annotated[dict[fields.Slug, Parameter], Field(max_length=20)] = Field(
        default={}, description="What the provider's address needs, such as resource, region, project."
    )
    models: Annotated[dict[ModelName, ModelName], Field(max_length=MANY)] = Field(
        default={},
        description="Names for its models: what clients say, and what it calls them (a deployment).",
    )
    only_listed: bool = Field(default=False, description="It serves the models listed here and no others.")
    headers: Annotated[
        dict[Annotated[fields.HeaderName, AfterValidator(_plain_header)], HeaderValue], Field(max_length=20)
    ] = Field(default={}, description="Sent with every request; never a credential.")
    private: bool = Field(
        default=False, description="It runs in the company or on this machine: data may be kept to such."
    )
    timeout_seconds: float | None = Field(
        default=None, gt=0, le=3600, description="Silence after which a request has failed."
    )
    first_token_seconds: float | None = Field(
        default=None, gt=0, le=3600, description="Until an answer must have begun."
    )

    @model_validator(mode="after")
    def _is_of_one_piece(self) -> Self:
        if self.key is not None and self.keys:
            raise ValueError("'key' is short for one of 'keys': give either of them")
        names = [key.name for key in self.keys]
        if len(set(names)) < len(names):
            raise ValueError("two of 'keys' have the same name")
        if self.only_listed and not self.models:
            raise ValueError("'only_listed' needs 'models'")
        return self

    @property
    def credentials(self) -> tuple[Key, ...]:
        """Its keys, whichever way they are written."""
        return (Key(name="default", key=self.key),) if self.key is not None else self.keys


class Price(Section):
    """What models cost, in USD per million tokens, where the bundled table does not know or you pay otherwise."""

    models: Annotated[Globs, Field(min_length=1)]
    providers: Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)] = Field(
        default=(), description="Ids of providers of this policy; all by default."
    )
    input: Usd
    output: Usd = 0.0
    cache_read: Usd | None = Field(default=None, description="As input, unless given.")
    cache_write: Usd | None = Field(default=None, description="As input, unless given.")
    cache_write_1h: Usd | None = Field(default=None, description="As cache_write, unless given.")
    reasoning: Usd | None = Field(default=None, description="As output, unless given.")
    window: int | None = Field(default=None, ge=1, le=2**31, description="Tokens of context.")


Providers = Annotated[dict[fields.Slug, ProviderSettings], Field(max_length=MANY)]
Aliases = Annotated[dict[ModelName, Targets], Field(max_length=MANY)]
Prices = Annotated[tuple[Price, ...], Field(max_length=MANY)]


def check_providers(tree: Mapping[str, Tree], rows: Mapping[str, Provider]) -> Iterator[Problem]:
    """What the providers of the document `tree` lack, by the catalog's `rows` (none: not checked)."""
    providers = tree.get("providers")
    own = providers if isinstance(providers, dict) else {}
    yield from _aliases(tree, own)
    for name, settings in own.items() if rows else ():
        if not isinstance(settings, dict):
            continue
        uses = settings.get("uses", name)
        row = rows.get(uses) if isinstance(uses, str) else None
        if row is None:
            yield _unknown(name, settings, rows)
        else:
            yield from _address(name, settings, row)
            yield from _keys(name, settings, row)


def _unknown(name: str, settings: Mapping[str, Tree], rows: Mapping[str, Provider]) -> Problem:
    given = "uses" in settings
    location = ("providers", name, "uses") if given else ("providers", name)
    uses = str(settings.get("uses", name))[:128]
    text = f"is no provider of the catalog{_guess(uses, rows)}; see 'drawbridge providers list'"
    return Problem(location=location, text=text if given else f"{text}, and say which it is under 'uses'")


def _address(name: str, settings: Mapping[str, Tree], row: Provider) -> Iterator[Problem]:
    location = ("providers", name)
    based = bool(settings.get("base_url"))
    if not row.origin and not based:
        yield Problem(location=location, text=f"'base_url' is required: {row.name} has no address of its own")
    given = settings.get("parameters")
    parameters = given if isinstance(given, dict) else {}
    for key in parameters:
        if key not in row.parameters:
            known = ", ".join(row.parameters) or "it has none"
            yield Problem(
                location=(*location, "parameters", key),
                text=f"is no parameter of {row.id}{_guess(key, row.parameters)} (known: {known})",
            )
    paths = [path for spoken in row.speaks for path in spoken.paths.values()]
    for key, default in row.parameters.items():
        needed = not based or any(f"{{{key}}}" in path for path in paths)
        if needed and not default and key not in parameters:
            yield Problem(location=location, text=f"'parameters: {{{key}: …}}' is required for {row.name}")


def _keys(name: str, settings: Mapping[str, Tree], row: Provider) -> Iterator[Problem]:
    location = ("providers", name)
    scheme = settings.get("auth", row.scheme.value)
    if scheme == Scheme.HEADER and not row.key_header:
        yield Problem(location=(*location, "auth"), text=f"{row.id} names no header for a key: use bearer")
    listed = settings.get("keys")
    references: list[tuple[tuple[str | int, ...], Tree]] = [((*location, "key"), settings.get("key"))]
    for index, key in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(key, dict):
            references.append(((*location, "keys", index, "key"), key.get("key")))
    for place, reference in references:
        wanted = _ONLY_FOR.get(reference.partition(":")[0]) if isinstance(reference, str) else None
        if wanted is not None and scheme != wanted:
            yield Problem(
                location=place, text=f"is for providers that authenticate by {wanted}, not by {scheme}"
            )


def _aliases(tree: Mapping[str, Tree], providers: Mapping[str, Tree]) -> Iterator[Problem]:
    aliases = tree.get("models")
    for alias, targets in aliases.items() if isinstance(aliases, dict) else ():
        for target in targets if isinstance(targets, list) else (targets,):
            if not isinstance(target, str) or "/" not in target:
                continue
            name = target.partition("/")[0]
            if name not in providers:
                text = f"'{name[:64]}' is no provider of this policy{_guess(name, providers)}"
                yield Problem(location=("models", alias), text=text)


def _guess(name: str, names: Mapping[str, object]) -> str:
    close = get_close_matches(name[:128], sorted(names), n=1)
    return f": did you mean '{close[0]}'?" if close else ""
