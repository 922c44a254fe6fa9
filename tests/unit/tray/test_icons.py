"""The icons: one for each state, told apart by shape, on dark and on light panels."""

from __future__ import annotations

from itertools import combinations

import pytest
from PIL import Image, ImageChops

from agent.tray.icons import SIZES, flattened, icon
from agent.tray.seen import State


def shape(image: Image.Image) -> Image.Image:
    """The icon without colour: how light each pixel is, where it is drawn at all."""
    return Image.composite(image.convert("L"), Image.new("L", image.size), image.getchannel("A"))


def differing(one: Image.Image, other: Image.Image) -> float:
    """The part of the pixels that clearly differ."""
    far = ImageChops.difference(one, other).point(lambda value: 255 if value > 64 else 0)
    return far.histogram()[255] / (one.width * one.height)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_states_are_told_apart_without_colour(size: int, dark: bool) -> None:
    for one, other in combinations(State, 2):
        shapes = (shape(icon(one, size=size, dark=dark)), shape(icon(other, size=size, dark=dark)))
        assert differing(*shapes) > 0.05, (one, other)


@pytest.mark.parametrize("state", list(State))
def test_an_icon_stands_out_from_its_panel(state: State) -> None:
    for dark, ground in ((False, 240), (True, 40)):
        image = icon(state, size=16, dark=dark)
        on_panel = Image.composite(
            image.convert("L"), Image.new("L", image.size, ground), image.getchannel("A")
        )
        assert differing(on_panel, Image.new("L", image.size, ground)) > 0.1


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("size", SIZES)
def test_corners_are_clear_and_the_size_is_exact(state: State, size: int) -> None:
    image = icon(state, size=size)
    assert image.size == (size, size)
    assert [image.getpixel((x, 0)) for x in (0, size - 1)] == [(0, 0, 0, 0)] * 2


def test_the_bars_of_a_pause_are_crisp_at_sixteen() -> None:
    image = icon(State.PAUSED, size=16, dark=True)
    row = [image.getpixel((x, 8)) for x in (5, 6, 9, 10)]
    assert set(row) == {(18, 24, 32, 255)}


def test_where_nothing_is_transparent_the_ground_is_the_panel() -> None:
    image = flattened(icon(State.OFF, dark=True), dark=True)
    assert image.getchannel("A").getextrema() == (255, 255)
