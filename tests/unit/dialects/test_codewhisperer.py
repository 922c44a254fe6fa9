"""What Kiro and Amazon Q ask."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest, RequestHead
from agent.dialects.eventstream import MessageDecoder, event, exception
from agent.errors import ContentError
from agent.model.content import Attachment, Role
from tests.unit.dialects.feeding import assert_every_slot_can_be_edited, repeats, request, said, texts

NAME = "aws-codewhisperer"
DIALECT = DIALECTS[NAME]
REQUEST: dict[str, object] = {
    "profileArn": "arn:aws:codewhisperer:us-east-1:1:profile/P",
    "conversationState": {
        "conversationId": "c-1",
        "chatTriggerType": "MANUAL",
        "currentMessage": {
            "userInputMessage": {
                "content": "What now?",
                "modelId": "claude-sonnet-4.5",
                "origin": "AI_EDITOR",
                "images": [{"format": "png", "source": {"bytes": "aGVsbG8="}}],
                "userInputMessageContext": {
                    "tools": [{"toolSpecification": {"name": "sh", "description": "a shell",
                                                     "inputSchema": {"json": {"type": "object"}}}}],
                    "toolResults": [{"toolUseId": "t", "status": "success", "content": [{"text": "warm"},
                                                                                     {"json": {"sky": "blue"}}]}],
                    "editorState": {"document": {"relativeFilePath": "a.py", "text": "x = 1",
                                                 "programmingLanguage": {"languageName": "python"}}},
                },
            }
        },
        "history": [
            {"userInputMessage": {"content": "Hello"}},
            {"assistantResponseMessage": {"content": "Hi", "toolUses": [
                {"toolUseId": "t", "name": "sh", "input": {"command": "ls"}}]}},
        ],
    },
}  # fmt: skip


def fed(*messages: bytes) -> list[EventView]:
    reader = DIALECT.stream_reader(ParsedRequest())
    return [reader.read(each.name, each.payload) for each in MessageDecoder().feed(b"".join(messages))]


def test_every_text_of_a_request_is_found() -> None:
    parsed = request(NAME, REQUEST, path="/generateAssistantResponse")
    assert (parsed.model, parsed.stream, parsed.conversation) == ("claude-sonnet-4.5", True, "c-1")
    assert said(parsed.slots) == [
        (Role.USER, "What now?"),
        (Role.TOOL_CALL, "a shell"),
        (Role.TOOL_RESULT, "warm"),
        (Role.TOOL_RESULT, "blue"),
        (Role.USER, "a.py"),
        (Role.USER, "x = 1"),
        (Role.USER, "Hello"),
        (Role.ASSISTANT, "Hi"),
        (Role.TOOL_CALL, "ls"),
    ]
    assert parsed.attachments == (Attachment(kind="image", media_type="image/png", size=5),)


def test_every_text_can_be_changed() -> None:
    assert_every_slot_can_be_edited(NAME, REQUEST)


def test_code_around_a_cursor() -> None:
    code = {"fileContext": {"leftFileContent": "def f(", "rightFileContent": "):", "filename": "a.py",
                            "programmingLanguage": {"languageName": "python"}},
            "supplementalContexts": [{"filePath": "b.py", "content": "y = 2"}]}  # fmt: skip
    head = RequestHead(method="POST", path="/", action="AmazonCodeWhispererService.GenerateCompletions")
    parsed = DIALECT.parse_request(head, orjson.dumps(code))
    assert parsed.operation == "completions"
    assert [slot.text for slot in parsed.slots] == ["def f(", "):", "a.py", "b.py", "y = 2"]
    answer = DIALECT.parse_answer(b'{"completions":[{"content":"x"}],"nextToken":"n"}')
    assert said(answer.slots) == [(Role.ASSISTANT, "x")]


@pytest.mark.parametrize(
    ("action", "asks"),
    [
        ("AmazonCodeWhispererStreamingService.GenerateAssistantResponse", True),
        ("AmazonQDeveloperStreamingService.SendMessage", True),
        ("AmazonCodeWhispererService.GetUsageLimits", False),
        ("AmazonCodeWhispererService.SendTelemetryEvent", False),
    ],
)
def test_the_header_tells_what_asks_a_model(action: str, asks: bool) -> None:
    head = RequestHead(method="POST", path="/", action=action)
    parsed = DIALECT.parse_request(head, orjson.dumps(REQUEST))
    assert parsed.asks is asks
    assert bool(parsed.slots) is asks


def test_without_the_header_everything_is_read() -> None:
    with pytest.raises(ContentError):
        DIALECT.parse_request(RequestHead(method="POST", path="/"), b"no document")


def test_the_events_of_a_stream() -> None:
    views = fed(
        event("messageMetadataEvent", b'{"conversationId":"c-1"}'),
        event("assistantResponseEvent", b'{"content":"I "}'),
        event("assistantResponseEvent", b'{"content":"ask.","modelId":"m"}'),
        event("toolUseEvent", b'{"name":"sh","toolUseId":"t","input":"{\\"command\\":"}'),
        event("toolUseEvent", b'{"name":"sh","toolUseId":"t","input":"\\"ls\\"}"}'),
        event("toolUseEvent", b'{"name":"sh","toolUseId":"t","stop":true}'),
        event("toolUseEvent", b'{"name":"sh","toolUseId":"u","input":{"command":"pwd"},"stop":true}'),
        event("followupPromptEvent", b'{"followupPrompt":{"content":"next"}}'),
        exception("throttlingException", b'{"message":"slow"}'),
    )
    assert texts(views) == {"content": "I ask.", "call/t": '{"command":"ls"}'}
    assert repeats(views) == [(Role.TOOL_CALL, "pwd"), (Role.ASSISTANT, "next")]
    assert views[5].closes == ("call/t",)
    assert views[-1].final
    assert "content" in views[-1].closes


def test_a_stopped_stream_ends_with_an_exception() -> None:
    (message,) = MessageDecoder().feed(DIALECT.stream_reader(ParsedRequest()).block("No."))
    assert (message.kind, message.name, message.payload) == (
        "exception",
        "validationException",
        b'{"message":"No."}',
    )


def test_a_block_names_its_exception_twice() -> None:
    block = DIALECT.block("No.")
    assert orjson.loads(block.body) == {"__type": "ValidationException", "message": "No."}
    assert dict(block.headers)[b"x-amzn-errortype"] == b"ValidationException"
