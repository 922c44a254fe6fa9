"""`drawbridge diag`: a zip archive for whoever helps, with neither content nor secrets, and a list of what is in it."""

from agent.cli.diag.command import diag

__all__ = ["diag"]
