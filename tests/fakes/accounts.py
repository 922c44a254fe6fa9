"""Accounts for tests: policies from short texts, prices that are easy to add up, stores on the disk and in Redis."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from agent.accounts.denials import Tier
from agent.accounts.meters import Meter, Unit
from agent.accounts.windows import Window, window
from agent.model.conversation import TokenCount
from agent.policy import load
from agent.policy.accounts import Accounts, Per

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z, a Friday


def section(text: str) -> Accounts:
    """The `accounts` of a policy, from its YAML."""
    indented = "\n".join(f"  {line}" for line in text.strip().splitlines())
    found = load(f"schema_version: 1\nid: p\naccounts:\n{indented}\n", source="p.yaml").accounts
    assert found is not None
    return found


def meter(
    limit: int,
    *,
    unit: Unit = Unit.TOKENS,
    frame: Window | None = None,
    name: str = "m",
    budget: bool = True,
    under_way: bool = False,
) -> Meter:
    """A meter, by default of tokens in the last hour."""
    return Meter(
        id=name,
        unit=Unit.CONCURRENT if under_way else unit,
        limit=limit,
        tier=Tier.KEY,
        owner="k",
        name=name,
        window=None if under_way else frame or window(Per.HOUR),
        budget=budget and not under_way,
    )


class Prices:
    """A token costs a nano-dollar; models called `free-…` cost nothing, `unknown-…` have no price."""

    def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
        """See `PriceSource`."""
        del provider, at
        if model.startswith("unknown"):
            return None
        return 0 if model.startswith("free") else (tokens.input or 0) + (tokens.output or 0)


def redis_binary() -> str | None:
    """A real server, if this machine has one."""
    return shutil.which("valkey-server") or shutil.which("redis-server")


@contextmanager
def redis_server(folder: Path) -> Iterator[Path]:
    """A real server that listens on a socket in `folder`, and keeps nothing."""
    binary = redis_binary()
    assert binary is not None
    socket = folder / "redis.sock"
    command = [binary, "--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
    with subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL) as process:
        try:
            with Redis(unix_socket_path=str(socket)) as client:
                for _ in range(200):
                    try:
                        client.ping()
                        break
                    except RedisError:
                        time.sleep(0.02)
            yield socket
        finally:
            process.terminate()
