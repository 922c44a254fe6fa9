"""How a worker asks its siblings: at the loopback port that each writes down, under the token of the whole node."""

from __future__ import annotations

from collections.abc import Callable

from agent.central.siblings import Ask
from agent.errors import UpstreamError
from agent.host.paths import StatePaths
from agent.host.runfile import read_runfile

_PAGE = "/metrics?own=1"
_SECONDS = 3.0


def visitor(paths_of: Callable[[int], StatePaths], token: str) -> Ask:
    """Asks for a worker's own metrics."""

    def ask(number: int) -> bytes:
        import httpx  # scrapes only

        running = read_runfile(paths_of(number))
        if running is None:
            raise UpstreamError(f"worker {number} does not run")
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{running.gateway_port}{_PAGE}",
                headers={"authorization": f"Bearer {token}"},
                timeout=_SECONDS,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise UpstreamError(f"worker {number} does not answer: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise UpstreamError(f"worker {number} answers {answer.status_code}")
        return answer.content

    return ask
