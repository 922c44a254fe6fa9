"""The combined PEM file: the system's roots, the user's own and ours, for programs that take one file of
roots.

A file with our root alone would break every host that is not decrypted. Everything here blocks.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.environment import CA_VARIABLES
from agent.host.files import PRIVATE_FILE, read_limited, write_atomically
from agent.host.paths import StatePaths
from agent.host.pem import certificates_in, pem_of
from agent.host.roots import RootStore

MAX_AGE = 24 * 3600  # seconds
_LIMIT = 16 * 1024 * 1024  # bytes of one source
_MARK = b"# Drawbridge bundle, made from "  # PEM readers skip what stands outside the blocks

log = logging.getLogger(__name__)


def refresh_bundle(
    paths: StatePaths,
    roots_pem: bytes,
    *,
    environ: Mapping[str, str],
    store: RootStore,
    now: Callable[[], float] = time.time,
) -> bool:
    """Bring ca/bundle.pem up to date; whether it was written.

    It is written when it is missing, older than a day, or was made from other sources: the OS store,
    `roots_pem`, or the files that `environ` names in `CA_VARIABLES`. Inside `drawbridge exec` those name the
    bundle itself, and a bundle that holds our roots is left alone. Raises HostError where it cannot be
    written.
    """
    variables = [environ[name] for name in CA_VARIABLES if environ.get(name)]
    current = _current(paths.bundle)
    if str(paths.bundle) in variables and all(pem_of(der) in current for der in certificates_in(roots_pem)):
        return False
    own = (paths.bundle, paths.root_certificate, paths.roots)
    extras = [path for path in dict.fromkeys(map(Path, variables)) if path not in own]
    return write_bundle(paths.bundle, roots_pem, extras=extras, store=store, now=now)


def write_bundle(
    bundle: Path,
    roots_pem: bytes,
    *,
    store: RootStore,
    extras: Sequence[Path] = (),
    mode: int = PRIVATE_FILE,
    now: Callable[[], float] = time.time,
) -> bool:
    """Bring the bundle at `bundle` up to date, as `refresh_bundle` does, with the files `extras`; whether it was
    written. Raises HostError."""
    mark = _mark(roots_pem, extras, store)
    if _current(bundle).startswith(mark) and 0 <= now() - _modified(bundle) < MAX_AGE:
        return False
    blocks = [pem_of(der) for der in dict.fromkeys(_collect(roots_pem, extras, store))]
    write_atomically(bundle, mark + b"".join(blocks), mode=mode)
    return True


def _collect(roots_pem: bytes, extras: Sequence[Path], store: RootStore) -> list[bytes]:
    """Ours first: a reader that stops at the first certificate it needs finds it soonest."""
    found = list(certificates_in(roots_pem))
    try:
        found += store.certificates()
    except HostError as error:
        log.warning("%s: certifi's roots are used instead", error)
        found += _certifi()
    for path in extras:
        found += _extra(path)
    return found


def _extra(path: Path) -> tuple[bytes, ...]:
    try:
        return certificates_in(read_limited(path, limit=_LIMIT) or b"")
    except HostError as error:
        # the program that would have read it fails no worse than before
        log.warning("roots named in the environment are left out: %s", error)
        return ()


def _certifi() -> tuple[bytes, ...]:
    import certifi  # a last resort, loaded on need

    return certificates_in(Path(certifi.where()).read_bytes())


def _mark(roots_pem: bytes, extras: Sequence[Path], store: RootStore) -> bytes:
    digest = hashlib.sha256(roots_pem)
    digest.update(store.stamp().encode())
    for path in extras:
        digest.update(f"\n{path} {_modified(path)}".encode())
    return _MARK + digest.hexdigest().encode() + b"\n"


def _current(bundle: Path) -> bytes:
    with suppress(HostError):
        return read_limited(bundle, limit=_LIMIT) or b""
    return b""


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0
