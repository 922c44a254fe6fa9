"""Shapes: what one says that says next to nothing."""

from __future__ import annotations

from agent.model.content import Role
from agent.model.pointers import parse_pointer
from agent.model.webshape import Carrier, Framing, ShapeRequest, Texts, WebShape


def test_a_shape_need_only_say_where_its_prompt_stands() -> None:
    prompt = Texts(role=Role.USER, at=parse_pointer("/prompt"))
    shape = WebShape(name="page", request=ShapeRequest(texts=(prompt,)))
    assert shape.request.carrier is Carrier.JSON
    assert shape.answer.framing is Framing.SSE
    assert not shape.request.sealed
    assert (shape.block.status, shape.block.events, shape.examples) == (200, (), ())
