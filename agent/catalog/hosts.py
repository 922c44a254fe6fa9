"""Checks the hosts of the catalog's files: exact names, suffixes and templates."""

from __future__ import annotations

from agent.errors import ConfigError
from agent.model.hostpattern import HostTemplate, is_template

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_MIN_LABELS = 2


def checked_host(host: object, *, where: str) -> str:
    """`host` if it is an exact name, `*.suffix` or a template. Raises ConfigError, which `where` begins."""
    name = host
    if isinstance(host, str) and is_template(host):
        try:
            name = HostTemplate.compile(host).specimen
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from error
    labels = name.removeprefix("*.").split(".") if isinstance(name, str) else []
    if not isinstance(host, str) or len(labels) < _MIN_LABELS or not all(map(_is_label, labels)):
        raise ConfigError(
            f"{where}: {host!r} is no host name",
            hint='use "host.example", "*.host.example" or "{name}.host.example"',
        )
    return host


def _is_label(label: str) -> bool:
    return bool(label) and label[0] != "-" != label[-1] and not set(label) - _LABEL
