"""The metrics of all workers stand on one page that Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from agent.central.siblings import CrewMetricsPage, merge
from agent.errors import UpstreamError
from agent.gateway.local import Answer

FIRST = b"""# HELP drawbridge_requests_total Exchanges.
# TYPE drawbridge_requests_total counter
drawbridge_requests_total{model="a {b} c"} 2.0
# HELP drawbridge_exchanges_in_flight Running.
# TYPE drawbridge_exchanges_in_flight gauge
drawbridge_exchanges_in_flight 1.0
"""
SECOND = FIRST.replace(b" 2.0", b" 40.0") + b"# HELP more More.\n# TYPE more gauge\nmore 1.0\n"


class Own:
    """A worker's own page."""

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """See `LocalPage`."""
        del query, bearer
        return (200, (), FIRST) if owner else (401, (), b"")


def values(page: bytes) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["worker"]): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_samples_keep_their_values_and_get_their_worker() -> None:
    page = merge({0: FIRST, 1: SECOND, 2: None})
    assert values(page) == {
        ("drawbridge_worker_up", "0"): 1,
        ("drawbridge_worker_up", "1"): 1,
        ("drawbridge_worker_up", "2"): 0,
        ("drawbridge_requests_total", "0"): 2,
        ("drawbridge_requests_total", "1"): 40,
        ("drawbridge_exchanges_in_flight", "0"): 1,
        ("drawbridge_exchanges_in_flight", "1"): 1,
        ("more", "1"): 1,
    }
    assert b'{worker="1",model="a {b} c"} 40.0' in page
    assert page.count(b"# TYPE drawbridge_requests_total") == 1


async def test_whoever_is_asked_asks_the_others() -> None:
    def ask(number: int) -> bytes:
        if number == 2:
            raise UpstreamError("gone")
        return SECOND

    page = CrewMetricsPage(Own(), 0, 3, ask)
    _, _, body = await page.answer(b"", b"", owner=True)
    found = values(body)
    assert found["drawbridge_requests_total", "1"] == 40
    assert found["drawbridge_worker_up", "2"] == 0
    assert (await page.answer(b"own=1", b"", owner=True))[2] == FIRST
    assert (await page.answer(b"", b"", owner=False))[0] == 401
