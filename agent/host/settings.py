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
from agent.host.setting_rows import Category, Effect, PerSystem, Row
from agent.host.setting_rows import Key as _Key
from agent.host.setting_values import (
    NAMES_LIMIT,
    BadValueError,
    Resolve,
    account_list,
    host_list,
    hours,
    issuer_url,
    log_level,
    names,
    one_of,
    path,
    port,
    proxy_url,
    resolve_list,
    switch,
    text,
)

CONFIG_LIMIT = 256 * 1024  # bytes
ENVIRONMENT_PREFIX = "DRAWBRIDGE_"

# unassigned at IANA, below every platform's ephemeral range, and no development server's habit
DEFAULT_PROXY_PORT = 7717
DEFAULT_GATEWAY_PORT = 7718
DEFAULT_DASHBOARD_PORT = 7719
DEFAULT_CAPTURE_PORT = 7720


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


_KEYS: Mapping[str, _Key] = MappingProxyType(
    {
        "state_dir": _Key(
            read=path,
            allowed="an absolute path",
            about="Directory of the certificate authority, the audit trail, usage and the cache.",
            takes_hold=Effect.SERVICE,
            default="the directory of this kind of installation",
            example=PerSystem(
                macos="/Library/Application Support/Drawbridge/state",
                windows=r"C:\ProgramData\Drawbridge",
                linux="/var/lib/drawbridge",
            ),
        ),
        "proxy_port": _Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the forward proxy on the loopback address.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example=DEFAULT_PROXY_PORT,
        ),
        "gateway_port": _Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the gateway, for clients that are given a base URL, on the loopback address.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example=DEFAULT_GATEWAY_PORT,
        ),
        "dashboard": _Key(
            read=switch,
            allowed="true or false",
            about="Whether the agent shows a dashboard, read-only, on the loopback address.",
            example=True,
        ),
        "dashboard_port": _Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the dashboard and of the notice to users on the loopback address.",
            category=Category.NETWORK,
            example=DEFAULT_DASHBOARD_PORT,
        ),
        "operators": _Key(
            read=account_list,
            allowed='a list of user names and "@group"',
            about="Accounts that may pause and resume interception besides the administrators of the machine.",
            example=["@it-support"],
        ),
        "policy": _Key(
            read=path,
            allowed="the absolute path of a policy file or directory",
            about="The policy: what is inspected, what is allowed, and where requests go.",
            takes_hold=Effect.LIVE,
            category=Category.POLICY,
            default="the policy that comes with the program",
            example=PerSystem(
                macos="/Library/Application Support/Drawbridge/policy.yaml",
                windows=r"C:\ProgramData\Drawbridge\policy.yaml",
                linux="/etc/drawbridge/policy.yaml",
            ),
            starter=True,
        ),
        "upstream_ca_file": _Key(
            read=path,
            allowed="the absolute path of a PEM file",
            about="Root certificates to trust for connections to providers, besides those of the system.",
            category=Category.NETWORK,
            example=PerSystem(
                macos="/Library/Application Support/Drawbridge/company-ca.pem",
                windows=r"C:\ProgramData\Drawbridge\company-ca.pem",
                linux="/etc/drawbridge/company-ca.pem",
            ),
        ),
        "upstream_proxy": _Key(
            read=proxy_url,
            allowed='"none", "auto" or http://host:port, without password',
            about="The company's own proxy, by which providers are reached; auto takes the one that the machine had.",
            category=Category.NETWORK,
            default="none: connect directly",
            example="http://proxy.example.com:3128",
        ),
        "upstream_direct": _Key(
            read=host_list,
            allowed="a list of hosts, as in NO_PROXY",
            about="Hosts that are reached without the company's proxy.",
            category=Category.NETWORK,
            example=["*.corp.example.com", "10.0.0.0/8"],
        ),
        "manage_proxy": _Key(
            read=one_of("none", "pac"),
            allowed="none or pac",
            about="Whether the proxy settings of the system lead AI traffic to the agent, by a PAC file.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example="pac",
        ),
        "manage_environment": _Key(
            read=one_of("none", "all"),
            allowed="none or all",
            about="Whether the variables of every program lead AI traffic to the agent (Linux).",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example="all",
        ),
        "capture": _Key(
            read=one_of("none", "transparent", "programs"),
            allowed="none, transparent (Linux) or programs",
            about="Whether TLS connections of programs that heed no proxy setting are led to the agent.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example="transparent",
        ),
        "capture_programs": _Key(
            read=names,
            allowed=f"a list of at most {NAMES_LIMIT} names, without commas",
            about="Names of programs whose connections are captured, where capture is programs.",
            category=Category.NETWORK,
            example=["Cursor", "claude"],
        ),
        "capture_port": _Key(
            read=port,
            allowed="a port from 1 to 65535",
            about="Port on the loopback address to which captured connections are led.",
            takes_hold=Effect.SERVICE,
            category=Category.NETWORK,
            example=DEFAULT_CAPTURE_PORT,
        ),
        "resolve": _Key(
            read=resolve_list,
            allowed='a list of "host:port=address:port"',
            about="Connections to these hosts go elsewhere, for laboratories; TLS still verifies the real name.",
            category=Category.DIAGNOSTICS,
            example=["api.example.com:443=127.0.0.1:8443"],
        ),
        "device_groups": _Key(
            read=names,
            allowed=f"a list of at most {NAMES_LIMIT} names, without commas",
            about="Groups of this device, for rules of the policy that ask for groups.",
            category=Category.POLICY,
            example=["kiosks"],
        ),
        "log_level": _Key(
            read=log_level,
            allowed="debug, info, warning or error",
            about="How much the agent writes to its log; never content.",
            takes_hold=Effect.LIVE,
            category=Category.DIAGNOSTICS,
            example="info",
            starter=True,
        ),
        "manage_trust": _Key(
            read=one_of("os", "none"),
            allowed="os or none",
            about="Whether the installed service keeps the root certificate in this machine's trust stores (os), or "
            "somebody else does (none).",
            takes_hold=Effect.SERVICE,
            category=Category.GENERAL,
            example="os",
        ),
        "notifications": _Key(
            read=switch,
            allowed="true or false",
            about="Whether people are shown a notification of the desktop when something of theirs was blocked.",
            takes_hold=Effect.LIVE,
            example=False,
        ),
        "sign_in_issuer": _Key(
            read=issuer_url,
            allowed='the https address of an OpenID Connect issuer, or "none"',
            about="The company's identity provider, with which people sign in.",
            category=Category.SIGN_IN,
            default="none: nobody can sign in",
            example="https://login.example.com/tenant/v2.0",
        ),
        "sign_in_client": _Key(
            read=text,
            allowed="the id of a client",
            about="The id by which the identity provider knows Drawbridge: a public client, without a secret.",
            category=Category.SIGN_IN,
            default="none: nobody can sign in",
            example="0oa2drawbridge",
        ),
        "sign_in_scopes": _Key(
            read=names,
            allowed=f"a list of at most {NAMES_LIMIT} names, without commas",
            about="The scopes that are asked for besides openid; some tell groups only by a scope of their own.",
            category=Category.SIGN_IN,
            default="profile, email, offline_access",
            example=["profile", "email", "groups", "offline_access"],
        ),
        "sign_in_name_claim": _Key(
            read=text,
            allowed="the name of a claim",
            about="The claim of the ID token by which policies call a person.",
            category=Category.SIGN_IN,
            example="preferred_username",
        ),
        "sign_in_groups_claim": _Key(
            read=text,
            allowed="the name of a claim, or a path such as realm_access.roles",
            about="The claim of the ID token that lists a person's groups, for policies and virtual keys.",
            category=Category.SIGN_IN,
            example="groups",
        ),
        "sign_in_grace_hours": _Key(
            read=hours,
            allowed="a number of hours from 0 to 720",
            about="For how long a sign-in that cannot be renewed still counts, as on a laptop that is offline.",
            category=Category.SIGN_IN,
            example=24,
        ),
        "sign_in_device_code": _Key(
            read=switch,
            allowed="true or false",
            about="Whether people may sign in with a code on another device, as on machines without a browser.",
            category=Category.SIGN_IN,
            example=False,
        ),
        "sign_in_port": _Key(
            read=port,
            allowed="a port from 0 to 65535 (0: any free one)",
            about="Port of the redirect address on 127.0.0.1, for identity providers that want it to be exact.",
            category=Category.SIGN_IN,
            example=0,
        ),
    }
)


def setting_rows() -> tuple[Row, ...]:
    """Every setting, as schema, templates and docs are made from it."""
    defaults = {field.name: field.default for field in fields(Settings)}
    return tuple(Row.of(name, key, defaults[name]) for name, key in _KEYS.items())


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
    origins = {key: Origin(source=Source.DEFAULT) for key in _KEYS}
    origins |= {key: valued[0][1] for key, valued in said.items()}
    values = {key: valued[0][0] for key, valued in said.items()}
    settings = Settings(
        **values,  # type: ignore[arg-type]  # read by _KEYS
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
        if key not in _KEYS:
            raise ConfigError(
                f"unknown setting {key!r} in {where.place} ({where.source})",
                hint=_did_you_mean(key, list(_KEYS)),
            )
        try:
            layer[key] = (_KEYS[key].read(value), where)
        except BadValueError as error:
            raise ConfigError(
                f"bad value for {key} in {where.place} ({where.source}): {error}",
                hint=f"Allowed: {_KEYS[key].allowed}.",
            ) from error
    return layer


def _parse_command_line(given: Mapping[str, object]) -> _Layer:
    raw = {key: _from_here(key, value) for key, value in given.items() if value is not None}
    return _parse(raw, lambda key: Origin(source=Source.COMMAND_LINE, place=f"--{key.replace('_', '-')}"))


def _parse_environment(environ: Mapping[str, str]) -> _Layer:
    known = {f"{ENVIRONMENT_PREFIX}{key.upper()}": key for key in _KEYS}
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
    if key in _KEYS and _KEYS[key].read is path and isinstance(value, (str, Path)) and str(value).strip():
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
