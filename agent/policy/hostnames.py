"""Host names as a policy may write them, checked so that a typing error cannot widen what is decrypted."""

from __future__ import annotations

from agent.model.hostpattern import HostTemplate, is_template

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_MAX_NAME = 253  # RFC 1035 section 2.3.4, without the root's dot
_MAX_LABEL = 63
_MIN_SUFFIX_LABELS = 2  # "*.com" would decrypt half the web


def check_host(text: str) -> str:
    """`text` in lower case if it is an exact host name, `*.suffix` (every name below, not the name itself) or a
    template such as `llm.{region}.example.com`.

    Raises ValueError with what is wrong.
    """
    host = text.lower()
    if is_template(host):
        _check_shape(HostTemplate.compile(host).specimen, wildcards="")
        return host
    name = host.removeprefix("*.")
    _check_shape(name, wildcards="")
    if name != host and name.count(".") + 1 < _MIN_SUFFIX_LABELS:
        raise ValueError(f"'{text}' is too wide: a suffix needs at least two labels, such as '*.example.com'")
    return host


def check_host_glob(text: str) -> str:
    """`text` in lower case if it is a host name, with `*` and `?` anywhere. Raises ValueError."""
    host = text.lower()
    _check_shape(host, wildcards="*?")
    return host


def _check_shape(name: str, *, wildcards: str) -> None:
    if "://" in name or "/" in name:
        raise ValueError(f"'{name}' must be a host name alone, without scheme or path")
    if ":" in name:
        raise ValueError(f"'{name}' must be a host name alone, without port (and no IPv6 address)")
    if not name or len(name) > _MAX_NAME:
        raise ValueError(f"a host name has 1 to {_MAX_NAME} characters")
    if not name.isascii():
        raise ValueError(f"'{name}' has letters beyond ASCII: write it as clients send it{_as_ascii(name)}")
    for label in name.split("."):
        _check_label(name, label, wildcards)


def _check_label(name: str, label: str, wildcards: str) -> None:
    if not label:
        raise ValueError(f"'{name}' has an empty label: remove the extra dot")
    if len(label) > _MAX_LABEL:
        raise ValueError(f"'{name}' has a label of more than {_MAX_LABEL} characters")
    if strange := sorted(set(label) - _LABEL - set(wildcards)):
        allowed = "a leading '*.'" if not wildcards else "'*' and '?'"
        raise ValueError(
            f"'{name}' has {strange[0]!r}: letters, digits, '-', '_', '.' and {allowed} are allowed"
        )
    if label.startswith("-") or label.endswith("-"):
        raise ValueError(f"'{name}' has a label that starts or ends with '-'")
    if label.startswith("xn--") and not set(label) & set("*?"):
        try:
            label.encode("ascii").decode("idna")
        except UnicodeError:
            raise ValueError(f"'{name}' has the label '{label}', which is not valid IDNA") from None


def _as_ascii(name: str) -> str:
    try:
        return f", '{name.encode('idna').decode('ascii')}'"
    except UnicodeError:
        return " (and it is not valid IDNA)"
