"""The providers as data: reads their rows from TOML, strictly. An unknown or missing key names its row."""

from __future__ import annotations

from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.catalog import tables
from agent.errors import ConfigError
from agent.model.provider import Provider, Scheme, Spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.catalog.tables import Table

_REQUIRED = frozenset({"id", "name", "genai", "origin", "speaks", "source"})
_OPTIONAL = frozenset(
    {
        "scheme",
        "key_header",
        "key_env",
        "headers",
        "parameters",
        "origins",
        "models_path",
        "small_model",
        "local",
        "prices",
        "quirks",
    }
)
_SPOKEN = frozenset({"under", "operations", "paths", "models", "body", "follows"})
_QUIRK_TEXTS = frozenset({"max_tokens_field", "system_role"})
_QUIRKS = _QUIRK_TEXTS | {"unsupported", "default_max_tokens"}  # the fields of translation.base.Quirks
MODEL = frozenset({"model", "model_path"})  # what these stand for is no parameter
_ID = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

type Endings = dict[str, dict[str, str]]


def bundled_providers() -> tuple[Provider, ...]:
    """The providers shipped with the agent, in file order. Reads one small file."""
    text = (files("agent.catalog") / "providers.toml").read_text(encoding="utf-8")
    return parse_providers(text, source="agent/catalog/providers.toml")


def parse_providers(text: str, *, source: str) -> tuple[Provider, ...]:
    """Providers of a TOML text. Raises ConfigError naming `source` and the row."""
    document = tables.parse(text, source=source)
    tables.check_keys(document, frozenset({"provider"}), frozenset({"endings"}), where=source)
    endings: Endings = {
        dialect: tables.text_table(tables.table(document, "endings", where=source), dialect, where=source)
        for dialect in tables.table(document, "endings", where=source)
    }
    providers = tuple(
        _provider(row, endings, where=f"{source}: provider {row.get('id', '?')!r}")
        for row in tables.rows(document, "provider", where=source)
    )
    seen: set[str] = set()
    for provider in providers:
        if provider.id in seen:
            raise ConfigError(f"{source}: the id {provider.id!r} is in two rows")
        seen.add(provider.id)
    return providers


def names_in(template: str) -> Iterator[str]:
    """The names in braces in a template such as `https://{resource}.example`. Raises ValueError for stray braces."""
    rest = template
    while rest:
        before, opened, rest = rest.partition("{")
        name, closed, rest = rest.partition("}") if opened else ("", "", "")
        if "}" in before or (opened and not (closed and name.isidentifier())):
            raise ValueError(f"{template!r} has a brace that holds no name")
        if opened:
            yield name


def _provider(row: Table, endings: Endings, *, where: str) -> Provider:
    tables.check_keys(row, _REQUIRED, _OPTIONAL, where=where)
    provider = Provider(
        id=tables.text(row, "id", where=where),
        name=tables.text(row, "name", where=where),
        genai=tables.text(row, "genai", where=where),
        origin=tables.text(row, "origin", where=where, may_be_empty=True),
        speaks=tuple(_spoken(each, endings, where=where) for each in tables.rows(row, "speaks", where=where)),
        scheme=_scheme(row, where=where),
        key_header=tables.text(row, "key_header", where=where),
        key_env=tables.text(row, "key_env", where=where),
        headers=tuple(tables.text_table(row, "headers", where=where).items()),
        parameters=MappingProxyType(tables.text_table(row, "parameters", where=where)),
        origins=MappingProxyType(tables.text_table(row, "origins", where=where)),
        models_path=tables.text(row, "models_path", where=where),
        small_model=tables.text(row, "small_model", where=where),
        local=tables.flag(row, "local", where=where),
        prices=tables.text(row, "prices", where=where),
        quirks=MappingProxyType(_quirks(tables.table(row, "quirks", where=where), where=where)),
        source=tables.text(row, "source", where=where),
    )
    _check(provider, where=where)
    return provider


def _scheme(row: Table, *, where: str) -> Scheme:
    word = tables.text(row, "scheme", where=where) or Scheme.BEARER.value
    try:
        return Scheme(word)
    except ValueError:
        raise ConfigError(
            f"{where}: there is no scheme {word!r}", hint=f"one of: {', '.join(Scheme)}"
        ) from None


def _spoken(row: Table, endings: Endings, *, where: str) -> Spoken:
    tables.check_keys(row, frozenset({"dialect"}), _SPOKEN, where=f"{where}: speaks")
    dialect = tables.text(row, "dialect", where=where)
    known = endings.get(dialect)
    if known is None:
        raise ConfigError(f"{where}: speaks unknown {dialect!r}", hint=f"known: {', '.join(endings)}")
    under = tables.text(row, "under", where=where)
    paths: dict[str, str] = {}
    for operation in tables.texts(row, "operations", where=where):
        if operation not in known:
            raise ConfigError(
                f"{where}: {dialect} has no operation {operation!r}", hint=f"known: {', '.join(known)}"
            )
        paths[operation] = under + known[operation]
    paths |= tables.text_table(row, "paths", where=where)
    if not paths or not all(path.startswith("/") for path in paths.values()):
        raise ConfigError(f"{where}: {dialect} needs operations or paths, which start with '/'")
    return Spoken(
        dialect=dialect,
        paths=MappingProxyType(paths),
        models=tables.texts(row, "models", where=where),
        body=MappingProxyType(tables.text_table(row, "body", where=where)),
        follows=tables.texts(row, "follows", where=where),
    )


def _quirks(row: Table, *, where: str) -> dict[str, object]:
    tables.check_keys(row, frozenset(), _QUIRKS, where=f"{where}: quirks")
    quirks: dict[str, object] = {key: tables.text(row, key, where=where) for key in _QUIRK_TEXTS & row.keys()}
    if "unsupported" in row:
        quirks["unsupported"] = frozenset(tables.texts(row, "unsupported", where=where))
    if "default_max_tokens" in row:
        limit = row["default_max_tokens"]
        if type(limit) is not int or limit < 1:
            raise ConfigError(f"{where}: default_max_tokens must be a whole number above 0")
        quirks["default_max_tokens"] = limit
    return quirks


def _check(provider: Provider, *, where: str) -> None:
    """What must hold between the values of a row."""
    if not provider.id or set(provider.id) - _ID:
        raise ConfigError(f"{where}: an id is made of lower-case letters, digits and '-'")
    if not provider.speaks:
        raise ConfigError(f"{where}: speaks is empty")
    if (provider.scheme is Scheme.HEADER) != bool(provider.key_header):
        raise ConfigError(f"{where}: key_header goes with the scheme 'header', and with no other")
    origins = [origin for origin in (provider.origin, *provider.origins.values()) if origin]
    for origin in origins:
        if not origin.startswith("http://127.0.0.1:" if provider.local else "https://"):
            raise ConfigError(f"{where}: {origin} must be https, or http on this machine where it is local")
        if "{" not in origin and not urlsplit(origin).hostname:
            raise ConfigError(f"{where}: {origin} names no host")
    for condition in provider.origins:
        name, equals, value = condition.partition("=")
        if name not in provider.parameters or not equals or not value:
            raise ConfigError(f"{where}: origins.{condition!r} must be parameter=value")
    _check_templates(provider, origins, where=where)


def _check_templates(provider: Provider, origins: list[str], *, where: str) -> None:
    templates = [*origins, *(path for spoken in provider.speaks for path in spoken.paths.values())]
    used: set[str] = set()
    for template in templates:
        try:
            used.update(names_in(template))
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from None
    declared = provider.parameters.keys()
    conditions = {condition.partition("=")[0] for condition in provider.origins}
    if unknown := used - declared - MODEL:
        raise ConfigError(f"{where}: {', '.join(sorted(unknown))} stands in no parameters")
    if idle := declared - used - conditions:
        raise ConfigError(f"{where}: the parameters {', '.join(sorted(idle))} are used nowhere")
