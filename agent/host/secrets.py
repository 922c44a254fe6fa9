"""Secret references: a configuration names where a secret lies, never the secret itself.

`env:NAME`, `file:/absolute/path`, `keyring:service/name`, and `exec:/absolute/program arguments` for a program that
prints it (a password manager, a cloud's own tool). Values are returned, never kept and never put in a message; only
`keep_in_keyring` puts one away, where a person asks for that.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from agent.errors import ConfigError, HostError
from agent.host.files import OTHERS_WRITE, read_private
from agent.host.run import Completed, run
from agent.model import references

SECRET_LIMIT = 64 * 1024  # bytes; the largest known is a service account's JSON, 3 KB
_REFERENCE_LIMIT = 1024  # characters
_FORMS = f"Use {references.FORMS}."
EXEC_SECONDS = 30.0  # a password manager may ask for a finger first


class Keyring(Protocol):
    """The system's password store."""

    def get_password(self, service: str, name: str) -> str | None:
        """The password, None where there is none. Raises HostError where no store is available."""
        ...


class SystemKeyring:
    """The store that the `keyring` package finds. Headless Linux has none: no D-Bus session, no open collection."""

    def get_password(self, service: str, name: str) -> str | None:
        """See `Keyring`. Blocks, on some systems until a person has unlocked the store."""
        import keyring  # loading its backends takes 30 ms and touches D-Bus: only when one is asked for
        from keyring.backends import fail, null
        from keyring.errors import KeyringError

        backend = keyring.get_keyring()
        if isinstance(backend, (fail.Keyring, null.Keyring)):
            raise HostError("this machine has no usable keyring")
        try:
            return backend.get_password(service, name)
        except KeyringError as error:
            raise HostError(f"the keyring refused ({type(error).__name__})") from error


def keep_in_keyring(reference: str, value: str) -> None:
    """Put a secret where `reference`, a keyring:service/name, will find it. Blocks. Raises ConfigError."""
    scheme, _, rest = reference.partition(":")
    service, _, name = rest.partition("/")
    if scheme != "keyring" or not service or not name:
        raise ConfigError("a secret can be kept in a keyring only: keyring:service/name")
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(service, name, value)
    except KeyringError as error:
        raise ConfigError(
            f"cannot write {reference}: the keyring refused ({type(error).__name__})",
            hint="Unlock the keyring, or keep the secret in a 0600 file and use file:/absolute/path.",
        ) from error


def read_secret(
    reference: str, *, environ: Mapping[str, str] = os.environ, keyring: Keyring | None = None
) -> str:
    """The secret that `reference` names, without one trailing line end. Blocks.

    Raises ConfigError, never with the value, where it is missing, empty, too large, not text, or a file
    that others may read.
    """
    if len(reference) > _REFERENCE_LIMIT:
        raise ConfigError("a secret reference is too long: is it the secret itself?", hint=_FORMS)
    scheme, colon, rest = reference.partition(":")
    match scheme if colon else "":
        case "env":
            value = _from_environment(rest, environ)
        case "file":
            value = _from_file(rest)
        case "keyring":
            value = _from_keyring(rest, keyring or SystemKeyring())
        case "exec":
            value = _from_program(rest)
        case _:
            # not repeated: somebody may have pasted the secret here
            raise ConfigError("a secret must be given as a reference, not as a value", hint=_FORMS)
    if len(value.encode(errors="surrogateescape")) > SECRET_LIMIT:
        raise ConfigError(f"the secret of {references.shown(reference)} is larger than {SECRET_LIMIT} bytes")
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise ConfigError(f"the secret of {references.shown(reference)} is empty")
    return value


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    if not (name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()):
        raise ConfigError("env: must be followed by the name of an environment variable", hint=_FORMS)
    if (value := environ.get(name)) is None:
        raise ConfigError(
            f"the environment variable {name} is not set", hint="Set it where the daemon is started."
        )
    return value


def _from_file(name: str) -> str:
    file = Path(name)
    if not file.is_absolute():
        raise ConfigError("file: must be followed by an absolute path", hint=_FORMS)
    try:
        data = read_private(file, limit=SECRET_LIMIT)
    except HostError as error:
        raise ConfigError(str(error), hint=error.hint()) from error
    if data is None:
        raise ConfigError(f"the secret file {file} does not exist")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"the secret file {file} is not UTF-8 text") from None  # the cause holds the bytes


def _from_keyring(rest: str, keyring: Keyring) -> str:
    service, _, name = rest.partition("/")
    if not service or not name:
        raise ConfigError("keyring: must be followed by service/name", hint=_FORMS)
    try:
        value = keyring.get_password(service, name)
    except HostError as error:
        raise ConfigError(
            f"cannot read keyring:{service}/{name}: {error}",
            hint="Unlock the keyring, or keep the secret in a 0600 file and use file:/absolute/path.",
        ) from error
    if value is None:
        raise ConfigError(
            f"the keyring has no entry {service}/{name}",
            hint=f"Run: keyring set {service} {name}",
        )
    return value


def _from_program(text: str) -> str:
    try:
        argv = references.command(text)
    except ValueError as error:
        raise ConfigError(f"{error}", hint=_FORMS) from None
    program = Path(argv[0])
    _check_program(program)
    try:
        done: Completed = run(argv, timeout=EXEC_SECONDS, limit=SECRET_LIMIT)
    except HostError as error:
        raise ConfigError(str(error), hint=error.hint()) from error
    if done.code != 0:  # what it wrote is not repeated: it may be half a secret
        raise ConfigError(
            f"{program} ended with status {done.code} and gave no secret",
            hint="Run it by hand, as the account that the agent runs under.",
        )
    try:
        return done.stdout.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"what {program} printed is not UTF-8 text") from None  # the cause holds the bytes


def _check_program(program: Path) -> None:
    """Whoever can change the program, or what its name leads to, could have the agent run anything."""
    try:
        real = program.resolve(strict=True)
        found, folder = real.stat(), real.parent.stat()
    except OSError as error:
        raise ConfigError(f"there is no program {program}", hint="Give its absolute path.") from error
    if not stat.S_ISREG(found.st_mode) or not os.access(real, os.X_OK):
        raise ConfigError(f"{program} is no program that can be run")
    if sys.platform == "win32":
        return  # left to the access lists of the system's folders
    by_others = found.st_mode & OTHERS_WRITE or (
        folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX
    )
    if by_others or found.st_uid not in (0, os.geteuid()):
        raise ConfigError(
            f"{real} can be changed by others than root and this account",
            hint=f"Run: chmod go-w {real} && chmod o-w {real.parent}, or install it where only root may write.",
        )
