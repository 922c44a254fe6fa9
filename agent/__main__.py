"""The entry point of the command `drawbridge`, and of `python -m agent`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. `supervise` goes its own way: it must start fast and stay small."""
    if sys.argv[1:2] == ["supervise"]:
        from agent.supervisor.command import main as supervise

        raise SystemExit(supervise(sys.argv[2:]))
    from agent.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
