"""How the value of one setting is read, whatever source it comes from.

Text (environment, command line) and typed values (TOML, JSON, property list, registry) are read by the same
functions. A refusal never repeats a value that may hold a password.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

AUTO = "auto"
LOG_LEVELS = ("debug", "info", "warning", "error")
TEXT_LIMIT = 4096  # characters
RESOLVE_LIMIT = 256  # entries
HOSTS_LIMIT = 512  # entries
NAMES_LIMIT = 64  # entries
NAME_LIMIT = 256  # characters
HOURS_LIMIT = 720
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
_ACCOUNT_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+$@\\-")
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")


class BadValueError(ValueError):
    """A value that its setting does not allow; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """Connections to `host:port` go to `address:address_port` instead; TLS still verifies `host`."""

    host: str  # lower case
    port: int
    address: str  # an IP address or a host name
    address_port: int

    @classmethod
    def parse(cls, text: str) -> Resolve:
        """Read `host:port=address:port`; an IPv6 address stands in brackets. Raises BadValueError."""
        asked, equals, answer = text.strip().partition("=")
        if not equals:
            raise BadValueError(f"{text.strip()!r} has no '='")
        host, host_port = _endpoint(asked)
        address, address_port = _endpoint(answer)
        return cls(host=host, port=host_port, address=address, address_port=address_port)


def text(value: object) -> str:
    """A non-empty, single-line string without surrounding blanks. Raises BadValueError."""
    if not isinstance(value, str):
        raise BadValueError(f"it is a {type(value).__name__}, not text")
    stripped = value.strip()
    if not stripped:
        raise BadValueError("it is empty")
    if len(stripped) > TEXT_LIMIT or not stripped.isprintable():
        raise BadValueError("it is too long or has control characters")
    return stripped


def port(value: object) -> int:
    """A TCP port as a number or digits; 0 lets the OS choose. Raises BadValueError."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 16:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValueError(f"{str(value)[:40]!r} is not a port number")
    if not 0 <= value <= 65535:
        raise BadValueError(f"{str(value)[:40]} is no port")
    return value


def path(value: object) -> Path:
    """An absolute path; `~` stands for the home directory. Raises BadValueError."""
    given = text(value)
    try:
        # asked before Path simplifies: "./~" is a relative path, not a home
        found = Path(given).expanduser() if given.startswith("~") else Path(given)
    except RuntimeError as error:  # no home directory
        raise BadValueError(f"{given!r}: the home directory is unknown") from error
    if not found.is_absolute():
        raise BadValueError(f"{given!r} is a relative path")
    return Path(os.path.normpath(found))


@dataclass(frozen=True, slots=True)
class Choice:
    """Reads one of some words, written in any case; they are lower case here."""

    words: tuple[str, ...]

    def __call__(self, value: object) -> str:
        """The word. Raises BadValueError."""
        given = text(value).lower()
        if given not in self.words:
            raise BadValueError(f"{given[:40]!r} is not one of the words")
        return given


def one_of(*words: str) -> Choice:
    """Reads one of `words`."""
    return Choice(words)


log_level = one_of(*LOG_LEVELS)


def switch(value: object) -> bool:
    """True or false; a registry holds 1 or 0, an environment also yes, no, on, off. Raises BadValueError."""
    match value:
        case bool():
            return value
        case 0 | 1:
            return bool(value)
        case str() if (word := text(value).lower()) in _SWITCH:
            return _SWITCH[word]
        case _:
            raise BadValueError(f"{str(value)[:40]!r} is neither true nor false")


def proxy_url(value: object) -> str | None:
    """The URL of an HTTP proxy, "auto", or None for "none". Raises BadValueError, without the URL where it has a
    password."""
    given = text(value)
    if given.lower() in ("none", AUTO):
        return None if given.lower() == "none" else AUTO
    try:
        parts = urlsplit(given)
        number = parts.port
    except ValueError as error:
        raise BadValueError("it is not a URL with a valid port") from error
    if parts.username is not None or parts.password is not None:
        raise BadValueError("it holds a user name or password")
    if parts.scheme not in ("http", "https") or not parts.hostname or not number:
        raise BadValueError(f"{given!r} is not http://host:port")
    if parts.path not in ("", "/") or "?" in given or "#" in given:
        raise BadValueError(f"{given!r} has something after the port")
    _endpoint(parts.netloc)  # urlsplit takes any characters for a host
    return f"{parts.scheme}://{parts.netloc.lower()}"


def issuer_url(value: object) -> str:
    """The issuer of an identity provider, exactly as it stands, or "none". Raises BadValueError."""
    given = text(value)
    if given.lower() == "none":
        return ""
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadValueError("it is not a URL") from error
    if parts.username is not None or parts.password is not None:
        raise BadValueError("it holds a user name or password")
    if not host or "?" in given or "#" in given or " " in given:
        raise BadValueError(f"{given!r} is not https://host/path")
    # a provider on this machine is a laboratory's: nothing of it crosses a network
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK_HOSTS):
        raise BadValueError(f"{given!r} is no https address")
    return given


def hours(value: object) -> int:
    """Hours as a number or digits, a month of them at most. Raises BadValueError."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 16:
        value = int(value)
    if type(value) is not int or not 0 <= value <= HOURS_LIMIT:
        raise BadValueError(f"{str(value)[:40]!r} is not a number of hours from 0 to {HOURS_LIMIT}")
    return value


def host_list(value: object) -> tuple[str, ...]:
    """Hosts as a list of strings, or as text parted by commas or blanks. Raises BadValueError."""
    entries = list(value.replace(",", " ").split()) if isinstance(value, str) else _listed(value)
    if len(entries) > HOSTS_LIMIT:
        raise BadValueError(f"it has more than {HOSTS_LIMIT} entries")
    return tuple(text(entry) for entry in entries)


def names(value: object) -> tuple[str, ...]:
    """Names as a list of strings, or as text parted by commas; each once. Raises BadValueError."""
    given = [each for each in value.split(",") if each.strip()] if isinstance(value, str) else _listed(value)
    if len(given) > NAMES_LIMIT:
        raise BadValueError(f"it has more than {NAMES_LIMIT} entries")
    found = tuple(dict.fromkeys(text(each) for each in given))
    if any(len(each) > NAME_LIMIT for each in found):
        raise BadValueError(f"a name has more than {NAME_LIMIT} characters")
    if any("," in each for each in found):
        raise BadValueError("a name holds a comma")
    return found


def resolve_list(value: object) -> tuple[Resolve, ...]:
    """Entries as a list of strings, or as text parted by commas or blanks. Raises BadValueError."""
    entries = list(value.replace(",", " ").split()) if isinstance(value, str) else _listed(value)
    if len(entries) > RESOLVE_LIMIT:
        raise BadValueError(f"it has more than {RESOLVE_LIMIT} entries")
    resolved = tuple(Resolve.parse(text(entry)) for entry in entries)
    if len({(entry.host, entry.port) for entry in resolved}) < len(resolved):
        raise BadValueError("it names one host and port twice")
    return resolved


def account_list(value: object) -> tuple[str, ...]:
    """Names of users, and of groups as `@group`, as a list of strings, or as text parted by commas or blanks. Raises
    BadValueError."""
    entries = list(value.replace(",", " ").split()) if isinstance(value, str) else _listed(value)
    if len(entries) > RESOLVE_LIMIT:
        raise BadValueError(f"it has more than {RESOLVE_LIMIT} entries")
    found = tuple(text(entry) for entry in entries)
    for name in found:
        body = name.removeprefix("@")
        if not body or body.startswith("@") or not set(body) <= _ACCOUNT_CHARACTERS:
            raise BadValueError(f"{name[:40]!r} names no user and no @group")
    return found


def _listed(value: object) -> list[object]:
    if not isinstance(value, (list, tuple)):
        raise BadValueError(f"it is a {type(value).__name__}, not a list")
    return list(value)


def _endpoint(given: str) -> tuple[str, int]:
    host, colon, digits = given.strip().rpartition(":")
    if not colon:
        raise BadValueError(f"{given!r} has no port")
    number = port(digits)
    if number == 0:
        raise BadValueError(f"{given!r} has port 0")
    return _host(host, given), number


def _host(host: str, given: str) -> str:
    host = host.lower()
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError as error:
            raise BadValueError(f"{given!r} has no valid IPv6 address in the brackets") from error
    if not host or not set(host) <= _HOST_CHARACTERS:
        raise BadValueError(f"{given!r} has no valid host name")
    return host
