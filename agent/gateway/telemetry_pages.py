"""The local pages that tell what the agent does: metrics for a scraper, the last exchanges for `drawbridge top`."""

from __future__ import annotations

from urllib.parse import parse_qs

import orjson

from agent.gateway.local import Answer, LocalPage
from agent.telemetry.metrics import CONTENT_TYPE
from agent.telemetry.observatory import Observatory

METRICS_PATHS = ("/-/metrics", "/metrics")  # the second is where scrapers look by default
EXCHANGES_PATH = "/-/exchanges"
_MOST = 500
_JSON = ((b"content-type", b"application/json"),)


class MetricsPage:
    """Implements `LocalPage`: for the control token, and for the token that the policy gives to scrapers."""

    def __init__(self, observatory: Observatory) -> None:
        self._observatory = observatory

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """See `LocalPage`."""
        del query
        if not owner and not await self._observatory.may_scrape(bearer):
            return 401, ((b"www-authenticate", b"Bearer"),), b""
        if not self._observatory.counts:
            return 404, (), b""
        return 200, ((b"content-type", CONTENT_TYPE.encode()),), await self._observatory.render_metrics()


class ExchangesPage:
    """Implements `LocalPage`: for the control token alone. `?since=` is the number of the last line that is known,
    `?limit=` how many are wanted."""

    def __init__(self, observatory: Observatory) -> None:
        self._observatory = observatory

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """See `LocalPage`."""
        del bearer
        if not owner:
            return 401, ((b"www-authenticate", b"Bearer"),), b""
        asked = parse_qs(query.decode("latin-1"), max_num_fields=10)
        view = self._observatory.view(
            _number(asked, "since", 0), limit=min(_number(asked, "limit", _MOST), _MOST)
        )
        return 200, _JSON, orjson.dumps(view)


def telemetry_pages(observatory: Observatory, *, exchanges: bool = True) -> dict[str, LocalPage]:
    """The pages by their path; that of the exchanges where it is wanted."""
    pages: dict[str, LocalPage] = dict.fromkeys(METRICS_PATHS, MetricsPage(observatory))
    return pages | ({EXCHANGES_PATH: ExchangesPage(observatory)} if exchanges else {})


def _number(asked: dict[str, list[str]], name: str, default: int) -> int:
    text = asked.get(name, [""])[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else default
