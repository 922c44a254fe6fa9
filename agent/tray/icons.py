"""The icon of each state, drawn. Pure: no files, no fonts.

Every state has a shape of its own, so that colour is never the only sign: a shield with a tick, an eye, a shield with
two bars, a triangle with an exclamation mark, a hollow shield that is struck through. Drawn on a grid of 16, so that
edges fall on whole pixels at 16, 32, 48 and 64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw

from agent.tray.seen import State

GRID = 16
SIZES = (16, 22, 24, 32, 48, 64)
"""What panels show, in pixels."""
_FINER = 8  # drawn so many times larger, then made smaller: smooth edges

type Point = tuple[float, float]
type Colour = tuple[int, int, int, int]

CLEAR: Colour = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours for panels of one brightness."""

    calm: Colour
    watching: Colour
    waiting: Colour
    alarm: Colour
    faint: Colour
    on: Colour  # what is drawn on a filled shape


DARK = Palette(  # for dark panels
    calm=(94, 214, 148, 255),
    watching=(112, 196, 255, 255),
    waiting=(255, 200, 87, 255),
    alarm=(255, 138, 101, 255),
    faint=(186, 192, 202, 255),
    on=(18, 24, 32, 255),
)
LIGHT = Palette(  # for light panels
    calm=(18, 122, 68, 255),
    watching=(11, 96, 164, 255),
    waiting=(166, 100, 0, 255),
    alarm=(190, 44, 20, 255),
    faint=(92, 98, 108, 255),
    on=(255, 255, 255, 255),
)

_SHIELD: tuple[Point, ...] = (
    (8, 1), (14, 3), (14, 8), (13.3, 10.4), (11.6, 12.7), (8, 15), (4.4, 12.7), (2.7, 10.4), (2, 8), (2, 3),
)  # fmt: skip


class _Pen:
    """Draws in units of the grid."""

    def __init__(self, size: int) -> None:
        self._scale = size * _FINER / GRID
        self.image = Image.new("RGBA", (size * _FINER, size * _FINER), CLEAR)
        self._draw = ImageDraw.Draw(self.image)

    def fill(self, points: tuple[Point, ...], colour: Colour) -> None:
        """A filled shape."""
        self._draw.polygon([self._at(each) for each in points], fill=colour)

    def line(self, points: tuple[Point, ...], colour: Colour, width: float) -> None:
        """A line with round ends and corners."""
        self._draw.line(
            [self._at(each) for each in points], fill=colour, width=round(width * self._scale), joint="curve"
        )
        for point in (points[0], points[-1]):
            self.disc(point, width / 2, colour)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        (x, y), r = self._at(centre), radius * self._scale
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def box(self, corner: Point, other: Point, colour: Colour) -> None:
        """A filled rectangle, its edges exactly there."""
        (left, top), (right, bottom) = self._at(corner), self._at(other)
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def _at(self, point: Point) -> Point:
        return point[0] * self._scale, point[1] * self._scale


def _guarding(pen: _Pen, colours: Palette) -> None:
    pen.fill(_SHIELD, colours.calm)
    pen.line(((5, 7.8), (7.2, 10), (11, 5.6)), colours.on, 1.9)


def _observing(pen: _Pen, colours: Palette) -> None:
    upper: tuple[Point, ...] = ((0.5, 8), (3, 5), (5.5, 3.6), (8, 3.2), (10.5, 3.6), (13, 5), (15.5, 8))
    lower: tuple[Point, ...] = tuple((x, 16 - y) for x, y in reversed(upper))
    pen.fill((*upper, *lower), colours.watching)
    pen.disc((8, 8), 3.2, colours.on)
    pen.disc((8, 8), 1.6, colours.watching)


def _paused(pen: _Pen, colours: Palette) -> None:
    pen.fill(_SHIELD, colours.waiting)
    pen.box((5, 5), (7, 11), colours.on)
    pen.box((9, 5), (11, 11), colours.on)


def _degraded(pen: _Pen, colours: Palette) -> None:
    corners: tuple[Point, ...] = ((8, 1.6), (15, 14.2), (1, 14.2))
    pen.fill(corners, colours.alarm)
    pen.line((*corners, corners[0]), colours.alarm, 1.4)  # rounds the corners
    pen.box((7, 5), (9, 10), colours.on)
    pen.box((7, 11), (9, 13), colours.on)


def _off(pen: _Pen, colours: Palette) -> None:
    pen.line((*_SHIELD, _SHIELD[0]), colours.faint, 1.6)
    pen.line(((2, 14.2), (14, 2.2)), CLEAR, 3.6)  # a gap on both sides of the stroke
    pen.line(((2, 14.2), (14, 2.2)), colours.faint, 1.6)


_DRAW: Mapping[State, Callable[[_Pen, Palette], None]] = {
    State.GUARDING: _guarding,
    State.OBSERVING: _observing,
    State.PAUSED: _paused,
    State.DEGRADED: _degraded,
    State.OFF: _off,
}


def icon(state: State, *, size: int = 64, dark: bool = False) -> Image.Image:
    """The icon for a panel that is `dark` or not, `size` pixels wide and high."""
    pen = _Pen(size)
    _DRAW[state](pen, DARK if dark else LIGHT)
    return pen.image.resize((size, size), Image.Resampling.BOX)


def flattened(image: Image.Image, *, dark: bool) -> Image.Image:
    """The icon on the ground of such a panel, without transparency."""
    ground = Image.new("RGBA", image.size, (46, 48, 52, 255) if dark else (242, 242, 242, 255))
    return Image.alpha_composite(ground, image)


def argb(image: Image.Image) -> bytes:
    """The icon as StatusNotifier wants it: four bytes a pixel, the alpha first, row by row."""
    red, green, blue, alpha = image.split()
    return Image.merge("RGBA", (alpha, red, green, blue)).tobytes()
