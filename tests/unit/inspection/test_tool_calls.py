"""What events tell of tool calls: whose arguments they are, and nothing secret in them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.anthropic_messages import AnthropicReader
from agent.inspection import RuleBook, Scope, StreamInspector
from agent.inspection.tool_calls import MAX_CALLS, MAX_GATHERED, Call, calls_in, redacted
from agent.model.tool import NO_TOOLS, CalledTool, ToolKind
from tests.fakes.rulebooks import TOY, rule_book, toy_policy, toy_scope
from tests.unit.dialects.feeding import stream

TELLING = "tool_calls: {report: arguments}"
GONE = "[REDACTED:toy]"
PAT = "ghp_" + "R4nd0mT0k3n" * 3 + "1a2"  # made up; no guardrail of these policies looks for it


def rules(more: str = TELLING) -> RuleBook:
    return rule_book(toy_policy(more))


def told(
    *calls: Call, more: str = TELLING, app: str = "", names_only: bool = False
) -> tuple[CalledTool, ...]:
    book = rules(more)
    assert book.report is not None
    return book.report.told(calls, book, app=app, names_only=names_only).calls


ANSWERS = {
    "openai-chat": {
        "choices": [
            {
                "message": {
                    "tool_calls": [
                        {"id": "1", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}},
                        {"id": "2", "function": {"name": "Bash", "arguments": '{"command":"pwd"}'}},
                    ]
                }
            }
        ]
    },
    "openai-responses": {
        "output": [
            {"type": "function_call", "name": "Bash", "call_id": "1", "arguments": '{"command":"ls"}'},
            {"type": "function_call", "name": "Bash", "call_id": "2", "arguments": '{"command":"pwd"}'},
        ]
    },
    "anthropic-messages": {
        "content": [
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": "ls"}},
            {"type": "tool_use", "id": "2", "name": "Bash", "input": {"command": "pwd"}},
        ]
    },
    "gemini-generate-content": {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"functionCall": {"name": "Bash", "args": {"command": "ls"}}},
                        {"functionCall": {"name": "Bash", "args": {"command": "pwd"}}},
                    ]
                }
            }
        ]
    },
    "bedrock-converse": {
        "output": {
            "message": {
                "content": [
                    {"toolUse": {"toolUseId": "1", "name": "Bash", "input": {"command": "ls"}}},
                    {"toolUse": {"toolUseId": "2", "name": "Bash", "input": {"command": "pwd"}}},
                ]
            }
        }
    },
    "cohere-chat": {
        "message": {
            "tool_calls": [
                {"id": "1", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}},
                {"id": "2", "function": {"name": "Bash", "arguments": '{"command":"pwd"}'}},
            ]
        }
    },
}


@pytest.mark.parametrize("dialect", ANSWERS)
def test_calls_are_told_apart_in_every_dialect(dialect: str) -> None:
    body = json.dumps(ANSWERS[dialect]).encode()
    found = list(calls_in(body, DIALECTS[dialect].parse_answer(body).slots))
    assert found == [("Bash", '{"command":"ls"}'), ("Bash", '{"command":"pwd"}')]


def test_arguments_are_whole_also_where_a_dialect_has_no_use_for_them() -> None:
    arguments = {"edits": [{"line": 3, "all": True}, {"old": "a\\nb", "new": ""}], "path": "x"}
    body = json.dumps({"content": [{"type": "tool_use", "name": "Edit", "input": arguments}]}).encode()
    ((tool, said),) = calls_in(body, DIALECTS["anthropic-messages"].parse_answer(body).slots)
    assert (tool, json.loads(said)) == ("Edit", arguments)


def test_an_answer_without_calls_has_none() -> None:
    body = b'{"content":[{"type":"text","text":"hi"}]}'
    assert list(calls_in(body, DIALECTS["anthropic-messages"].parse_answer(body).slots)) == []


def test_the_name_tells_what_a_tool_does() -> None:
    calls = [("Bash", ""), ("mcp__github__create_issue", ""), ("Read", ""), ("frobnicate", "")]
    assert [each.kind for each in told(*calls)] == [
        ToolKind.SHELL,
        ToolKind.MCP,
        ToolKind.READ,
        ToolKind.OTHER,
    ]


def test_only_the_kinds_that_are_wanted_are_told() -> None:
    more = "tool_calls: {report: names, kinds: [shell]}"
    (call,) = told(("Read", "{}"), ("Bash", '{"command":"ls"}'), more=more)
    assert (call.tool, call.arguments, call.cut) == ("Bash", "", False)


@pytest.mark.parametrize(
    "arguments",
    [
        f'{{"command":"export T={TOY}"}}',
        f"*** Begin Patch\n+{TOY}\n",
        json.dumps({"command": json.dumps({"inner": f'say "{TOY}"'})}),  # texts inside texts
        json.dumps({"command": TOY}).replace("T", "\\u0054"),  # escapes hide nothing
        f'{{"command":"echo \\"{TOY}\\"',  # broken off
        f'{{"{TOY}":"a name is a text too"}}',
        json.dumps([TOY, {"x": [TOY]}]),
    ],
)
def test_what_a_rule_finds_is_not_kept(arguments: str) -> None:
    (call,) = told(("Bash", arguments))
    assert TOY not in call.arguments
    assert GONE in call.arguments


def test_credentials_are_not_kept_whatever_the_guardrails_do_with_them() -> None:
    (call,) = told(("Bash", json.dumps({"command": f"curl -H 'authorization: token {PAT}' x"})))
    assert PAT not in call.arguments
    assert "[REDACTED:" in call.arguments
    assert json.loads(call.arguments)["command"].startswith("curl -H")


def test_an_allowed_finding_is_not_kept_either() -> None:
    more = f"{TELLING}\nmode: observe"
    (call,) = told(("Bash", f'{{"command":"{TOY}"}}'), more=more)
    assert TOY not in call.arguments


def test_arguments_are_bounded() -> None:
    (call,) = told(
        ("Write", json.dumps({"content": "x" * 5000})),
        more="tool_calls: {report: arguments, max_characters: 100}",
    )
    assert (len(call.arguments), call.cut) == (100, True)
    (short,) = told(("Write", '{"content":"x"}'))
    assert short.cut is False


def test_a_secret_at_the_end_of_what_is_kept_is_gone_as_a_whole() -> None:
    more = "tool_calls: {report: arguments, max_characters: 100}"
    for place in range(60, 110):
        (call,) = told(("Bash", "x" * place + f" {TOY} " + "y" * 200), more=more)
        assert "TOY-1" not in call.arguments


def test_what_is_never_looked_at_is_never_kept() -> None:
    (call,) = told(
        ("Write", "a" * (MAX_GATHERED - 5) + TOY),
        more="tool_calls: {report: arguments, max_characters: 16384}",
    )
    assert len(call.arguments) == 16384
    assert call.cut


def test_an_event_holds_so_many_calls_and_characters() -> None:
    book = rules("tool_calls: {report: arguments, max_characters: 16384}")
    assert book.report is not None
    many = [("Bash", "z" * 16384)] * (MAX_CALLS + 7)
    use = book.report.told(many, book, app="", names_only=False)
    assert (len(use.calls), use.left_out) == (MAX_CALLS, 7)
    assert sum(len(each.arguments) for each in use.calls) == 64 * 1024


def test_of_an_account_without_content_only_names_are_told() -> None:
    (call,) = told(("Bash", '{"command":"ls"}'), names_only=True)
    assert (call.tool, call.arguments) == ("Bash", "")


def test_nobody_who_does_not_ask_is_told() -> None:
    assert rules("").report is None
    assert rules("tool_calls: {report: off}").report is None


@given(st.text(max_size=200))
def test_any_arguments_can_be_told(text: str) -> None:
    said = redacted(text, rules())
    assert TOY not in said


@given(st.text(max_size=30), st.text(max_size=30), st.booleans())
def test_a_toy_never_stays(before: str, after: str, quoted: bool) -> None:
    text = f"{before} {TOY} {after}"
    assert TOY not in redacted(json.dumps({"a": text}) if quoted else text, rules())


# Streams

BLOCK = {"type": "tool_use", "id": "t", "name": "Bash", "input": {}}
STREAM = stream(
    {"type": "message_start", "message": {"usage": {}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "now"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": BLOCK},
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": '{"comm'},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": f'and":"{TOY[:5]}'},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": f'{TOY[5:]}"}}'},
    },
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {**BLOCK, "name": "Read"}},
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": '{"p":1}'},
    },
    {"type": "content_block_stop", "index": 2},
    {"type": "message_stop"},
    named=True,
)


def streamed(scope: Scope, size: int, *, keep_calls: bool = True) -> StreamInspector:
    dialect = DIALECTS["anthropic-messages"]
    inspector = StreamInspector(dialect, AnthropicReader(), scope, keep_calls=keep_calls)
    for start in range(0, len(STREAM), size):
        inspector.feed(STREAM[start : start + size])
    inspector.finish()
    return inspector


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_streamed_calls_are_put_together_however_they_are_cut(size: int) -> None:
    assert streamed(toy_scope(TELLING), size).calls() == [
        ("Bash", f'{{"command":"{TOY}"}}'),
        ("Read", '{"p":1}'),
    ]


def test_a_stream_of_which_nothing_is_told_keeps_nothing() -> None:
    assert streamed(toy_scope(), 100, keep_calls=False).calls() == []


def test_no_tools_are_the_same_value() -> None:
    book = rules()
    assert book.report is not None
    assert book.report.told([], book, app="", names_only=False) is NO_TOOLS
