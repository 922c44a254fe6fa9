"""Shapes in TOML: strictly read, and a mistake names its place."""

from __future__ import annotations

import pytest

from agent.catalog import bundled_shapes, parse_shapes
from agent.errors import ConfigError
from agent.model.content import Role
from agent.model.pointers import parse_pointer
from agent.model.webshape import Attached, Carrier, Framing, Says, ShownEvent

SHAPE = '[[shape]]\nname = "page"\n[shape.request]\nuser = ["/prompt"]\n'


def test_a_shape_is_read_with_all_it_may_say() -> None:
    (shape,) = parse_shapes(
        """
        [[shape]]
        name = "page"
        about = "a page"
        [shape.request]
        carrier = "form"
        user = ["/a"]
        system = ["/b"]
        when = ["[c=d]"]
        model = ["/m"]
        conversation = ["/n"]
        conversation_after = "chat"
        stream = "/s"
        files = ["/f/*"]
        attachments = [{ at = "/g/*", kind = "image", name = "/name", media_type = "/type", size = "/size" }]
        sealed = true
        [shape.answer]
        framing = "lines"
        types = ["Application/X"]
        appends = { answer = ["<x|y>/t", "/u"] }
        grows = { whole = ["/w"] }
        calls = { tool = ["/c"] }
        repeats = ["<z>/r"]
        sticky = ["p"]
        padding = "\\u0000"
        end_events = ["end"]
        end_data = ["[DONE]"]
        end = ["[over]"]
        finish = ["/why"]
        model = ["/m"]
        input_tokens = ["/i"]
        output_tokens = ["/o"]
        [shape.block]
        status = 403
        type = "text/x"
        events = [{ event = "e", data = "1" }]
        stopped = [{ data = "2" }]
        body = "{}"
        error = "[]"
        [[shape.example]]
        request = "a=1"
        type = "x/y"
        reads = ["1"]
        model = "m"
        conversation = "n"
        answer = "{}"
        says = ["s"]
        """,
        source="t.toml",
    )
    request, answer, block = shape.request, shape.answer, shape.block
    assert (shape.name, shape.about, request.carrier) == ("page", "a page", Carrier.FORM)
    assert [(each.role, each.at) for each in request.texts] == [
        (Role.SYSTEM, parse_pointer("/b")),
        (Role.USER, parse_pointer("/a")),
    ]
    assert (request.when, request.model) == ((parse_pointer("[c=d]"),), (parse_pointer("/m"),))
    assert (request.conversation, request.conversation_after) == ((parse_pointer("/n"),), "chat")
    assert (request.stream, request.files, request.sealed) == (
        parse_pointer("/s"),
        (parse_pointer("/f/*"),),
        True,
    )
    assert request.attachments == (
        Attached(
            at=parse_pointer("/g/*"),
            kind="image",
            name=parse_pointer("/name"),
            media_type=parse_pointer("/type"),
            size=parse_pointer("/size"),
        ),
    )
    assert (answer.framing, answer.types) == (Framing.LINES, ("application/x",))
    assert set(answer.says) == {
        Says(channel="answer", at=parse_pointer("/t"), events=("x", "y")),
        Says(channel="answer", at=parse_pointer("/u")),
        Says(channel="whole", at=parse_pointer("/w"), grows=True),
        Says(channel="tool", at=parse_pointer("/c"), role=Role.TOOL_CALL),
    }
    assert answer.repeats == (Says(channel="", at=parse_pointer("/r"), events=("z",)),)
    assert (answer.sticky, answer.padding) == (("p",), "\0")
    assert (answer.end_events, answer.end_data, answer.end) == (
        ("end",),
        ("[DONE]",),
        (parse_pointer("[over]"),),
    )
    assert (block.status, block.media_type, block.body, block.error) == (403, "text/x", "{}", "[]")
    assert block.events == (ShownEvent(event="e", data="1"),)
    assert block.stopped == (ShownEvent(data="2"),)
    (example,) = shape.examples
    assert (example.request, example.content_type, example.reads) == ("a=1", "x/y", ("1",))
    assert (example.model, example.conversation, example.answer, example.says) == ("m", "n", "{}", ("s",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[shape", "Expected"),
        ("x = 1", "missing shape"),
        ("shape = 1", "list of tables"),
        ('[[shape]]\nname = "page"', "missing request"),
        (SHAPE.replace('"page"', '"Page"'), "name must be"),
        (SHAPE + SHAPE, "two shapes are named 'page'"),
        (SHAPE + "colour = 1", "unknown colour"),
        (SHAPE.replace("/prompt", "prompt"), "request: user: the pointer 'prompt' must begin"),
        (SHAPE + 'carrier = "pigeon"', "carrier 'pigeon' is unknown"),
        (SHAPE + "carrier = 1", "carrier 1 is unknown"),
        (SHAPE + "carrier = []", "carrier [] is unknown"),
        (SHAPE + "sealed = 1", "sealed must be true or false"),
        (SHAPE + "stream = 1", "stream must be a text"),
        (SHAPE + "attachments = [{ kind = 'x' }]", "missing at"),
        (SHAPE + '[shape.answer]\nframing = "smoke"', "framing 'smoke' is unknown"),
        (SHAPE + '[shape.answer]\nappends = ["/a"]', "appends must be a table"),
        (SHAPE + '[shape.answer]\nappends = { a = ["<x/t"] }', "names of events"),
        (SHAPE + '[shape.answer]\npadding = "ab"', "one character"),
        (SHAPE + "[shape.block]\nstatus = 99", "status must be"),
        (SHAPE + "[shape.block]\nstatus = true", "status must be"),
        (SHAPE + "[shape.block]\nevents = [{}]", "missing data"),
        (SHAPE + "[[shape.example]]\nreads = []", "needs a request or an answer"),
        (SHAPE.replace('["/prompt"]', str(["/a"] * 65)), "more than 64 places"),
    ],
)
def test_a_mistake_is_an_error_that_names_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_shapes(text, source="t.toml")
    assert problem in str(caught.value)
    assert str(caught.value).startswith("t.toml")


def test_the_bundled_shapes_have_names_of_their_own() -> None:
    names = [shape.name for shape in bundled_shapes()]
    assert len(set(names)) == len(names) > 25
