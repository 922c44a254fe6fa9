"""The fake provider by itself, for clients that are driven by hand: python -m tests.clients.mock DIRECTORY."""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

from tests.fakes.provider import Provider, Received
from tests.fakes.socket_services import SocketServices

HOSTS = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com", "chatgpt.com")
"""The hosts that the printed `DRAWBRIDGE_RESOLVE` sends to the mock."""


def main() -> None:
    """Serve until Ctrl-C, and print a line for each request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the mock's certificates are written")
    parser.add_argument("--port", type=int, default=7443)
    parser.add_argument("--plain", action="store_true", help="HTTP without TLS")
    parser.add_argument(
        "--sockets", action="store_true", help="serve WebSockets as well, instead of refusing them"
    )
    parser.add_argument("--bodies", type=int, default=0, metavar="N", help="print N characters of each body")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    sockets = SocketServices() if arguments.sockets else None
    with Provider(
        arguments.directory, port=arguments.port, tls=not arguments.plain, sockets=sockets
    ) as provider:
        elsewhere = ",".join(f"{host}:443=127.0.0.1:{provider.port}" for host in HOSTS)
        print(f"# {provider.url}\nexport DRAWBRIDGE_RESOLVE={elsewhere}")
        print(f"export DRAWBRIDGE_UPSTREAM_CA_FILE={provider.ca_file.absolute()}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            follow(provider, arguments.bodies, sockets)


def follow(provider: Provider, width: int, sockets: SocketServices | None = None) -> None:
    """Print what comes, for ever."""
    printed = messages = 0
    while True:
        time.sleep(0.1)
        for message in (sockets.heard if sockets is not None else [])[messages:]:
            messages += 1
            print(f"message ({len(message)} characters)", message[:width], flush=True)
        waiting = provider.requests[printed:]
        for received in waiting:
            if not (received.complete or received.disconnected):
                break
            printed += 1
            print(line(received), flush=True)
            if width:
                print("   ", received.decoded.decode(errors="replace")[:width], flush=True)


def line(received: Received) -> str:
    """One request in one line."""
    query = f"?{received.query}" if received.query else ""
    upgrade = received.header("upgrade")
    note = f", upgrade to {upgrade}" if upgrade else ""
    size = len(received.body)
    return f"{received.method} {received.host} {received.path}{query} ({size} bytes{note})"


if __name__ == "__main__":
    main()
