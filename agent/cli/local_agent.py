"""The running agent as commands ask it: its local pages, with the token from the state directory."""

from __future__ import annotations

from typing import Any

from agent.errors import HostError
from agent.host.paths import StatePaths
from agent.host.runfile import RunFile, control_token

_SECONDS = 5


def ask_agent(paths: StatePaths, running: RunFile, page: str) -> dict[str, Any]:
    """The document at `page`, a path with its query. Raises HostError where the agent does not answer."""
    import httpx  # a tenth of a second that no other command needs, and none that serves

    try:
        answer = httpx.get(
            f"http://127.0.0.1:{running.gateway_port}{page}",
            headers={"authorization": f"Bearer {control_token(paths)}"},
            timeout=_SECONDS,
            trust_env=False,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise HostError(
            f"the agent (pid {running.pid}) does not answer: {type(error).__name__}",
            hint="see its log, or restart it",
        ) from error
    return found
