"""A worker is found where it wrote down that it is, and asked for its own metrics only."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.central.visits import visitor
from agent.errors import UpstreamError
from agent.host.paths import StatePaths
from agent.host.runfile import control_token
from tests.fakes.running_agent import running_agent, worker_pages


def test_a_sibling_is_asked_under_the_token(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "state")
    queries: list[str] = []

    def page(query: str) -> object:
        queries.append(query)
        return 7

    with worker_pages(paths, {"/metrics": page}) as port, running_agent(paths, gateway_port=port):
        assert visitor(lambda _: paths, control_token(paths))(3) == b"7"
        assert queries == ["own=1"]
        with pytest.raises(UpstreamError, match="worker 3 answers 401"):
            visitor(lambda _: paths, "wrong")(3)


def test_one_that_does_not_run_is_told(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    with pytest.raises(UpstreamError, match="does not run"):
        visitor(lambda _: paths, "t")(0)
