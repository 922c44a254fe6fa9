"""Keepers of sign-ins, with no provider behind them."""

from __future__ import annotations

from pathlib import Path

from agent.signin.keeping import Keeper


def nobody() -> Keeper:
    """Of a machine on which sign-in is not set up."""
    return Keeper(None, None, Path("/nowhere"))
