"""Fixtures: the upstreams and agents of the integration tests, before which the real clients run."""

from __future__ import annotations

from tests.integration.conftest import agent, blocking_agent, stage

__all__ = ["agent", "blocking_agent", "stage"]
