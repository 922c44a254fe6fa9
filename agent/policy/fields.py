"""The kinds of value a policy's keys take: each checks itself, says what it wants and repeats no secret."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

import re2
from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from agent.model import references
from agent.model.decision import Action, Severity
from agent.model.findings import Family
from agent.policy.conditions import MAX_LENGTH, check_condition
from agent.policy.hostnames import check_host, check_host_glob
from agent.policy.message import check_template

_SLUG = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_PROFILE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+@/ ")
_TOKEN = frozenset(
    "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"
)  # RFC 9110 section 5.6.2, lower case
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type", "te"})
USER_CREDENTIALS = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie"})
"""Headers in which clients show a provider who they are."""
_MAX_PATTERN_MEMORY = 1 << 20  # bytes of one compiled detector
_MAX_PATTERN_COST = 20_000  # RE2 instructions: a search takes at worst so many steps for a byte


def _slug(text: str) -> str:
    if not text or set(text) - _SLUG or not text[0].isalnum():
        raise ValueError(
            "must be lower-case letters, digits, '-', '_' or '.', starting with a letter or digit"
        )
    return text


def _selector(text: str) -> str:
    family, slash, kind = text.partition("/")
    families = [member.value for member in Family]
    if family not in families:
        raise ValueError(f"must be a family or family/type; the families are: {', '.join(families)}")
    if slash and not kind:
        raise ValueError(f"has no type after the slash: write '{family}' or '{family}/type'")
    return text


def _secret_reference(text: str) -> str:
    kind, colon, rest = text.partition(":")
    match kind if colon else "":
        case "env" if rest.isidentifier() and rest.isascii():
            return text
        case "file" if references.is_absolute(rest):
            return text
        case "keyring" if all(rest.partition("/")):
            return text
        case "exec":
            references.command(rest)
            return text
        case "env" | "file" | "keyring":
            raise ValueError(f"must be {references.FORMS}")
        case _:
            raise ValueError(
                f"must be a reference, {references.FORMS}: "
                "a key itself must not stand in a policy (if this is a real key, replace it now)"
            )


def _key_reference(text: str) -> str:
    kind, colon, rest = text.partition(":")
    match kind if colon else "":
        case "profile" if rest and not set(rest) - _PROFILE:
            return text
        case "adc" if not rest:
            return text
        case "profile" | "adc":
            raise ValueError("must be profile:NAME (AWS) or adc: (Google), or a reference to a secret")
        case _:
            return _secret_reference(text)


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL such as https://gateway.example.com/path") from None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("must be a URL such as https://gateway.example.com/path")
    if parts.username is not None or parts.query or parts.fragment or set(text) & set(" \t\r\n\\"):
        raise ValueError("must not hold a user name, password, query, fragment or space")
    if not _is_address(host):
        check_host(host)
        if set(host) & set("*{}"):
            raise ValueError("must name one host")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("must start with https:// (http:// is for this machine only)")
    return text.rstrip("/")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _header(text: str) -> str:
    name = text.lower()
    if not name or set(name) - _TOKEN or name in _OWN_HEADERS:
        raise ValueError(
            "must be the name of a header that may carry a key, such as authorization or x-bf-vk"
        )
    return name


def _endpoint_path(text: str) -> str:
    if not text.startswith(("/", "**/")) or set(text) & set("?# \\"):
        raise ValueError("must start with '/' or '**/' and hold no query, space or backslash")
    for part in text.removeprefix("**").split("/"):
        before, opened, rest = part.partition("{")
        name, closed, after = rest.partition("}")
        if bool(opened) != bool(closed and name.isidentifier()) or set(before + after) & set("{}*"):
            raise ValueError("may hold one {name} in a segment and no other brace or '*'")
    return text


def _pattern(text: str) -> str:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PATTERN_MEMORY
    try:
        compiled = re2.compile(text, options)
    except re2.error as error:
        raise ValueError(_pattern_error(text, error)) from None
    if compiled.programsize > _MAX_PATTERN_COST:
        raise ValueError(
            f"is too costly, {compiled.programsize} steps of {_MAX_PATTERN_COST}: lower the counts of its "
            "repetitions, or use narrower classes than \\pL"
        )
    if compiled.search("") is not None:
        raise ValueError("matches the empty text: it would match everywhere")
    return text


def _pattern_error(text: str, error: Exception) -> str:
    """What RE2 says, with the position of the part it names (RE2 tells the part, not where it stands)."""
    said = error.args[0] if error.args else b""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    problem, _, part = words.partition(": ")
    found = text.find(part) if part else -1
    where = f" at character {found + 1}" if found >= 0 else ""
    return f"is not a regular expression RE2 accepts: {problem}{where}"


def check_companion(text: str) -> str:
    """`text` if it names a file in the policy's folder or below. Raises ValueError."""
    parts = text.split("/")
    if text.startswith("/") or set(text) & set("\\:\0") or any(part in ("", ".", "..") for part in parts):
        raise ValueError(
            "must be the name of a file beside the policy or below its folder, such as packs/company.toml"
        )
    return text


def _one_of(actions: tuple[Action, ...]) -> Callable[[object], Action]:
    words = [action.word for action in actions]

    def check(value: object) -> Action:
        if isinstance(value, Action) and value in actions:
            return value
        if isinstance(value, str) and value in words:
            return Action.parse(value)
        raise ValueError(f"must be one of: {', '.join(words)}")

    return check


def _action(*actions: Action) -> tuple[PlainValidator, PlainSerializer, WithJsonSchema]:
    return (
        PlainValidator(_one_of(actions)),
        PlainSerializer(lambda action: action.word, return_type=str),
        WithJsonSchema({"type": "string", "enum": [action.word for action in actions]}),
    )


def _severity(value: object) -> Severity:
    if isinstance(value, Severity):
        return value
    words = [severity.word for severity in Severity]
    if isinstance(value, str) and value in words:
        return Severity.parse(value)
    raise ValueError(f"must be one of: {', '.join(words)}")


def _lower(text: str) -> str:
    return text.lower()


Slug = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_slug)]
"""An identifier that people write in rules and read in events."""

Text = Annotated[str, Field(max_length=2000)]
"""Words for people."""

Glob = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_lower)]
"""A pattern of `agent.policy.glob`."""

HostGlob = Annotated[str, AfterValidator(check_host_glob)]
Host = Annotated[str, AfterValidator(check_host)]
Selector = Annotated[str, Field(max_length=128), AfterValidator(_selector)]
"""A family of findings, or family/type, where the type is a glob."""

SecretReference = Annotated[str, Field(max_length=1024), AfterValidator(_secret_reference)]
"""Where a secret is kept: `env:NAME`, `file:/path`, `keyring:service/name`, or what prints it: `exec:/program …`."""

KeyReference = Annotated[str, Field(max_length=1024), AfterValidator(_key_reference)]
"""What a provider is shown: a secret, or `profile:NAME` of the AWS credentials file, or `adc:`, Google's application
default credentials."""

BaseUrl = Annotated[str, Field(max_length=1024), AfterValidator(_base_url)]
HeaderName = Annotated[str, Field(max_length=64), AfterValidator(_header)]
EndpointPath = Annotated[str, Field(max_length=512), AfterValidator(_endpoint_path)]
Pattern = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_pattern)]
"""A regular expression that RE2 accepts."""

Companion = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(check_companion)]
"""A file that goes with the policy, by its path relative to the policy's folder, with `/`."""

Template = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(check_template)]
"""A block message."""

Condition = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH), AfterValidator(check_condition)]
"""A condition of `agent.policy.conditions`."""

Share = Annotated[float, Field(ge=0, le=1)]
ExampleText = Annotated[str, Field(min_length=1, max_length=10_000)]

SeverityWord = Annotated[
    Severity,
    PlainValidator(_severity),
    PlainSerializer(lambda severity: severity.word, return_type=str),
    WithJsonSchema({"type": "string", "enum": [severity.word for severity in Severity]}),
]

_allow_or_block = _action(Action.ALLOW, Action.BLOCK)
_any_action = _action(*Action)
AccessAction = Annotated[Action, *_allow_or_block]
GuardrailAction = Annotated[Action, *_any_action]
