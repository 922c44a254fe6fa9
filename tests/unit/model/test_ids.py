"""Identifiers."""

from __future__ import annotations

import uuid

from agent.model.ids import short_ref, uuid7

NOW = 1_763_800_000.123


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = uuid.UUID(uuid7(NOW))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122


def test_an_id_tells_its_time_to_the_millisecond() -> None:
    assert uuid.UUID(uuid7(NOW)).int >> 80 == int(NOW * 1000)


def test_ids_sort_by_time() -> None:
    made = [uuid7(NOW + step * 0.002) for step in range(50)]
    assert made == sorted(made)


def test_ids_of_one_moment_differ() -> None:
    assert len({uuid7(NOW) for _ in range(1000)}) == 1000


def test_a_reference_is_short_and_can_be_said_aloud() -> None:
    assert short_ref("0193-abcdef12") == "ABCDEF12"
