"""The settings of this machine: one loader, and the origin of every value.

Precedence, highest first: managed (device management), command line, environment, local file
(`config.toml`), default. Managed comes first so that an administrator's word holds. Unknown keys and
unknown `DRAWBRIDGE_*` variables are errors, and so is a bad value even where a higher source overrides it.
Rules about AI traffic are no settings; they belong to the policy.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from agent.errors import ConfigError, HostError
from agent.host.files import read_limited
from agent.host.managed import ManagedSource
from agent.host.setting_keys import (
    DEFAULT_CAPTURE_PORT,
    DEFAULT_DASHBOARD_PORT,
    DEFAULT_GATEWAY_PORT,
    DEFAULT_PROXY_PORT,
    KEYS,
)
from agent.host.setting_rows import Row
from agent.host.setting_values import BadValueError, Resolve, path

CONFIG_LIMIT = 256 * 1024  # bytes
ENVIRONMENT_PREFIX = "DRAWBRIDGE_"


class Source(StrEnum):
    """The kinds of place a setting comes from, highest precedence first."""

    MANAGED = "managed"
    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    FILE = "local file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from. `place` is a path, registry key, option or variable, empty for a default."""

    source: Source
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """What a source said that a higher one overrode."""

    value: object
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this machine is told to do. `origins` has one entry per setting, by name; `overridden` has what lower
    sources said, the higher one first, for settings that several of them name."""

    state_dir: Path
    proxy_port: int = DEFAULT_PROXY_PORT  # of the forward proxy on loopback; 0 lets the OS choose
    gateway_port: int = DEFAULT_GATEWAY_PORT  # of the base-URL listener on loopback; 0 lets the OS choose
    dashboard: bool = True  # whether there is one
    dashboard_port: int = DEFAULT_DASHBOARD_PORT  # of the dashboard on loopback; 0 lets the OS choose
    operators: tuple[str, ...] = ()  # who may pause and resume besides administrators: users, or @group
    policy: Path | None = None  # None: the bundled policy
    upstream_ca_file: Path | None = None  # roots to trust upstream beside the OS store
    upstream_proxy: str | None = None  # URL of a company proxy, or auto; None: connect directly
    upstream_direct: tuple[str, ...] = ()  # hosts that the company proxy is not for
    manage_proxy: str = "none"  # or pac: the OS's proxy settings lead AI traffic to us
    manage_environment: str = "none"  # or all: so do the variables of every program
    capture: str = "none"  # or transparent, programs: programs are led to us that heed no proxy setting
    capture_programs: tuple[
        str, ...
    ] = ()  # parts of the names of those that are, where capture is `programs`
    capture_port: int = DEFAULT_CAPTURE_PORT  # where they are led, on loopback
    resolve: tuple[Resolve, ...] = ()  # connect elsewhere, for labs; TLS still verifies the real name
    device_groups: tuple[str, ...] = ()  # that policies know this machine by
    log_level: str = "info"
    manage_trust: str = "none"  # os: our root is kept in the trust stores; none: somebody else does that
    notifications: bool = True  # whether the tray tells people of what was stopped
    sign_in_issuer: str = ""  # the company's identity provider; empty: nobody can sign in
    sign_in_client: str = ""  # what the provider knows us by
    sign_in_scopes: tuple[str, ...] = ("profile", "email", "offline_access")  # besides openid
    sign_in_name_claim: str = "email"  # what rules call a person
    sign_in_groups_claim: str = "groups"
    sign_in_grace_hours: int = 24  # for which a sign-in that cannot be renewed still counts
    sign_in_device_code: bool = False  # whether one may sign in with a code, on another device
    sign_in_port: int = 0  # of the redirect address; 0: any free one
    origins: Mapping[str, Origin] = MappingProxyType({})
    overridden: Mapping[str, tuple[Overridden, ...]] = MappingProxyType({})


def setting_rows() -> tuple[Row, ...]:
    """Every setting, as schema, templates and docs are made from it."""
    defaults = {field.name: field.default for field in fields(Settings)}
    return tuple(Row.of(name, key, defaults[name]) for name, key in KEYS.items())


def load_settings(
    *,
    command_line: Mapping[str, object],
    environ: Mapping[str, str],
    managed: ManagedSource,
    config_file: Path,
    default_state_dir: Path,
) -> Settings:
    """Read every source and decide each setting. Blocks on the disk.

    `command_line` maps setting names to values, None meaning that the option was not given. A missing
    `config_file` is no error. Raises ConfigError naming the key, the place and what is allowed.
    """
    layers: list[_Layer] = [
        _parse(managed.read(), lambda _key: Origin(source=Source.MANAGED, place=managed.place)),
        _parse_command_line(command_line),
        _parse_environment(environ),
        _parse(_read_toml(config_file), lambda _key: Origin(source=Source.FILE, place=str(config_file))),
        {"state_dir": (default_state_dir, Origin(source=Source.DEFAULT))},
    ]
    said: dict[str, list[tuple[object, Origin]]] = {}
    for layer in layers:
        for key, valued in layer.items():
            said.setdefault(key, []).append(valued)
    origins = {key: Origin(source=Source.DEFAULT) for key in KEYS}
    origins |= {key: valued[0][1] for key, valued in said.items()}
    values = {key: valued[0][0] for key, valued in said.items()}
    settings = Settings(
        **values,  # type: ignore[arg-type]  # read by KEYS
        origins=MappingProxyType(origins),
        overridden=MappingProxyType(_overridden(said)),
    )
    _check_ports(settings)
    return settings


def _overridden(said: Mapping[str, Sequence[tuple[object, Origin]]]) -> dict[str, tuple[Overridden, ...]]:
    """What was said and does not hold. A default is no saying: it is in the docs."""
    found = {
        key: tuple(
            Overridden(value=value, origin=origin)
            for value, origin in valued[1:]
            if origin.source is not Source.DEFAULT
        )
        for key, valued in said.items()
    }
    return {key: lower for key, lower in found.items() if lower}


type _Layer = dict[str, tuple[object, Origin]]


def _parse(raw: Mapping[str, object], origin: Callable[[str], Origin]) -> _Layer:
    """Read each value of one source. Raises ConfigError for an unknown key or a bad value."""
    layer: _Layer = {}
    for key, value in raw.items():
        where = origin(key)
        if key not in KEYS:
            raise ConfigError(
                f"unknown setting {key!r} in {where.place} ({where.source})",
                hint=_did_you_mean(key, list(KEYS)),
            )
        try:
            layer[key] = (KEYS[key].read(value), where)
        except BadValueError as error:
            raise ConfigError(
                f"bad value for {key} in {where.place} ({where.source}): {error}",
                hint=f"Allowed: {KEYS[key].allowed}.",
            ) from error
    return layer


def _parse_command_line(given: Mapping[str, object]) -> _Layer:
    raw = {key: _from_here(key, value) for key, value in given.items() if value is not None}
    return _parse(raw, lambda key: Origin(source=Source.COMMAND_LINE, place=f"--{key.replace('_', '-')}"))


def _parse_environment(environ: Mapping[str, str]) -> _Layer:
    known = {f"{ENVIRONMENT_PREFIX}{key.upper()}": key for key in KEYS}
    raw: dict[str, object] = {}
    for name, value in environ.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        if name not in known:
            raise ConfigError(
                f"unknown environment variable {name}; {ENVIRONMENT_PREFIX}* are settings",
                hint=_did_you_mean(name, list(known)),
            )
        raw[known[name]] = _from_here(known[name], value)
    return _parse(
        raw, lambda key: Origin(source=Source.ENVIRONMENT, place=f"{ENVIRONMENT_PREFIX}{key.upper()}")
    )


def _from_here(key: str, value: object) -> object:
    """In a shell a relative path means the working directory; in a file, which has none, it is refused."""
    if key in KEYS and KEYS[key].read is path and isinstance(value, (str, Path)) and str(value).strip():
        return str(Path(value).expanduser().absolute())
    return value


def _read_toml(file: Path) -> Mapping[str, object]:
    try:
        data = read_limited(file, limit=CONFIG_LIMIT)
    except HostError as error:
        raise ConfigError(str(error), hint=error.hint()) from error
    if data is None:
        return {}
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}") from error


def _check_ports(settings: Settings) -> None:
    if settings.proxy_port and settings.proxy_port == settings.gateway_port:
        places = (settings.origins[key] for key in ("proxy_port", "gateway_port"))
        told = " and ".join(origin.place or origin.source for origin in places)
        raise ConfigError(
            f"proxy_port and gateway_port are both {settings.proxy_port} ({told})",
            hint="Give them different ports.",
        )


def _did_you_mean(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known))}."
