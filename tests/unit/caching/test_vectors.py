"""The few nearest of many vectors, found without any library."""

from __future__ import annotations

import math
import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.caching.vectors import Neighbours, Vector, packed, signature, unit, unpacked

DIMENSIONS = 64


def made(generator: random.Random, around: Vector | None = None, spread: float = 1.0) -> Vector:
    base = around or array("f", [0.0] * DIMENSIONS)
    vector = unit([each + generator.gauss(0, spread) for each in base])
    assert vector is not None
    return vector


def test_a_vector_has_length_one_or_is_none() -> None:
    assert unit([3.0, 4.0]) == array("f", [0.6, 0.8])
    assert unit([0.0, 0.0]) is None
    assert unit([]) is None
    assert unit([math.nan, 1.0]) is None
    assert unit([1e308, 1e308]) is None


def test_the_nearest_are_those_an_exact_search_finds() -> None:
    generator = random.Random(7)
    centres = [made(generator) for _ in range(20)]
    vectors = {bytes([n // 256, n % 256]): made(generator, centres[n % 20], 0.03) for n in range(400)}
    neighbours = Neighbours(1000)
    for key, vector in vectors.items():
        neighbours.add(key, vector)
    for centre in centres:
        exact = {key for key, vector in vectors.items() if math.sumprod(centre, vector) >= 0.96}
        found = neighbours.nearest(centre, 0.96)
        assert {key for _, key in found} == exact
        assert [similarity for similarity, _ in found] == sorted((s for s, _ in found), reverse=True)


def test_the_oldest_goes_where_there_is_no_room() -> None:
    generator = random.Random(1)
    neighbours = Neighbours(2)
    for key in (b"a", b"b", b"c"):
        neighbours.add(key, made(generator))
    assert neighbours.keys == {b"b", b"c"}


def test_vectors_of_another_length_are_no_neighbours() -> None:
    generator = random.Random(1)
    neighbours = Neighbours(5)
    neighbours.add(b"a", made(generator))
    neighbours.add(b"b", array("f", [1.0, 0.0]))
    assert neighbours.keys == {b"a"}
    assert neighbours.nearest(array("f", [1.0, 0.0]), 0.5) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6))))
def test_what_was_added_and_not_removed_is_found(steps: list[tuple[bool, int]]) -> None:
    vectors = [made(random.Random(number)) for number in range(7)]
    neighbours, there = Neighbours(100), set()
    for adds, number in steps:
        key = bytes([number])
        if adds:
            neighbours.add(key, vectors[number])
            there.add(key)
        else:
            neighbours.remove(key)
            there.discard(key)
    assert neighbours.keys == there
    assert len(neighbours) == len(there)
    for number in range(7):
        found = neighbours.nearest(vectors[number], 0.99)
        assert [key for _, key in found] == [key for key in [bytes([number])] if key in there]
        assert all(similarity == pytest.approx(1.0) for similarity, _ in found)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=70))
def test_a_vector_is_stored_with_its_signature(numbers: list[float]) -> None:
    vector = array("f", numbers)
    assert unpacked(packed(vector)) == (vector, signature(vector))


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", b"\1\0\0\0", b"\xff\xff\xff\xff" + b"x" * 40])
def test_what_is_no_vector_is_none(data: bytes) -> None:
    assert unpacked(data) is None
