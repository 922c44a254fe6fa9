"""The built-in `echo` model: answers in every dialect, offline, for trying Drawbridge out and for its tests.

An independent voice: it reads requests with plain `json` and knows nothing of `agent.dialects`, so that a
mistake there cannot cancel itself out here. It must not open connections, keep requests or log what it reads.
"""

from __future__ import annotations

from agent.gateway.echo.app import BODY_LIMIT, EchoApp
from agent.gateway.echo.reply import PIECE

__all__ = ["BODY_LIMIT", "PIECE", "EchoApp"]
