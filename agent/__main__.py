"""The entry point of the command `drawbridge`, and of `python -m agent`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Some commands go their own way, since they must start fast and stay small: the supervisor,
    the engine that it starts, the same as a Windows service, the tray, the process that reads files, and the canary."""
    match sys.argv[1:]:
        case ["supervise", *arguments]:
            from agent.supervisor.command import main as supervise

            raise SystemExit(supervise(arguments))
        case ["up", *arguments] if any(each.startswith("--lent=") for each in arguments):
            from agent.engine import main as engine

            raise SystemExit(engine(arguments))
        case ["service"]:
            from agent.supervisor.service_windows import main as serve

            raise SystemExit(serve())
        case ["tray", *arguments]:
            from agent.tray.command import main as tray

            raise SystemExit(tray(arguments))
        case ["extraction-worker"]:
            from agent.extraction.worker import main as read_files

            read_files()
        case ["canary"]:
            from agent.host.canary_process import main as sing

            sing()
        case _:
            from agent.host.collector import load_up

            load_up()
            from agent.cli import main as command_line

            command_line()


if __name__ == "__main__":
    main()
