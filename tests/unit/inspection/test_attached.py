"""The files of a request among its texts, without a gateway around."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import RequestHead
from agent.inspection import inspect_request
from agent.inspection.attached import Attached, File, judge_files, read_as
from agent.model.content import Attachment
from agent.model.decision import Action
from agent.model.reading import Passage, Problem, Reading
from tests.fakes.rulebooks import BOMB, TOY, toy_scope

HEAD = RequestHead(method="POST", path="/v1/chat/completions")
CHAT = DIALECTS["openai-chat"]


def body(data: bytes, said: str = "hello") -> bytes:
    file = {"filename": "a.txt", "file_data": base64.b64encode(data).decode()}
    content = [{"type": "file", "file": file}, {"type": "text", "text": said}]
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]}).encode()


def attached(document: bytes, reading: Reading) -> Attached:
    (attachment,) = CHAT.parse_request(HEAD, document).attachments
    return Attached((read_as(attachment, reading, attachment.size),))


def text(data: str) -> Reading:
    return Reading(type="text", codec="utf-8", passages=(Passage(text=data, rewritable=True),))


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60), st.booleans(), st.booleans()
)
def test_no_secret_is_left_in_a_file_or_beside_it(around: str, inside: bool, beside: bool) -> None:
    data = f"{around} {TOY if inside else ''} {around}"
    document = body(data.encode(), f"say {TOY}" if beside else "say")
    verdict = inspect_request(CHAT, HEAD, document, toy_scope(), attached(document, text(data)))
    assert not verdict.blocked
    if not inside and not beside:
        assert verdict.body == document
    file = json.loads(verdict.body)["messages"][0]["content"][0]["file"]
    assert TOY not in base64.b64decode(file["file_data"]).decode()
    assert TOY.encode() not in verdict.body


def test_an_encoding_that_cannot_hold_what_is_put_in_stops_the_request() -> None:
    data = "schön " + TOY
    document = body(data.encode("latin-1"))
    reading = Reading(type="text", codec="latin-1", passages=(Passage(text=data, rewritable=True),))
    verdict = inspect_request(CHAT, HEAD, document, toy_scope(), attached(document, reading))
    assert not verdict.blocked  # a marker is ASCII
    assert b"sch\xf6n [REDACTED:toy]" in base64.b64decode(
        json.loads(verdict.body)["messages"][0]["content"][0]["file"]["file_data"]
    )


def test_a_cell_that_a_finding_leaves_behind_stops_the_request() -> None:
    scope = toy_scope("""
packs: []""")
    data = f"a,b\n1,{TOY}\n"
    document = body(data.encode())
    reading = Reading(type="csv", codec="utf-8", passages=(Passage(text=data, rewritable=True),))
    verdict = inspect_request(CHAT, HEAD, document, scope, attached(document, reading))
    assert verdict.request.attachments[0].outcome == "rewritten"


def test_a_problem_does_not_hide_what_was_read() -> None:
    document = body(b"%PDF")
    reading = Reading(type="pdf", passages=(Passage(text=BOMB),), problem=Problem.TIMEOUT)
    verdict = inspect_request(CHAT, HEAD, document, toy_scope(), attached(document, reading))
    assert verdict.blocked
    assert verdict.request.attachments[0].problem == "timeout"


def test_files_of_requests_that_name_them_elsewhere_are_listed() -> None:
    known = Attachment(kind="file", id="f1", type="pdf")
    request = Attached((File(attachment=known),)).informed(CHAT.parse_request(HEAD, body(b"x")))
    assert [each.id for each in request.attachments] == ["", "f1"]


def test_the_text_of_files_is_no_part_of_a_requests_size() -> None:
    scope = toy_scope("access: [{id: long, when: 'size > 100', action: block}]")
    document = body(b"x" * 500)
    assert not inspect_request(CHAT, HEAD, document, scope, attached(document, text("x" * 500))).blocked


def test_rules_for_files_count_by_rule() -> None:
    scope = toy_scope("attachments: [{id: two, types: [pdf], max_count: 1}, {id: rest}]")
    pdf, png = Attachment(kind="file", type="pdf"), Attachment(kind="image", type="png")
    assert judge_files(scope, (pdf, png, png)) is None
    refused = judge_files(scope, (pdf, png, pdf))
    assert refused is not None
    assert (refused.action, refused.rule_ids) == (Action.BLOCK, ("two",))
