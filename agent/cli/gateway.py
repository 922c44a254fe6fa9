"""`drawbridge gateway`: the same gateway for a team, without interception, on one machine or several."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.console import err, explains_errors, settings_from
from agent.errors import ConfigError
from agent.host.files import write_atomically
from agent.host.settings import Settings

if TYPE_CHECKING:
    from agent.central.orders import Certificate

_INTERNAL = "Workers"  # set by the parent of several workers only


@explains_errors
def gateway(
    *,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default: the bundled policy.")] = None,
    listen: Annotated[
        str, typer.Option(help="HOST:PORT; with anything but loopback, clients must show a virtual key.")
    ] = "127.0.0.1:7718",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; several need a shared store of accounts.")
    ] = 1,
    state_dir: Annotated[Path | None, typer.Option(help="Where the audit trail and the lock live.")] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(help="PEM file of the node's certificate and its chain; SIGHUP reads it again."),
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of its key, without password.")] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which clients call this gateway, *.suffix, or *. May be repeated."),
    ] = None,
    allow_anonymous: Annotated[
        bool, typer.Option("--allow-anonymous", help="Serve other machines without a virtual key.")
    ] = False,
    drain_seconds: Annotated[
        float, typer.Option(min=0, max=600, help="From /readyz turning 503 to the end of new connections.")
    ] = 5.0,
    finish_seconds: Annotated[
        float, typer.Option(min=0, max=86400, help="What running answers get after that.")
    ] = 120.0,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written, as JSON, when the gateway is ready; removed when it stops.")
    ] = None,
    worker: Annotated[int, typer.Option(hidden=True, rich_help_panel=_INTERNAL)] = -1,
    descriptor: Annotated[int, typer.Option("--socket", hidden=True, rich_help_panel=_INTERNAL)] = -1,
    parent: Annotated[int, typer.Option(hidden=True, rich_help_panel=_INTERNAL)] = 0,
) -> None:
    """Run the central gateway of a team in the foreground.

    SIGHUP reads the policy and the certificate again; what is bad is refused and the one in force stays. SIGTERM, or
    /-/drain with the control token, ends it in order: /readyz tells 503, then no new connections, then running answers
    get their time. A second SIGTERM cuts them.
    """
    settings = settings_from(
        {
            "policy": policy and str(policy.absolute()),
            "state_dir": state_dir and str(state_dir.absolute()),
        }
    )
    _log(settings, worker)
    from agent.central.orders import Orders, Seat, parse_address  # the parts take half a second to import

    orders = Orders(
        listen=parse_address(listen),
        workers=workers,
        certificate=_certificate(tls_cert, tls_key),
        hosts=tuple(allowed_host or ()),
        anonymous=allow_anonymous,
        drain_seconds=drain_seconds,
        finish_seconds=finish_seconds,
    )
    if worker >= 0:
        from agent.central import node

        node.run(settings, orders, seat=Seat(number=worker, descriptor=descriptor, parent=parent))
        return
    told = _Told(ready_file, orders.workers, scheme="https" if orders.certificate else "http")
    try:
        if workers == 1:
            from agent.central import node

            node.run(settings, orders, on_ready=lambda _, port: told.ready(orders.listen.host, port))
        else:
            _needs_descriptors()
            from agent.central import crew  # a parent needs little of the gateway

            crew.run(
                settings, orders, sys.argv[1:], on_ready=lambda port: told.ready(orders.listen.host, port)
            )
    finally:
        told.gone()


class _Told:
    """What who started us is told when we are ready."""

    def __init__(self, file: Path | None, workers: int, *, scheme: str) -> None:
        self._file = file
        self._workers = workers
        self._scheme = scheme
        self._written = False

    def ready(self, host: str, port: int) -> None:
        """We serve."""
        if self._file is not None:
            self._written = True
            facts = {"pid": os.getpid(), "port": port, "workers": self._workers}
            write_atomically(self._file, json.dumps(facts).encode())
        shown = f"[{host}]" if ":" in host else host
        err().print(
            f"Drawbridge is up at {self._scheme}://{shown}:{port} with {self._workers} "
            f"{'workers' if self._workers > 1 else 'worker'}.",
            markup=False,
        )

    def gone(self) -> None:
        """We do not any more."""
        if self._written and self._file is not None:
            self._file.unlink(missing_ok=True)


def _log(settings: Settings, worker: int) -> None:
    who = f" worker {worker}" if worker >= 0 else ""
    logging.basicConfig(level=logging.WARNING, format=f"%(asctime)s %(levelname)s %(name)s{who}: %(message)s")
    # Our own modules only: what libraries say at lower levels may hold headers and content.
    logging.getLogger("agent").setLevel(settings.log_level.upper())


def _certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    from agent.central.orders import Certificate

    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise ConfigError("--tls-cert and --tls-key belong together", hint="Give both, or none.")
    return Certificate(chain=chain.absolute(), key=key.absolute())


def _needs_descriptors() -> None:
    if sys.platform == "win32":
        raise ConfigError(
            "several workers share a socket, which Windows does not hand to them",
            hint="Say --workers 1, and run several nodes behind a load balancer.",
        )
