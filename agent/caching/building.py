"""Makes the cache a policy asks for. Reads secrets, so it blocks: before the event loop serves, or off it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from agent.caching.cache import AnswerCache
from agent.caching.ports import Embedder, Store
from agent.caching.sealing import SECRET_BYTES
from agent.caching.sqlite import SqliteStore
from agent.errors import ConfigError, HostError
from agent.host.files import make_private_directory, read_private, write_atomically
from agent.host.paths import StatePaths
from agent.host.secrets import read_secret
from agent.policy.caching import Caching

_KEY_LIMIT = 1024  # bytes


def make_cache(
    settings: Caching,
    paths: StatePaths,
    *,
    embedder: Embedder | None = None,
    secret_of: Callable[[str], str] = read_secret,
    clock: Callable[[], float] = time.time,
) -> AnswerCache | None:
    """The cache, not yet opened; None where policy switches it off.

    `embedder` is the gateway's, for a provider's model; a local one is made here. Raises ConfigError.
    """
    if not settings.enabled:
        return None
    source = settings.semantic.embedder
    if source is not None and source.local is not None:
        from agent.caching.local_embedder import LocalEmbedder  # likewise, below

        embedder = LocalEmbedder(Path(source.local), name=source.name)
    return AnswerCache(
        make_store(settings, paths, secret_of=secret_of, clock=clock),
        _secret(settings, paths, secret_of),
        embedder=embedder,
        clock=clock,
    )


def make_store(
    settings: Caching,
    paths: StatePaths,
    *,
    secret_of: Callable[[str], str] = read_secret,
    clock: Callable[[], float] = time.time,
) -> Store:
    """The store of `settings`. Raises ConfigError where the server's password cannot be read."""
    store = settings.store
    if not store.shared:
        return SqliteStore(
            paths.answers, max_entries=settings.max_entries, max_bytes=settings.max_bytes, clock=clock
        )
    from agent.caching.valkey import (
        ValkeyStore,
        connect,
    )  # brings its client along: only who needs it pays

    password = None if store.password is None else secret_of(store.password)
    server = connect(store.url, username=store.username, password=password)
    return ValkeyStore(server, max_entries=settings.max_entries, clock=clock)


def _secret(settings: Caching, paths: StatePaths, secret_of: Callable[[str], str]) -> bytes:
    if settings.store.secret is not None:
        return secret_of(settings.store.secret).encode()
    return local_secret(paths.answers_key)


def local_secret(path: Path) -> bytes:
    """The secret in the file `path`, made where there is none. Raises ConfigError."""
    try:
        make_private_directory(path.parent)
        found = read_private(path, limit=_KEY_LIMIT)
        if found is None or len(found) < SECRET_BYTES:
            # what was sealed with another one is no longer read, and goes with time
            found = secrets.token_bytes(SECRET_BYTES)
            write_atomically(path, found)
    except HostError as error:
        raise ConfigError(str(error), hint=error.hint()) from error
    return found
