"""`drawbridge up` as a supervisor starts it: nobody reads its help, and every client waits for it.

The command line imports all commands, a terminal's colours and a parser that knows them: a tenth of a start. Here
nothing is imported but the engine, and Python's garbage collector waits until it is.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.errors import DrawbridgeError
from agent.host.allocator import settle_memory
from agent.host.collector import loaded
from agent.host.files import write_atomically
from agent.host.managed import managed_source
from agent.host.paths import config_file, state_directory
from agent.host.runfile import RunFile
from agent.host.settings import Settings, load_settings

EXIT_FAILED = 1


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop; the exit code."""
    given = _parser().parse_args(arguments)
    asked = {
        "policy": given.policy and str(Path(given.policy).absolute()),
        "state_dir": given.state_dir and str(Path(given.state_dir).absolute()),
        "proxy_port": given.proxy_port,
        "gateway_port": given.gateway_port,
    }
    ready_file = Path(given.ready_file) if given.ready_file else None
    settle_memory()
    try:
        settings = _settings(asked)
        start_logging(settings)
        gc.disable()  # imports make no garbage, and looking for it takes a twentieth of their time
        from agent import daemon

        def ready(runfile: RunFile) -> None:
            if ready_file is not None:
                write_atomically(ready_file, json.dumps(facts_of(runfile)).encode())

        loaded()
        daemon.run(
            settings,
            on_ready=ready,
            lent=given.lent,
            earlier=Path(given.earlier) if given.earlier else None,
            reread=lambda: _settings(asked),
        )
    except DrawbridgeError as error:
        sys.stderr.write(f"error: {error}\n" + (f"hint:  {error.hint()}\n" if error.hint() else ""))
        return EXIT_FAILED
    finally:
        if ready_file is not None and _ours(ready_file):
            ready_file.unlink(missing_ok=True)
    return 0


def start_logging(settings: Settings) -> None:
    """Our own modules only: what libraries say at lower levels may hold headers and content."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("agent").setLevel(settings.log_level.upper())


def facts_of(runfile: RunFile) -> dict[str, object]:
    """What a ready file says."""
    return {name: getattr(runfile, name) for name in runfile.__slots__}


def _ours(ready_file: Path) -> bool:
    """Whether it was written by this process; else it is another agent's."""
    try:
        return bool(json.loads(ready_file.read_bytes())["pid"] == os.getpid())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _settings(asked: Mapping[str, object]) -> Settings:
    return load_settings(
        command_line=asked,
        environ=os.environ,
        managed=managed_source(),
        config_file=config_file(),
        default_state_dir=state_directory(),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="drawbridge up", allow_abbrev=False)
    for name in ("--policy", "--state-dir", "--ready-file", "--earlier"):
        parser.add_argument(name)
    for name in ("--proxy-port", "--gateway-port"):
        parser.add_argument(name, type=int)
    parser.add_argument("--lent", required=True)
    return parser
