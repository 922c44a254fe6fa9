"""The command line. Each module holds one command or one group; the names are a contract with scripts."""

from agent.cli.main import main

__all__ = ["main"]
