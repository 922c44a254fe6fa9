"""Coordinates."""

from __future__ import annotations

import pytest

from agent.guardrails.identities import places


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("48.85837, 2.29448", True),
        ("-33.85678 151.21530", True),
        ("48.8584° N, 2.2945° E", True),
        ("40°41'21\"N 74°02'40\"W", True),
        ("48.85837%2C2.29448", True),
        ("0.000, 0.000", False),
        ("12.345, 12.345", False),
        ("98.85837, 2.29448", False),
        ("40°71'21\"N 74°02'40\"W", False),
    ],
)
def test_pairs(value: str, place: bool) -> None:
    assert places.gps_coordinates(value) is place


def test_single_fields() -> None:
    assert places.gps_coordinate("-122.41942")
    assert not places.gps_coordinate("0.00000")
    assert not places.gps_coordinate("190.12345")
