"""Accounts for tests: policies from short texts, prices that are easy to add up, stores on the disk and in Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from fakeredis import TcpFakeServer
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


class RedisAt:
    """A server on a port of loopback that can go away and come back: a real one, or the fake where there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        self._fake: TcpFakeServer | None = None

    @property
    def url(self) -> str:
        """For a policy."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to serve, with what a real one saved when it was stopped."""
        binary = redis_binary()
        if binary is None:
            self._fake = TcpFakeServer(("127.0.0.1", self.port), server_type="valkey")
            threading.Thread(target=self._fake.serve_forever, daemon=True).start()
            return
        command = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "3600 1"]
        self._process = subprocess.Popen([*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL)
        with Redis(port=self.port) as client:
            for _ in range(200):
                try:
                    client.ping()
                    break
                except RedisError:
                    time.sleep(0.02)

    def stop(self) -> None:
        """Be away."""
        if self._fake is not None:
            self._fake.shutdown()
            self._fake.server_close()
            self._fake = None
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


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
