"""`drawbridge dashboard`: the running agent in a browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.console import explains_errors, out, settings_from
from agent.control.client import Control


@explains_errors
def dashboard(
    *,
    print_only: Annotated[bool, typer.Option("--print", help="Print the address and open nothing.")] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Show the running agent in a browser. The address that is printed works once, and for two minutes."""
    control = Control(settings_from({"state_dir": state_dir and str(state_dir.absolute())}))
    url = str(control.ask("dashboard")["url"])
    out().print(url, soft_wrap=True)
    if not print_only and _has_screen():
        webbrowser.open(url)


def _has_screen() -> bool:
    return sys.platform != "linux" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
