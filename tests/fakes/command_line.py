"""The command line without a terminal: commands run in this process."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from agent.cli.main import app


class Drawbridge:
    """Runs commands. An exception that a command does not explain is raised."""

    def __call__(self, *arguments: object, stdin: str | bytes | None = None) -> Result:
        """Run one; `stdin` is what it reads."""
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result
