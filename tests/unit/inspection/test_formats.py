"""Which dialects a policy knows: ours, the bundled shapes, and shapes of its own that were tried."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import RequestHead
from agent.errors import PolicyError
from agent.inspection import Companions, RuleBook
from agent.inspection.formats import bundled_dialects
from agent.policy import load

POLICY = """
schema_version: 1
id: p
shapes: [pages.toml]
catalog:
  - {id: page, name: Page, provider: page, hosts: [chat.page.example], http2: true,
     endpoints: [{path: /ask, dialect: page-chat}]}
"""
SHAPE = """
[[shape]]
name = "page-chat"
[shape.request]
user = ["/words"]
[shape.answer]
appends = { answer = ["/word"] }
[shape.block]
events = [{ data = '{"word":"{message}"}' }]
[[shape.example]]
request = '{"words":"hello"}'
reads = ["hello"]
answer = '''
data: {"word":"good "}

data: {"word":"day"}

'''
says = ["good day"]
"""
HEAD = RequestHead(method="POST", path="/ask")


def book(shapes: str, policy: str = POLICY, *, examples: bool = True) -> RuleBook:
    companions = Companions(files={"pages.toml": shapes.encode()})
    return RuleBook(load(policy, source="policy.yaml"), companions, examples=examples)


def test_without_shapes_of_its_own_a_policy_knows_the_bundled_ones() -> None:
    known = bundled_dialects()
    assert known.keys() > DIALECTS.keys()
    assert RuleBook(load("schema_version: 1\nid: p", source="p")).dialects is known
    assert all(dialect.name == name for name, dialect in known.items())


def test_a_policy_brings_a_page_and_its_shape() -> None:
    rules = book(SHAPE)
    match = rules.catalog.match("chat.page.example", "/ask")
    assert match is not None
    assert match.endpoint is not None
    request = rules.dialects[match.endpoint.dialect].parse_request(HEAD, b'{"words":"hello"}')
    assert [slot.text for slot in request.slots] == ["hello"]


def test_a_policys_shape_takes_the_place_of_a_bundled_one() -> None:
    rules = book(SHAPE.replace("page-chat", "duck-ai-web"), POLICY.replace("page-chat", "duck-ai-web"))
    request = rules.dialects["duck-ai-web"].parse_request(HEAD, b'{"words":"hello"}')
    assert [slot.text for slot in request.slots] == ["hello"]


@pytest.mark.parametrize(
    ("shapes", "problem"),
    [
        ("[[shape]]", "pages.toml: shape '?': missing name, request"),
        (SHAPE.replace("page-chat", "openai-chat"), "the name 'openai-chat' is taken"),
        (SHAPE.replace('["hello"]', '["hallo"]'), "reads should be ('hallo',), and is ('hello',)"),
        (SHAPE.replace('["good day"]', '["day"]'), "says should be ('day',), and is ('good day',)"),
        (SHAPE.replace("{message}", "{massage}"), "{massage} is not known"),
        (SHAPE.replace("page-chat", "other-chat"), "unknown dialect 'page-chat'"),
        (SHAPE.replace('\'{"words":"hello"}\'', "'words'"), "the request cannot be read"),
        (SHAPE.replace("[shape.block]", "[shape.block]\nstatus = 1"), "status must be"),
    ],
)
def test_a_shape_that_is_wrong_or_fails_its_example_is_refused(shapes: str, problem: str) -> None:
    with pytest.raises(PolicyError) as caught:
        book(shapes)
    assert problem in str(caught.value)


def test_examples_may_be_left_untried() -> None:
    assert "page-chat" in book(SHAPE.replace('["hello"]', '["hallo"]'), examples=False).dialects


def test_the_files_count_in_the_policys_digest() -> None:
    assert book(SHAPE).digest != book(SHAPE + "\n# another\n").digest


def test_the_example_of_the_handbook_works() -> None:
    page = (Path(__file__).parents[3] / "docs" / "web-shapes.md").read_text(encoding="utf-8")
    shapes, rows = (
        dedent(page.partition(f"   ```{kind}\n")[2].partition("   ```")[0]) for kind in ("toml", "yaml")
    )
    rules = book(shapes, f"schema_version: 1\nid: p\n{rows}")
    match = rules.catalog.match("chat.example.com", "/api/ask/c-81")
    assert match is not None
    assert match.endpoint is not None
    assert match.endpoint.dialect == "example-chat"
